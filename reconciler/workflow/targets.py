"""What an argument names: a model in the specs, or an id on the service. Names win, and a note says which was taken."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from reconciler.dataset import RowReport, read_rows
from reconciler.dataset.stats import DatasetTarget, names_file, target_file
from reconciler.domain.errors import NotFoundError, UsageError
from reconciler.domain.observed import JobId, Makers, ModelId, RemoteJob
from reconciler.domain.ports import Provider
from reconciler.domain.spec import Format, ProjectSpec, Specs
from reconciler.specfile import find_roots
from reconciler.workflow.lock import find_serving
from reconciler.workflow.measure import find_bases
from reconciler.workflow.settings import Setting, locate_setting, read_setting, resolve_setting, select_provider

_JOB = re.compile(r"ft(?:job)?-[A-Za-z0-9_-]+")
_MODEL = re.compile(r"[^\s:]+:\S+")

Note = Callable[[str], None]
"""Receives a line that says what an argument was taken for."""


class Workplace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command works, with the specs that decide what is ours; they are empty where only a profile is named."""

    setting: Setting
    specs: Specs

    @property
    def names(self) -> frozenset[str]:
        return frozenset(model.name for model in self.specs.models)

    @property
    def provider(self) -> str:
        """The profile of the service."""
        return select_provider(self.setting, self.specs)

    def is_name(self, text: str) -> bool:
        """Return whether an argument is a name, and not an id."""
        return text in self.names or not is_id(text)


def is_id(text: str) -> bool:
    """Return whether an argument has the form of a job's or a model's id: `ftjob-…`, `ft-…`, `ft:…`."""
    return is_job_id(text) or _MODEL.fullmatch(text) is not None


def is_job_id(text: str) -> bool:
    """Return whether an argument has the form of a job's id."""
    return _JOB.fullmatch(text) is not None


def find_workplace(
    texts: Sequence[str],
    root: Path,
    environ: Mapping[str, str],
    *,
    default_root: Path,
    provider: str | None = None,
    environment: str | None = None,
) -> Workplace:
    """Return where a command about names or ids works. Without specs a profile is enough, as long as all are ids.

    Raises: UsageError when several projects are possible, InputError when specs exist and are invalid
    """
    if all(map(is_id, texts)) and root == default_root and not root.exists():
        if provider is None:
            raise UsageError(f"there is no {root}/ here; name the service with --provider PROFILE, or --specs DIR")
        setting = resolve_setting(root, environ, is_root=True, provider=provider)
        return Workplace(setting=setting, specs=Specs(root=str(root), project=ProjectSpec()))
    first = texts[0] if texts else None
    try:
        setting = resolve_setting(root, environ, model=first, provider=provider, environment=environment)
    except UsageError:
        # An id may belong to any of several projects; the operator has to choose.
        if first is None or not is_id(first):
            raise
        setting = resolve_setting(root, environ, provider=provider, environment=environment)
    return Workplace(setting=setting, specs=read_setting(setting))


def find_job(place: Workplace, text: str, provider: Provider, note: Note) -> RemoteJob:
    """Return the job of an id, its own or that of its model.

    Raises: NotFoundError when the service has no such job, or no job that made such a model
    """
    if is_job_id(text):
        job = provider.job(JobId(text)).as_written()
        note(f"{text}: a job, {describe_owner(job)}.")
        return job
    maker = Makers.among(provider.list_jobs().items).of_model(ModelId(text))
    if maker is None:
        raise NotFoundError(
            f"no job on {place.provider} lists {text} as its model",
            hint=f"see them with: {place.setting.scope.call('jobs')}",
        )
    note(f"{text}: a model that the job {maker.id} made, {describe_owner(maker)}.")
    return maker


def find_model(text: str, provider: Provider, note: Note) -> tuple[ModelId, RemoteJob | None]:
    """Return the model of an id, and its job if the id was that of a job.

    Raises: NotFoundError when the job has made no model
    """
    if not is_job_id(text):
        note(f"{text}: taken as the id of a model.")
        return ModelId(text), None
    job = provider.job(JobId(text)).as_written()
    if job.model is None:
        state = job.status if job.status.is_stated else "in an unknown state"
        raise NotFoundError(f"the job {text} has made no model; it is {state}")
    note(f"{text}: a job, {describe_owner(job)}; its model is {job.model}.")
    return job.model, job


