"""A plan that asks no service: what git and the lock file say was there stands for what is. Opens no socket.

The lock file names what answers, by content. Git holds the specs and rows that it was made of, at some revision; which
one that is, the digests say. Where nothing is locked, the specs of a revision stand for what was applied.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from reconciler import __version__
from reconciler.domain.desired import Dataset, Desired, Model
from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.identity import Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import SUCCEEDED, FileId, JobId, ModelId, Observed, RemoteFile, RemoteJob, oldest_first
from reconciler.domain.plan import Keep, KeepReason, Options, Plan, Step, Upload
from reconciler.domain.renames import NameMap
from reconciler.domain.row_diff import RowDiff, RowsUnknown
from reconciler.domain.spec import DatasetSpec, Expect
from reconciler.history.snapshot import Snapshot
from reconciler.workflow.engine import CheckedSpecs, PreparedPlan, Setting, bases_of, check_targets, provider_name

if TYPE_CHECKING:
    from reconciler.dataset.tokens import Count

_STANDS_FOR = "git:"
"""Begins the ids of what stands for a thing of which nobody knows the id; none of them leaves this file."""


class PlanBase(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is made against.

    Shape:  `said` is how it is called in the plan; of `pasts` the first that fits what is locked counts, and where
            nothing is locked, the first
    """

    said: str
    pasts: tuple[Snapshot, ...] = ()
    lock: Lock = msgspec.field(default_factory=Lock)
    notes: tuple[str, ...] = ()


def plan_against(
    setting: Setting,
    checked: CheckedSpecs,
    options: Options,
    base: PlanBase,
    *,
    rows: bool = True,
    most_samples: int = 5,
) -> PreparedPlan:
    """Plan against what was, with the rows that changed since.

    Raises: UsageError for a profile or a target that does not exist
    Cost:   reads each dataset that changed once more, and its version before
    """
    from reconciler.planner import make_plan
    from reconciler.providers.profiles import PROFILES
    from reconciler.specfile import read_prices

    provider = provider_name(setting, checked.specs)
    if provider not in PROFILES:
        raise UsageError(f"there is no provider profile {provider!r}; there are {', '.join(sorted(PROFILES))}")
    scene = _LockedState(checked=checked, claims=NameMap.of(checked.specs), base=base, provider=provider)
    desired = _without_account_checks(Desired.join(checked.specs, checked.measures), scene)
    check_targets(options, desired)
    options = options if scene.locked else replace(options, prune=False)
    observed = scene.observed(desired)
    plan = make_plan(
        desired,
        observed,
        lock=base.lock,
        options=options,
        provider=provider,
        capabilities=PROFILES[provider].capabilities,
        version=__version__,
        prices=read_prices(provider, setting.prices),
    )
    plan = _add_notes(plan, scene)
    if rows:
        plan = replace(plan, steps=tuple(scene.with_rows(plan.steps, setting, most_samples)))
    return PreparedPlan(
        setting=setting,
        checked=checked,
        desired=desired,
        observed=observed,
        lock=base.lock,
        options=options,
        plan=plan,
    )


def _without_account_checks(desired: Desired, scene: "_LockedState") -> Desired:
    # Whether the right account answers is asked when one does, and what nobody knows by its id is not deleted.
    policy = desired.project.policy if scene.locked else replace(desired.project.policy, prune=False)
    return replace(desired, project=replace(desired.project, expect=Expect(), policy=policy))


