"""Every form of a review has the same verdict and the same findings, for each of the twelve outcomes."""

import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.cli.console import Console
from reconciler.cli.formats import read_formats, show_review
from reconciler.domain.event import Outcome as StepOutcome
from reconciler.domain.observed import JobId
from reconciler.domain.plan import Cancel, CancelReason, Step, StepId
from reconciler.render import Sink
from reconciler.render.review import Review, RunResult, StepResult, result_line, verdict_text
from tests.ci.outcomes import OUTCOMES
from tests.factories import a_job
from tests.render.reviews import REVIEWS

FORMS = ("json", "markdown", "html", "sarif", "junit", "review")


def write_all(review: Review, code: int, folder: Path) -> dict[str, str]:
    """Return a review in every form, by its name; the annotations as github."""
    out = io.StringIO()
    console = Console(
        out=Sink(out), err=Sink(io.StringIO()), colour=False, colour_err=False, can_ask=False, is_terminal=False
    )
    targets = read_formats([*(f"{form}={folder / form}" for form in FORMS), "github"])
    show_review(review, targets, console, exit_code=code, environ={})
    return {form: (folder / form).read_text(encoding="utf-8") for form in FORMS} | {"github": out.getvalue()}


def read_html(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def squeeze(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def sarif_run(text: str) -> Any:
    (run,) = json.loads(text)["runs"]
    return run


WITH_REVIEW = [name for name, outcome in OUTCOMES.items() if outcome.review]


@pytest.mark.parametrize("name", WITH_REVIEW)
def test_the_verdict_is_the_same_in_every_form(name: str, tmp_path: Path) -> None:
    outcome = OUTCOMES[name]
    assert outcome.review
    verdict = verdict_text(outcome.review)
    written = write_all(outcome.review, outcome.code, tmp_path)
    assert json.loads(written["review"])["verdict"] == verdict
    assert sarif_run(written["sarif"])["properties"]["verdict"] == verdict
    assert verdict in read_html(written["html"])
    assert squeeze(verdict) in squeeze(written["markdown"])
    assert json.loads(result_line(outcome.review))["verdict"] == verdict


@pytest.mark.parametrize("name", WITH_REVIEW)
def test_the_findings_are_the_same_in_every_form(name: str, tmp_path: Path) -> None:
    outcome = OUTCOMES[name]
    review = outcome.review
    assert review
    written = write_all(review, outcome.code, tmp_path)
    results = sarif_run(written["sarif"])["results"]
    messages = [squeeze(each["message"]["text"]) for each in results]
    page = squeeze(read_html(written["html"]))
    texts = [*(each.what for each in review.problems), *(each.what for each in review.plan.refused)]
    texts += review.plan.warnings
    for text in texts:
        assert any(squeeze(text) in each for each in messages), text
        assert squeeze(text) in page, text
    for each in review.undone:
        assert f"apply.{each.outcome}" in {result["ruleId"] for result in results}
        assert squeeze(f"{each.step.action.address}: {each.outcome}") in page
    blocked = {f"plan.blocked.{keep.why}" for keep in review.plan.blocked}
    assert blocked == {result["ruleId"] for result in results if result["ruleId"].startswith("plan.blocked")}
    assert sarif_run(written["sarif"])["invocations"][0]["exitCode"] == outcome.code


def test_steps_of_one_model_have_different_names_in_every_form(tmp_path: Path) -> None:
    review = REVIEWS["first-apply"]
    create = next(step for step in review.plan.steps if step.id.startswith("train"))
    jobs = [a_job(id=JobId(f"ftjob-{number}")) for number in (1, 2)]
    cancels = [
        Step(id=StepId(f"cancel:{job.id}"), action=Cancel(job=job, reason=CancelReason.SUPERSEDED)) for job in jobs
    ]
    steps = tuple(StepResult(step=step, outcome=StepOutcome.BLOCKED, message="x") for step in (create, *cancels))
    shown = replace(review, result=RunResult(title="Applied in part", steps=steps))
    written = write_all(shown, 8, tmp_path)
    names = [f"cancel {job.address} ({job.id})" for job in jobs]
    for form in ("html", "junit", "github", "sarif"):
        text = html.unescape(written[form])
        assert all(name in text for name in names), form
        assert "train" in text
    assert all(job.id in written["markdown"] for job in jobs)
