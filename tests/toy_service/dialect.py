"""A dialect that nothing built in speaks: other paths, other members, other words for states."""

from functools import partial
from typing import Any

import msgspec

from reconciler.domain.observed import Checkpoint, FileId, JobEvent, JobId, JobStatus, ModelId, RemoteJob
from reconciler.domain.ports import Capabilities
from reconciler.providers import Profile
from reconciler.providers.http import (
    Dialect,
    JobRules,
    MetadataJobs,
    NewJob,
    Proof,
    Reader,
    checked_id,
    decode,
    marks_of,
    read_error,
    with_marks,
)

STATES = {"WAITING": "queued", "WORKING": "running", "DONE": "succeeded", "BROKEN": "failed", "STOPPED": "cancelled"}


def read_job(body: bytes | msgspec.Raw, project: str, reader: Reader) -> RemoteJob:
    job = decode(body, dict[str, Any])
    state, model, rows, checks = (reader.text(name, job.get(name)) for name in ("state", "result", "rows", "checks"))
    read = RemoteJob(
        id=JobId(checked_id(reader.text("id", job.get("id")) or "")),
        status=JobStatus(STATES.get(state or "", state or "")),
        created_at=reader.number("date", job.get("created_at")),
        finished_at=reader.number("date", job.get("ended_at")) or None,
        base=reader.text("base", job.get("base")) or "",
        model=ModelId(model) if model else None,
        training_file=FileId(rows) if rows else None,
        validation_file=FileId(checks) if checks else None,
        error=read_error(job.get("trouble")),
    )
    return with_marks(read, job.get("tags"), project)


def write_job(request: NewJob) -> dict[str, Any]:
    recipe = request.model.recipe
    marks = marks_of(request.project, request.model, request.supersedes, request.origin, request.environment)
    body = {"base": recipe.base, "rows": request.training, "tags": marks, "settings": dict(recipe.hyperparameters)}
    return body | ({"checks": request.validation} if request.validation else {})


def read_line(item: msgspec.Raw) -> JobEvent:
    line = decode(item, dict[str, Any])
    numbers = tuple((line.get("numbers") or {}).items())
    return JobEvent(id=line["id"], created_at=line["created_at"], level="info", message=line["text"], metrics=numbers)


def read_snapshot(item: msgspec.Raw) -> Checkpoint:
    saved = decode(item, dict[str, Any])
    return Checkpoint(id=saved["id"], created_at=saved["created_at"], model=ModelId(saved["model"]), step=saved["step"])


RULES = JobRules(
    path="trainings",
    events_path="log",
    checkpoints_path="snapshots",
    cancel_path="stop",
    read=read_job,
    read_event=read_line,
    read_checkpoint=read_snapshot,
    write=write_job,
)
PROOFS = (
    Proof(status=400, types=frozenset({"invalid_request_error"}), codes=frozenset({None})),
    Proof(status=404, types=frozenset({"invalid_request_error"}), codes=frozenset({None, "model_not_found"})),
)
DIALECT = Dialect(name="toy", jobs=partial(MetadataJobs, rules=RULES), proofs=PROOFS)

TOY = Profile(
    name="toy",
    dialect="tests.toy_service.dialect:DIALECT",
    base_url="https://toy.example.test/v1",
    url_variable="TOY_URL",
    key_variable="TOY_KEY",
    capabilities=Capabilities(poll_seconds=10.0, fresh_seconds=240.0),
)
