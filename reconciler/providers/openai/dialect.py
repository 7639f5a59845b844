"""Today's dialect, `/fine_tuning/jobs`: JSON to jobs, and what is sent to create one. Pure."""

import json
from functools import partial
from typing import Any

import msgspec

from reconciler.domain.desired import Model
from reconciler.domain.observed import (
    UNSTATED,
    Checkpoint,
    FileId,
    JobDetails,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    RemoteJob,
)
from reconciler.providers.http.dialect import Dialect, JobRules, NewJob
from reconciler.providers.http.files import FileRules
from reconciler.providers.http.marks import add_marks, marks_of, with_marks, words_of
from reconciler.providers.http.metadata_jobs import MetadataJobs
from reconciler.providers.http.wire import (
    LENIENT,
    STRICT,
    Number,
    Reader,
    checked_id,
    decode,
    is_number,
    read_error,
    to_int,
)
from reconciler.providers.openai.refusals import AZURE_PROOFS, PROOFS


def write_job(request: NewJob) -> dict[str, Any]:
    """Return the body that creates a job; what the recipe passes through never replaces what is ours."""
    model, recipe = request.model, request.model.recipe
    extra: dict[str, Any] = json.loads(recipe.extra)
    numbers = dict(recipe.hyperparameters)
    settings: dict[str, Any] = {"hyperparameters": numbers} if numbers else {}
    if recipe.method == "reinforcement" and "grader" in extra:
        settings["grader"] = extra.pop("grader")
    body: dict[str, Any] = {
        **extra,
        "model": recipe.base,
        "training_file": request.training,
        "method": {"type": recipe.method, **({recipe.method: settings} if settings else {})},
        "metadata": add_marks(
            extra.get("metadata"),
            marks_of(request.project, model, request.supersedes, request.origin, request.environment),
        ),
    }
    suffix = suffix_of(model, request.suffix_length)
    optional = {"validation_file": request.validation, "suffix": suffix or None, "seed": recipe.seed}
    return body | {name: value for name, value in optional.items() if value is not None}


def suffix_of(model: Model, length: int) -> str:
    """Return the suffix a model's name ends in: the recipe's own, else what fits of the model's name."""
    if model.recipe.suffix is not None:
        return model.recipe.suffix
    return model.name[:length].strip("-")


class _JobObject(msgspec.Struct):
    id: str
    status: Any = None
    created_at: Any = None
    finished_at: Any = None
    estimated_finish: Any = None
    model: Any = None
    fine_tuned_model: Any = None
    method: Any = None
    hyperparameters: Any = None
    seed: Any = None
    suffix: Any = None
    training_file: Any = None
    validation_file: Any = None
    result_files: Any = None
    trained_tokens: Any = None
    error: Any = None
    metadata: Any = None


class _EventObject(msgspec.Struct):
    id: str
    created_at: Number | None = None
    level: str | None = None
    message: str | None = None
    data: Any = None


class _CheckpointObject(msgspec.Struct):
    id: str
    fine_tuned_model_checkpoint: str
    step_number: Number = 0
    created_at: Number | None = None


def read_job(body: bytes | msgspec.Raw, project: str, reader: Reader = STRICT) -> RemoteJob:
    """Read a job object. It has a stamp when it bears sound marks of the project."""
    found = decode(body, _JobObject)
    text, number = reader.text, reader.number
    model, status = text("fine_tuned_model", found.fine_tuned_model), text("status", found.status)
    training, validation = text("training_file", found.training_file), text("validation_file", found.validation_file)
    job = RemoteJob(
        id=JobId(checked_id(found.id)),
        status=JobStatus(status) if status else UNSTATED,
        created_at=number("date", found.created_at),
        base=text("model", found.model) or "",
        finished_at=LENIENT.number("date", found.finished_at) or None,
        estimated_finish=LENIENT.number("date", found.estimated_finish) or None,
        model=ModelId(model) if model else None,
        training_file=FileId(training) if training else None,
        validation_file=FileId(validation) if validation else None,
        trained_tokens=LENIENT.number("number of tokens", found.trained_tokens),
        error=read_error(found.error),
        details=_details(found),
    )
    return with_marks(job, found.metadata, project)


def read_event(body: bytes | msgspec.Raw) -> JobEvent:
    """Read one line of a job's log; of its data, the numbers."""
    found = decode(body, _EventObject)
    data = found.data if isinstance(found.data, dict) else {}
    return JobEvent(
        id=found.id,
        created_at=to_int(found.created_at) or 0,
        level=found.level or "info",
        message=found.message or "",
        metrics=tuple((name, value) for name, value in data.items() if is_number(value)),
    )


def read_checkpoint(body: bytes | msgspec.Raw) -> Checkpoint:
    """Read a model saved in the middle of a job."""
    found = decode(body, _CheckpointObject)
    return Checkpoint(
        id=found.id,
        model=ModelId(found.fine_tuned_model_checkpoint),
        step=to_int(found.step_number) or 0,
        created_at=to_int(found.created_at) or 0,
    )


def _details(found: _JobObject) -> JobDetails:
    method, hyperparameters = _method(found)
    results = found.result_files if isinstance(found.result_files, list) else []
    return JobDetails(
        method=method,
        hyperparameters=words_of(hyperparameters),
        seed=LENIENT.number("seed", found.seed),
        suffix=LENIENT.text("suffix", found.suffix),
        result_files=tuple(FileId(file) for file in results if isinstance(file, str) and file),
    )


def _method(found: _JobObject) -> tuple[str | None, Any]:
    """Return the method and its hyperparameters: what the method says, else what stands beside it, as it used to."""
    method = found.method if isinstance(found.method, dict) else {}
    name = LENIENT.text("type", method.get("type"))
    inner = method.get(name) if name else None
    stated = inner.get("hyperparameters") if isinstance(inner, dict) else None
    return name, stated if isinstance(stated, dict) and stated else found.hyperparameters


DIALECT = Dialect(
    name="openai",
    proofs=PROOFS,
    jobs=partial(
        MetadataJobs,
        rules=JobRules(read=read_job, read_event=read_event, read_checkpoint=read_checkpoint, write=write_job),
    ),
)

AZURE_DIALECT = Dialect(
    name="azure",
    proofs=AZURE_PROOFS,
    # It lists files on one page, and knows no filter of jobs.
    files=FileRules(page_size=0),
    jobs=partial(
        MetadataJobs,
        rules=JobRules(
            filters_by_metadata=False,
            read=read_job,
            read_event=read_event,
            read_checkpoint=read_checkpoint,
            write=write_job,
        ),
    ),
)
