"""The state that an offline plan compares with: what the lock file and git say was applied, in a service's form.

The lock file names the serving models by their content. Git holds the specs and rows that they were made of, at some
revision; the digests say at which. Where nothing is locked, the specs of a revision stand for what was applied.
"""

from collections.abc import Collection, Iterator
from contextlib import nullcontext

import msgspec
from msgspec.structs import replace

from reconciler.dataset import CountTokens
from reconciler.dataset.row_diff import compare_versions, open_dataset_version
from reconciler.domain.desired import Dataset, Desired, Model
from reconciler.domain.errors import InputError
from reconciler.domain.identity import Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import SUCCEEDED, FileId, JobId, ModelId, Observed, RemoteFile, RemoteJob, oldest_first
from reconciler.domain.plan import Keep, KeepReason
from reconciler.domain.renames import NameMap
from reconciler.domain.row_diff import RowDiff, RowsUnknown
from reconciler.domain.spec import DatasetSpec
from reconciler.history.revision import Snapshot
from reconciler.workflow import CheckedSpecs, Setting

_STANDS_FOR = "git:"
"""Begins the ids that stand for unknown ones; none of them leaves this module but through `remove_placeholders`."""


class PlanBase(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is compared with.

    Shape:  `title` is its name in the plan; of the `snapshots` the first that agrees with a locked stamp counts, and
            where nothing is locked, the first
    """

    title: str
    snapshots: tuple[Snapshot, ...] = ()
    lock: Lock = msgspec.field(default_factory=Lock)
    notes: tuple[str, ...] = ()


class LockedState(msgspec.Struct, frozen=True, kw_only=True):
    """Today's specs beside the state that the lock file and git describe."""

    checked: CheckedSpecs
    claims: NameMap
    base: PlanBase
    provider: str

    @property
    def service(self) -> str:
        """The service that was applied to last, as far as the lock file says; else the profile's name."""
        ours = [entry for entry in self.base.lock.entries if entry.provider == self.provider]
        newest = max(ours, key=lambda entry: (entry.finished_at or 0, entry.service), default=None)
        return newest.service if newest else self.provider

    @property
    def locked(self) -> tuple[LockEntry, ...]:
        return self.base.lock.of(self.service)

    def make_observed(self, desired: Desired) -> Observed:
        """Return the earlier state in the form that a service shows: a job for each model, and its files."""
        jobs = self._make_jobs(desired)
        stamps = self._find_files()
        uploaded = [dataset for dataset in desired.datasets if any(dataset.stamp.agrees(stamp) for stamp in stamps)]
        return Observed(
            service=self.service,
            files=tuple(_make_file(dataset) for dataset in uploaded),
            jobs=oldest_first(jobs),
            models=frozenset(job.model for job in jobs if job.model),
        )

    def _make_jobs(self, desired: Desired) -> list[RemoteJob]:
        if self.locked:
            jobs = [_make_locked_job(entry, self._find_model(entry)) for entry in self.locked]
        else:
            jobs = [self._make_past_job(model) for snapshot in self.base.snapshots[:1] for model in snapshot.models]
        # A spec says that an adopted job exists; offline, nothing else is known of it.
        seen = {job.address for job in jobs}
        return jobs + [
            _make_adopted_job(model) for model in desired.models if model.adopt and model.address not in seen
        ]

    def _make_past_job(self, model: Model) -> RemoteJob:
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

    def _find_model(self, entry: LockEntry) -> Model | None:
        models = (model for snapshot in self.base.snapshots for model in snapshot.models)
        return next((model for model in models if _is_locked(model, entry, self.claims)), None)

    def _find_files(self) -> frozenset[Stamp]:
        # Files are uploaded for models, so the files of the known models exist.
        if not self.locked:
            models = [model for snapshot in self.base.snapshots[:1] for model in snapshot.models]
            return frozenset(self.claims.rename_stamp(each.stamp) for model in models for each in model.datasets)
        trained = [model for entry in self.locked if (model := self._find_model(entry))]
        return frozenset(
            {self.claims.rename_stamp(each.stamp) for model in trained for each in model.datasets}
            | {each.stamp for entry in self.locked for each in entry.datasets}
        )

    def find_unknown(self) -> Iterator[str]:
        """Yield the names of locked models whose recipe is in none of the snapshots."""
        named = {model.name for model in self.checked.specs.models}
        for entry in self.locked:
            if entry.address.name in named and self._find_model(entry) is None:
                yield entry.address.name

    def compare_rows(self, dataset: Dataset, setting: Setting, most_samples: int) -> RowDiff | RowsUnknown | None:
        """Return how the rows of a dataset differ from those that were applied; None where there were none."""
        name = dataset.spec.name
        found = [(snapshot, spec) for snapshot in self.base.snapshots if (spec := snapshot.dataset(name, self.claims))]
        sides = tuple(stamp for stamp in self._find_files() if stamp.address.name.partition(".")[0] == name)
        right = [
            (snapshot, spec)
            for snapshot, spec in found
            if any(stamp.agrees(side) for stamp in snapshot.stamps(spec, self.claims) for side in sides)
        ]
        if not (right or found):
            unknown = RowsUnknown(before=_join_filenames(name, sides), why=f"{self._searched} no such dataset")
            return unknown if sides else None
        snapshot, before = (right or found)[0]
        title = f"{snapshot.title}:{before.name}"
        if sides and not right:
            if any(dataset.stamp.agrees(stamp) for stamp in snapshot.stamps(before, self.claims)):
                return RowsUnknown(before=_join_filenames(name, sides), why=f"{self._searched} no such rows")
            title += ", which is not the last version that a model was trained on"
        try:
            count = self.checked.token_counter(dataset.spec.name)
            rows = _compare_rows(snapshot, before, dataset, setting, title, count, most_samples)
            measured = snapshot.measures.get(before.name)
            return replace(
                rows,
                training_before=measured.training.rows if measured else None,
                training_after=self.checked.measures[name].training.rows,
            )
        except InputError:
            return RowsUnknown(before=title, why="the rows cannot be read as that version of the specs has them")

    @property
    def _searched(self) -> str:
        titles = [snapshot.title for snapshot in self.base.snapshots]
        return f"{' and '.join(titles)} {'holds' if len(titles) == 1 else 'hold'}"


def _is_locked(model: Model, entry: LockEntry, claims: NameMap) -> bool:
    return any(claims.rename_stamp(stamp).agrees(entry.stamp) for stamp in model.stamps)


def _make_locked_job(entry: LockEntry, model: Model | None) -> RemoteJob:
    return RemoteJob(
        id=entry.job,
        stamp=entry.stamp,
        status=SUCCEEDED,
        created_at=entry.finished_at or 0,
        finished_at=entry.finished_at,
        base=model.recipe.base if model else "",
        model=entry.model,
        facts=model.displayed_facts if model else (),
    )


def _make_adopted_job(model: Model) -> RemoteJob:
    assert model.adopt is not None
    return RemoteJob(
        id=model.adopt.job,
        stamp=Stamp(model.address, model.adopt.digest),
        status=SUCCEEDED,
        created_at=0,
        model=ModelId(_STANDS_FOR + model.name),
        is_adopted=True,
    )


def _make_file(dataset: Dataset) -> RemoteFile:
    name, size_bytes = dataset.file_key
    id_ = FileId(_STANDS_FOR + name)
    return RemoteFile(id=id_, filename=name, size_bytes=size_bytes, created_at=0, stamp=dataset.stamp)


def remove_placeholders(keep: Keep) -> Keep:
    """Return the keep without the ids that stand for unknown ones."""
    placeholders = [each for each in (keep.job, keep.model) if each and each.startswith(_STANDS_FOR)]
    if not placeholders:
        return keep
    detail = "not in the specs" if keep.why is KeepReason.ORPHAN else keep.detail
    job = None if keep.job in placeholders else keep.job
    model = None if keep.model in placeholders else keep.model
    return replace(keep, job=job, model=model, detail=detail, hint="" if job is None else keep.hint)


def _join_filenames(name: str, sides: Collection[Stamp]) -> str:
    return " and ".join(sorted(side.filename for side in sides)) or name


def _compare_rows(
    snapshot: Snapshot,
    spec: DatasetSpec,
    dataset: Dataset,
    setting: Setting,
    title: str,
    count: CountTokens | None,
    most_samples: int,
) -> RowDiff:
    wanted = replace(dataset.spec, format=dataset.format)
    # The id of a row may be in its source alone; then the source is read again.
    kept = None if wanted.id else snapshot.sides.get(spec.name)
    reading = nullcontext(kept) if kept else open_dataset_version(replace(spec, id=wanted.id), snapshot.workspace)
    with reading as before, open_dataset_version(wanted, setting.workspace) as after:
        return compare_versions(before, after, title, count=count, most_samples=most_samples)
