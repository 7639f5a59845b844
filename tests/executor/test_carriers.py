"""A service, or a gateway before it, that drops or changes what was sent: one job is paid for, and a person decides."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.domain.event import Event, Finished, Outcome
from reconciler.domain.observed import ClaimedJob, JobId
from reconciler.domain.plan import Options, Plan
from reconciler.domain.ports import Intent
from reconciler.executor import MemoryJournal, RunContext, execute
from reconciler.planner import make_plan
from reconciler.providers import open_provider
from tests.factories import a_model, desired
from tests.providers.fake_service import FakeService, Json, refusal
from tests.simulation.carriers import ALTERATIONS, Alteration
from tests.simulation.sandbox import Clock, lines_of, outcomes, real_dataset

MODEL = a_model(training=real_dataset(), epochs=3)
MARK = "reconciler-"


@dataclass
class World:
    """A service that alters what it keeps, what it answers to a create, or both; and runs that follow each other.

    Shape:  `kept` alters the job that is stored and listed, `said` the answer to its create; with `answer`, that comes
            in place of the service's own; `wrapped` makes the answer of the job
    """

    kept: Callable[[Json], Json] = dict
    said: Callable[[Json], Json] = dict
    answer: httpx.Response | None = None
    wrapped: Callable[[Json], httpx.Response] = lambda job: httpx.Response(200, json=job)
    has_effect: bool = True
    late_seconds: float = 0.0
    clock: Clock = field(default_factory=Clock)
    service: FakeService = field(default_factory=lambda: FakeService(page=100))
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    creates: int = 0
    runs: int = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        is_create = request.method == "POST" and request.url.path.endswith("/jobs")
        if not is_create:
            return self.service.handle(request)
        self.creates += 1
        if self.answer is not None and self.creates == 1:
            if self.has_effect:
                self.clock.after(self.late_seconds, lambda: self._make(request))
                self.clock.sleep(0)
            return self.answer
        return self.wrapped(self.said(dict(self._make(request))))

    def _make(self, request: httpx.Request) -> Json:
        job = json.loads(self.service.handle(request).content)
        self.service.jobs[job["id"]] = self.kept({**job, "metadata": dict(job["metadata"])})
        return self.service.jobs[job["id"]] if self.said is dict else job

    def plan(self, options: Options | None = None) -> Plan:
        return self._plan(options or Options())[0]

    def _plan(self, options: Options) -> tuple[Plan, Any, Any]:
        provider = open_provider(
            "openai",
            project="acme",
            environ={"OPENAI_API_KEY": "key-of-a-test"},
            transport=httpx.MockTransport(self.handle),
            clock=self.clock,
            sleep=self.clock.sleep,
        )
        claimed = tuple(
            ClaimedJob(stamp=each.stamp, job=each.job, doubt=each.doubt)
            for each in self.journal.open_intents()
            if each.job and each.doubt
        )
        observed = replace(provider.observe(), claimed=claimed)
        plan = make_plan(
            desired(MODEL), observed, options=options, provider="openai", capabilities=provider.capabilities
        )
        return plan, observed, provider

    def apply(self, options: Options | None = None) -> list[Event]:
        """Plan and carry out, unless the plan is refused."""
        self.runs += 1
        plan, observed, provider = self._plan(options or Options())
        if plan.refused:
            return []
        context = RunContext(
            provider=provider,
            open_dataset=lines_of,
            clock=self.clock,
            sleep=self.clock.sleep,
            journal=self.journal,
            run=f"run {self.runs}",
        )
        context.remember(observed, desired(MODEL).datasets)
        return list(execute(plan, context))

    @property
    def jobs(self) -> int:
        return len(self.service.jobs)


def with_metadata(alter: Alteration) -> Callable[[Json], Json]:
    return lambda job: {**job, "metadata": alter(job["metadata"] or {})}


ALTERED: dict[str, Callable[[Json], Json]] = {
    **{name: with_metadata(alter) for name, alter in ALTERATIONS.items()},
    "left out": lambda job: {name: value for name, value in job.items() if name != "metadata"},
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_a_service_that_does_not_keep_metadata_is_paid_once_however_often_apply_runs(
    alter: Callable[[Json], Json],
) -> None:
    world = World(kept=alter)
    (upload, train) = [event for event in world.apply() if isinstance(event, Finished)]
    assert (upload.outcome, train.outcome) == (Outcome.DONE, Outcome.REFUSED)
    (job,) = world.service.jobs
    assert job in train.message
    assert f"reconciler jobs {job}" in train.hint
    (note,) = world.journal.open_intents()
    assert (note.job, bool(note.doubt)) == (job, True)
    for _ in range(3):
        world.clock.sleep(10_000)
        world.apply()
    assert (world.creates, world.jobs) == (1, 1)
    assert {refusal.policy for refusal in world.plan().refused} <= {"unmarked-job", "contradictions"}
    assert job in " ".join(refusal.what for refusal in world.plan().refused)


OWN_ERROR: Json = {"message": "no", "type": "invalid_request_error", "param": None, "code": "invalid_value"}
WRAPPED: dict[str, Callable[[Json], httpx.Response]] = {
    "data": lambda job: httpx.Response(201, json={"data": job}),
    "data, own id": lambda job: httpx.Response(201, json={"id": "req-1", "object": "response", "data": job}),
    "job": lambda job: httpx.Response(200, json={"job": job, "status": "ok"}),
    "list": lambda job: httpx.Response(200, json=[job]),
    "deep": lambda job: httpx.Response(200, json={"result": {"items": [{"value": job}]}}),
    "text": lambda job: httpx.Response(200, json={"body": json.dumps(job)}),
    "only its id": lambda job: httpx.Response(202, json={"job_id": job["id"]}),
    "byte order mark": lambda job: httpx.Response(200, content=b"\xef\xbb\xbf" + json.dumps(job).encode()),
    "500": lambda job: httpx.Response(500, json=job),
    "502 in data": lambda job: httpx.Response(502, json={"data": job}),
    "409 beside an error": lambda job: httpx.Response(409, json={"error": OWN_ERROR, "job": job}),
    "400 beside a proven refusal": lambda job: httpx.Response(400, json={"error": OWN_ERROR, **job}),
    "429 within the error": lambda job: httpx.Response(429, json={"error": {"message": "slow", "job_id": job["id"]}}),
}


def foreign_file(job: Json) -> Json:
    return {**job, "metadata": None, "training_file": job["training_file"].upper()}


@pytest.mark.parametrize("kept", [ALTERED["null"], foreign_file], ids=["no metadata", "no metadata, file in capitals"])
@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
def test_an_answer_that_carries_a_job_anywhere_is_never_unknown(
    wrapped: Callable[[Json], httpx.Response], kept: Callable[[Json], Json]
) -> None:
    world = World(kept=kept, wrapped=wrapped)
    ended = [event for event in world.apply() if isinstance(event, Finished)][-1]
    (job,) = world.service.jobs
    assert ended.outcome is Outcome.REFUSED
    assert job in ended.message
    assert [(note.job, bool(note.doubt)) for note in world.journal.open_intents()] == [(job, True)]
    for _ in range(3):
        world.clock.sleep(10_000)
        assert world.apply() == []
    assert (world.creates, world.jobs) == (1, 1)


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
def test_a_job_that_an_odd_answer_carries_is_ours_when_the_list_shows_our_marks(
    wrapped: Callable[[Json], httpx.Response],
) -> None:
    world = World(wrapped=wrapped)
    assert outcomes(world.apply()) == [Outcome.DONE, Outcome.DONE]
    assert world.journal.open_intents() == ()
    assert world.plan().is_empty
    assert (world.creates, world.jobs) == (1, 1)


def test_a_job_of_which_an_error_speaks_and_that_is_not_there_is_not_created_again_without_a_person() -> None:
    gone = httpx.Response(500, json={"id": "ftjob-gone", "object": "fine_tuning.job"})
    world = World(answer=gone, has_effect=False)
    assert outcomes(world.apply())[-1] is Outcome.REFUSED
    world.clock.sleep(10_000)
    assert world.apply() == []
    assert (world.creates, world.jobs) == (1, 0)


def foreign_base(job: Json) -> Json:
    return {**job, "metadata": None, "model": f"provider/{job['model']}"}


@pytest.mark.parametrize("alter", [foreign_base, foreign_file], ids=["base", "file"])
def test_on_a_fresh_machine_a_job_whose_base_or_file_is_spelled_by_a_gateway_is_found(
    alter: Callable[[Json], Json],
) -> None:
    world = World(kept=alter)
    world.apply()
    world.journal = MemoryJournal()
    world.clock.sleep(10_000)
    assert world.apply() == []
    assert (world.creates, world.jobs) == (1, 1)


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_on_a_fresh_machine_without_that_journal_the_job_is_found_by_its_file(alter: Callable[[Json], Json]) -> None:
    world = World(kept=alter)
    world.apply()
    for _ in range(3):
        world.journal = MemoryJournal()
        world.clock.sleep(10_000)
        assert world.apply() == []
    assert (world.creates, world.jobs) == (1, 1)


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_an_echo_that_the_store_does_not_bear_out_is_found_out(alter: Callable[[Json], Json]) -> None:
    world = World(kept=alter, said=lambda job: job)
    assert outcomes(world.apply())[-1] is Outcome.REFUSED
    world.clock.sleep(10_000)
    world.apply()
    assert (world.creates, world.jobs) == (1, 1)


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_a_store_that_bears_more_than_the_echo_is_believed(alter: Callable[[Json], Json]) -> None:
    """A gateway that leaves metadata out of the answer to a create only changes nothing."""
    world = World(said=alter)
    assert outcomes(world.apply()) == [Outcome.DONE, Outcome.DONE]
    assert world.plan().is_empty
    assert world.journal.open_intents() == ()


def test_a_person_who_asks_to_train_without_it_gets_one_more_job() -> None:
    world = World(kept=ALTERED["null"])
    world.apply()
    world.kept = dict
    again = Options(replace=frozenset({MODEL.name}))
    assert outcomes(world.apply(again)) == [Outcome.DONE]
    assert (world.creates, world.jobs) == (2, 2)
    assert world.journal.open_intents() == ()
    assert world.plan().refused == ()
    assert world.plan().is_empty


def test_without_metadata_a_killed_run_is_not_followed_by_a_second_job() -> None:
    """Its answer never came: the journal holds no id, and only the job's file tells what it may be."""
    world = World(kept=ALTERED["null"], answer=httpx.Response(502), late_seconds=50.0)
    assert outcomes(world.apply())[-1] is Outcome.REFUSED
    world.clock.sleep(10_000)
    world.journal.clear(world.journal.open_intents()[0])
    assert world.apply() == []
    assert (world.creates, world.jobs) == (1, 1)


