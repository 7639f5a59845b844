"""Execute the steps of a plan in order, and yield an event for everything that happens."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

import msgspec

from reconciler.domain.errors import InputError, JournalError, ProviderError, StalePlanError, TemporaryError
from reconciler.domain.event import Event, Finished, Interrupted, Outcome, Progress, Resent, Started
from reconciler.domain.plan import Cancel, Delete, Plan, Promote, Step, StepId, Train, Upload
from reconciler.executor.cancel import cancel, delete
from reconciler.executor.context import (
    OutcomeUnknownError,
    RunContext,
    StepFailedError,
    StepRefusedError,
    StoppedError,
)
from reconciler.executor.create import create
from reconciler.executor.intents import clear_finished_intents
from reconciler.executor.upload import TRIES, check_usable, send_file

POLL_SECONDS = 0.2
"""How long to wait for the next event before checking whether a stop was requested."""

Tell = Callable[[Event], None]


class _Crashed(msgspec.Struct, frozen=True):
    """A bug on its way from a worker to the caller. It keeps its traceback."""

    bug: BaseException


@dataclass
class _RunState:
    """How far a run has got."""

    waiting: list[Step]
    running: set[StepId] = field(default_factory=set)
    done: set[StepId] = field(default_factory=set)
    ended: set[StepId] = field(default_factory=set)


def execute(plan: Plan, context: RunContext) -> Iterator[Event]:
    """Execute every step whose needs are met, as many at once as the pool allows, and yield what happens.

    A step that fails blocks the steps that need it, and no others. After a stop request, or when the time of the run is
    up, no step is started; started steps run to their end, because the outcome of a create that was sent must be found
    out.
    """
    context.rest_on(plan)
    state = _RunState(waiting=list(plan.steps))
    events: queue.SimpleQueue[Event | _Crashed] = queue.SimpleQueue()
    is_stopping = False
    while state.waiting or state.running:
        if context.stopping() and not is_stopping:
            is_stopping = True
            if not context.is_out_of_time:
                yield Interrupted()
        yield from _end_blocked(state, stopped=is_stopping, why="the time is up" if context.is_out_of_time else "")
        if not is_stopping:
            _start_ready(state, context, events.put)
        for event in _next(events, state):
            if isinstance(event, Finished):
                state.running.discard(event.step.id)
                state.ended.add(event.step.id)
                if event.outcome in {Outcome.DONE, Outcome.ADOPTED}:
                    state.done.add(event.step.id)
            yield event
    clear_finished_intents(context)


def _end_blocked(state: _RunState, *, stopped: bool, why: str) -> Iterator[Event]:
    for step in tuple(state.waiting):
        if stopped:
            outcome, message = Outcome.STOPPED, f"not started: {why}" if why else "not started"
        elif any(need in state.ended and need not in state.done for need in step.needs):
            missed = [need for need in step.needs if need in state.ended and need not in state.done]
            outcome, message = Outcome.BLOCKED, f"a step that it needs did not succeed ({', '.join(missed)})"
        else:
            continue
        state.waiting.remove(step)
        state.ended.add(step.id)
        yield Finished(step=step, outcome=outcome, message=message)


def _start_ready(state: _RunState, context: RunContext, tell: Callable[[Event | _Crashed], None]) -> None:
    for step in tuple(state.waiting):
        if context.stopping():
            return
        if state.done.issuperset(step.needs):
            state.waiting.remove(step)
            state.running.add(step.id)
            context.pool(partial(_work, step, context, tell))


def _work(step: Step, context: RunContext, tell: Callable[[Event | _Crashed], None]) -> None:
    try:
        tell(_perform(step, context, tell))
    except BaseException as bug:
        tell(_Crashed(bug))


def _next(events: "queue.SimpleQueue[Event | _Crashed]", state: _RunState) -> Iterator[Event]:
    try:
        event = events.get(timeout=POLL_SECONDS) if state.running else None
    except queue.Empty:
        return
    while event is not None:
        if isinstance(event, _Crashed):
            raise event.bug
        yield event
        event = None if events.empty() else events.get()


def _perform(step: Step, context: RunContext, tell: Tell) -> Finished:
    """Execute one step. Every end it can have is an outcome; only a bug raises."""
    tell(Started(step=step))
    try:
        return _handle(step, context, tell)
    except StoppedError as stopped:
        return Finished(step=step, outcome=Outcome.STOPPED, message=str(stopped))
    except OutcomeUnknownError as unknown:
        return Finished(step=step, outcome=Outcome.UNKNOWN, message=str(unknown), hint=unknown.hint)
    except StepRefusedError as refused:
        return Finished(step=step, outcome=Outcome.REFUSED, message=str(refused), hint=refused.hint, job=refused.job)
    except (InputError, StalePlanError):
        message = "the data changed after it was planned; nothing was stored"
        return Finished(step=step, outcome=Outcome.FAILED, message=message, hint="plan again")
    except (StepFailedError, ProviderError, JournalError) as error:
        if context.is_out_of_time and isinstance(error, TemporaryError):
            return Finished(step=step, outcome=Outcome.STOPPED, message=f"the time is up: {error}", hint="run again")
        return Finished(step=step, outcome=Outcome.FAILED, message=str(error), hint=error.hint)


def _handle(step: Step, context: RunContext, tell: Tell) -> Finished:
    action = step.action
    match action:
        case Upload():
            return _upload(step, action, context, tell)
        case Train():
            for dataset in action.model.datasets:
                check_usable(context.file_of(dataset), context)
            created = create(action, context, lambda message: tell(Progress(step=step, message=message)))
            context.learn_job(action.address, created.job.id)
            outcome = Outcome.ADOPTED if created.adopted else Outcome.DONE
            return Finished(step=step, outcome=outcome, message=str(created.job.status), job=created.job)
        case Cancel():
            job, message = cancel(action, context)
            return Finished(step=step, outcome=Outcome.DONE, message=message, job=job)
        case Delete():
            return Finished(step=step, outcome=Outcome.DONE, message=delete(action, context))
        case Promote():
            return Finished(step=step, outcome=Outcome.DONE, message=f"serves {action.model}", job=action.job)
        case _:
            assert_never(action)


def _upload(step: Step, action: Upload, context: RunContext, tell: Tell) -> Finished:
    total = action.dataset.measure.size_bytes

    def report(sent: int) -> None:
        tell(Progress(step=step, done=sent, total=total, unit="bytes"))

    def report_repeat(attempt: int, reason: str) -> None:
        tell(Resent(step=step, attempt=attempt, most=TRIES, reason=reason))

    file, found = send_file(action.dataset, context, report, report_repeat)
    context.learn(action.dataset, file.id)
    outcome = Outcome.ADOPTED if found else Outcome.DONE
    return Finished(step=step, outcome=outcome, message=str(file.id), file=file.id)
