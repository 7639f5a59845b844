"""Drafts a spec for a job that was made without one, with its training rows; writes the files when all are valid."""

import json
import math
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from reconciler.dataset import LOOKED_AT, LineError, decode_json, recognise_rows
from reconciler.domain.desired import Desired, Model
from reconciler.domain.errors import ProviderError, UsageError
from reconciler.domain.identity import NAME_PATTERN, Stamp
from reconciler.domain.observed import SUCCEEDED, FileId, RemoteJob
from reconciler.domain.ports import Provider, own_job
from reconciler.domain.spec import AUTO, SUPERVISED, Specs
from reconciler.specfile import ImportedModel, import_spec_text, read_specs, real_path, spec_files
from reconciler.workflow.measure import measure_datasets
from reconciler.workflow.settings import find_service, select_provider
from reconciler.workflow.targets import Workplace

_SETTINGS = ("batch_size", "learning_rate_multiplier", "n_epochs")
"""The hyperparameters that a spec has a field for."""

_MOST_OF_A_LINE = 1 << 20
_PREFIX = "hyperparameters."


@contextmanager
def draft_import(
    place: Workplace, job: RemoteJob, provider: Provider, *, name: str, rows: str, settings: bool = False
) -> Iterator["ImportDraft"]:
    """Draft the spec of a job and download its rows, into a directory that goes away.

    Shape:  `rows` is the dataset of the specs that the job was trained on, else the name for the rows that are
            downloaded; with `settings`, the spec states the hyperparameters and seed that the job reports
    Raises: UsageError when the job cannot be imported or a file exists already, ProviderError when the service does
            not give the rows, InputError when the rows or the specs beside them are invalid
    """
    with tempfile.TemporaryDirectory(prefix="reconciler-") as workspace:
        _check_job(job)
        draft = ImportDraft(place=place, workspace=Path(workspace), target=place.setting.root / f"{name}.yaml")
        draft.refuse_overwriting(rows)
        imported = _read_job(job, provider, name=name, rows=rows, place=place, settings=settings)
        draft.finish(draft.gather(imported, job, provider), job)
        yield draft


def check_names(name: str, rows: str, place: Workplace) -> None:
    """Raise UsageError for a name that no spec may have, or that a model has already."""
    for flag, each in (("--as", name), ("--dataset", rows)):
        if not re.fullmatch(NAME_PATTERN, each):
            raise UsageError(f"{flag} {each}: a name has 1 to 63 lowercase letters, digits and inner dashes")
    if name in place.names:
        raise UsageError(f"the specs name a model {name} already; choose another name with --as")


def _check_job(job: RemoteJob) -> None:
    if job.status.is_terminal and job.status != SUCCEEDED:
        raise UsageError(f"job {job.id} is {job.status} and made no model; there is nothing to import")
    if job.details.method not in {None, SUPERVISED}:
        raise UsageError(
            f"job {job.id} was trained by the method {job.details.method}, and a spec supports {SUPERVISED} only"
        )
    if not job.base or not job.training_file:
        raise UsageError(f"the service does not report the base and file of job {job.id}")


def _read_job(
    job: RemoteJob, provider: Provider, *, name: str, rows: str, place: Workplace, settings: bool
) -> ImportedModel:
    """Return the facts that a spec needs: of our own jobs those that they were created with, else those they report."""
    facts = dict(own_job(provider, job.id).facts) if job.stamp else {}
    asked = {key.removeprefix(_PREFIX): value for key, value in facts.items() if key.startswith(_PREFIX)}
    reported = tuple((key, value) for key, value in job.details.hyperparameters if value != AUTO)
    stated = asked if facts else dict(reported) if settings else {}
    seed = facts.get("seed") if facts else job.details.seed if settings else None
    more = (("seed", str(job.details.seed)),) if job.details.seed is not None else ()
    own = select_provider(replace(place.setting, provider=None), place.specs)
    used = select_provider(place.setting, place.specs)
    return ImportedModel(
        name=name,
        job=job.id,
        model=job.model,
        base=facts.get("base") or job.base or "",
        training=rows,
        stated=tuple((key, stated[key]) for key in _SETTINGS if _is_number(stated.get(key))),
        reported=() if facts or settings else (*reported, *more),
        seed=None if seed is None else int(seed),
        suffix=facts.get("suffix") if facts else _read_suffix(job),
        provider=used if used != own else None,
        moved=job.stamp.address.name if job.stamp and job.stamp.address.name != name else None,
    )


def _read_suffix(job: RemoteJob) -> str | None:
    """Return the suffix that a job asked for: its own field, else the part of the model's name that holds it."""
    parts = (job.model or "").split(":")
    found = job.details.suffix or (parts[3] if len(parts) == 5 else "")
    return found if re.fullmatch(r"[a-z0-9-]{1,64}", found) else None


def _is_number(text: str | None) -> bool:
    try:
        found = json.loads(text or "")
    except ValueError:
        return False
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)


