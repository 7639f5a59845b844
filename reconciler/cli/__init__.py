"""The command line: flags in, one view chosen, one exit code out."""

import sys

from reconciler import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        print(f"reconciler {__version__}")  # noqa: T201 (nothing else is loaded for this answer)
        return
    # `--version` is answered without the command-line library.
    from reconciler.cli.app import run

    sys.exit(run(sys.argv[1:]))