def note_name(place: Workplace, text: str, note: Note) -> None:
    """Note that a name was taken as a name, where it has the form of an id as well."""
    if text in place.names and is_id(text):
        note(f"{text}: taken as the name of a model in the specs, not as an id.")


def describe_owner(job: RemoteJob) -> str:
    """Return the text that says whether a job is ours: its stamp, or the project that it names."""
    if job.stamp:
        return f"ours: {job.stamp}"
    return f"not ours (project {job.details.project})" if job.details.project else "not ours"


class ServingModel(msgspec.Struct, frozen=True, kw_only=True):
    """The serving model of a name or an id, and whether it takes prompts instead of chats."""

    model: ModelId
    is_completion: bool = False


def find_serving_model(
    place: Workplace, text: str, provider: Provider, note: Note, *, is_completion: bool = False
) -> ServingModel:
    """Return the serving model of a name or an id.

    Shape:  `is_completion` is the operator's choice for a model of which nothing else is known
    Raises: UsageError when neither the specs nor the service know the text, NotFoundError when nothing is trained yet
    """
    if text in place.names:
        note_name(place, text, note)
        model = find_serving(place.setting, place.specs, text, provider).model
        return ServingModel(model=model, is_completion=is_completion or _takes_prompts(place, text))
    if not is_id(text):
        return ServingModel(model=_find_base(place, text, provider, note), is_completion=is_completion)
    model, job = find_model(text, provider, note)
    job = job or _find_maker(place, model, provider)
    name = job.stamp.address.name if job and job.stamp else ""
    takes_prompts = is_completion or (name in place.names and _takes_prompts(place, name))
    return ServingModel(model=model, is_completion=takes_prompts)


def _find_base(place: Workplace, text: str, provider: Provider, note: Note) -> ModelId:
    try:
        model = provider.model(ModelId(text))
    except NotFoundError as error:
        known = ", ".join(sorted(place.names)) or "none"
        what = f"the specs name no model {text} (they name {known}), and the service has no model with that id"
        raise UsageError(what) from error
    note(f"{text}: taken as the id of a model, as the specs have no such name.")
    return model.id


def _find_maker(place: Workplace, model: ModelId, provider: Provider) -> RemoteJob | None:
    # Only specs can say that a model takes prompts, so without them its job does not matter.
    if not place.names:
        return None
    try:
        return Makers.among(provider.list_jobs().items).of_model(model)
    except NotFoundError:
        return None


def _takes_prompts(place: Workplace, name: str) -> bool:
    """Return whether a model learns from prompts and completions, by its dataset's format or first row."""
    training = next(model.training for model in place.specs.models if model.name == name)
    spec = next((each for each in place.specs.datasets if each.name == training), None)
    if spec is None or spec.format is not None:
        return spec is not None and spec.format is Format.COMPLETION
    report = RowReport()
    row_format, _ = read_rows(spec, place.setting.workspace, report)
    return row_format is Format.COMPLETION and not report.has_errors


def find_dataset(text: str, root: Path, environ: Mapping[str, str]) -> DatasetTarget:
    """Find what an argument names: a name in the specs comes before a file.

    Raises: UsageError when no spec has the name and there is no such file, InputError when the specs are invalid
    """
    if names_file(text, root):
        return target_file(text)
    settings = [locate_setting(each, environ) for each in find_roots(root)]
    projects = [(setting, read_setting(setting)) for setting in settings]
    naming = [(setting, specs, spec) for setting, specs in projects for spec in specs.datasets if spec.name == text]
    if len(naming) == 1:
        setting, specs, spec = naming[0]
        return DatasetTarget(spec=spec, workspace=setting.workspace, bases=find_bases(specs, text))
    if naming:
        roots = " and ".join(str(setting.root) for setting, _, _ in naming)
        raise UsageError(f"{roots} both name {text}; choose one with --specs DIR")
    if Path(text).is_file():
        return target_file(text)
    known = ", ".join(spec.name for _, specs in projects for spec in specs.datasets) or "none"
    raise UsageError(f"the specs name no dataset {text}; they name {known}; a file is named by its path")
