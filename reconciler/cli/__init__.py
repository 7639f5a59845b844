"""The front door: flags in, one view chosen, one exit code out."""

import sys


def main() -> None:
    """Run the command that was typed, and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from reconciler import __version__

        print(f"reconciler {__version__}")  # noqa: T201 (nothing else is loaded for this answer)
        return
    from reconciler.cli.app import run

    sys.exit(run(sys.argv[1:]))