def test_a_job_that_shows_late_is_looked_for_before_another_runs_intent_is_taken_over() -> None:
    world = World(kept=ALTERED["null"])
    plan, _, _ = world._plan(Options())
    assert plan.refused == ()
    world.journal.put(Intent(stamp=MODEL.stamp, owner="a killed run", at=None))
    file = world.service.add_file(MODEL.training.stamp.filename, b"".join(lines_of(MODEL.training)))
    bare: Json = {"metadata": None, "model": MODEL.recipe.base, "hyperparameters": {"n_epochs": 3}}
    world.clock.after(30, lambda: world.service.add_job(**bare, training_file=file))
    assert outcomes(world.apply()) == [Outcome.REFUSED]
    assert world.creates == 0


@pytest.mark.parametrize(
    "members",
    [
        {"model": "another-base"},
        {"metadata": {f"{MARK}project": "another"}},
        {"training_file": "file-of-others"},
    ],
    ids=str,
)
def test_a_job_on_another_base_or_file_or_of_another_project_stands_in_nobodys_way(members: Json) -> None:
    world = World()
    file = world.service.add_file(MODEL.training.stamp.filename, b"".join(lines_of(MODEL.training)))
    bare: Json = {"metadata": None, "model": MODEL.recipe.base, "hyperparameters": {"n_epochs": 3}}
    world.service.add_job(**{"training_file": file, **bare, **members})
    assert world.plan().refused == ()
    world.service.add_job(training_file=file, **bare)
    assert [refusal.policy for refusal in world.plan().refused] == ["unmarked-job"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("seed", 8),
        ("suffix", "tri"),
        ("method", {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}}),
        ("validation_file", "file-x"),
    ],
)
def test_a_job_of_ours_with_other_settings_is_named_and_not_created_again(member: str, value: object) -> None:
    world = World(kept=lambda job: {**job, member: value})
    recipe = replace(MODEL.recipe, seed=7, suffix="mine")
    wanted = replace(MODEL, recipe=recipe)
    plan = make_plan(desired(wanted), world._plan(Options())[1])
    provider = world._plan(Options())[2]
    context = RunContext(
        provider=provider,
        open_dataset=lines_of,
        clock=world.clock,
        sleep=world.clock.sleep,
        journal=world.journal,
    )
    ended = [event for event in execute(plan, context) if isinstance(event, Finished)][-1]
    assert ended.outcome is Outcome.REFUSED
    assert ended.job is not None
    assert ended.job.is_of(wanted.stamp)
    assert "instead of" in ended.message
    assert f"reconciler cancel {ended.job.id}" in ended.hint
    assert world.journal.open_intents() == ()
    assert make_plan(desired(wanted), provider.observe()).is_empty, "the next plan takes it as the job of this version"


