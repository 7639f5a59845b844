"""Executing a plan: steps in order, an event for each, and a failure blocks only what needs it."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as replace_context
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.errors import DeniedError, ProviderError, RejectedError, TemporaryError
from reconciler.domain.event import Event, Finished, Interrupted, Outcome, Resent, Started
from reconciler.domain.observed import FileId, JobId, JobStatus, ModelId, RemoteJob
from reconciler.domain.plan import Cancel, Options, Plan
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import OnChange
from reconciler.executor import execute
from reconciler.render import event_text
from tests.factories import a_job, a_model
from tests.simulation import Sandbox, content_of, outcomes, real_dataset

DATA = real_dataset()


def model(name: str = "triage", *, epochs: int | None = None, on_change: OnChange = OnChange.WAIT) -> Model:
    return a_model(name, training=DATA, epochs=epochs, on_change=on_change)


def test_a_first_apply_uploads_what_was_planned_and_creates_one_job() -> None:
    sandbox = Sandbox()
    events = sandbox.apply(model())
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]
    assert list(sandbox.service.contents.values()) == [content_of("rows")]
    (job,) = sandbox.service.jobs.values()
    assert job.stamp == model().stamp
    assert sandbox.service.writes == {"upload": 1, "train": 1}


def test_each_step_has_an_event_at_its_begin_and_at_its_end() -> None:
    events = Sandbox().apply(model())
    kinds = [(type(event), event.step.id) for event in events if isinstance(event, Started | Finished)]
    assert [kind for kind, _ in kinds] == [Started, Finished, Started, Finished]
    assert kinds[0][1] == kinds[1][1]


def test_a_second_apply_does_nothing() -> None:
    sandbox = Sandbox()
    sandbox.converge(model())
    assert sandbox.plan(model()).is_empty
    assert outcomes(sandbox.apply(model())) == []


def test_one_upload_serves_several_models_and_independent_ones_go_on_after_a_failure() -> None:
    sandbox = Sandbox()
    sandbox.service.refuse_next(RejectedError("no such base", status=400, code="model_not_available"), of="train")
    events = sandbox.apply(model("one"), model("two"))
    assert outcomes(events) == [Outcome.DONE, Outcome.FAILED, Outcome.DONE]
    assert [str(job.address) for job in sandbox.service.jobs.values()] == ["model/two"]


def test_a_failed_upload_blocks_the_jobs_that_need_it() -> None:
    sandbox = Sandbox()
    sandbox.service.refuse_next(DeniedError("not allowed", status=403), of="upload")
    assert outcomes(sandbox.apply(model("one"), model("two"))) == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]
    assert not sandbox.service.jobs


def test_the_hint_of_a_refusal_reaches_the_event() -> None:
    sandbox = Sandbox()
    sandbox.service.refuse_next(DeniedError("no", status=403, hint="ask the owner"), of="train")
    failed = [event for event in sandbox.apply(model()) if isinstance(event, Finished)][-1]
    assert (failed.outcome, failed.message, failed.hint) == (Outcome.FAILED, "no", "ask the owner")


def test_data_that_changed_after_the_plan_is_not_stored() -> None:
    """The request breaks off before its end, so nothing whole arrives."""
    sandbox = Sandbox()
    plan = sandbox.plan(model())
    context = sandbox.context()
    context.open_dataset = lambda _: iter([content_of("other"), b""])
    events = list(execute(plan, context))
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED]
    assert "changed" in str(next(event.message for event in events if isinstance(event, Finished)))
    assert not sandbox.service.files


def test_an_upload_without_an_answer_is_looked_for_before_it_is_sent_again() -> None:
    sandbox = Sandbox()
    sandbox.service.lose_next_reply(effect=True, of="upload")
    events = sandbox.apply(model())
    assert outcomes(events) == [Outcome.ADOPTED, Outcome.DONE]
    assert sandbox.service.writes["upload"] == 1
    assert not [each for each in events if isinstance(each, Resent)], "it was sent once"


def test_an_upload_that_did_not_arrive_is_sent_again_and_only_so_often() -> None:
    sandbox = Sandbox()
    sandbox.service.lose_next_reply(effect=False, of="upload")
    assert outcomes(sandbox.apply(model())) == [Outcome.DONE, Outcome.DONE]
    assert sandbox.service.writes["upload"] == 2

    sandbox = Sandbox()
    for _ in range(9):
        sandbox.service.lose_next_reply(effect=False, of="upload")
    events = sandbox.apply(model())
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED], "no create is unknown"
    assert sandbox.service.writes["upload"] == 3
    assert [(each.attempt, each.most) for each in events if isinstance(each, Resent)] == [(2, 3), (3, 3)]
    (failed,) = (each for each in events if isinstance(each, Finished) and each.outcome is Outcome.FAILED)
    assert failed.message.startswith("it was sent 3 times")


def test_a_file_is_waited_for_until_it_can_be_used() -> None:
    sandbox = Sandbox(files_are_ready=False)

    def process() -> None:
        for file in sandbox.service.files:
            sandbox.service.mark_file(file, "processed")

    sandbox.clock.after(5, process)
    assert outcomes(sandbox.apply(model())) == [Outcome.DONE, Outcome.DONE]
    assert sandbox.clock.due == []


@pytest.mark.parametrize("status", ["error", "uploaded"])
def test_a_file_that_never_becomes_usable_fails_with_its_id(status: str) -> None:
    sandbox = Sandbox(files_are_ready=False)

    def process() -> None:
        for file in sandbox.service.files:
            sandbox.service.mark_file(file, status)

    sandbox.clock.after(3, process)
    events = sandbox.apply(model())
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED]
    assert "file-1" in next(event.message for event in events if isinstance(event, Finished))


def test_superseding_creates_the_new_job_which_says_so_and_cancels_the_older_one() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    events = sandbox.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]
    old, new = sandbox.service.jobs.values()
    assert (str(old.status), str(new.status)) == ("cancelled", "queued")
    assert new.supersedes == (old.id,)


def test_a_cancel_is_waited_for_until_the_job_has_ended() -> None:
    sandbox = Sandbox(cancels_at_once=False)
    sandbox.apply(model(epochs=3))
    sandbox.clock.after(5, lambda: sandbox.service.move(JobId("ftjob-1"), "cancelled"))
    events = sandbox.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]


def test_a_cancel_that_is_never_confirmed_fails_and_the_new_job_runs() -> None:
    sandbox = Sandbox(cancels_at_once=False)
    sandbox.apply(model(epochs=3))
    events = sandbox.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.DONE, Outcome.FAILED]
    assert len(sandbox.service.jobs) == 2


def end_cancel(**trouble: Any) -> Finished:
    """Return how the cancel of a superseded job ended, where the service has trouble with it."""
    sandbox = Sandbox(cancels_at_once=False)
    sandbox.apply(model(epochs=3))
    if "error" in trouble:
        sandbox.service.refuse_next(trouble["error"], of="cancel")
    else:
        sandbox.service.lose_next_reply(effect=False, of="cancel")
    events = sandbox.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    return next(each for each in events if isinstance(each, Finished) and isinstance(each.step.action, Cancel))


def test_the_answer_of_a_service_that_refuses_a_cancel_is_in_the_message() -> None:
    ended = end_cancel(error=ProviderError("the server had an error", status=500))
    assert ended.outcome is Outcome.FAILED
    assert "the server had an error" in ended.message
    assert ended.message.startswith("the service refused the cancel: ")
    assert "ftjob-1 is still “" in ended.message


def test_a_cancel_without_an_answer_says_so() -> None:
    ended = end_cancel()
    assert ended.message.startswith("the service did not confirm the cancel: ")


def test_a_blocked_step_names_the_step_that_it_needs_and_itself() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    sandbox.service.refuse_next(ProviderError("the account is full", status=400), of="upload")
    other_rows = a_model(training=real_dataset("tickets", "other rows"), on_change=OnChange.SUPERSEDE)
    blocked = [each for each in sandbox.apply(other_rows) if isinstance(each, Finished)]
    lines = [event_text(each).partition(":")[2].strip() for each in blocked]
    assert [line.split(":")[0] for line in lines] == [
        "upload failed",
        "create blocked",
        "cancel of job ftjob-1 blocked",
    ]
    assert "did not succeed (upload:dataset/tickets" in lines[1]


@pytest.mark.parametrize("status", [403, 429])
def test_a_job_is_not_superseded_when_its_successor_is_refused(status: int) -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    sandbox.service.refuse_next(ProviderError("this account may not train", status=status), of="train")
    events = sandbox.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))
    assert outcomes(events) == [Outcome.FAILED, Outcome.BLOCKED]
    assert [job.status.word for job in sandbox.service.jobs.values()] == ["queued"]
    assert sandbox.service.writes["cancel"] == 0


def test_a_job_is_not_superseded_when_the_upload_is_refused() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    sandbox.service.refuse_next(ProviderError("the account is full", status=400), of="upload")
    other_rows = a_model(training=real_dataset("tickets", "other rows"), on_change=OnChange.SUPERSEDE)
    assert outcomes(sandbox.apply(other_rows)) == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]
    assert sandbox.service.writes["cancel"] == 0


def test_a_job_is_not_superseded_by_one_that_is_gone_by_now() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    wanted = model(epochs=5, on_change=OnChange.SUPERSEDE)
    sandbox.service.refuse_next(ProviderError("busy", status=500), of="cancel")
    sandbox.apply(wanted)
    plan = sandbox.plan(wanted)
    assert [str(step.id) for step in plan.steps] == ["cancel:model/triage:ftjob-1"]
    sandbox.service.move(JobId("ftjob-2"), "failed")
    assert outcomes(sandbox.carry_out(plan, wanted)) == [Outcome.DONE]
    assert sandbox.service.jobs[JobId("ftjob-1")].status.word == "queued"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_is_not_superseded_by_the_job_of_another_run_that_has_ended_without_a_model(end: str) -> None:
    """Another run created the successor after this plan was made. It is not created twice, and takes no place."""
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    wanted = model(epochs=5, on_change=OnChange.SUPERSEDE)
    plan = sandbox.plan(wanted)
    sandbox.service.put(a_job(wanted, end, id="ftjob-9"))
    events = sandbox.carry_out(plan, wanted)
    assert outcomes(events) == [Outcome.ADOPTED, Outcome.DONE]
    assert sandbox.service.jobs[JobId("ftjob-1")].status.word == "queued"
    (said,) = [each.message for each in events if isinstance(each, Finished) and isinstance(each.step.action, Cancel)]
    assert said == "not cancelled: job ftjob-9, which was to be kept, is no longer of use; plan again"


def test_a_running_job_of_no_spec_is_not_cancelled_before_a_new_one_has_succeeded() -> None:
    """The new model may be the same one under a new name."""
    sandbox, prune = Sandbox(), Options(prune=True)
    sandbox.apply(model("old"))
    sandbox.service.refuse_next(ProviderError("this account may not train", status=403), of="train")
    assert outcomes(sandbox.apply(model("new"), options=prune)) == [Outcome.FAILED]
    assert outcomes(sandbox.apply(model("new"), options=prune)) == [Outcome.DONE]
    sandbox.apply(model("new"), options=prune)
    assert sandbox.service.writes["cancel"] == 0
    sandbox.service.finish(JobId("ftjob-2"))
    sandbox.apply(model("new"), options=prune)
    assert sandbox.service.jobs[JobId("ftjob-1")].status.word == "cancelled"


def test_a_model_of_no_spec_is_deleted_only_when_each_new_name_has_a_model() -> None:
    sandbox = Sandbox()
    sandbox.converge(model("old"))
    sandbox.apply(model("new"), options=Options(prune=True))
    assert len(sandbox.service.models) == 1
    sandbox.apply(model("new"), options=Options(prune=True))
    assert len(sandbox.service.models) == 1
    sandbox.service.finish(JobId("ftjob-2"))
    sandbox.apply(model("new"), options=Options(prune=True))
    assert [str(each).split(":")[3] for each in sandbox.service.models] == ["new"]


def test_a_job_that_succeeded_before_the_cancel_is_a_success_and_is_left_alone() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    wanted = model(epochs=5, on_change=OnChange.SUPERSEDE)
    plan = sandbox.plan(wanted)
    sandbox.service.finish(JobId("ftjob-1"))
    assert outcomes(sandbox.carry_out(plan, wanted)) == [Outcome.DONE, Outcome.DONE]
    assert sandbox.service.writes["cancel"] == 0


def test_a_lost_reply_to_a_cancel_is_settled_by_looking() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    sandbox.service.lose_next_reply(effect=True, of="cancel")
    assert outcomes(sandbox.apply(model(epochs=5, on_change=OnChange.SUPERSEDE))) == [Outcome.DONE, Outcome.DONE]
    assert sandbox.service.writes["cancel"] == 1


def test_a_job_whose_stamp_is_another_by_now_is_not_cancelled() -> None:
    sandbox = Sandbox()
    sandbox.apply(model(epochs=3))
    wanted = model(epochs=5, on_change=OnChange.SUPERSEDE)
    plan = sandbox.plan(wanted)
    job = sandbox.service.jobs[JobId("ftjob-1")]
    sandbox.service.put(replace(job, stamp=model("someone-else").stamp))
    assert outcomes(sandbox.carry_out(plan, wanted)) == [Outcome.DONE, Outcome.FAILED]
    assert sandbox.service.writes["cancel"] == 0


def test_pruning_deletes_the_model_and_then_the_file_that_nothing_uses() -> None:
    sandbox = Sandbox()
    sandbox.converge(model("gone"), a_model("stays", training=real_dataset("other", "others")))
    keep = a_model("stays", training=real_dataset("other", "others"))
    events = sandbox.apply(keep, options=Options(prune=True))
    assert outcomes(events) == [Outcome.DONE, Outcome.DONE]
    assert len(sandbox.service.models) == 1
    assert [file.filename for file in sandbox.service.files.values()] == [keep.training.stamp.filename]


@pytest.mark.parametrize("what", ["model", "job"])
def test_nothing_is_removed_when_something_names_more_than_at_the_time_of_the_plan(what: str) -> None:
    """A person takes an hour to approve, and another environment promotes the model meanwhile."""
    sandbox = Sandbox()
    sandbox.converge(model("stays"))
    sandbox.apply(model("stays"), model("gone", epochs=3))
    if what == "model":
        sandbox.service.finish(JobId("ftjob-2"))
    plan = sandbox.plan(model("stays"), options=Options(prune=True))
    context = replace_context(sandbox.context(), find_change=lambda: "the lock files have changed")
    context.remember(sandbox.service.observe(), ())
    (ended,) = [event for event in execute(plan, context) if isinstance(event, Finished)]
    assert (ended.outcome, ended.hint) == (Outcome.FAILED, "plan again")
    assert "the lock files have changed, and may name " in ended.message
    assert sandbox.service.writes["cancel"] + sandbox.service.writes["delete"] == 0


def test_nothing_is_deleted_when_what_the_plan_keeps_is_gone() -> None:
    """A rename without `moved`: the new model is the reason that the old one may go."""
    sandbox = Sandbox()
    sandbox.converge(model("old"), model("new"))
    plan = sandbox.plan(model("new"), options=Options(prune=True))
    (kept,) = [keep.model for keep in plan.kept]
    assert kept
    sandbox.service.forget(kept)
    (ended,) = [each for each in sandbox.carry_out(plan, model("new")) if isinstance(each, Finished)]
    assert (ended.outcome, sandbox.service.writes["delete"]) == (Outcome.FAILED, 0)
    assert f"{kept}, which the plan keeps, is gone" in ended.message


def test_a_file_that_came_into_use_since_the_plan_is_not_deleted() -> None:
    sandbox = Sandbox()
    sandbox.converge(model("gone"))
    keep = a_model("stays", training=real_dataset("other", "others"))
    plan = sandbox.plan(keep, options=Options(prune=True))
    sandbox.service.foreign_files = frozenset(sandbox.service.files)
    events = sandbox.carry_out(plan, keep)
    assert Outcome.FAILED in outcomes(events)
    assert len(sandbox.service.files) == 2


def failures(events: Iterable[Event]) -> list[str]:
    """Return the messages of the steps that failed."""
    ended = (event for event in events if isinstance(event, Finished) and event.outcome is Outcome.FAILED)
    return [event.message for event in ended]


def test_a_file_that_came_into_use_names_the_job_that_uses_it() -> None:
    sandbox = Sandbox()
    sandbox.converge(model("gone"))
    keep = a_model("stays", training=real_dataset("other", "others"))
    plan = sandbox.plan(keep, options=Options(prune=True))
    (file,) = sandbox.service.files
    queued = a_job(a_model("elsewhere"), "queued", id="ftjob-theirs")
    sandbox.service.foreign_files = frozenset({file})
    sandbox.service.foreign = [replace(queued, stamp=None, training_file=file)]
    (message,) = failures(sandbox.carry_out(plan, keep))
    assert "by job ftjob-theirs (queued)" in message


@pytest.mark.parametrize(
    "spelled", [str.upper, "provider/{}".format, "gateway:{}".format], ids=["case", "path", "name"]
)
def test_a_file_that_a_job_names_in_another_spelling_is_not_deleted(spelled: Callable[[str], str]) -> None:
    sandbox = Sandbox()
    sandbox.converge(model("gone"))
    keep = a_model("stays", training=real_dataset("other", "others"))
    plan = sandbox.plan(keep, options=Options(prune=True))
    (file,) = sandbox.service.files
    sandbox.service.foreign_files = frozenset({FileId(spelled(file))})
    assert "is in use now" in " ".join(failures(sandbox.carry_out(plan, keep)))
    assert file in sandbox.service.files


def test_a_refused_clean_up_names_the_jobs_that_use_what_was_to_go() -> None:
    sandbox = Sandbox()
    sandbox.converge(model("gone"), a_model("stays", training=real_dataset("other", "others")))
    keep = a_model("stays", training=real_dataset("other", "others"))
    plan = sandbox.plan(keep, options=Options(prune=True))
    (job,) = (each for each in sandbox.service.jobs.values() if each.address.name == "gone")
    assert job.model
    queued = replace(a_job(a_model("elsewhere"), "queued", id="ftjob-theirs"), stamp=None, base=str(job.model))
    queued = replace(queued, training_file=job.training_file)
    sandbox.service.foreign = [queued]
    sandbox.service.refuse_next(RejectedError("It is in use", status=409), of="delete")
    messages = failures(sandbox.carry_out(plan, keep))
    assert messages == [
        "It is in use; by job ftjob-theirs (queued)",
        f"{job.model} is in use now, by job ftjob-theirs (queued); it was not deleted",
    ]


def test_a_model_that_is_not_what_the_planned_job_made_is_not_deleted() -> None:
    """The job proves that a model is ours, so a job that has another one by now proves nothing."""
    sandbox = Sandbox()
    keep = a_model("stays", training=real_dataset("other", "others"))
    sandbox.converge(model("gone"), keep)
    plan = sandbox.plan(keep, options=Options(prune=True))
    job = sandbox.service.jobs[JobId("ftjob-1")]
    sandbox.service.jobs[job.id] = replace(job, model=ModelId("ft:of-somebody-else"))
    events = sandbox.carry_out(plan, keep)
    assert Outcome.FAILED in outcomes(events)
    assert job.model in sandbox.service.models


@pytest.mark.parametrize("part", ["", ":ckpt-step-7"])
def test_a_model_that_a_job_is_built_on_since_the_plan_is_not_deleted(part: str) -> None:
    sandbox = Sandbox()
    keep = a_model("stays", training=real_dataset("other", "others"))
    sandbox.converge(model("gone"), keep)
    plan = sandbox.plan(keep, options=Options(prune=True))
    base = sandbox.service.jobs[JobId("ftjob-1")].model
    assert base
    sandbox.service.foreign.append(RemoteJob(id=JobId("ftjob-theirs"), status=JobStatus("running"), base=base + part))
    assert Outcome.FAILED in outcomes(sandbox.carry_out(plan, keep))
    assert base in sandbox.service.models


def test_a_model_that_only_its_name_shows_to_be_ours_is_not_deleted() -> None:
    sandbox = Sandbox()
    keep = a_model("stays", training=real_dataset("other", "others"))
    sandbox.converge(model("gone"), keep)
    plan = sandbox.plan(keep, options=Options(prune=True))
    job = sandbox.service.jobs[JobId("ftjob-1")]
    sandbox.service.jobs[job.id] = replace(job, is_known_by_name=True)
    assert Outcome.FAILED in outcomes(sandbox.carry_out(plan, keep))
    assert job.model in sandbox.service.models


def test_a_file_that_the_service_found_broken_is_not_waited_for() -> None:
    sandbox = Sandbox(files_are_ready=False)

    def spoil() -> None:
        for file in sandbox.service.files:
            sandbox.service.mark_file(file, "error")

    sandbox.clock.after(1, spoil)
    started = sandbox.clock.now
    assert Outcome.FAILED in outcomes(sandbox.apply(model()))
    assert sandbox.clock.now - started < 5
    assert sandbox.service.writes["train"] == 0


def test_asking_to_stop_begins_nothing_new() -> None:
    sandbox = Sandbox()
    sandbox.stopped = True
    events = sandbox.apply(model())
    assert isinstance(events[0], Interrupted)
    assert outcomes(events) == [Outcome.STOPPED, Outcome.STOPPED]
    assert not sandbox.service.writes


def test_a_bug_keeps_its_traceback_instead_of_hanging() -> None:
    sandbox = Sandbox()
    context = sandbox.context()
    context.open_dataset = lambda _: iter([1 / 0])  # type: ignore[list-item]  # it never comes to be an item
    with pytest.raises(ZeroDivisionError):
        list(execute(sandbox.plan(model()), context))


def test_steps_that_do_not_need_each_other_run_side_by_side() -> None:
    """With a pool of threads the outcome is the same; only the order may differ."""
    sandbox = Sandbox()
    models = [a_model(f"model-{n}", training=real_dataset(f"data-{n}", str(n))) for n in range(6)]
    with ThreadPoolExecutor(4) as pool:
        context = sandbox.context()
        context.pool = pool.submit
        events = list(execute(sandbox.plan(*models), context))
    assert outcomes(events) == [Outcome.DONE] * 12
    assert len(sandbox.service.jobs) == 6
    assert sandbox.service.writes == {"upload": 6, "train": 6}


def test_a_plan_with_a_cancel_only_needs_no_files() -> None:
    sandbox = Sandbox(capabilities=Capabilities(poll_seconds=1))
    sandbox.apply(model())
    plan: Plan = sandbox.plan(options=Options(prune=True, allow=frozenset({"empty-specs"})))
    assert isinstance(plan.steps[0].action, Cancel)
    assert outcomes(sandbox.carry_out(plan))[0] is Outcome.DONE


def test_when_the_time_is_up_no_step_begins_and_nothing_was_interrupted() -> None:
    sandbox = Sandbox()
    plan = sandbox.plan(model("one"), a_model("two", training=real_dataset("other", "others")))
    context = sandbox.context()
    context.ends_at, context.stopping = context.clock(), lambda: True
    events = list(execute(plan, context))
    assert set(outcomes(events)) == {Outcome.STOPPED}
    assert not any(isinstance(event, Interrupted) for event in events)
    assert {event.message for event in events if isinstance(event, Finished)} == {"not started: the time is up"}
    assert sandbox.service.jobs == {}


def test_a_step_that_the_end_of_the_time_cuts_off_has_not_failed() -> None:
    sandbox = Sandbox()
    plan = sandbox.plan(model("one"))
    context = sandbox.context()
    context.ends_at = context.clock()
    sandbox.service.refuse_next(TemporaryError("svc.test could not be reached"), of="upload")
    (upload, *_) = (event for event in execute(plan, context) if isinstance(event, Finished))
    assert (upload.outcome, upload.message) == (Outcome.STOPPED, "the time is up: svc.test could not be reached")
