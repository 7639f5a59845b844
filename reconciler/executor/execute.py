"""Does the steps of a plan in order, telling each as it happens."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

import msgspec

from reconciler.domain.errors import InputError, JournalError, ProviderError, StalePlanError
from reconciler.domain.event import Event, Finished, Interrupted, Outcome, Progress, Started
from reconciler.domain.plan import Cancel, Delete, Plan, Promote, Step, StepId, Train, Upload
from reconciler.executor.cancel import cancel, delete
from reconciler.executor.context import Bench
from reconciler.executor.create import create
from reconciler.executor.errors import OutcomeUnknownError, StepFailedError, StoppedError
from reconciler.executor.journal_cleanup import tidy
from reconciler.executor.upload import check_usable, send_file

POLL_SECONDS = 0.2
"""How long to wait for the next event before looking whether somebody asked to stop."""

Tell = Callable[[Event], None]


class _Crashed(msgspec.Struct, frozen=True):
    """A bug on its way from a worker to the caller, where it keeps its traceback."""

    bug: BaseException


@dataclass
class _Course:
    """Where a run has got to."""

    waiting: list[Step]
    running: set[StepId] = field(default_factory=set)
    done: set[StepId] = field(default_factory=set)
    ended: set[StepId] = field(default_factory=set)


def execute(plan: Plan, bench: Bench) -> Iterator[Event]:
    """Do every step whose needs are met, side by side as far as the pool goes, and tell what happens.

    A step that fails blocks those that need it, and no others. When asked to stop, nothing new is begun; what has
    begun comes to its end, because a create that was sent must be seen through.
    """
    course = _Course(waiting=list(plan.steps))
    events: queue.SimpleQueue[Event | _Crashed] = queue.SimpleQueue()
    told_stop = False
    while course.waiting or course.running:
        if bench.stopping() and not told_stop:
            told_stop = True
            yield Interrupted()
        yield from _settle_waiting(course, stopped=told_stop)
        if not told_stop:
            _begin(course, bench, events.put)
        for event in _next(events, course):
            if isinstance(event, Finished):
                course.running.discard(event.step.id)
                course.ended.add(event.step.id)
                if event.outcome in {Outcome.DONE, Outcome.ADOPTED}:
                    course.done.add(event.step.id)
            yield event
    tidy(bench)


def _settle_waiting(course: _Course, *, stopped: bool) -> Iterator[Event]:
    for step in tuple(course.waiting):
        if stopped:
            outcome, message = Outcome.STOPPED, "not begun"
        elif any(need in course.ended and need not in course.done for need in step.needs):
            outcome, message = Outcome.BLOCKED, "a step before it did not succeed"
        else:
            continue
        course.waiting.remove(step)
        course.ended.add(step.id)
        yield Finished(step=step, outcome=outcome, message=message)


def _begin(course: _Course, bench: Bench, tell: Callable[[Event | _Crashed], None]) -> None:
    for step in tuple(course.waiting):
        if bench.stopping():
            return
        if course.done.issuperset(step.needs):
            course.waiting.remove(step)
            course.running.add(step.id)
            bench.pool(partial(_work, step, bench, tell))


def _work(step: Step, bench: Bench, tell: Callable[[Event | _Crashed], None]) -> None:
    try:
        tell(_perform(step, bench, tell))
    except BaseException as bug:
        tell(_Crashed(bug))


def _next(events: "queue.SimpleQueue[Event | _Crashed]", course: _Course) -> Iterator[Event]:
    try:
        event = events.get(timeout=POLL_SECONDS) if course.running else None
    except queue.Empty:
        return
    while event is not None:
        if isinstance(event, _Crashed):
            raise event.bug
        yield event
        event = None if events.empty() else events.get()


def _perform(step: Step, bench: Bench, tell: Tell) -> Finished:
    """Do one step; every end it can have is an outcome, and only a bug keeps its traceback."""
    tell(Started(step=step))
    try:
        return _handle(step, bench, tell)
    except StoppedError as stopped:
        return Finished(step=step, outcome=Outcome.STOPPED, message=str(stopped))
    except OutcomeUnknownError as unknown:
        return Finished(step=step, outcome=Outcome.UNKNOWN, message=str(unknown), hint=unknown.hint)
    except (InputError, StalePlanError):
        message = "the data changed after it was planned; nothing was stored"
        return Finished(step=step, outcome=Outcome.FAILED, message=message, hint="plan again")
    except (StepFailedError, ProviderError, JournalError) as error:
        return Finished(step=step, outcome=Outcome.FAILED, message=str(error), hint=error.hint)


def _handle(step: Step, bench: Bench, tell: Tell) -> Finished:
    action = step.action
    match action:
        case Upload():
            return _upload(step, action, bench, tell)
        case Train():
            for dataset in action.model.datasets:
                check_usable(bench.file_of(dataset), bench)
            created = create(action, bench, lambda message: tell(Progress(step=step, message=message)))
            outcome = Outcome.ADOPTED if created.adopted else Outcome.DONE
            return Finished(step=step, outcome=outcome, message=str(created.job.status), job=created.job)
        case Cancel():
            job, message = cancel(action, bench)
            return Finished(step=step, outcome=Outcome.DONE, message=message, job=job)
        case Delete():
            return Finished(step=step, outcome=Outcome.DONE, message=delete(action, bench))
        case Promote():
            return Finished(step=step, outcome=Outcome.DONE, message=f"answers from {action.model}", job=action.job)
        case _:
            assert_never(action)


def _upload(step: Step, action: Upload, bench: Bench, tell: Tell) -> Finished:
    total = action.dataset.measure.size_bytes

    def told(sent: int) -> None:
        tell(Progress(step=step, done=sent, total=total, unit="bytes"))

    file, found = send_file(action.dataset, bench, told)
    bench.learn(action.dataset, file.id)
    outcome = Outcome.ADOPTED if found else Outcome.DONE
    return Finished(step=step, outcome=outcome, message=str(file.id), file=file.id)
