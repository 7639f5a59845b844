"""Fifteen events and twelve outcomes: what a reader sees in each cell is what happened, and never more than that.

A reader sees the color of the run, the outputs, the summary, the comment, the issue about drift, and the lock file on
the branch. A cell that was not settled says neither "No changes" nor "Settled" nor "Applied" anywhere.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.render.review import ReviewState, verdict_text
from tests.ci.conftest import make_origin, script_of
from tests.ci.events import EVENTS
from tests.ci.fake_github import FakeHub, open_hub
from tests.ci.locks import OLD, entry, lock_text
from tests.ci.outcomes import OUTCOMES, ROOT, Outcome, prepare
from tests.ci.runner import GITHUB, Ran, Runner, git
from tests.ci.test_origin import WORDS

pytestmark = pytest.mark.loopback

LOCK = f"{ROOT}/models.lock.yaml"
MARKER = f"<!-- reconciler env= root={ROOT} -->"
DRIFT = MARKER.replace("reconciler env", "reconciler drift env")
ON_THE_BRANCH = lock_text(entry("a", "a1"), entry("b", "b9"))
RECORDED = lock_text(entry("a", "a2"), entry("b", "b9"))
GOOD_NEWS = re.compile(r"No changes|Settled|Applied:|\bsettled\b|has_changes.{0,50}false", re.DOTALL)
CAUTION = "comes from a fork"

CHECKOUT = {"uses": "actions/checkout@x", "with": {"persist-credentials": False}}
OUTPUTS = ("has_changes", "state", "exitcode", "to_train", "cost_low", "blocked", "verdict", "lock")
HAVE_A_COMMENT = frozenset(
    {"pull request", "pull_request_target", "workflow_run"}
    | {"pull_request_target of a fork", "review of a fork", "review comment of a fork", "workflow_run of a fork"}
)


def action_job(command: str) -> dict[str, Any]:
    """Return a job with the short form of the action."""
    step = {
        "id": "run",
        "uses": "$/.github/actions/reconcile",
        "with": {"command": command, "root": ROOT, "comment": True},
    }
    return {"steps": [CHECKOUT, step], "outputs": {each: f"${{{{ steps.run.outputs.{each} }}}}" for each in OUTPUTS}}


def apply_jobs() -> dict[str, Any]:
    """Return the jobs of the workflow that applies, after a plan with changes."""
    jobs = yaml.safe_load((GITHUB / "workflows" / "apply.yml").read_text(encoding="utf-8"))["jobs"]
    outputs = {each: f"${{{{ steps.apply.outputs.{each} }}}}" for each in OUTPUTS}
    planned = {"steps": [], "outputs": {"basis": "v1:" + "0" * 64, "has_changes": "true"}}
    return {"plan": planned, "apply": {**jobs["apply"], "outputs": outputs}, "record": jobs["record"]}


@dataclass(frozen=True)
class World:
    """The repository whose branch has moved since the commit that is run."""

    origin: Path
    sha: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    origin = make_origin(folder)
    clone = folder / "clone"
    git("clone", "--quiet", str(origin), str(clone))
    shas = []
    for text in (OLD, ON_THE_BRANCH):
        (clone / LOCK).write_text(text, encoding="utf-8")
        git("-C", str(clone), "add", LOCK)
        git("-C", str(clone), "commit", "--quiet", "--message", "a lock file")
        shas.append(git("-C", str(clone), "rev-parse", "HEAD"))
    git("-C", str(clone), "push", "--quiet", "origin", "HEAD:main")
    return World(origin, shas[0])


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with open_hub() as opened:
        yield opened


def cells() -> list[Any]:
    """Return the cells that are run: all of them with `MATRIX=all`, else each event and each outcome at least once."""
    return [
        pytest.param(event, outcome, id=f"{event}-{outcome}")
        for row, event in enumerate(EVENTS)
        for column, outcome in enumerate(OUTCOMES)
        if os.environ.get("MATRIX") == "all" or event == "push" or row % len(OUTCOMES) == column
    ]


@pytest.mark.parametrize(("event", "outcome"), cells())
def test_a_reader_sees_what_happened(world: World, hub: FakeHub, tmp_path: Path, event: str, outcome: str) -> None:
    happened, name_and_content = OUTCOMES[outcome], EVENTS[event](world.sha)
    origin = tmp_path / "origin"
    git("clone", "--quiet", "--bare", str(world.origin), str(origin))
    hub.head = world.sha
    hub.roots.append(ROOT)
    hub.pull("stranger" if "fork" in event else "acme", "topic", world.sha)
    hub.issue("Drift", f"{DRIFT}\nAn older look.")
    program = prepare(outcome, tmp_path / "program", world.sha)
    (tmp_path / "service").mkdir()
    runner = Runner(origin, tmp_path, hub.environ(), program=str(program), artifacts={"service": tmp_path / "service"})
    jobs = {each: action_job(each) for each in ("plan", "drift")} if happened.command == "plan" else apply_jobs()

    ran = runner.run_jobs(jobs, *name_and_content, world.sha)

    whose = WORDS[event]
    if happened.command == "plan":
        check_action(ran["plan"], happened, whose, "plan")
        check_action(ran["drift"], happened, whose, "drift")
        check_comment(hub, happened, event)
        check_issue(hub, happened, whose)
        assert lock_of(origin) == ON_THE_BRANCH
    else:
        check_action(ran["apply"], happened, whose, "apply")
        check_lock(origin, ran["record"], happened, whose)
        assert hub.comments == []
        assert [each["state"] for each in hub.issues] == ["open"]
    if whose != "own":
        check_stranger(tmp_path, ran, happened, whose)


def check_action(ran: Ran, happened: Outcome, whose: str, command: str) -> None:
    """Check the color of a job, its outputs, its annotations and its summary."""
    may_run = whose == "own" or (whose == "fork" and command == "plan")
    if not may_run:
        assert (ran.result, ran.outputs["exitcode"], ran.outputs["has_changes"]) == ("failure", "64", "")
        assert not GOOD_NEWS.search(ran.log + ran.summary)
        return
    is_green = happened.code == 0 or (happened.code == 2 and command != "apply")
    assert ran.result == ("success" if is_green else "failure"), ran.log
    assert ran.outputs["exitcode"] == str(happened.code)
    assert (ran.outputs["has_changes"] == "false") == happened.is_settled
    assert (ran.outputs["state"] == ReviewState.SETTLED) == happened.is_settled
    if happened.review:
        assert ran.outputs["verdict"] == verdict_text(happened.review)
        assert happened.review.is_planned == bool(ran.outputs["to_train"])
        assert ran.summary.count("### ") >= 1
        for keep in happened.review.plan.blocked:
            assert str(keep.address) in ran.log, "a blocked model is annotated"
            assert keep.address.name in ran.outputs["blocked"]
    if not happened.is_settled:
        assert not GOOD_NEWS.search(ran.summary + ran.log + str(ran.outputs))


def check_comment(hub: FakeHub, happened: Outcome, event: str) -> None:
    """Check that a pull request has one review with the verdict, and that no other run has any."""
    comments = [each for each in hub.comments if each["on"] == 7]
    if event not in HAVE_A_COMMENT or happened.review is None:
        assert comments == []
        return
    (first,) = comments
    assert first["body"].startswith(MARKER)
    assert (CAUTION in first["body"]) == (WORDS[event] == "fork")
    text = first["body"].replace("\u200b", "")
    assert script_of("review").write_marker("", ROOT) in text
    assert bool(GOOD_NEWS.search(text)) == happened.is_settled


def check_issue(hub: FakeHub, happened: Outcome, whose: str) -> None:
    """Check that the issue about drift is closed by a settled look, written to by any other, and else as it was."""
    (issue,) = hub.issues
    looked = whose == "own" and happened.review is not None
    assert (issue["state"] == "closed") == (looked and happened.is_settled)
    if looked and not happened.is_settled:
        assert "An older look." not in issue["body"]
        assert not GOOD_NEWS.search(issue["body"])
    else:
        assert "An older look." in issue["body"]


def lock_of(origin: Path) -> str:
    return git("-C", str(origin), "show", f"main:{LOCK}") + "\n"


def check_lock(origin: Path, record: Ran, happened: Outcome, whose: str) -> None:
    """Check that the branch has what the apply changed, beside what it held already, and nothing else."""
    changed = whose == "own" and happened.lock not in (None, OLD)
    assert lock_of(origin) == (RECORDED if changed else ON_THE_BRANCH)
    assert record.result == "success", record.log


def check_stranger(folder: Path, ran: Mapping[str, Ran], happened: Outcome, whose: str) -> None:
    """Check that the program was run offline for a fork's plan, and not at all for anything else."""
    arguments = folder / "program" / "arguments"
    if whose == "fork" and happened.command == "plan":
        words = arguments.read_text(encoding="utf-8").splitlines()
        assert "--offline" in words
        assert "--out" not in words
    else:
        assert not arguments.exists()


def test_there_are_fifteen_events_and_twelve_outcomes() -> None:
    assert (len(EVENTS), len(OUTCOMES)) == (15, 12)
    assert set(WORDS) == set(EVENTS)