@dataclass
class ImportDraft:
    """The files of an import, in a workspace of their own until all of them are known to be valid.

    Shape:  `downloaded` maps the path of each file of rows, relative to the root, to where it is now; `text` is that
            of the spec
    """

    place: Workplace
    workspace: Path
    target: Path
    downloaded: tuple[tuple[str, Path], ...] = ()
    text: str = ""

    @property
    def root(self) -> Path:
        """The spec root within the draft, at the same path as in the repository."""
        repository = self.place.setting.workspace.resolve()
        return self.workspace.resolve() / self.place.setting.root.resolve().relative_to(repository)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that `write` makes."""
        return (self.target, *(self.target.parent / name for name, _ in self.downloaded))

    def refuse_overwriting(self, rows: str) -> None:
        """Raise UsageError when a file that may be written exists already."""
        new = () if self._declares(rows) else (_name_file(rows), _name_file(_name_validation(rows)))
        for path in (self.target, *(self.target.parent / each for each in new)):
            if path.exists() or path.is_symlink():
                raise UsageError(f"{path} exists already, and import overwrites nothing; choose another name")

    def gather(self, imported: ImportedModel, job: RemoteJob, provider: Provider) -> ImportedModel:
        """Download the rows, unless the specs declare the dataset.

        Raises: ProviderError when the service does not give them
        """
        if self._declares(imported.training):
            return imported
        files = [(imported.training, job.training_file)]
        if job.validation_file:
            files.append((_name_validation(imported.training), job.validation_file))
        self.downloaded = tuple(
            (_name_file(name), self._download(name, file, provider)) for name, file in files if file
        )
        return replace(
            imported,
            sources=tuple((name, _name_file(name), _describe_form(self.root / _name_file(name))) for name, _ in files),
            validation=files[1][0] if files[1:] else None,
        )

    def _declares(self, dataset: str) -> bool:
        return dataset in {each.name for each in self.place.specs.datasets}

    def _download(self, name: str, file: FileId, provider: Provider) -> Path:
        path = self.root / _name_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as rows:
                for part in provider.content(file):
                    rows.write(part)
        except ProviderError as error:
            error.hint = (
                "the digest of a model needs its rows; if you have them, declare them as a Dataset"
                " and name it with --dataset"
            )
            raise
        return path

    def finish(self, imported: ImportedModel, job: RemoteJob) -> None:
        """Write the text of the spec; it adopts a job that does not bear the stamp of this recipe and these rows.

        Raises: InputError when the rows or the specs beside them are invalid
        """
        model = self._read_model(import_spec_text(imported), imported.name)
        if not (job.stamp and model.bears(Stamp(model.address, job.stamp.digest))):
            imported = replace(imported, moved=None, digest=model.stamp.digest)
        self.text = import_spec_text(imported)
        self._read_model(self.text, imported.name)

    def _read_model(self, text: str, name: str) -> Model:
        """Read the text as a spec beside the other specs of the root, and return its model."""
        self._copy_specs()
        (self.root / self.target.name).write_text(text, encoding="utf-8")
        setting = self.place.setting
        specs = read_specs(self.root, self.workspace.resolve(), setting.environment, setting.profiles)
        (model,) = [each for each in specs.models if each.name == name]
        used = tuple(each for each in specs.datasets if each.name in {model.training, model.validation})
        alone = Specs(root=specs.root, project=specs.project, datasets=used, models=(model,))
        where = self.workspace.resolve() if self.downloaded else setting.workspace
        # Files of a temporary directory are not cached.
        setting = replace(setting, workspace=where, use_cache=False)
        neutral = find_service(setting, alone).capabilities.neutral_methods
        return Desired.join(alone, measure_datasets(alone, setting), neutral).models[0]

    def _copy_specs(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        root = self.place.setting.root
        if not root.exists():
            return
        for path in spec_files(real_path(root), real_path(self.place.setting.workspace))[0]:
            copy = self.root / path.relative_to(real_path(root))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)

    def write(self) -> None:
        """Write every file; the spec last, so that no spec names rows that do not exist."""
        for name, draft in self.downloaded:
            path = self.target.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file, draft.open("rb") as rows:
                shutil.copyfileobj(rows, file)
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with self.target.open("x", encoding="utf-8", newline="\n") as spec:
            spec.write(self.text)


def _describe_form(rows: Path) -> tuple[str, ...]:
    """Return the lines of a Dataset by which rows of another form than the API's are read."""
    found = recognise_rows(list(_read_first(rows)))
    if found is None or found.format is not None or not found.lines:
        return ()
    return (f"# {found.rows} of the first {found.seen} rows are {found.form}; they are read so:", *found.lines)


def _read_first(rows: Path) -> Iterator[object]:
    with rows.open("rb") as file:
        for _ in range(LOOKED_AT):
            try:
                yield decode_json(file.readline(_MOST_OF_A_LINE))
            except LineError:
                # The checks of the rows say what is wrong with it.
                return


def _name_file(name: str) -> str:
    return f"data/{name}.jsonl"


def _name_validation(name: str) -> str:
    return f"{name[: 63 - len('-validation')].rstrip('-')}-validation"
