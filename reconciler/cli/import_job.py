"""import: a spec for a job that was made without one. Reads the service, writes files, and touches nothing there."""

import json
import math
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, ProviderOption, SpecsOption
from reconciler.domain.desired import Desired, Model
from reconciler.domain.errors import ProviderError, UsageError
from reconciler.domain.identity import NAME_PATTERN
from reconciler.domain.observed import SUCCEEDED, FileId, RemoteJob
from reconciler.domain.ports import Provider, own_job
from reconciler.domain.spec import AUTO, SUPERVISED, Specs
from reconciler.workflow.engine import measure_all, open_service, provider_name
from reconciler.workflow.targets import Workplace, find_jobs, find_workplace, is_id

if TYPE_CHECKING:
    from reconciler.specfile.writer import ImportedModel

EXAMPLES = """
Examples:

  reconciler import ftjob-abc123 --as support-triage            show the spec

  reconciler import ftjob-abc123 --as support-triage --write    write it, and its rows

  reconciler import ft:BASE:ORG:NAME:ID --as support-triage --dataset tickets --write

The next plan then has nothing to do for it. The job may be anybody's: it is never cancelled, nor its model deleted.
"""

_SETTINGS = ("batch_size", "learning_rate_multiplier", "n_epochs")
"""The hyperparameters that a spec has a field for."""

_PREFIX = "hyperparameters."


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(name="import", epilog=EXAMPLES)(import_)


def import_(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="The id of a job, or of a model.", metavar="JOB|MODEL")],
    name: Annotated[str, typer.Option("--as", help="What to call the model.", metavar="NAME")],
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            help="The Dataset it was trained on: one of the specs, or what to call the rows that are downloaded.",
            metavar="NAME",
        ),
    ] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="State the hyperparameters and seed that the job reports.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the files instead of showing the spec.")] = False,
) -> int:
    """Write a spec for a job, or for the model of one.

    With its training rows, if the service gives them away. The spec then plans empty: nothing is trained again.
    """
    console: Console = context.obj
    if not is_id(what):
        raise UsageError(
            f"{what} is no id of a job or a model, such as ftjob-… or ft:…; see them with: reconciler jobs"
        )
    place = find_workplace((what,), specs, provider, environment)
    rows = dataset or f"{name}-data"
    _check_names(name, rows, place)
    with open_service(place.setting, place.specs) as opened, tempfile.TemporaryDirectory(prefix="reconciler-") as kept:
        (job,) = find_jobs(place, (what,), opened, console)
        _check_job(job)
        draft = Draft(place=place, workspace=Path(kept), target=place.setting.root / f"{name}.yaml")
        draft.refuse_overwriting(rows)
        imported = _told(job, opened, name=name, rows=rows, place=place, settings=settings)
        imported = draft.gather(imported, job, opened)
        text = draft.finished(imported, job)
        if write:
            draft.write(text)
    if not write:
        console.out.write(text)
    for path in draft.paths:
        console.err.line(f"{'Wrote' if write else 'With --write:'} {path}")
    console.err.line(f"Next: reconciler plan {place.setting.root}" if write else "Nothing was written.")
    return exit_codes.OK


def _check_names(name: str, rows: str, place: Workplace) -> None:
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
            f"job {job.id} trained by the method {job.details.method}, and a spec can say {SUPERVISED} only"
        )
    if not job.base or not job.training_file:
        raise UsageError(f"the service does not say on which base and file job {job.id} was trained")


def _told(
    job: RemoteJob, opened: Provider, *, name: str, rows: str, place: Workplace, settings: bool
) -> "ImportedModel":
    """Return what a job says of itself; of our own jobs, what their marks say was asked for."""
    from reconciler.specfile.writer import ImportedModel

    facts = dict(own_job(opened, job.id).facts) if job.stamp else {}
    asked = {key.removeprefix(_PREFIX): value for key, value in facts.items() if key.startswith(_PREFIX)}
    reported = tuple((key, value) for key, value in job.details.hyperparameters if value != AUTO)
    stated = asked if facts else dict(reported) if settings else {}
    seed = facts.get("seed") if facts else job.details.seed if settings else None
    more = (("seed", str(job.details.seed)),) if job.details.seed is not None else ()
    own = provider_name(replace(place.setting, provider=None), place.specs)
    used = provider_name(place.setting, place.specs)
    return ImportedModel(
        name=name,
        job=job.id,
        model=job.model,
        base=facts.get("base") or job.base or "",
        training=rows,
        stated=tuple((key, stated[key]) for key in _SETTINGS if _is_number(stated.get(key))),
        reported=() if facts or settings else (*reported, *more),
        seed=None if seed is None else int(seed),
        suffix=facts.get("suffix") if facts else _suffix(job),
        provider=used if used != own else None,
        moved=job.stamp.address.name if job.stamp and job.stamp.address.name != name else None,
    )


