"""plan --offline: finds in git what a plan is made against, and takes it out into directories of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.plan import Options
from reconciler.history.revision import Revision, open_common, open_last_change, open_revision
from reconciler.workflow.engine import CheckedSpecs, PreparedPlan, Setting, read_claimed_lock
from reconciler.workflow.row_changes import FEW_ROWS

if TYPE_CHECKING:
    from reconciler.domain.spec import DatasetSpec
    from reconciler.history.snapshot import Snapshot

SPECS = (".yaml", ".yml")
UNASKED = (
    "the service was not asked: jobs that run, failed or were cancelled, models that were deleted, earlier ones that"
    " could answer again, and the account are not known; apply asks"
)
_NOTHING_LOCKED = (
    "no model is locked for {provider}, so the specs at {title} stand for what was applied; if they never were, apply"
    " trains more than this"
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
) -> PreparedPlan:
    """Plan against the lock file and git; no service is asked, and no key is read.

    Raises: UsageError when there is no revision `against`
    """
    from reconciler.history.offline_plan import PlanBase, plan_against
    from reconciler.workflow.engine import provider_name

    lock = read_claimed_lock(setting, checked.specs)
    provider = provider_name(setting, checked.specs)
    revisions, notes = _bases(setting, against)
    with ExitStack() as stack:
        pasts: list[Snapshot] = []
        for revision in revisions:
            try:
                found = stack.enter_context(open_snapshot_at(revision, setting))
            except (InputError, UsageError) as error:
                notes.append(f"the specs at {revision.name} cannot be read: {error}")
                continue
            pasts += [found] if found else []
        is_locked = any(entry.provider == provider for entry in lock.entries)
        if not is_locked:
            title = pasts[0].title if pasts else ""
            notes.append((_NOTHING_LOCKED if pasts else _NOTHING_KNOWN).format(provider=provider, title=title))
            # Where nothing is locked one version stands for what is there, and not several.
            pasts = pasts[:1]
        names = [*([setting.lock_path.name] if is_locked else []), *(past.title for past in pasts)]
        said = f"offline against {' and '.join(names) or 'nothing'}"
        base = PlanBase(said=said, pasts=tuple(pasts), lock=lock, notes=(*notes, UNASKED))
        return plan_against(setting, checked, options, base, rows=rows, most_samples=most_samples)


@contextmanager
def open_snapshot_at(revision: Revision, setting: Setting) -> "Iterator[Snapshot | None]":
    """Yield what a revision says, its files there for as long as they are looked at; None where it has no such root.

    Raises: InputError when its specs cannot be read
    """
    from reconciler.history.snapshot import open_snapshot

    with check_out(revision, setting) as there:
        if there is None:
            yield None
            return
        with open_snapshot(revision.name, there, lambda spec: check_out_sources(revision, spec, there)) as past:
            yield past


@contextmanager
def check_out(revision: Revision, setting: Setting) -> Iterator[Setting | None]:
    """Yield a setting whose specs are those of a revision, in a directory that goes away; None where it has none."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as made:
        workspace = Path(made).resolve()
        inside = setting.root.resolve().relative_to(setting.workspace.resolve())
        revision.take_out((inside.as_posix(),), workspace, SPECS)
        root = workspace / inside
        # Its directory is new each time, so nothing about it is worth remembering.
        yield replace(setting, root=root, workspace=workspace, use_cache=False) if root.is_dir() else None


def check_out_sources(revision: Revision, spec: "DatasetSpec", there: Setting) -> None:
    """Take the sources of a dataset out of a revision.

    Raises: UsageError when git holds only a pointer to one
    """
    revision.take_out((*spec.sources, *spec.heldout), there.workspace)


def _bases(setting: Setting, against: str | None) -> tuple[list[Revision], list[str]]:
    """Find the revisions to look at, the one to compare with first, and say why there are none."""
    workspace = setting.workspace
    if against is not None:
        return _once([open_revision(against, workspace), *_lock_revision(setting)]), []
    try:
        common = open_common("HEAD", "origin/HEAD", workspace)
        return _once([common or open_revision("HEAD", workspace), *_lock_revision(setting)]), []
    except UsageError as error:
        return [], [f"git tells nothing of what was before: {error}"]


def _lock_revision(setting: Setting) -> Iterator[Revision]:
    # Whoever committed the lock file last had just applied, so the specs of that commit are those that were applied.
    path = setting.lock_path.resolve().relative_to(setting.workspace.resolve()).as_posix()
    found = open_last_change(path, setting.workspace)
    if found:
        yield found


def _once(revisions: list[Revision]) -> list[Revision]:
    return list({revision.commit: revision for revision in reversed(revisions)}.values())[::-1]
