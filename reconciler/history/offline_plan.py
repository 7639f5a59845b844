"""Plans that call no service: against the lock file and git, or between two revisions. Opens no socket."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from reconciler import __version__
from reconciler.domain.desired import Desired
from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.lock import Lock
from reconciler.domain.plan import CommandScope, Options, Plan, Refusal
from reconciler.domain.renames import NameMap
from reconciler.domain.row_diff import FEW_ROWS
from reconciler.domain.spec import Expect, Specs
from reconciler.history.locked_state import LockedState, PlanBase, remove_placeholders
from reconciler.history.revision import (
    Revision,
    Snapshot,
    extract_sources,
    extract_specs,
    name_version,
    open_common,
    open_first_parent,
    open_last_change,
    open_revision,
    open_snapshot_at,
)
from reconciler.planner import make_plan
from reconciler.specfile import find_roots, read_prices
from reconciler.workflow import CheckedSpecs, Setting, check_specs, read_setting, select_provider
from reconciler.workflow.lock import read_claimed_lock, read_mentions, read_other_locks
from reconciler.workflow.plan import PreparedPlan, check_targets
from reconciler.workflow.rows import fill_rows

UNASKED = (
    "the service was not called: jobs that run, failed or were cancelled, deleted models, earlier models that"
    " could serve again, and the account are not known; apply checks them"
)
_NOTHING_LOCKED = (
    "no model is locked for {provider}, so the specs at {title} stand for what was applied; if they never were, apply"
    " trains more than this"
)
_LOCK_REMOVED = "{file} is not there any more; that of {title} is used, because what it names exists all the same"
_NO_BASE = (
    "nothing is compared: no model is locked for {provider}, git does not say from which commit this version came, and"
    " the commit that is checked out holds just these specs"
)
_NAME_BASE = (
    "name the commit before with --against, as in: {command}; in CI fetch it too (fetch-depth: 2 for the merge of a"
    " pull request)"
)
_NOTHING_KNOWN = "no model is locked for {provider}, and git has no version before: everything is shown as new"


def plan_offline(
    setting: Setting,
    checked: CheckedSpecs,
    options: Options,
    against: str | None,
    *,
    rows: bool,
    most_samples: int = FEW_ROWS,
    has_earlier_lock: bool = False,
) -> PreparedPlan:
    """Plan against the lock file and git; no service is called, and no key is read.

    Shape:  with `has_earlier_lock`, the lock file is that of the revision `against`, and not the one of these files,
            which the author of a proposal may have changed; else it is so only where these files have none
    Raises: UsageError when there is no revision `against`
    """
    provider = select_provider(setting, checked.specs)
    revisions, notes, is_known = _find_revisions(setting, against)
    lock, found_notes = _find_lock(setting, checked.specs, revisions, has_earlier_lock=has_earlier_lock)
    notes += found_notes
    with ExitStack() as stack:
        snapshots: list[Snapshot] = []
        for revision in revisions:
            try:
                found = stack.enter_context(open_snapshot_at(revision, setting))
            except InputError as error:
                count = len(error.problems) + error.unshown
                notes.append(f"the specs at {revision.name} cannot be read: {count} problems")
                continue
            except UsageError as error:
                notes.append(f"the specs at {revision.name} cannot be read: {error}")
                continue
            snapshots += [found] if found else []
        is_locked = any(entry.provider == provider for entry in lock.entries)
        if not is_locked:
            newest = snapshots[0].title if snapshots else ""
            notes.append((_NOTHING_LOCKED if snapshots else _NOTHING_KNOWN).format(provider=provider, title=newest))
            # Where nothing is locked, one version stands for what exists, and not several.
            snapshots = snapshots[:1]
        names = [*([setting.lock_path.name] if is_locked else []), *(snapshot.title for snapshot in snapshots)]
        title = f"offline against {' and '.join(names) or 'nothing'}"
        base = PlanBase(title=title, snapshots=tuple(snapshots), lock=lock, notes=(*notes, UNASKED))
        flag = "--base" if has_earlier_lock else "--against"
        scope = replace(setting.scope, plan_flags=("--offline", *((flag, against) if against else ())))
        prepared = plan_against(setting, checked, options, base, scope, rows=rows, most_samples=most_samples)
    if is_locked or is_known or prepared.plan.steps:
        return prepared
    # A version that is compared with itself has no changes, whatever it holds.
    refusal = Refusal(
        policy="no-base",
        what=_NO_BASE.format(provider=provider),
        hint=_NAME_BASE.format(command=scope.plan("--against", "HEAD~1", options=options)),
    )
    return replace(prepared, plan=replace(prepared.plan, refused=(*prepared.plan.refused, refusal)))


def _find_lock(
    setting: Setting, specs: Specs, revisions: Sequence[Revision], *, has_earlier_lock: bool
) -> tuple[Lock, list[str]]:
    """Return the lock file of these files, or of the revision that is compared with, and a note in the latter case."""
    if not revisions or (setting.lock_path.exists() and not has_earlier_lock):
        return read_claimed_lock(setting, specs), []
    earlier = revisions[0]
    with extract_specs(earlier, setting) as there:
        if there is None or not there.lock_path.exists():
            return Lock(), []
        try:
            lock = read_claimed_lock(there, specs)
        except InputError as error:
            raise name_version(error, earlier.name) from error
    is_removed = lock.entries and not setting.lock_path.exists()
    return lock, [_LOCK_REMOVED.format(file=setting.lock_path.name, title=earlier.name)] if is_removed else []


def plan_between(before: Revision, after: Revision, setting: Setting, *, rows: bool = True) -> PreparedPlan:
    """Plan the specs of one revision against those of another; no service is called.

    Raises: InputError for what is wrong with either, by the name of its revision; UsageError when there are no specs
    """
    with ExitStack() as stack:
        there = stack.enter_context(extract_specs(after, setting))
        if there is None:
            raise UsageError(f"at {after.name} there is no directory {setting.root} of specs")
        try:
            _extract_all_sources(after, there)
            checked = check_specs(there, count_tokens=True)
        except InputError as error:
            raise name_version(error, after.name) from error
        snapshot: Snapshot | None = stack.enter_context(open_snapshot_at(before, setting))
        missing = f"at {before.name} there is no directory {setting.root} of specs: everything is new"
        base = PlanBase(
            title=f"from {before.name} to {after.name}",
            snapshots=(snapshot,) if snapshot else (),
            notes=() if snapshot else (missing,),
        )
        return plan_against(there, checked, Options(), base, setting.scope, rows=rows)


def _extract_all_sources(revision: Revision, there: Setting) -> None:
    roots = find_roots(there.root)
    if len(roots) > 1:
        listed = ", ".join(each.relative_to(there.workspace).as_posix() for each in roots)
        raise UsageError(f"at {revision.name} there are several projects; name one of them: {listed}")
    for spec in read_setting(there).datasets:
        extract_sources(revision, spec, there)


def plan_against(
    setting: Setting,
    checked: CheckedSpecs,
    options: Options,
    base: PlanBase,
    scope: CommandScope,
    *,
    rows: bool = True,
    most_samples: int = 5,
) -> PreparedPlan:
    """Plan against an earlier state, with the rows that changed since; hints write their commands for the `scope`.

    Raises: UsageError for a profile or a target that does not exist
    Cost:   reads each dataset that changed once more, and its version before
    """
    provider = select_provider(setting, checked.specs)
    profile = setting.profiles.find(provider)
    state = LockedState(checked=checked, claims=NameMap.of(checked.specs), base=base, provider=provider)
    joined = Desired.join(checked.specs, checked.measures, profile.capabilities.neutral_methods)
    desired = _without_account_checks(joined, state)
    check_targets(options, desired)
    options = options if state.locked else replace(options, prune=False)
    observed = state.make_observed(desired)
    plan = make_plan(
        desired,
        observed,
        # The entries of other accounts say nothing about the state that is compared with.
        lock=replace(base.lock, entries=base.lock.of(observed.service)),
        other_locks=read_other_locks(setting, checked.specs),
        mentions=read_mentions(setting, checked.specs, options, observed),
        options=options,
        provider=provider,
        capabilities=profile.capabilities,
        version=__version__,
        prices=read_prices(provider, setting.prices),
        scope=scope,
    )
    plan = _add_notes(plan, state)
    if rows:
        plan = fill_rows(plan, lambda dataset: state.compare_rows(dataset, setting, most_samples))
    return PreparedPlan(
        setting=setting,
        checked=checked,
        desired=desired,
        observed=observed,
        lock=base.lock,
        options=options,
        plan=plan,
    )


def _without_account_checks(desired: Desired, state: LockedState) -> Desired:
    # The account is checked when a service is called, and what has no known id is not deleted.
    policy = desired.project.policy if state.locked else replace(desired.project.policy, prune=False)
    return replace(desired, project=replace(desired.project, expect=Expect(), policy=policy))


def _add_notes(plan: Plan, state: LockedState) -> Plan:
    """Return the plan with the title of its base, notes on what the base cannot show, and no placeholder ids."""
    unknown = tuple(
        f"model/{name}: its recipe is in none of the revisions that were read, so its fields cannot be compared;"
        " choose the right one with --against"
        for name in state.find_unknown()
    )
    notes = tuple(note for snapshot in state.base.snapshots for note in snapshot.notes)
    return replace(
        plan,
        against=state.base.title,
        kept=tuple(map(remove_placeholders, plan.kept)),
        warnings=(*plan.warnings, *unknown, *notes, *state.base.notes),
    )


def _find_revisions(setting: Setting, against: str | None) -> tuple[list[Revision], list[str], bool]:
    """Return the revisions to read, the one to compare with first, and notes that say why there are none.

    The third value says whether the first is known to be an earlier version. The commit that is checked out is not.
    """
    workspace = setting.workspace
    if against is not None:
        return _deduplicate([open_revision(against, workspace), *_find_lock_revision(setting)]), [], True
    try:
        base = open_common("HEAD", "origin/HEAD", workspace) or open_first_parent(workspace)
        first = base or open_revision("HEAD", workspace)
        return _deduplicate([first, *_find_lock_revision(setting)]), [], base is not None
    except UsageError as error:
        return [], [f"git holds no version before this one: {error}"], True


def _find_lock_revision(setting: Setting) -> Iterator[Revision]:
    # The last commit of the lock file came after an apply, so its specs are those that were applied.
    path = setting.lock_path.resolve().relative_to(setting.workspace.resolve()).as_posix()
    found = open_last_change(path, setting.workspace)
    if found:
        yield found


def _deduplicate(revisions: list[Revision]) -> list[Revision]:
    return list({revision.commit: revision for revision in reversed(revisions)}.values())[::-1]
