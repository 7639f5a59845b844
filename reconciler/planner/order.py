"""Put actions in order. Every action becomes a step with its needs and its reasons."""

from collections.abc import Callable, Iterable, Mapping
from typing import assert_never

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import Observed, UsableFiles
from reconciler.domain.plan import (
    Action,
    Cancel,
    CancelReason,
    Change,
    Delete,
    Promote,
    Step,
    StepId,
    Train,
    Upload,
)


def find_uploads(trains: Iterable[Train], observed: Observed) -> tuple[Upload, ...]:
    """Return uploads for the files that the jobs need and the service does not hold, once each, sorted by stamp."""
    there = UsableFiles(observed.files)
    wanted = {dataset.stamp: dataset for train in trains for dataset in train.model.datasets}
    return tuple(
        Upload(dataset=wanted[stamp]) for stamp in sorted(wanted) if there.find(*wanted[stamp].file_key) is None
    )


def order_steps(actions: Iterable[Action], explain: Callable[[Model], tuple[Change, ...]]) -> tuple[Step, ...]:
    """Return steps in order: uploads, promotions, jobs, cancels, deletions; sorted by address within each kind.

    A job needs its uploads. The cancel of a job that is superseded needs the job that takes its place, and the cancel
    of an orphan every new job, because one of them may be its new name. A deletion needs every step before it, so that
    nothing is deleted in a run with a failure.
    """
    ordered = sorted(actions, key=lambda action: (_RANK[type(action)], action.address, step_id(action)))
    sent = {action.dataset.stamp: step_id(action) for action in ordered if isinstance(action, Upload)}
    created = {action.address: step_id(action) for action in ordered if isinstance(action, Train)}
    before = tuple(step_id(action) for action in ordered if not isinstance(action, Delete))
    return tuple(
        Step(
            id=step_id(action),
            action=action,
            needs=_needs(action, sent, created, before),
            changes=explain(action.model) if isinstance(action, Train) else (),
        )
        for action in ordered
    )


def step_id(action: Action) -> StepId:
    """Return the id of a step: the same in every plan that does the same."""
    match action:
        case Upload():
            return StepId(f"upload:{action.address}:{action.dataset.measure.digest.short}")
        case Train():
            return StepId(f"train:{action.address}")
        case Cancel():
            return StepId(f"cancel:{action.address}:{action.job.id}")
        case Promote():
            return StepId(f"promote:{action.address}")
        case Delete():
            return StepId(f"delete:{action.address}:{action.thing}")
        case _:
            assert_never(action)


_RANK: dict[type[Action], int] = {Upload: 0, Promote: 1, Train: 2, Cancel: 3, Delete: 4}


def _needs(
    action: Action, sent: Mapping[Stamp, StepId], created: Mapping[Address, StepId], before: tuple[StepId, ...]
) -> tuple[StepId, ...]:
    match action:
        case Delete():
            return before
        case Train(model=model):
            return tuple(sent[dataset.stamp] for dataset in model.datasets if dataset.stamp in sent)
        case Cancel(reason=CancelReason.SUPERSEDED):
            return (created[action.address],) if action.address in created else ()
        case Cancel(reason=CancelReason.ORPHAN):
            return tuple(created.values())
        case _:
            return ()
