"""Files, jobs and models of a service that several people use."""

from reconciler.domain.identity import Stamp
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    JobDetails,
    JobError,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.render import JobDetail
from tests.factories import LONG_AGO
from tests.render import examples

_HOSTILE = "report\x1b[2J\u202e ::error::x.jsonl"
_BASE = "gpt-4.1-mini-2025-04-14"
_MODEL = ModelId(f"ft:{_BASE}:acme:support-triage:AbCdEf12")


def _file(number: int) -> FileId:
    return FileId(f"file-AbCdEfGhIjKlMnOpQrStU{number}")


def _job(number: int) -> JobId:
    return JobId(f"ftjob-AbCdEfGhIjKlMnOpQrStUv{number}")


JOBS = (
    RemoteJob(
        id=_job(5),
        status=JobStatus("running"),
        created_at=LONG_AGO,
        estimated_finish=LONG_AGO + 600,
        base=_BASE,
        stamp=examples.RETRIAGE.stamp,
        details=JobDetails(project="acme"),
        training_file=_file(4),
    ),
    RemoteJob(
        id=_job(4),
        status=JobStatus("validating_files"),
        created_at=LONG_AGO - 60,
        base=_BASE,
        details=JobDetails(suffix="theirs"),
    ),
    RemoteJob(
        id=_job(3),
        status=JobStatus("failed"),
        created_at=LONG_AGO - 7200,
        finished_at=LONG_AGO - 7140,
        base=_BASE,
        error=JobError(message="row 17 is broken", code="invalid_training_file", param="training_file"),
        details=JobDetails(metadata=(("reconciler-project", "another-team"),), project="another-team"),
    ),
    RemoteJob(
        id=_job(2),
        status=JobStatus("succeeded"),
        created_at=LONG_AGO - 90_000,
        finished_at=LONG_AGO - 89_000,
        base=_BASE,
        model=_MODEL,
        training_file=_file(2),
        trained_tokens=12_345,
        stamp=examples.TRIAGE.stamp,
        details=JobDetails(
            method="supervised",
            hyperparameters=(("batch_size", "auto"), ("n_epochs", "3")),
            seed=42,
            result_files=(_file(3),),
            project="acme",
        ),
    ),
    RemoteJob(id=_job(1)),
)

FILES = (
    (
        RemoteFile(
            id=_file(4),
            filename="tickets-0123456789ab.jsonl",
            purpose="fine-tune",
            size_bytes=4_200_000,
            created_at=LONG_AGO - 30,
            status="processed",
            stamp=Stamp.of_filename("tickets-0123456789ab.jsonl"),
        ),
        None,
    ),
    (
        RemoteFile(
            id=_file(3), filename="step_metrics.csv", purpose="fine-tune-results", size_bytes=812, created_at=LONG_AGO
        ),
        JOBS[3],
    ),
    (
        RemoteFile(
            id=_file(2), filename=_HOSTILE, purpose="assistants", status="error", detail="no text", expires_at=LONG_AGO
        ),
        None,
    ),
    (RemoteFile(id=_file(1)), None),
)

MODELS = (
    (RemoteModel(id=_MODEL, created_at=LONG_AGO, owner="org-acme", shutdown_date="2027-10-01"), JOBS[3]),
    (RemoteModel(id=ModelId(f"ft:{_BASE}:acme::XyZ98765"), created_at=LONG_AGO - 60, owner="org-acme"), JOBS[2]),
    (RemoteModel(id=ModelId(_BASE), created_at=LONG_AGO - 9_000_000, owner="system"), None),
    (RemoteModel(id=ModelId("unknown")), None),
)

EVENTS = (
    JobEvent(id="ftevent-1", created_at=LONG_AGO, level="info", message="Step 3: loss=0.5", metrics=(("step", 3.0),)),
    JobEvent(id="ftevent-2", created_at=LONG_AGO + 1, level="warn", message="slow"),
    JobEvent(id="ftevent-3", created_at=LONG_AGO + 2, level="error", message=_HOSTILE),
)

CARD = JobDetail(
    job=JOBS[3],
    events=EVENTS,
    checkpoints=(Checkpoint(id="ftckpt-1", model=ModelId(f"{_MODEL}:ckpt-step-90"), step=90, created_at=LONG_AGO),),
)
