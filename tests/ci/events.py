"""The events that GitHub sends, with the fields that the workflows read."""

from typing import Any

from tests.ci.fake_github import REPOSITORY

STRANGER = "stranger/models"
BASE = {"repository": {"full_name": REPOSITORY}}


def pull_request(sha: str, head: str = REPOSITORY, number: int = 7) -> dict[str, Any]:
    """A pull request that was opened or pushed to."""
    return {**BASE, "pull_request": {"number": number, "head": {"sha": sha, "repo": {"full_name": head}}}}


def workflow_run(sha: str, head: str = REPOSITORY, branch: str = "topic") -> dict[str, Any]:
    """A plan of a pull request that has ended."""
    source = {"full_name": head, "owner": {"login": head.partition("/")[0]}}
    run = {
        "id": 4711,
        "event": "pull_request",
        "conclusion": "success",
        "head_sha": sha,
        "head_branch": branch,
        "head_repository": source,
        "pull_requests": [],
    }
    return {**BASE, "workflow_run": run}


def push() -> dict[str, Any]:
    """Return the event of a merge."""
    return {**BASE, "ref": "refs/heads/main"}


def schedule() -> dict[str, Any]:
    """Return the event of a schedule."""
    return {**BASE, "schedule": "17 4 * * *"}