HTML = {"content-type": "text/html"}
ANSWERS: dict[str, httpx.Response] = {
    **{f"{status} HTML": httpx.Response(status, text="<html>", headers=HTML) for status in (400, 403, 404, 413, 429)},
    **{f"{status} empty": httpx.Response(status) for status in (401, 404, 418, 429, 500, 502, 504, 520)},
    **{f"{status} redirect": httpx.Response(status, headers={"location": "/login"}) for status in (301, 302, 307, 308)},
    "429 foreign": httpx.Response(429, json={"message": "API rate limit exceeded"}),
    "404 foreign": httpx.Response(404, json={"detail": "Not Found"}),
    "400 in our envelope": httpx.Response(
        400, json={"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "400"}}
    ),
    "429 in our envelope": httpx.Response(
        429, json={"error": {"message": "no", "type": "None", "param": "None", "code": "429"}}
    ),
    "422": refusal(422, "no"),
    "200 HTML": httpx.Response(200, text="<html>", headers=HTML),
    "200 of another job": httpx.Response(200, json={"id": "ftjob-of-a-cache", "object": "fine_tuning.job"}),
    "204": httpx.Response(204),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("late_seconds", [None, 0.0, 5.0, 59.0], ids=["none", "before", "after", "late"])
def test_whatever_a_gateway_answers_there_is_one_job_at_most(
    answer: httpx.Response, late_seconds: float | None
) -> None:
    """The create took effect before the answer, some seconds after it, as late as the bound allows, or never."""
    world = World(answer=answer, has_effect=late_seconds is not None, late_seconds=late_seconds or 0.0)
    first = outcomes(world.apply())[-1]
    if late_seconds is None:
        assert first in {Outcome.UNKNOWN, Outcome.REFUSED}
        assert world.jobs == 0
    else:
        assert first is Outcome.ADOPTED
    world.apply()
    world.clock.sleep(10_000)
    world.apply()
    assert world.jobs == (0 if first is Outcome.REFUSED and late_seconds is None else 1)


@pytest.mark.parametrize("code", [None, "invalid_value", "model_not_available"])
def test_a_refusal_in_the_services_own_words_is_reported_at_once_and_leaves_no_intent(code: str | None) -> None:
    world = World(answer=refusal(400, "n_epochs is too large", code=code), has_effect=False)
    began = world.clock.now
    ended = [event for event in world.apply() if isinstance(event, Finished)][-1]
    assert ended.outcome is Outcome.FAILED
    assert "n_epochs is too large" in ended.message
    assert world.clock.now - began < 10
    assert world.journal.open_intents() == ()


@pytest.mark.parametrize("alter", [{"filename": "rows.jsonl"}, {"filename": None}, {"purpose": "batch"}, {"bytes": 3}])
def test_a_service_that_stores_rows_under_another_name_is_not_sent_them_again_and_again(alter: Json) -> None:
    world = World()

    def handle(request: httpx.Request) -> httpx.Response:
        answer = world.service.handle(request)
        if request.method == "POST":
            file = json.loads(answer.content)
            world.service.files[file["id"]] |= alter
            return httpx.Response(200, json=world.service.files[file["id"]])
        return answer

    world.handle = handle  # type: ignore[method-assign]  # the service of this test
    ended = [event for event in world.apply() if isinstance(event, Finished)]
    assert [event.outcome for event in ended] == [Outcome.REFUSED, Outcome.BLOCKED]
    (file,) = world.service.files
    assert file in ended[0].message
    assert world.jobs == 0


def test_the_id_is_in_the_journal_before_anything_else_is_asked() -> None:
    """A run that is killed at the next request leaves the id behind."""
    world = World(kept=ALTERED["null"])
    asked: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if world.creates and not asked:
            asked.append(next((note.job for note in world.journal.open_intents()), None))
        return World.handle(world, request)

    world.handle = handle  # type: ignore[method-assign]  # the service of this test
    world.apply()
    (job,) = world.service.jobs
    assert asked == [JobId(job)]
