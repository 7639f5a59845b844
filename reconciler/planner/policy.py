"""Policies and guards. Each is a function of the planning state. It may add refusals, and does nothing else."""

from collections.abc import Callable, Collection, Iterator

import msgspec
from msgspec.structs import replace

from reconciler.domain.desired import Desired
from reconciler.domain.identity import Address
from reconciler.domain.lock import Lock
from reconciler.domain.observed import Observed, RemoteJob, plain_id
from reconciler.domain.plan import Action, Cancel, CommandScope, Delete, Options, Refusal, Train
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import Expect
from reconciler.planner.cost import UNKNOWN_COST
from reconciler.planner.unmarked import find_unmarked

BULK_OBJECTS = 10
"""With fewer objects than this, a large share of changes is no sign of a mistake."""


MOST_NAMED = 5
"""Objects that a refusal names; the others are counted."""


class PlanningState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a policy may look at."""

    desired: Desired
    observed: Observed
    lock: Lock
    options: Options
    actions: tuple[Action, ...]
    provider: str = "local"
    capabilities: Capabilities = Capabilities()
    scope: CommandScope = CommandScope()
    origin: str = ""


def refusals(state: PlanningState) -> tuple[Refusal, ...]:
    """Return what the policies refuse, without what the operator allowed by name."""
    found = (refusal for policy in POLICIES for refusal in policy(state))
    return tuple(refusal for refusal in found if not refusal.guard or refusal.guard not in state.options.allow)


def no_other_service(state: PlanningState) -> Iterator[Refusal]:
    """Refuse an account that the specs are not meant for: it would be billed, and shows nothing that exists."""
    wrong = tuple(account_mismatches(state.desired.project.expect, state.observed))
    if wrong:
        yield Refusal(
            policy="identity",
            guard="identity",
            what=f"this is not the service that the Project expects: {'; '.join(wrong)}",
            hint="set the key, address, organisation and project in the environment to the right service, or correct"
            f" expect in the Project spec; {_on(state, 'identity')}",
        )


def no_unnamed_project(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to remove anything without a project name: all repositories without one would share each other's."""
    removed = [action for action in state.actions if isinstance(action, Cancel | Delete)]
    name = state.desired.project.name
    if removed and not state.desired.project.is_stated:
        yield Refusal(
            policy="project-name",
            what=f"{_count(len(removed), 'job or model', 'jobs, models and files')} would be cancelled or deleted, and"
            f" the specs state no project name: every repository without one is the project {name}, so these may be"
            " another repository's",
            hint=f"add the document “kind: Project” with “name: {name}” if no other repository uses this service"
            " without a name: what was trained so far then stays yours; under any other name nothing is trained yet",
        )