def _suffix(job: RemoteJob) -> str | None:
    """Return the suffix that a job was asked for: its own word, else the part of the model's name that holds it."""
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
class Draft:
    """The files of an import, in a workspace of their own until all of them are known to be right.

    Shape:  `downloaded` leads from the place of each file of rows, relative to the root, to where it lies now
    """

    place: Workplace
    workspace: Path
    target: Path
    downloaded: tuple[tuple[str, Path], ...] = ()

    @property
    def root(self) -> Path:
        """Where the root's specs lie in the draft: where they lie in the repository."""
        real = self.place.setting.workspace.resolve()
        return self.workspace.resolve() / self.place.setting.root.resolve().relative_to(real)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that writing makes."""
        return (self.target, *(self.target.parent / name for name, _ in self.downloaded))

    def refuse_overwriting(self, rows: str) -> None:
        """Raises: UsageError when a file that may be written is there already."""
        new = () if self._declares(rows) else (_rows_file(rows), _rows_file(_held_out(rows)))
        for path in (self.target, *(self.target.parent / each for each in new)):
            if path.exists() or path.is_symlink():
                raise UsageError(f"{path} is there already, and import overwrites nothing; choose another name")

    def gather(self, imported: "ImportedModel", job: RemoteJob, opened: Provider) -> "ImportedModel":
        """Download the rows, unless a dataset of the specs was named for them.

        Raises: ProviderError when the service does not give them away
        """
        if self._declares(imported.training):
            return imported
        files = [(imported.training, job.training_file)]
        if job.validation_file:
            files.append((_held_out(imported.training), job.validation_file))
        self.downloaded = tuple((_rows_file(name), self._download(name, file, opened)) for name, file in files if file)
        return replace(
            imported,
            sources=tuple((name, _rows_file(name)) for name, _ in files),
            validation=files[1][0] if files[1:] else None,
        )

    def _declares(self, dataset: str) -> bool:
        return dataset in {each.name for each in self.place.specs.datasets}

    def _download(self, name: str, file: FileId, opened: Provider) -> Path:
        path = self.root / _rows_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as opened_file:
                for part in opened.content(file):
                    opened_file.write(part)
        except ProviderError as error:
            error.hint = (
                "the rows are needed to know what the model was made of; if you have them, declare them as a Dataset"
                " and name it with --dataset"
            )
            raise
        return path

    def finished(self, imported: "ImportedModel", job: RemoteJob) -> str:
        """Return the text of the spec; a job that does not bear the stamp of just this recipe and rows is adopted.

        Raises: InputError when the rows or the specs beside them are not sound
        """
        from reconciler.specfile.writer import import_spec_text

        stamp = self._model(import_spec_text(imported), imported.name).stamp
        if not (job.stamp and job.stamp.digest.agrees(stamp.digest)):
            imported = replace(imported, moved=None, digest=stamp.digest)
        text = import_spec_text(imported)
        self._model(text, imported.name)
        return text

    def _model(self, text: str, name: str) -> Model:
        """Read the text as it will be read, beside the other specs of the root; gives its model."""
        from reconciler.specfile import read_specs

        self._copy_specs()
        (self.root / self.target.name).write_text(text, encoding="utf-8")
        specs = read_specs(self.root, self.workspace.resolve(), self.place.setting.environment)
        (model,) = [each for each in specs.models if each.name == name]
        used = tuple(each for each in specs.datasets if each.name in {model.training, model.validation})
        alone = Specs(root=specs.root, project=specs.project, datasets=used, models=(model,))
        where = self.workspace.resolve() if self.downloaded else self.place.setting.workspace
        # What lies there for a moment only is not remembered.
        setting = replace(self.place.setting, workspace=where, use_cache=False)
        return Desired.join(alone, measure_all(alone, setting)).models[0]

    def _copy_specs(self) -> None:
        from reconciler.specfile.files import real_path, spec_files

        self.root.mkdir(parents=True, exist_ok=True)
        root = self.place.setting.root
        if not root.exists():
            return
        for path in spec_files(real_path(root), real_path(self.place.setting.workspace))[0]:
            copy = self.root / path.relative_to(real_path(root))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)

    def write(self, text: str) -> None:
        """Write every file; the spec last, so that none names rows that are not there."""
        for name, draft in self.downloaded:
            path = self.target.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file, draft.open("rb") as rows:
                shutil.copyfileobj(rows, file)
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with self.target.open("x", encoding="utf-8", newline="\n") as spec:
            spec.write(text)


def _rows_file(name: str) -> str:
    return f"data/{name}.jsonl"


def _held_out(name: str) -> str:
    return f"{name[: 63 - len('-validation')].rstrip('-')}-validation"
