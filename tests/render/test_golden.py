"""What plans, problems, runs and tables look like. A reader must learn everything from these files alone."""

import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.domain.event import Event
from reconciler.domain.observed import JobError, JobId, ModelId
from reconciler.render import (
    LiveView,
    Sink,
    SummaryRow,
    event_json,
    jobs_json,
    jobs_table,
    plan_json,
    plan_text,
    problems_json,
    problems_text,
    summary_table,
)
from tests.build import a_job
from tests.render import scenes
from tests.render.golden import check_golden

SCHEMAS = Path(__file__).parents[2] / "schemas"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
RUNS = {"good-run": scenes.GOOD_RUN, "bad-run": scenes.BAD_RUN}


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of one of our schemas, which is itself checked."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def told(events: tuple[Event, ...]) -> str:
    """A run as a log shows it, with two seconds between one event and the next."""
    stream, now = io.StringIO(), 0.0
    view = LiveView(Sink(stream), False, False, lambda: now)
    for event in events:
        view.show(event)
        now += 2
    return stream.getvalue()


@pytest.mark.parametrize("name", scenes.PLANS)
def test_a_plan_for_people(name: str) -> None:
    check_golden(f"{name}.txt", plan_text(scenes.PLANS[name], previous=scenes.ANSWERS_NOW))


@pytest.mark.parametrize("name", scenes.PLANS)
def test_a_plan_for_programs(name: str) -> None:
    """Every plan has the shape that the schema promises."""
    text = plan_json(scenes.PLANS[name])

    validator("plan").validate(json.loads(text))
    check_golden(f"{name}.json", text)


@pytest.mark.parametrize("name", scenes.PLANS)
def test_colours_add_nothing_but_colours(name: str) -> None:
    plan = scenes.PLANS[name]
    coloured = plan_text(plan, colour=True)

    assert COLOURS.search(coloured)
    assert COLOURS.sub("", coloured) == plan_text(plan)


@pytest.mark.parametrize("name", scenes.PLANS)
def test_a_plan_fits_its_reader(name: str) -> None:
    lines = plan_text(scenes.PLANS[name], previous=scenes.ANSWERS_NOW).splitlines()

    assert max(map(len, lines)) <= 100
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("name", RUNS)
def test_a_run_for_people(name: str) -> None:
    check_golden(f"{name}.txt", told(RUNS[name]))


@pytest.mark.parametrize("name", RUNS)
def test_a_run_for_programs(name: str) -> None:
    """Every event is one line of the shape that the schema promises."""
    lines = [event_json(event) for event in RUNS[name]]

    for line in lines:
        validator("event").validate(json.loads(line))
    check_golden(f"{name}.jsonl", "".join(lines))


def test_problems_for_people() -> None:
    check_golden("problems.txt", problems_text(scenes.PROBLEMS))


def test_problems_for_programs() -> None:
    check_golden("problems.json", problems_json(scenes.PROBLEMS, unshown=3))


def test_the_table_that_closes_a_run() -> None:
    rows = (
        SummaryRow(
            name="support-triage",
            base="tfidf-logreg",
            status="succeeded",
            job=JobId("ftjob-A1"),
            model=ModelId("ft:tfidf-logreg:acme:support-triage:AxK9"),
        ),
        SummaryRow(name="billing-bot", base="gpt-4.1-mini-2025-04-14", status="failed", job=JobId("ftjob-B7")),
        SummaryRow(name="router", base="tfidf-logreg", status="blocked"),
    )
    check_golden("summary.txt", summary_table(rows))
    check_golden("summary-narrow.txt", summary_table(rows, width=72))


def test_the_list_of_jobs() -> None:
    error = JobError(message="row 17 is broken", code="invalid_training_file")
    jobs = (
        a_job(scenes.RETRIAGE, "running", id="ftjob-A2"),
        a_job(scenes.TRIAGE, id="ftjob-A1", age=7200),
        a_job(scenes.TRIAGE, "failed", id="ftjob-A0", age=90_000, error=error),
    )
    check_golden("jobs.txt", jobs_table(jobs))
    check_golden("jobs.json", jobs_json(jobs))


def test_the_same_plan_gives_the_same_bytes() -> None:
    again = {name: (plan_text(plan), plan_json(plan)) for name, plan in scenes.PLANS.items()}

    assert again == {name: (plan_text(plan), plan_json(plan)) for name, plan in scenes.PLANS.items()}


def test_the_schema_knows_no_other_field() -> None:
    plan = json.loads(plan_json(scenes.PLANS["first-apply"]))

    assert not validator("plan").is_valid({**plan, "surprise": 1})
    assert not validator("plan").is_valid({**plan, "steps": [{**plan["steps"][0], "surprise": 1}]})
    assert not validator("event").is_valid({"type": "interrupted", "surprise": 1})
    assert not validator("event").is_valid({"type": "surprise"})