class _LockedState(msgspec.Struct, frozen=True, kw_only=True):
    """Today's specs beside what was."""

    checked: CheckedSpecs
    claims: NameMap
    base: PlanBase
    provider: str

    @property
    def service(self) -> str:
        """The service that was applied to last, as far as the lock file tells; else the profile's name."""
        ours = [entry for entry in self.base.lock.entries if entry.provider == self.provider]
        newest = max(ours, key=lambda entry: (entry.finished_at or 0, entry.service), default=None)
        return newest.service if newest else self.provider

    @property
    def locked(self) -> tuple[LockEntry, ...]:
        return self.base.lock.of(self.service)

    def observed(self, desired: Desired) -> Observed:
        """Return what was as if a service showed it: a job for each model, and the files that were sent for it."""
        jobs = self._jobs(desired)
        there = self._there()
        held = [dataset for dataset in desired.datasets if any(dataset.stamp.agrees(stamp) for stamp in there)]
        return Observed(
            service=self.service,
            files=tuple(_file(dataset) for dataset in held),
            jobs=oldest_first(jobs),
            models=frozenset(job.model for job in jobs if job.model),
        )

    def _jobs(self, desired: Desired) -> list[RemoteJob]:
        if self.locked:
            jobs = [_locked_job(entry, self._made_of(entry)) for entry in self.locked]
        else:
            jobs = [self._past_job(model) for past in self.base.pasts[:1] for model in past.models]
        # Of an adopted job a spec says that it is there, and offline nobody knows better.
        seen = {job.address for job in jobs}
        return jobs + [_adopted_job(model) for model in desired.models if model.adopt and model.address not in seen]

    def _past_job(self, model: Model) -> RemoteJob:
        job = RemoteJob(
            id=JobId(_STANDS_FOR + model.name),
            stamp=model.stamp,
            status=SUCCEEDED,
            created_at=0,
            base=model.recipe.base,
            model=ModelId(_STANDS_FOR + model.name),
            facts=model.displayed_facts,
        )
        return self.claims.rename_job(job)

    def _made_of(self, entry: LockEntry) -> Model | None:
        models = (model for past in self.base.pasts for model in past.models)
        return next((model for model in models if self.claims.rename_stamp(model.stamp).agrees(entry.stamp)), None)

    def _there(self) -> frozenset[Stamp]:
        # Files are sent for models, so what is there are those of the models that are.
        if not self.locked:
            models = [model for past in self.base.pasts[:1] for model in past.models]
            return frozenset(self.claims.rename_stamp(each.stamp) for model in models for each in model.datasets)
        made_of = [model for entry in self.locked if (model := self._made_of(entry))]
        return frozenset(
            {self.claims.rename_stamp(each.stamp) for model in made_of for each in model.datasets}
            | {each.stamp for entry in self.locked for each in entry.datasets}
        )

    def unfound(self) -> Iterator[str]:
        """Yield the models that are locked, whose recipe no revision that was looked at has."""
        named = {model.name for model in self.checked.specs.models}
        for entry in self.locked:
            if entry.address.name in named and self._made_of(entry) is None:
                yield entry.address.name

    def with_rows(self, steps: Sequence[Step], setting: Setting, most_samples: int) -> Iterator[Step]:
        """Yield the same steps, the first upload of each dataset with how its rows differ, and so many of them."""
        told = set[str]()
        for step in steps:
            if isinstance(step.action, Upload) and step.action.dataset.spec.name not in told:
                told.add(step.action.dataset.spec.name)
                yield replace(step, rows=self._rows(step.action.dataset, setting, most_samples))
            else:
                yield step

    def _rows(self, dataset: Dataset, setting: Setting, most_samples: int) -> RowDiff | RowsUnknown | None:
        name = dataset.spec.name
        found = [(past, spec) for past in self.base.pasts if (spec := past.dataset(name, self.claims))]
        sides = tuple(stamp for stamp in self._there() if stamp.address.name.partition(".")[0] == name)
        right = [
            (past, spec)
            for past, spec in found
            if any(stamp.agrees(side) for stamp in past.stamps(spec, self.claims) for side in sides)
        ]
        if not (right or found):
            return RowsUnknown(before=_named(name, sides), why=f"{self._looked_at} no such dataset") if sides else None
        past, before = (right or found)[0]
        title = f"{past.title}:{before.name}"
        if sides and not right:
            if any(dataset.stamp.agrees(stamp) for stamp in past.stamps(before, self.claims)):
                return RowsUnknown(before=_named(name, sides), why=f"{self._looked_at} no such rows")
            title += ", which is not what was trained on last"
        try:
            count = token_counter(self.checked, dataset.spec)
            return _compare_rows(past, before, dataset, setting, title, count, most_samples)
        except InputError:
            return RowsUnknown(before=title, why="the rows cannot be read as that version of the specs has them")

    @property
    def _looked_at(self) -> str:
        return f"{' and '.join(past.title for past in self.base.pasts)} hold" + "s" * (len(self.base.pasts) == 1)


