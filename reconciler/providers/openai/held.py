"""Reads what a service holds, whosever it is: JSON in, nouns out, pure. What it leaves out or garbles is None."""

from typing import Any

import msgspec

from reconciler.domain.identity import Stamp
from reconciler.domain.inventory import HeldFile, HeldJob, HeldModel
from reconciler.domain.observed import FileId, JobId, JobStatus, ModelId
from reconciler.providers.openai.create import PURPOSE
from reconciler.providers.openai.stamps import PROJECT, Marks, read_marks
from reconciler.providers.openai.wire import decoded, read_error, sound, whole


class _File(msgspec.Struct):
    id: str
    filename: Any = None
    purpose: Any = None
    bytes: Any = None
    created_at: Any = None
    expires_at: Any = None
    status: Any = None
    status_details: Any = None


class _Job(msgspec.Struct):
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


class _Model(msgspec.Struct):
    id: str
    created: Any = None
    owned_by: Any = None
    shutdown_date: Any = None


def read_file(body: bytes | msgspec.Raw) -> HeldFile:
    """Read a file object. A name of our kind counts only on a file for fine-tuning."""
    found = decoded(body, _File)
    filename, purpose = _text(found.filename), _text(found.purpose)
    return HeldFile(
        id=FileId(sound(found.id)),
        filename=filename,
        purpose=purpose,
        size_bytes=_number(found.bytes),
        created_at=_number(found.created_at),
        expires_at=_number(found.expires_at),
        status=_text(found.status),
        detail=_text(found.status_details),
        stamp=Stamp.of_filename(filename) if filename and purpose == PURPOSE else None,
    )


def read_job(body: bytes | msgspec.Raw, project: str) -> HeldJob:
    """Read a job object."""
    found = decoded(body, _Job)
    marks = read_marks(found.metadata, project)
    metadata = found.metadata if isinstance(found.metadata, dict) else {}
    method, hyperparameters = _method(found)
    results = found.result_files if isinstance(found.result_files, list) else []
    base, model, status = _text(found.model), _text(found.fine_tuned_model), _text(found.status)
    training, validation = _text(found.training_file), _text(found.validation_file)
    return HeldJob(
        id=JobId(sound(found.id)),
        status=JobStatus(status) if status else None,
        created_at=_number(found.created_at),
        finished_at=_number(found.finished_at) or None,
        estimated_finish=_number(found.estimated_finish) or None,
        base=base,
        model=ModelId(model) if model else None,
        method=method,
        hyperparameters=_words(hyperparameters),
        seed=_number(found.seed),
        suffix=_text(found.suffix),
        training_file=FileId(training) if training else None,
        validation_file=FileId(validation) if validation else None,
        result_files=tuple(FileId(each) for each in results if isinstance(each, str) and each),
        trained_tokens=_number(found.trained_tokens),
        error=read_error(found.error),
        metadata=_words(metadata),
        stamp=marks.stamp if isinstance(marks, Marks) else None,
        project=_text(metadata.get(PROJECT)),
    )


def read_model(body: bytes | msgspec.Raw) -> HeldModel:
    """Read a model object."""
    found = decoded(body, _Model)
    return HeldModel(
        id=ModelId(sound(found.id)),
        created_at=_number(found.created),
        owner=_text(found.owned_by),
        shutdown_date=_text(found.shutdown_date),
    )


def _method(found: _Job) -> tuple[str | None, Any]:
    """Return the method and its hyperparameters: what the method says, else what stands beside it, as it used to."""
    method = found.method if isinstance(found.method, dict) else {}
    name = _text(method.get("type"))
    inner = method.get(name) if name else None
    stated = inner.get("hyperparameters") if isinstance(inner, dict) else None
    return name, stated if isinstance(stated, dict) and stated else found.hyperparameters


def _words(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return ()
    return tuple(sorted((str(name), _word(each)) for name, each in value.items() if each is not None))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    return whole(value) if isinstance(value, int | float) else None
