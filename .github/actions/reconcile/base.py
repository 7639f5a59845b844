"""Says which commits a pull request may be compared with, the best first, one a line.

    python3 -I base.py

The checkout may lack any of them. A name of a branch is checked before it is printed, because git reads it.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")


def find_bases(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the commit that the event names, the branch that the pull request goes into, and the default branch."""
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        event = None
    base = _take(_take(event, "pull_request"), "base")
    commit = _take(base, "sha")
    if isinstance(commit, str) and _COMMIT.fullmatch(commit):
        yield commit
    branches = (
        environ.get("GITHUB_BASE_REF") or _take(base, "ref"),
        _take(_take(event, "repository"), "default_branch"),
    )
    for branch in branches:
        if isinstance(branch, str) and _BRANCH.fullmatch(branch) and ".." not in branch:
            yield f"refs/remotes/origin/{branch}"


def _take(thing: object, name: str) -> object:
    return thing.get(name) if isinstance(thing, dict) else None


if __name__ == "__main__":
    sys.stdout.writelines(f"{each}\n" for each in find_bases(os.environ))
