"""What may be refused. Each policy is a function of the whole picture; it adds refusals and removes nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.domain.desired import Desired
from reconciler.domain.lock import Lock
from reconciler.domain.observed import Observed
from reconciler.domain.plan import Action, Cancel, Delete, Options, Refusal, Train

BULK_OBJECTS = 10
"""Below this many objects a large share of them is no sign of a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything a policy may look at."""

    desired: Desired
    observed: Observed
    lock: Lock
    options: Options
    actions: tuple[Action, ...]


def refusals(picture: Picture) -> tuple[Refusal, ...]:
    """Ask every policy; give what they refuse, less what the operator allowed by name."""
    found = (refusal for policy in POLICIES for refusal in policy(picture))
    return tuple(refusal for refusal in found if not refusal.guard or refusal.guard not in picture.options.allow)


def no_empty_specs(picture: Picture) -> Iterator[Refusal]:
    """An empty tree over things we own is more often a wrong path than a wish."""
    if not picture.desired.models and picture.observed.jobs:
        yield Refusal(
            policy="empty-specs",
            guard="empty-specs",
            what=f"the specs name no model, but the service holds {len(picture.observed.jobs)} jobs of this project",
            hint="check the path given; if it is meant, say --allow empty-specs",
        )


def no_empty_remote(picture: Picture) -> Iterator[Refusal]:
    """A service that has lost everything we locked is more often another account than a new start."""
    locked = picture.lock.of(picture.observed.service)
    if locked and not picture.observed.jobs:
        yield Refusal(
            policy="empty-remote",
            guard="empty-remote",
            what=f"the lock file names {len(locked)} models here, but the service shows no job of this project",
            hint="check the key, organisation and project; if it is a new start, say --first-apply",
        )


def no_doubtful_list(picture: Picture) -> Iterator[Refusal]:
    """What a list does not show would be paid for again."""
    for doubt in picture.observed.doubts:
        yield Refusal(
            policy="cut-list",
            guard="cut-list",
            what=f"a list of the service may not be whole: {doubt}",
            hint="run again; if it stays and you know better, say --allow cut-list",
        )


def no_contradiction(picture: Picture) -> Iterator[Refusal]:
    """Marks that disagree with each other may be forged, or half of something of ours."""
    if picture.observed.contradictions:
        yield Refusal(
            policy="contradictions",
            guard="contradictions",
            what="marks of this project that cannot be read: " + ", ".join(picture.observed.contradictions),
            hint="look at these jobs; they are left alone in any case, and --allow contradictions goes on beside them",
        )


def no_bulk_change(picture: Picture) -> Iterator[Refusal]:
    """Many known things changed at once is more often a mistake than a wish."""
    known = {job.address for job in picture.observed.jobs}
    changed = {action.address for action in picture.actions if isinstance(action, Train | Cancel | Delete)} & known
    bound = picture.desired.project.policy.max_change_percent
    if len(known) >= BULK_OBJECTS and 100 * len(changed) > bound * len(known):
        yield Refusal(
            policy="bulk-change",
            guard="bulk-change",
            what=f"{len(changed)} of {len(known)} known models would change; policy.max_change_percent is {bound}",
            hint="review the changes; if they are meant, say --allow bulk-change",
        )


def no_more_jobs_than_allowed(picture: Picture) -> Iterator[Refusal]:
    """Jobs cost money, so the specs may bound them."""
    bound = picture.desired.project.policy.max_new_jobs
    jobs = sum(isinstance(action, Train) for action in picture.actions)
    if bound is not None and jobs > bound:
        yield Refusal(
            policy="max_new_jobs",
            what=f"{jobs} jobs would be created; policy.max_new_jobs is {bound}",
            hint="raise policy.max_new_jobs in the Project spec, or take fewer with --target",
        )


POLICIES: tuple[Callable[[Picture], Iterator[Refusal]], ...] = (
    no_empty_specs,
    no_empty_remote,
    no_doubtful_list,
    no_contradiction,
    no_bulk_change,
    no_more_jobs_than_allowed,
)

GUARDS = ("empty-specs", "empty-remote", "cut-list", "contradictions", "bulk-change")
"""The names that `--allow` takes."""
