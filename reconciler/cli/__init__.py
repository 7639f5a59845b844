"""The command line: flags in, one view chosen, one exit code out."""

import signal
import sys

from reconciler import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        print(f"reconciler {__version__}")  # noqa: T201 (nothing else is loaded for this answer)
        return
    if sys.platform != "win32":
        # A signal that arrives before there are handlers waits for them.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    # `--version` is answered without the command-line library, and signals are handled before it is loaded.
    from reconciler.cli.signals import run_with_signals

    run_with_signals("reconciler.cli.app", sys.argv[1:])