def _locked_job(entry: LockEntry, made_of: Model | None) -> RemoteJob:
    return RemoteJob(
        id=entry.job,
        stamp=entry.stamp,
        status=SUCCEEDED,
        created_at=entry.finished_at or 0,
        finished_at=entry.finished_at,
        base=made_of.recipe.base if made_of else "",
        model=entry.model,
        facts=made_of.displayed_facts if made_of else (),
    )


def _adopted_job(model: Model) -> RemoteJob:
    assert model.adopt is not None
    return RemoteJob(
        id=model.adopt.job,
        stamp=Stamp(model.address, model.adopt.digest),
        status=SUCCEEDED,
        created_at=0,
        model=ModelId(_STANDS_FOR + model.name),
        is_adopted=True,
    )


def _file(dataset: Dataset) -> RemoteFile:
    name, size_bytes = dataset.file_key
    id_ = FileId(_STANDS_FOR + name)
    return RemoteFile(id=id_, filename=name, size_bytes=size_bytes, created_at=0, stamp=dataset.stamp)


def _add_notes(plan: Plan, scene: _LockedState) -> Plan:
    """Return the plan with what it was made against, what that cannot tell, and no id that we made up."""
    unfound = tuple(
        f"model/{name}: what it was made of is in no revision that was looked at, so its fields cannot be compared;"
        " name the right one with --against"
        for name in scene.unfound()
    )
    notes = tuple(note for past in scene.base.pasts for note in past.notes)
    return replace(
        plan,
        against=scene.base.said,
        kept=tuple(map(_plain, plan.kept)),
        warnings=(*plan.warnings, *unfound, *notes, *scene.base.notes),
    )


def _plain(keep: Keep) -> Keep:
    made_up = [each for each in (keep.job, keep.model) if each and each.startswith(_STANDS_FOR)]
    if not made_up:
        return keep
    detail = "the specs name it no more" if keep.why is KeepReason.ORPHAN else keep.detail
    job = None if keep.job in made_up else keep.job
    model = None if keep.model in made_up else keep.model
    return replace(keep, job=job, model=model, detail=detail, hint="" if job is None else keep.hint)


def _named(name: str, sides: Collection[Stamp]) -> str:
    return " and ".join(sorted(side.filename for side in sides)) or name


def token_counter(checked: CheckedSpecs, spec: DatasetSpec) -> "Count | None":
    """Return what counts the tokens of a dataset's rows, where its whole was counted by it."""
    from reconciler.dataset.tokens import vocabulary_for

    # Where the whole was counted, the vocabulary was worth loading.
    if checked.measures[spec.name].vocabulary is None:
        return None
    found = vocabulary_for(bases_of(checked.specs, spec.name))
    return found.count if found else None


def _compare_rows(
    past: Snapshot,
    spec: DatasetSpec,
    dataset: Dataset,
    setting: Setting,
    title: str,
    count: "Count | None",
    most_samples: int,
) -> RowDiff:
    from reconciler.dataset.row_diff import compare_versions, open_dataset_version

    wanted = replace(dataset.spec, format=dataset.format)
    # What identifies a row may be in its source alone, and then that is read again.
    kept = None if wanted.id else past.sides.get(spec.name)
    reading = nullcontext(kept) if kept else open_dataset_version(replace(spec, id=wanted.id), past.workspace)
    with reading as before, open_dataset_version(wanted, setting.workspace) as after:
        return compare_versions(before, after, title, count=count, most_samples=most_samples)
