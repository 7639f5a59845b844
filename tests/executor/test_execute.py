"""Doing the steps of a plan: in order, told as they happen, a failure blocking only what needs it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.errors import DeniedError, RejectedError
from reconciler.domain.event import Finished, Interrupted, Outcome, Started
from reconciler.domain.observed import JobId, ModelId
from reconciler.domain.plan import Cancel, Options, Plan
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import OnChange
from reconciler.executor import execute
from tests.factories import a_model
from tests.simulation import World, content_of, outcomes, real_dataset

DATA = real_dataset()


def model(name: str = "triage", *, epochs: int | None = None, on_change: OnChange = OnChange.WAIT) -> Model:
    return a_model(name, training=DATA, epochs=epochs, on_change=on_change)


def test_a_first_apply_uploads_what_was_planned_and_creates_one_job() -> None:
    world = World()
    events = world.apply(model())
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]
    assert list(world.service.contents.values()) == [content_of("rows")]
    (job,) = world.service.jobs.values()
    assert job.stamp == model().stamp
    assert world.service.writes == {"upload": 1, "train": 1}


def test_each_step_is_told_when_it_begins_and_when_it_ends() -> None:
    events = World().apply(model())
    kinds = [(type(event), event.step.id) for event in events if isinstance(event, Started | Finished)]
    assert [kind for kind, _ in kinds] == [Started, Finished, Started, Finished]
    assert kinds[0][1] == kinds[1][1]


def test_a_second_apply_does_nothing() -> None:
    world = World()
    world.converge(model())
    assert world.plan(model()).is_empty
    assert outcomes(world.apply(model())) == []


def test_one_upload_serves_several_models_and_independent_ones_go_on_after_a_failure() -> None:
    world = World()
    world.service.refuse_next(RejectedError("no such base", status=400, code="model_not_available"), of="train")
    events = world.apply(model("one"), model("two"))
    assert outcomes(events) == [Outcome.DONE, Outcome.FAILED, Outcome.DONE]
    assert [str(job.address) for job in world.service.jobs.values()] == ["model/two"]


def test_a_failed_upload_blocks_the_jobs_that_need_it() -> None:
    world = World()
    world.service.refuse_next(DeniedError("not allowed", status=403), of="upload")
    assert outcomes(world.apply(model("one"), model("two"))) == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]
    assert not world.service.jobs


def test_the_hint_of_a_refusal_reaches_the_event() -> None:
    world = World()
    world.service.refuse_next(DeniedError("no", status=403, hint="ask the owner"), of="train")
    failed = [event for event in world.apply(model()) if isinstance(event, Finished)][-1]
    assert (failed.outcome, failed.message, failed.hint) == (Outcome.FAILED, "no", "ask the owner")


def test_data_that_changed_after_the_plan_is_not_stored() -> None:
    """The request breaks off before its end, so nothing whole arrives."""
    world = World()
    plan = world.plan(model())
    context = world.context()
    context.open_dataset = lambda _: iter([content_of("other"), b""])
    events = list(execute(plan, context))
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED]
    assert "changed" in str(next(event.message for event in events if isinstance(event, Finished)))
    assert not world.service.files


def test_an_upload_without_an_answer_is_looked_for_before_it_is_sent_again() -> None:
    world = World()
    world.service.lose_next_reply(effect=True, of="upload")
    assert outcomes(world.apply(model())) == [Outcome.ADOPTED, Outcome.DONE]
    assert world.service.writes["upload"] == 1


def test_an_upload_that_did_not_arrive_is_sent_again_and_only_so_often() -> None:
    world = World()
    world.service.lose_next_reply(effect=False, of="upload")
    assert outcomes(world.apply(model())) == [Outcome.DONE, Outcome.DONE]
    assert world.service.writes["upload"] == 2

    world = World()
    for _ in range(9):
        world.service.lose_next_reply(effect=False, of="upload")
    assert outcomes(world.apply(model())) == [Outcome.UNKNOWN, Outcome.BLOCKED]
    assert world.service.writes["upload"] == 3


def test_a_file_is_waited_for_until_it_can_be_used() -> None:
    world = World(files_are_ready=False)

    def process() -> None:
        for file in world.service.files:
            world.service.mark_file(file, "processed")

    world.clock.after(5, process)
    assert outcomes(world.apply(model())) == [Outcome.DONE, Outcome.DONE]
    assert world.clock.due == []


@pytest.mark.parametrize("status", ["error", "uploaded"])
def test_a_file_that_never_becomes_usable_fails_with_its_id(status: str) -> None:
    world = World(files_are_ready=False)

    def process() -> None:
        for file in world.service.files:
            world.service.mark_file(file, status)

    world.clock.after(3, process)
    events = world.apply(model())
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED]
    assert "file-1" in next(event.message for event in events if isinstance(event, Finished))


def test_superseding_cancels_first_and_says_so_in_the_new_job() -> None:
    world = World()
    world.apply(model(epochs=3))
    events = world.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]
    old, new = world.service.jobs.values()
    assert (str(old.status), str(new.status)) == ("cancelled", "queued")
    assert new.supersedes == (old.id,)


def test_a_cancel_is_confirmed_before_the_next_job_is_created() -> None:
    world = World(cancels_at_once=False)
    world.apply(model(epochs=3))
    world.clock.after(5, lambda: world.service.move(JobId("ftjob-1"), "cancelled"))
    events = world.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]


def test_a_cancel_that_is_never_confirmed_blocks_the_new_job() -> None:
    world = World(cancels_at_once=False)
    world.apply(model(epochs=3))
    events = world.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED]
    assert len(world.service.jobs) == 1


def test_a_job_that_succeeded_before_the_cancel_is_a_success_and_is_left_alone() -> None:
    world = World()
    world.apply(model(epochs=3))
    wanted = model(epochs=5, on_change=OnChange.SUPERSEDE)
    plan = world.plan(wanted)
    world.service.finish(JobId("ftjob-1"))
    assert outcomes(world.carry_out(plan, wanted)) == [Outcome.DONE, Outcome.DONE]
    assert world.service.writes["cancel"] == 0


def test_a_lost_reply_to_a_cancel_is_settled_by_looking() -> None:
    world = World()
    world.apply(model(epochs=3))
    world.service.lose_next_reply(effect=True, of="cancel")
    assert outcomes(world.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))) == [Outcome.DONE, Outcome.DONE]
    assert world.service.writes["cancel"] == 1


def test_a_job_whose_stamp_is_another_by_now_is_not_cancelled() -> None:
    world = World()
    world.apply(model(epochs=3))
    wanted = model(epochs=5, on_change=OnChange.SUPERSEDE)
    plan = world.plan(wanted)
    job = world.service.jobs[JobId("ftjob-1")]
    world.service.put(replace(job, stamp=model("someone-else").stamp))
    assert outcomes(world.carry_out(plan, wanted)) == [Outcome.FAILED, Outcome.BLOCKED]
    assert world.service.writes["cancel"] == 0


def test_pruning_deletes_the_model_and_then_the_file_that_nothing_uses() -> None:
    world = World()
    world.converge(model("gone"), a_model("stays", training=real_dataset("other", "others")))
    keep = a_model("stays", training=real_dataset("other", "others"))
    events = world.apply(keep, options=Options(prune=True))
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]
    assert len(world.service.models) == 1
    assert [file.filename for file in world.service.files.values()] == [keep.training.stamp.filename]


def test_a_file_that_came_into_use_since_the_plan_is_not_deleted() -> None:
    world = World()
    world.converge(model("gone"))
    keep = a_model("stays", training=real_dataset("other", "others"))
    plan = world.plan(keep, options=Options(prune=True))
    world.service.foreign_files = frozenset(world.service.files)
    events = world.carry_out(plan, keep)
    assert Outcome.FAILED in outcomes(events)
    assert len(world.service.files) == 2


def test_a_model_that_is_not_what_the_planned_job_made_is_not_deleted() -> None:
    """The job proves that a model is ours, so a job that has another one by now proves nothing."""
    world = World()
    world.converge(model("gone"))
    keep = a_model("stays", training=real_dataset("other", "others"))
    plan = world.plan(keep, options=Options(prune=True))
    (job,) = world.service.jobs.values()
    world.service.jobs[job.id] = replace(job, model=ModelId("ft:of-somebody-else"))
    events = world.carry_out(plan, keep)
    assert Outcome.FAILED in outcomes(events)
    assert job.model in world.service.models


def test_a_file_that_the_service_found_broken_is_not_waited_for() -> None:
    world = World(files_are_ready=False)

    def spoil() -> None:
        for file in world.service.files:
            world.service.mark_file(file, "error")

    world.clock.after(1, spoil)
    started = world.clock.now
    assert Outcome.FAILED in outcomes(world.apply(model()))
    assert world.clock.now - started < 5
    assert world.service.writes["train"] == 0


def test_asking_to_stop_begins_nothing_new() -> None:
    world = World()
    world.stopped = True
    events = world.apply(model())
    assert isinstance(events[0], Interrupted)
    assert outcomes(events) == [Outcome.STOPPED, Outcome.STOPPED]
    assert not world.service.writes


def test_a_bug_keeps_its_traceback_instead_of_hanging() -> None:
    world = World()
    context = world.context()
    context.open_dataset = lambda _: iter([1 / 0])  # type: ignore[list-item]  # it never comes to be an item
    with pytest.raises(ZeroDivisionError):
        list(execute(world.plan(model()), context))


def test_steps_that_do_not_need_each_other_run_side_by_side() -> None:
    """With a pool of threads the outcome is the same; only the order may differ."""
    world = World()
    models = [a_model(f"model-{n}", training=real_dataset(f"data-{n}", str(n))) for n in range(6)]
    with ThreadPoolExecutor(4) as pool:
        context = world.context()
        context.pool = pool.submit
        events = list(execute(world.plan(*models), context))
    assert outcomes(events) == [Outcome.DONE] * 12
    assert len(world.service.jobs) == 6
    assert world.service.writes == {"upload": 6, "train": 6}


def test_a_plan_with_a_cancel_only_needs_no_files() -> None:
    world = World(capabilities=Capabilities(poll_seconds=1))
    world.apply(model())
    plan: Plan = world.plan(options=Options(prune=True, allow=frozenset({"empty-specs"})))
    assert isinstance(plan.steps[0].action, Cancel)
    assert outcomes(world.carry_out(plan))[0] is Outcome.DONE
