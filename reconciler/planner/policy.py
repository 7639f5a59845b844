"""What may be refused. Each policy is a function of the whole picture; it adds refusals and removes nothing else."""

from collections.abc import Callable, Iterator

import msgspec

from reconciler.domain.desired import Desired
from reconciler.domain.lock import Lock
from reconciler.domain.observed import Observed
from reconciler.domain.plan import Action, Cancel, Delete, Options, Refusal, Train
from reconciler.domain.spec import Expect
from reconciler.planner.cost import UNKNOWN_COST

BULK_OBJECTS = 10
"""Below this many objects a large share of them is no sign of a mistake."""


class PlanningState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a policy may look at."""

    desired: Desired
    observed: Observed
    lock: Lock
    options: Options
    actions: tuple[Action, ...]


def refusals(picture: PlanningState) -> tuple[Refusal, ...]:
    """Ask every policy; give what they refuse, less what the operator allowed by name."""
    found = (refusal for policy in POLICIES for refusal in policy(picture))
    return tuple(refusal for refusal in found if not refusal.guard or refusal.guard not in picture.options.allow)


def no_other_service(picture: PlanningState) -> Iterator[Refusal]:
    """Another account than the specs are meant for would be billed, and shows nothing of what is there already."""
    wrong = tuple(account_mismatches(picture.desired.project.expect, picture.observed))
    if wrong:
        yield Refusal(
            policy="identity",
            guard="identity",
            what=f"this is not the service that the Project expects: {'; '.join(wrong)}",
            hint="point the key, address, organisation and project in the environment at the service that is meant, or"
            f" mend expect in the Project spec; {_on('identity')}",
        )


def no_empty_specs(picture: PlanningState) -> Iterator[Refusal]:
    """An empty tree over things we own is more often a wrong path than a wish."""
    if not picture.desired.models and picture.observed.jobs:
        yield Refusal(
            policy="empty-specs",
            guard="empty-specs",
            what=f"the specs name no model, but the service holds {len(picture.observed.jobs)} jobs of this project",
            hint=f"check the path given; {_on('empty-specs')}",
        )


def no_empty_remote(picture: PlanningState) -> Iterator[Refusal]:
    """A service that has lost everything we locked is more often another account than a new start."""
    locked = picture.lock.of(picture.observed.service)
    if locked and not picture.observed.jobs:
        yield Refusal(
            policy="empty-remote",
            guard="empty-remote",
            what=f"the lock file names {len(locked)} models here, but the service shows no job of this project",
            hint="check the key, organisation and project in the environment; if it is a new start:"
            " reconciler plan --first-apply",
        )


def no_doubtful_list(picture: PlanningState) -> Iterator[Refusal]:
    """What a list does not show would be paid for again."""
    for doubt in picture.observed.list_warnings:
        yield Refusal(
            policy="cut-list",
            guard="cut-list",
            what=f"a list of the service may not be whole: {doubt}",
            hint=f"run reconciler plan again; if it stays so, {_on('cut-list')}",
        )


def no_contradiction(picture: PlanningState) -> Iterator[Refusal]:
    """Marks that disagree with each other may be forged, or half of something of ours."""
    if picture.observed.contradictions:
        yield Refusal(
            policy="contradictions",
            guard="contradictions",
            what="jobs with marks of this project that cannot be read or disagree with each other: "
            + ", ".join(picture.observed.contradictions),
            hint=f"look at them with reconciler jobs {picture.observed.contradictions[0]}; they are left alone in any"
            f" case, and to go on beside them, {_on('contradictions')}",
        )


def no_bulk_change(picture: PlanningState) -> Iterator[Refusal]:
    """Many known things changed at once is more often a mistake than a wish."""
    known = {job.address for job in picture.observed.jobs}
    changed = {action.address for action in picture.actions if isinstance(action, Train | Cancel | Delete)} & known
    bound = picture.desired.project.policy.max_change_percent
    if len(known) >= BULK_OBJECTS and 100 * len(changed) > bound * len(known):
        yield Refusal(
            policy="bulk-change",
            guard="bulk-change",
            what=f"{len(changed)} of {len(known)} known models would change; policy.max_change_percent is {bound}",
            hint=f"review the changes; {_on('bulk-change')}",
        )


def no_amnesia(picture: PlanningState) -> Iterator[Refusal]:
    """A job that was paid for and that nothing shows any more is more often another account than a reason to pay again.

    Where the service shows no job at all, the guard of the empty remote says so for all of them.
    """
    locked = {entry.address: entry for entry in picture.lock.of(picture.observed.service)}
    forgotten = [
        (action.model.name, locked[action.address].job)
        for action in picture.actions
        if isinstance(action, Train)
        and action.address in locked
        and locked[action.address].job in picture.observed.gone
        and locked[action.address].stamp.agrees(action.model.stamp)
        and action.model.name not in picture.options.replace
    ]
    if forgotten and picture.observed.jobs:
        named = ", ".join(f"{name} ({job})" for name, job in sorted(forgotten))
        again = " ".join(f"--replace {name}" for name, _ in sorted(forgotten)[:3])
        yield Refusal(
            policy="amnesia",
            guard="amnesia",
            what=f"the lock file names jobs that made just what the specs ask for, and neither the list nor their own"
            f" ids show them any more: {named}",
            hint="check the key, organisation and project in the environment; to train them again:"
            f" reconciler plan {again}{' …' if len(forgotten) > 3 else ''}, or for all of them, {_on('amnesia')}",
        )


def no_more_jobs_than_allowed(picture: PlanningState) -> Iterator[Refusal]:
    """Jobs cost money, so the specs may bound them."""
    bound = picture.desired.project.policy.max_new_jobs
    jobs = sum(isinstance(action, Train) for action in picture.actions)
    if bound is not None and jobs > bound:
        yield Refusal(
            policy="max_new_jobs",
            what=f"{jobs} jobs would be created; policy.max_new_jobs is {bound}",
            hint="raise policy.max_new_jobs in the Project spec, or take fewer with --target",
        )


def _on(guard: str) -> str:
    """Say how to go on past a guard."""
    return f"if it is meant: reconciler plan --allow {guard}"


POLICIES: tuple[Callable[[PlanningState], Iterator[Refusal]], ...] = (
    no_other_service,
    no_empty_specs,
    no_empty_remote,
    no_doubtful_list,
    no_contradiction,
    no_amnesia,
    no_bulk_change,
    no_more_jobs_than_allowed,
)

GUARDS = (
    "identity",
    "empty-specs",
    "empty-remote",
    "cut-list",
    "contradictions",
    "amnesia",
    "bulk-change",
    UNKNOWN_COST,
)
"""The names that `--allow` takes."""


def account_mismatches(expect: Expect, seen: Observed) -> Iterator[str]:
    """Say in words, one for each, what is another than expected, or not said although it is expected."""
    told = {
        "organization": (expect.organization, seen.organization),
        "project": (expect.project, seen.project),
        "region": (expect.region, seen.region),
        "host": (expect.host, seen.host),
    }
    for what, (right, found) in told.items():
        if right and found is None:
            yield f"the service does not say its {what}, and {' or '.join(right)} is expected"
        elif right and found is not None and _fold_name(what, found) not in {_fold_name(what, each) for each in right}:
            yield f"the {what} is {found}, and {' or '.join(right)} is expected"


def _fold_name(what: str, name: str) -> str:
    # Ids are what they are. A host has no case, and one region is written in several ways: Sweden Central.
    match what:
        case "host":
            return name.casefold()
        case "region":
            return name.casefold().replace(" ", "")
        case _:
            return name
