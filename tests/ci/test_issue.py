"""One issue while a service differs from its specs: opened, updated, closed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ci.conftest import MARKER, Script
from tests.ci.events import STRANGER, pull_request, schedule, workflow_run
from tests.ci.fake_github import FakeHub

pytestmark = pytest.mark.loopback

DRIFT = MARKER.replace("reconciler env", "reconciler drift env")


def settle(script: Script, has_changes: bool, *parts: str, **more: Any) -> str:
    code, output = script.run("issue", script.review(*parts, has_changes=has_changes, **more), event=schedule())
    assert code == 0, output
    return output


def test_an_issue_is_opened_once_updated_and_closed(script: Script, hub: FakeHub) -> None:
    settle(script, True, "One model is missing. 2026-01-02 04:17 UTC")
    settle(script, True, "One model is missing. 2026-01-03 04:17 UTC")
    assert hub.calls == [("POST", "/repos/acme/models/issues")]
    assert hub.issues[0]["title"] == "Drift: specs/quickstart"
    assert hub.issues[0]["body"].startswith(f"{DRIFT}\n")

    settle(script, True, "Two models are missing.")
    assert "Two models" in hub.issues[0]["body"]

    settle(script, False, verdict="No changes.")
    assert (hub.issues[0]["state"], hub.issues[0]["state_reason"]) == ("closed", "completed")
    assert hub.comments[0]["body"] == "Settled: No changes."

    settle(script, True, "One model is missing.")
    assert [each["state"] for each in hub.issues] == ["closed", "open"]


def test_without_drift_and_without_an_issue_nothing_is_written(script: Script, hub: FakeHub) -> None:
    assert "nothing to do" in settle(script, False)
    assert hub.calls == []


def test_only_an_issue_of_the_bot_with_our_marker_is_touched(script: Script, hub: FakeHub) -> None:
    hub.issue("a copy", f"{DRIFT}\ncopied by a person", {"login": "tess", "type": "User"})
    hub.issue("other", "<!-- reconciler drift env=prod root=specs/quickstart -->\nanother environment")
    hub.issue("a pull request", f"{DRIFT}\nlists of issues name these too", pull_request={"url": "…"})

    settle(script, False)

    assert hub.calls == []


def test_of_several_open_issues_the_oldest_is_updated(script: Script, hub: FakeHub) -> None:
    hub.issue("Drift", f"{DRIFT}\nold")
    hub.issue("Drift", f"{DRIFT}\nold")

    settle(script, True, "new")

    assert [each["state"] for each in hub.issues] == ["open", "closed"]
    assert "new" in hub.issues[0]["body"]
    assert hub.comments[0]["body"] == "Continued in #1."


def test_the_title_names_the_environment_and_a_long_review_links_to_the_run(script: Script, hub: FakeHub) -> None:
    settle(script, True, "x" * 60_000, "more", environment="prod")

    assert hub.issues[0]["title"] == "Drift: specs/quickstart (prod)"
    assert hub.issues[0]["body"].endswith("/acme/models/actions/runs/4711.\n")
    assert len(hub.issues[0]["body"]) < 65_536


def test_without_a_review_no_issue_is_closed(script: Script, hub: FakeHub) -> None:
    """A failed run has no information about the service."""
    hub.issue("Drift", f"{DRIFT}\nold")
    (script.folder / "reviews").mkdir()

    code, output = script.run("issue", str(script.folder / "reviews"))
    assert (code, hub.calls) == (0, [])
    assert "no issue was touched" in output


@pytest.mark.parametrize("state", ["changes", "waiting", "refused", "invalid", "failed"])
def test_a_look_that_did_not_find_everything_in_order_keeps_the_issue_open(
    script: Script, hub: FakeHub, state: str
) -> None:
    hub.issue("Drift", f"{DRIFT}\nold")

    settle(script, True, "What the look found.", state=state)

    assert [each["state"] for each in hub.issues] == ["open"]
    assert "What the look found." in hub.issues[0]["body"]
    assert ("no longer matches" in hub.issues[0]["body"]) == (state == "changes")
    assert ("its job still runs" in hub.issues[0]["body"]) == (state == "waiting")
    assert "is missing" not in hub.issues[0]["body"]
    assert hub.comments == []


def test_a_look_that_failed_opens_an_issue(script: Script, hub: FakeHub) -> None:
    settle(script, True, state="failed")

    assert "The look failed" in hub.issues[0]["body"]


@pytest.mark.parametrize("version", [1, 2])
def test_a_look_that_did_not_ask_about_everything_closes_nothing_and_opens_nothing(
    script: Script, hub: FakeHub, version: int
) -> None:
    """Offline, of one model, or by a program that does not say."""
    hub.issue("Drift", f"{DRIFT}\nold")
    path = Path(script.review(has_changes=False, state="unchanged"))
    if version == 1:
        value = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({k: v for k, v in value.items() if k != "state"} | {"version": 1}), encoding="utf-8")

    code, output = script.run("issue", str(path), event=schedule())

    assert (code, hub.calls) == (0, [])
    assert "no issue was touched" in output


def test_a_token_without_write_permission_is_an_error(script: Script, hub: FakeHub) -> None:
    hub.read_only = True

    code, output = script.run("issue", script.review(), event=schedule())

    assert code == 1
    assert "permission" in output


@pytest.mark.parametrize("event", [workflow_run("a" * 40, STRANGER), pull_request("a" * 40, STRANGER)])
def test_a_forks_plan_closes_no_issue_and_opens_none(script: Script, hub: FakeHub, event: object) -> None:
    hub.issue("Drift", f"{DRIFT}\nold")

    for has_changes in (False, True):
        code, output = script.run("issue", script.review(has_changes=has_changes), event=event)
        assert (code, hub.calls) == (0, [])
        assert "fork" in output
