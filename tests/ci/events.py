"""The events that GitHub sends, with the fields that the workflows read."""

from collections.abc import Callable
from typing import Any

from tests.ci.fake_github import REPOSITORY

STRANGER = "stranger/models"
BASE = {"repository": {"full_name": REPOSITORY, "default_branch": "main"}}


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


def merge_group(sha: str) -> dict[str, Any]:
    """Return the event of a merge queue."""
    return {**BASE, "merge_group": {"head_sha": sha, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7"}}


def issue_comment() -> dict[str, Any]:
    """Return the event of a comment on a pull request; it does not name the head."""
    return {**BASE, "issue": {"number": 7, "pull_request": {"url": "…"}}, "comment": {"body": "/plan"}}


EVENTS: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "push": lambda sha: ("push", {**push(), "after": sha}),
    "pull request": lambda sha: ("pull_request", pull_request(sha)),
    "pull request of a fork": lambda sha: ("pull_request", pull_request(sha, STRANGER)),
    "pull request of a repository that is gone": lambda sha: ("pull_request", without_head(sha)),
    "pull_request_target": lambda sha: ("pull_request_target", pull_request(sha)),
    "pull_request_target of a fork": lambda sha: ("pull_request_target", pull_request(sha, STRANGER)),
    "review of a fork": lambda sha: ("pull_request_review", pull_request(sha, STRANGER)),
    "review comment of a fork": lambda sha: ("pull_request_review_comment", pull_request(sha, STRANGER)),
    "workflow_run": lambda sha: ("workflow_run", workflow_run(sha)),
    "workflow_run of a fork": lambda sha: ("workflow_run", workflow_run(sha, STRANGER)),
    "merge queue": lambda sha: ("merge_group", merge_group(sha)),
    "schedule": lambda _sha: ("schedule", schedule()),
    "dispatch": lambda _sha: ("workflow_dispatch", {**BASE, "inputs": {}}),
    "comment on a pull request": lambda _sha: ("issue_comment", issue_comment()),
    "check suite": lambda sha: ("check_suite", {**BASE, "check_suite": {"head_sha": sha, "pull_requests": []}}),
}
"""The name and the content of fifteen events, by what happened."""


def without_head(sha: str) -> dict[str, Any]:
    """Return a pull request whose repository was deleted."""
    event = pull_request(sha)
    event["pull_request"]["head"]["repo"] = None
    return event
