"""Checks that a wheel carries every file of the package that is not code: `python .ci/wheel.py WHEEL`."""

import subprocess
import sys
import zipfile


def main() -> int:
    """Compare the wheel with what git tracks; return 1 and name what is missing."""
    tracked = subprocess.run(["git", "ls-files", "reconciler", "schemas"], capture_output=True, text=True, check=True)
    wanted = {path if path.startswith("reconciler/") else f"reconciler/{path}" for path in tracked.stdout.split()}
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        missing = sorted(wanted - set(wheel.namelist()))
    print("\n".join(f"missing in the wheel: {path}" for path in missing) or f"{len(wanted)} files, all in the wheel")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
