"""Says whose commit is checked out: this repository's own, a fork's, or what the event cannot tell.

    python3 -I origin.py HEAD

HEAD is the commit that is checked out, empty where git does not say it: that commit is of unknown origin. Where the
head of a pull request or of a run lies decides, whatever the event is called. An event of this repository's own speaks
for the commits that it names, and for no other one: a workflow can check out anything.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

OWN, FORK, UNKNOWN = "own", "fork", "unknown"
# Only who may write to this repository can cause these, or it is a timer.
OF_THIS_REPOSITORY = frozenset(
    {"push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group", "release"}
)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Print the word."""
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        event = None
    commits = (environ.get("GITHUB_SHA", ""),)
    repository, name = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_EVENT_NAME", "")
    sys.stdout.write(find_origin(name, event, repository, commits, arguments[0] if arguments else "") + "\n")
    return 0


def find_origin(name: str, event: object, repository: str, commits: Sequence[str], head: str) -> str:
    """Return whose commit `head` is, by an event; `commits` are those that the runner names."""
    if not isinstance(event, dict) or not repository:
        return UNKNOWN
    heads = list(_find_heads(event))
    if any(each != repository for each in heads):
        return FORK
    if not heads and name not in OF_THIS_REPOSITORY:
        return UNKNOWN
    known = {*filter(None, commits), *_find_commits(event)}
    return OWN if head in known else UNKNOWN


def _find_heads(event: Mapping[str, Any]) -> Iterator[str | None]:
    """Yield the repositories that the heads of an event lie in; None for one that is gone."""
    for key, field in (("pull_request", "repo"), ("workflow_run", "head_repository")):
        thing = event.get(key)
        if isinstance(thing, dict):
            source = (thing.get("head") if key == "pull_request" else thing) or {}
            repository = source.get(field) if isinstance(source, dict) else None
            yield repository.get("full_name") if isinstance(repository, dict) else None


def _find_commits(event: Mapping[str, Any]) -> Iterator[str]:
    pull, run, group = (event.get(key) or {} for key in ("pull_request", "workflow_run", "merge_group"))
    named = (
        event.get("after"),
        pull.get("merge_commit_sha"),
        (pull.get("head") or {}).get("sha"),
        (pull.get("base") or {}).get("sha"),
        run.get("head_sha"),
        group.get("head_sha"),
    )
    yield from (each for each in named if isinstance(each, str) and each)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
