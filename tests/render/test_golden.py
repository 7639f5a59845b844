"""Plans, problems, runs and tables as users and programs see them, in golden files."""

import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.domain.event import Event, JobLogged, JobMoved, JobVanished
from reconciler.domain.observed import JobId, ModelId, RemoteJob
from reconciler.render import (
    JobDetail,
    LiveView,
    Sink,
    SummaryRow,
    event_json,
    event_text,
    file_detail,
    file_fields,
    files_table,
    job_detail,
    job_detail_fields,
    job_fields,
    jobs_table,
    json_document,
    model_detail,
    model_fields,
    models_table,
    plan_json,
    plan_text,
    problems_json,
    problems_text,
    summary_table,
)
from tests.render import examples, remote_things
from tests.render.golden import check_golden

SCHEMAS = Path(__file__).parents[2] / "schemas"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
RUNS = {"good-run": examples.GOOD_RUN, "bad-run": examples.BAD_RUN}


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of one of our schemas, which is itself checked."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def log_of(events: tuple[Event, ...]) -> str:
    """A run as a log shows it, with two seconds between one event and the next."""
    stream, now = io.StringIO(), 0.0
    view = LiveView(Sink(stream), False, False, lambda: now)
    for event in events:
        view.show(event)
        now += 2
    return stream.getvalue()


@pytest.mark.parametrize("name", examples.PLANS)
def test_a_plan_for_people(name: str) -> None:
    check_golden(f"{name}.txt", plan_text(examples.PLANS[name], previous=examples.ANSWERS_NOW))


@pytest.mark.parametrize("name", examples.PLANS)
def test_a_plan_for_programs(name: str) -> None:
    """Every plan has the shape that the schema promises."""
    text = plan_json(examples.PLANS[name])

    validator("plan").validate(json.loads(text))
    check_golden(f"{name}.json", text)


@pytest.mark.parametrize("name", examples.PLANS)
def test_colours_add_nothing_but_colours(name: str) -> None:
    plan = examples.PLANS[name]
    coloured = plan_text(plan, colour=True)

    assert COLOURS.search(coloured)
    assert COLOURS.sub("", coloured) == plan_text(plan)


@pytest.mark.parametrize("name", examples.PLANS)
def test_a_plan_fits_its_reader(name: str) -> None:
    lines = plan_text(examples.PLANS[name], previous=examples.ANSWERS_NOW).splitlines()

    assert max(map(len, lines)) <= 100
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("name", RUNS)
def test_a_run_for_people(name: str) -> None:
    check_golden(f"{name}.txt", log_of(RUNS[name]))


@pytest.mark.parametrize("name", RUNS)
def test_a_run_for_programs(name: str) -> None:
    """Every event is one line of the shape that the schema promises."""
    lines = [event_json(event) for event in RUNS[name]]

    for line in lines:
        validator("event").validate(json.loads(line))
    check_golden(f"{name}.jsonl", "".join(lines))


def test_problems_for_people() -> None:
    check_golden("problems.txt", problems_text(examples.PROBLEMS))


def test_problems_for_programs() -> None:
    check_golden("problems.json", problems_json(examples.PROBLEMS, unshown=3))


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


def test_the_lists_of_what_a_service_holds() -> None:
    for ending, width in (("", None), ("-100", 100), ("-80", 80)):
        check_golden(f"jobs{ending}.txt", jobs_table(remote_things.JOBS, width=width))
        check_golden(f"files{ending}.txt", files_table(remote_things.FILES, width=width))
        check_golden(f"models{ending}.txt", models_table(remote_things.MODELS, width=width))
    check_golden("jobs.json", json_document([job_fields(job) for job in remote_things.JOBS]))
    check_golden("files.json", json_document([file_fields(*each) for each in remote_things.FILES]))
    check_golden("models.json", json_document([model_fields(*each) for each in remote_things.MODELS]))


def test_one_thing_in_full() -> None:
    shown = "\n".join(
        (
            job_detail(remote_things.CARD),
            job_detail(JobDetail(job=RemoteJob(id=JobId("ftjob-silent")), events=None, checkpoints=None)),
            *(file_detail(*file) for file in remote_things.FILES),
            *(model_detail(*model) for model in remote_things.MODELS),
        )
    )
    check_golden("cards.txt", shown)
    documents = (
        json_document(job_detail_fields(remote_things.CARD)),
        json_document(file_fields(*remote_things.FILES[0])),
        json_document(model_fields(*remote_things.MODELS[0])),
    )
    check_golden("cards.json", "".join(documents))


def test_events_of_any_job_for_people_and_for_programs() -> None:
    ours, theirs = remote_things.JOBS[0], remote_things.JOBS[1]
    events: list[Event] = [JobMoved(job=job) for job in remote_things.JOBS]
    events += [JobLogged(address=ours.address, job=ours.id, event=event) for event in remote_things.EVENTS]
    events += [JobVanished(address=None, job=theirs.id)]
    check_golden("news.txt", "".join(map(event_text, events)))
    lines = [event_json(event) for event in events]
    check_golden("news.jsonl", "".join(lines))
    for line in lines:
        validator("event").validate(json.loads(line))


def test_the_same_plan_gives_the_same_bytes() -> None:
    again = {name: (plan_text(plan), plan_json(plan)) for name, plan in examples.PLANS.items()}

    assert again == {name: (plan_text(plan), plan_json(plan)) for name, plan in examples.PLANS.items()}


def test_the_schema_knows_no_other_field() -> None:
    plan = json.loads(plan_json(examples.PLANS["first-apply"]))

    assert not validator("plan").is_valid({**plan, "surprise": 1})
    assert not validator("plan").is_valid({**plan, "steps": [{**plan["steps"][0], "surprise": 1}]})
    assert not validator("event").is_valid({"type": "interrupted", "surprise": 1})
    assert not validator("event").is_valid({"type": "surprise"})
