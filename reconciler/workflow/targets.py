"""What an argument means: the name of a model in the specs, or an id on the service. Names win, and it is said."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, setting_for, setting_of, settled
from reconciler.domain.errors import NotFoundError, UsageError
from reconciler.domain.observed import JobId, Makers, ModelId, RemoteJob
from reconciler.domain.ports import Provider
from reconciler.domain.spec import Format, ProjectSpec, Specs
from reconciler.render import clean
from reconciler.workflow.engine import Setting, find_serving_entry, provider_name, read_setting_specs

_JOB = re.compile(r"ft(?:job)?-[A-Za-z0-9_-]+")
_MODEL = re.compile(r"[^\s:]+:\S+")


class Workplace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command works, with the specs that decide what is ours; none are there when only a profile was named."""

    setting: Setting
    specs: Specs

    @property
    def names(self) -> frozenset[str]:
        return frozenset(model.name for model in self.specs.models)

    def is_name(self, text: str) -> bool:
        """Return whether an argument is a name, and not an id."""
        return text in self.names or not is_id(text)


def is_id(text: str) -> bool:
    """Return whether an argument has the form of a job's or a model's id: `ftjob-…`, `ft-…`, `ft:…`."""
    return is_job_id(text) or _MODEL.fullmatch(text) is not None


def is_job_id(text: str) -> bool:
    """Return whether an argument has the form of a job's id."""
    return _JOB.fullmatch(text) is not None


def find_workplace(names: Sequence[str], root: Path, provider: str | None, environment: str | None = None) -> Workplace:
    """Find where a command about names or ids works. Without specs a profile is enough, as long as all are ids.

    Raises: UsageError when it cannot be told, InputError when specs are there and wrong
    """
    only_ids = all(map(is_id, names))
    if only_ids and root == DEFAULT_ROOT and not root.exists():
        if provider is None:
            raise UsageError(f"there is no {root}/ here; say which service with --provider PROFILE, or --specs DIR")
        return Workplace(setting=settled(root, provider), specs=Specs(root=str(root), project=ProjectSpec()))
    setting = _setting(names[0] if names else None, root, provider, environment)
    return Workplace(setting=setting, specs=read_setting_specs(setting))


def _setting(name: str | None, root: Path, provider: str | None, environment: str | None) -> Setting:
    try:
        return setting_for(name, root, provider, environment)
    except UsageError:
        # Of several projects, an id may belong to any; the operator has to say which service is meant.
        if name is None or not is_id(name):
            raise
        return setting_of(root, provider, environment=environment)


def find_jobs(place: Workplace, texts: Sequence[str], opened: Provider, console: Console) -> tuple[RemoteJob, ...]:
    """Return the jobs of ids, in their order, and say of each what it was understood as.

    Raises: NotFoundError when the service has no such job, or no job that made such a model
    """
    return tuple(_job_meant(place, text, opened, console) for text in texts)


def _job_meant(place: Workplace, text: str, opened: Provider, console: Console) -> RemoteJob:
    if is_job_id(text):
        job = opened.job(JobId(text)).as_written()
        console.err.line(f"{clean(text)}: a job, {describe_owner(job)}.")
        return job
    made = Makers.among(opened.list_jobs().items).of_model(ModelId(text))
    if made is None:
        service = provider_name(place.setting, place.specs)
        raise NotFoundError(f"no job on {service} says that it made {text}", hint="see them with: reconciler jobs")
    console.err.line(f"{clean(text)}: a model that the job {clean(made.id)} made, {describe_owner(made)}.")
    return made


def find_model(text: str, opened: Provider, console: Console) -> tuple[ModelId, RemoteJob | None]:
    """Return the model of an id, and its job if the id was one of a job; say what the id was understood as.

    Raises: NotFoundError when the job has made no model
    """
    if not is_job_id(text):
        console.err.line(f"{clean(text)}: taken as the id of a model.")
        return ModelId(text), None
    job = opened.job(JobId(text)).as_written()
    if job.model is None:
        state = job.status if job.status.is_stated else "in a state that is not known"
        raise NotFoundError(f"the job {text} has made no model; it is {state}")
    console.err.line(f"{clean(text)}: a job, {describe_owner(job)}; its model is {clean(job.model)}.")
    return job.model, job


def note_name(place: Workplace, text: str, console: Console) -> None:
    """Say that a name was taken for a name, where it could have been an id as well."""
    if text in place.names and is_id(text):
        console.err.line(f"{clean(text)}: taken as the name of a model in the specs, not as an id.")


def describe_owner(job: RemoteJob) -> str:
    """Say whose a job is: our address and digest, or not ours."""
    if job.stamp:
        return f"ours: {clean(str(job.stamp))}"
    return f"not ours (project {clean(job.details.project)})" if job.details.project else "not ours"


class ServingModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model that answers for a name or an id, and how it wants to be asked."""

    model: ModelId
    is_completion: bool = False


def find_serving_model(
    place: Workplace, text: str, opened: Provider, console: Console, *, is_completion: bool = False
) -> ServingModel:
    """Return the model that answers for a name or an id.

    Shape:  `is_completion` is the operator's word for a model of which nothing else is known
    Raises: UsageError when the specs have no such name and the service no such model, NotFoundError when there is
            nothing trained yet
    """
    if text in place.names:
        note_name(place, text, console)
        model = find_serving_entry(place.setting, place.specs, text, opened).model
        return ServingModel(model=model, is_completion=is_completion or _takes_prompts(place, text))
    if not is_id(text):
        return ServingModel(model=_any_model(place, text, opened, console), is_completion=is_completion)
    model, job = find_model(text, opened, console)
    job = job or _maker(place, model, opened)
    named = job.stamp.address.name if job and job.stamp else ""
    return ServingModel(
        model=model, is_completion=is_completion or (named in place.names and _takes_prompts(place, named))
    )


def _any_model(place: Workplace, text: str, opened: Provider, console: Console) -> ModelId:
    """Return the model of a word that is no name in the specs: a base, if the service has it."""
    try:
        found = opened.model(ModelId(text))
    except NotFoundError as error:
        known = ", ".join(sorted(place.names)) or "none"
        what = f"the specs name no model {text} (they name {known}), and the service has none of that id"
        raise UsageError(what) from error
    console.err.line(f"{clean(text)}: taken as the id of a model, as the specs have no such name.")
    return found.id


def _maker(place: Workplace, model: ModelId, opened: Provider) -> RemoteJob | None:
    # Only specs can say that a model wants prompts, so without them nobody has to look for its job.
    if not place.names:
        return None
    try:
        return Makers.among(opened.list_jobs().items).of_model(model)
    except NotFoundError:
        return None


def _takes_prompts(place: Workplace, name: str) -> bool:
    """Return whether a model learns from prompts and completions, as its dataset or its first row says."""
    from reconciler.dataset.pipeline import read_rows
    from reconciler.dataset.report import Report

    training = next(model.training for model in place.specs.models if model.name == name)
    spec = next((each for each in place.specs.datasets if each.name == training), None)
    if spec is None or spec.format is not None:
        return spec is not None and spec.format is Format.COMPLETION
    report = Report()
    found, _ = read_rows(spec, place.setting.workspace, report)
    return found is Format.COMPLETION and not report.has_errors