def no_shared_project(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to remove what was created from other specs with the same project name: it may be in use there."""
    jobs = {job.id: job for job in state.observed.jobs}
    removed = [action.job for action in state.actions if isinstance(action, Cancel)]
    removed += [jobs[action.job] for action in state.actions if isinstance(action, Delete) and action.job in jobs]
    files = {plain_id(action.thing) for action in state.actions if isinstance(action, Delete) and not action.is_model}
    removed += [job for job in jobs.values() if files.intersection(map(plain_id, job.files))]
    others = sorted({job.id for job in removed if _is_foreign(job, state)})
    if others:
        yield Refusal(
            policy="shared-project",
            guard="shared-project",
            what=f"{_count(len(others), 'job', 'jobs')} of the project {state.desired.project.name} that would be"
            " cancelled, or whose models or files would be deleted, came from another repository or another directory"
            f" of specs: {', '.join(others[:MOST_NAMED])}{', …' if others[MOST_NAMED:] else ''}",
            hint="if that one is still in use, give each a project name of its own; if these specs were moved:"
            f" {state.scope.plan(options=replace(state.options, allow=state.options.allow | {'shared-project'}))}",
        )


def _is_foreign(job: RemoteJob, state: PlanningState) -> bool:
    """Return whether a job may have been created from other specs.

    One without an origin is older than the marks, unless jobs beside it bear one: then only the lock file knows it.
    """
    if job.origin:
        return job.origin != state.origin
    is_marked = any(each.origin for each in state.observed.jobs)
    return is_marked and job.id not in {entry.job for entry in state.lock.of(state.observed.service)}


def _count(number: int, one: str, several: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {several}"


def no_other_account(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to work on models that the lock file knows in another account of the profile, and not in this one.

    More often a key of another organization than a second home: everything would be paid for once more there.
    """
    if state.capabilities.is_of_machine or not state.actions:
        return
    wanted = {model.address for model in state.desired.models}
    ours = [each for each in state.lock.entries if each.provider == state.provider and each.address in wanted]
    here = {entry.address for entry in state.lock.of(state.observed.service)}
    elsewhere = [entry for entry in ours if entry.address not in here]
    if elsewhere:
        names = sorted({entry.address.name for entry in elsewhere})
        accounts = sorted({entry.service for entry in elsewhere})
        yield Refusal(
            policy="other-account",
            guard="other-account",
            what=f"the lock file names {', '.join(names[:MOST_NAMED])}{', …' if names[MOST_NAMED:] else ''} in the"
            f" account {' and '.join(accounts)}, and the service that answers is {state.observed.service}",
            hint="check the key, address, organisation and project in the environment; the entries of every account are"
            f" kept; {_on(state, 'other-account')}",
        )


def no_empty_specs(state: PlanningState) -> Iterator[Refusal]:
    """Refuse specs without models while the service holds jobs of ours: more often a wrong path than an intention."""
    if not state.desired.models and state.observed.jobs:
        yield Refusal(
            policy="empty-specs",
            guard="empty-specs",
            what=f"the specs name no model, but the service holds {len(state.observed.jobs)} jobs of this project",
            hint=f"check the path; {_on(state, 'empty-specs')}",
        )


def no_empty_remote(state: PlanningState) -> Iterator[Refusal]:
    """Refuse a service that shows nothing of what is locked: more often another account than a new start."""
    locked = state.lock.of(state.observed.service)
    if locked and not state.observed.jobs:
        yield Refusal(
            policy="empty-remote",
            guard="empty-remote",
            what=f"the lock file names {len(locked)} models here, but the service shows no job of this project",
            hint="check the key, organisation and project in the environment; if it is a new start:"
            f" {state.scope.plan('--first-apply', options=state.options)}",
        )


def no_doubtful_list(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to plan on a list that may be incomplete: what it does not show would be paid for again."""
    for doubt in state.observed.list_warnings:
        yield Refusal(
            policy="cut-list",
            guard="cut-list",
            what=f"a list of the service may not be whole: {doubt}",
            hint=f"plan again: {state.scope.plan(options=state.options)}; if it happens again,"
            f" {_on(state, 'cut-list')}",
        )


def no_contradiction(state: PlanningState) -> Iterator[Refusal]:
    """Refuse jobs whose marks disagree with each other: they may be forged, or half of a stamp of ours."""
    if state.observed.contradictions:
        yield Refusal(
            policy="contradictions",
            guard="contradictions",
            what="jobs bear marks of this project that cannot be read, or that disagree with each other: "
            + ", ".join(state.observed.contradictions),
            hint=f"look at them with: {state.scope.call('jobs', state.observed.contradictions[0])};"
            f" a plan never touches them; {_on(state, 'contradictions')}",
        )


def no_bulk_change(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to change many known models at once: more often a mistake than an intention.

    Known are the models of the specs that have a job, and those that left the specs: they count as changed as far as
    new names are trained in their place, as after a rename without `moved`, or where they are removed. Other orphans
    count as neither.
    """
    wanted = {model.address for model in state.desired.models}
    existing = {job.address for job in state.observed.jobs}
    changed = {action.address for action in state.actions if isinstance(action, Train | Cancel | Delete)}
    left = _find_departed(state, existing) | (changed & existing - wanted)
    known = (wanted & existing) | left
    new = {action.address for action in state.actions if isinstance(action, Train)} - existing
    renamed = min(len(new), len(left - changed))
    count = len(changed & known) + renamed
    bound = state.desired.project.policy.max_change_percent
    if len(known) >= BULK_OBJECTS and 100 * count > bound * len(known):
        moved = " If models were renamed, say so with moved, and nothing is trained for them." if renamed else ""
        yield Refusal(
            policy="bulk-change",
            guard="bulk-change",
            what=f"{count} of {len(known)} known models would change; policy.max_change_percent is {bound}.{moved}"
            if moved
            else f"{count} of {len(known)} known models would change; policy.max_change_percent is {bound}",
            hint=f"review the changes; {_on(state, 'bulk-change')}",
        )


def _find_departed(state: PlanningState, existing: Collection[Address]) -> set[Address]:
    """Return the models that the specs named before and do not name now.

    The lock file names those that have succeeded. A job that still runs is of one, as is a job, whatever its end, of a
    recipe and rows that this plan trains under a new name. Without a lock file, each orphan may be such a model.
    """
    wanted = {model.address for model in state.desired.models}
    locked = {entry.address for entry in state.lock.of(state.observed.service)}
    if not locked:
        return set(existing) - wanted
    trained = {action.model for action in state.actions if isinstance(action, Train)}
    digests = {stamp.digest.short for model in trained for stamp in model.stamps}
    paid = {job.address for job in state.observed.jobs if job.status.is_active or job.own_stamp.digest.short in digests}
    return ((locked & set(existing)) | paid) - wanted


def no_amnesia(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to train again what was paid for and no longer shows: more often another account than a lost job.

    When the service shows no job at all, the guard `empty-remote` reports that instead.
    """
    locked = {entry.address: entry for entry in state.lock.of(state.observed.service)}
    forgotten = [
        (action.model.name, locked[action.address].job)
        for action in state.actions
        if isinstance(action, Train)
        and action.address in locked
        and locked[action.address].job in state.observed.gone
        and action.model.bears(locked[action.address].stamp)
        and action.model.name not in state.options.replace
    ]
    if forgotten and state.observed.jobs:
        named = ", ".join(f"{name} ({job})" for name, job in sorted(forgotten))
        again = replace(state.options, replace=state.options.replace | {name for name, _ in forgotten})
        yield Refusal(
            policy="amnesia",
            guard="amnesia",
            what=f"the lock file names jobs that made exactly what the specs want, and the service shows them neither"
            f" in its list nor by their ids: {named}",
            hint="check the key, organisation and project in the environment; to train them again:"
            f" {state.scope.plan(options=again)}; or, {_on(state, 'amnesia')}",
        )


def no_unmarked_job(state: PlanningState) -> Iterator[Refusal]:
    """Refuse to create a job beside one that may be its twin without marks: it was paid for already."""
    trains = (action for action in state.actions if isinstance(action, Train))
    for model in (train.model for train in trains if train.model.name not in state.options.replace):
        for job, why in find_unmarked(model, state.observed):
            again = replace(state.options, replace=state.options.replace | {model.name})
            yield Refusal(
                policy="unmarked-job",
                what=f"job {job} may be the job of {model.stamp}: {why}; it may cost money already, so no other one is"
                " created",
                hint=f"look at it: {state.scope.call('jobs', job)}; to take it as this model, write in the Model:"
                f' adopt: {{job: {job}, digest: "{model.stamp.digest}"}}; to train without it:'
                f" {state.scope.plan(options=again)}",
            )


def no_newer_digests(state: PlanningState) -> Iterator[Refusal]:
    """Refuse what a newer program stamped: compared by older rules, it would look changed and be paid for again."""
    stamps = [(f"job {job.id}", job.own_stamp) for job in state.observed.jobs]
    stamps += [(f"the lock entry of {entry.address}", entry.stamp) for entry in state.lock.of(state.observed.service)]
    newer = sorted(f"{title} ({stamp.digest.version})" for title, stamp in stamps if not stamp.digest.is_known)
    if newer:
        yield Refusal(
            policy="newer-program",
            what=f"{len(newer)} {'object bears a digest' if len(newer) == 1 else 'objects bear digests'} of a newer"
            f" version of this program: {', '.join(newer[:MOST_NAMED])}{', …' if newer[MOST_NAMED:] else ''}",
            hint="use the newest version that works on this project, here and everywhere else:"
            " pip install --upgrade finetune-reconciler",
        )


def no_more_jobs_than_allowed(state: PlanningState) -> Iterator[Refusal]:
    """Refuse more new jobs than the Project spec allows: jobs cost money."""
    bound = state.desired.project.policy.max_new_jobs
    jobs = sum(isinstance(action, Train) for action in state.actions)
    if bound is not None and jobs > bound:
        yield Refusal(
            policy="max_new_jobs",
            what=f"{jobs} {'job' if jobs == 1 else 'jobs'} would be created; policy.max_new_jobs is {bound}",
            hint="raise policy.max_new_jobs in the Project spec, or take fewer with --target",
        )


def _on(state: PlanningState, guard: str) -> str:
    """Return how to continue past a guard."""
    options = replace(state.options, allow=state.options.allow | {guard})
    return f"if this is intended: {state.scope.plan(options=options)}"


POLICIES: tuple[Callable[[PlanningState], Iterator[Refusal]], ...] = (
    no_other_service,
    no_other_account,
    no_unnamed_project,
    no_shared_project,
    no_empty_specs,
    no_empty_remote,
    no_doubtful_list,
    no_contradiction,
    no_unmarked_job,
    no_newer_digests,
    no_amnesia,
    no_bulk_change,
    no_more_jobs_than_allowed,
)

GUARDS = (
    "identity",
    "other-account",
    "shared-project",
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
    """Yield a sentence for each property of the service that differs from what is expected, or is unknown."""
    pairs = {
        "organization": (expect.organization, seen.organization),
        "project": (expect.project, seen.project),
        "region": (expect.region, seen.region),
        "host": (expect.host, seen.host),
    }
    for what, (right, found) in pairs.items():
        if right and found is None:
            yield f"the service does not say its {what}, and {' or '.join(right)} is expected"
        elif right and found is not None and _fold_name(what, found) not in {_fold_name(what, each) for each in right}:
            yield f"the {what} is {found}, and {' or '.join(right)} is expected"


def _fold_name(what: str, name: str) -> str:
    # Ids must be equal. The case of a host does not matter, and one region is written in several ways: Sweden Central.
    match what:
        case "host":
            return name.casefold()
        case "region":
            return name.casefold().replace(" ", "")
        case _:
            return name
