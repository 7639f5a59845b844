"""Whose commit is checked out: the repository of the head decides, and an event that cannot tell is refused."""

from typing import Any

import pytest

from tests.ci.conftest import script_of
from tests.ci.events import EVENTS, STRANGER, pull_request
from tests.ci.fake_github import REPOSITORY

SHA = "a" * 40
WORDS = {
    "push": "own",
    "pull request": "own",
    "pull request of a fork": "fork",
    "pull request of a repository that is gone": "fork",
    "pull_request_target": "own",
    "pull_request_target of a fork": "fork",
    "review of a fork": "fork",
    "review comment of a fork": "fork",
    "workflow_run": "own",
    "workflow_run of a fork": "fork",
    "merge queue": "own",
    "schedule": "own",
    "dispatch": "own",
    "comment on a pull request": "unknown",
    "check suite": "unknown",
}


def find(name: str, event: object, head: str = SHA) -> object:
    return script_of("origin").find_origin(name, event, REPOSITORY, (SHA,), head)


@pytest.mark.parametrize("title", EVENTS)
def test_the_head_repository_decides_whatever_the_event(title: str) -> None:
    name, event = EVENTS[title](SHA)
    assert find(name, event) == WORDS[title]


@pytest.mark.parametrize("title", EVENTS)
def test_a_commit_that_the_event_does_not_name_is_not_vouched_for(title: str) -> None:
    """A workflow that was started by hand can check out the head of any pull request."""
    name, event = EVENTS[title](SHA)
    assert find(name, event, "b" * 40) == ("fork" if WORDS[title] == "fork" else "unknown")


@pytest.mark.parametrize("title", EVENTS)
def test_where_git_does_not_say_the_commit_nothing_vouches_for_it(title: str) -> None:
    """The root may be missing, a link out of the checkout, or a directory that git does not trust."""
    name, event = EVENTS[title](SHA)
    assert find(name, event, "") == ("fork" if WORDS[title] == "fork" else "unknown")


@pytest.mark.parametrize("event", [None, [], "x", {}, {"pull_request": {}}, {"pull_request": {"head": None}}])
def test_an_event_that_cannot_be_read_is_never_our_own(event: object) -> None:
    assert find("pull_request", event) != "own"


@pytest.mark.parametrize("name", ["issue_comment", "check_run", "status", "deployment", "something_new", ""])
def test_an_event_that_is_not_known_to_be_ours_is_refused(name: str) -> None:
    assert find(name, {"repository": {"full_name": REPOSITORY}}) == "unknown"


def test_a_fork_stays_one_under_any_name_of_the_event() -> None:
    event: dict[str, Any] = pull_request(SHA, STRANGER)
    assert {find(name, event) for name in ("push", "schedule", "workflow_dispatch", "anything")} == {"fork"}
