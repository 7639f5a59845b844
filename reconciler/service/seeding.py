"""Puts sets of seeds into a store: the objects that other people's test suites take for granted."""

from collections.abc import Iterable

from reconciler.domain.errors import UsageError
from reconciler.service.store.database import Store
from reconciler.service.store.events import add_event
from reconciler.service.store.files import FINE_TUNE, FileRecord, add_file
from reconciler.service.store.jobs import SUCCEEDED, VALIDATING, JobRecord, add_job, change_job
from reconciler.service.store.models import CheckpointRecord, add_checkpoint
from reconciler.service.store.permissions import PermissionRecord, add_permission
from reconciler.service.store.seeds import Seeded, add_seed, is_seed
from reconciler.service.store.staging import incoming
from reconciler.service.store.uploads import UploadRecord, add_upload

UPSTREAM_SUITES = "upstream-suites"
"""What the tests of the official Python and Node libraries name, in their own words."""

SETS = (UPSTREAM_SUITES,)

_FILES = ("file-abc123", "file_id", "string")
_JOB = "ft-AF1WoRqd3aJAHsqc9NY7iL8F"
_UPLOAD = "upload_abc123"
_CHECKPOINT = "ft:gpt-4o-mini-2024-07-18:org:weather:B7R9VjQd"
_PERMISSION = "cp_zc4Q7MP6XxulcVzj4MZdwsAB"
_MODELS = (
    "gpt-4o-mini",
    "gpt-6-astra",
    "gpt-3.5-turbo-instruct",
    "ft:gpt-4o-mini:acemeco:suffix:abc123",
    "string",
    _CHECKPOINT,
    _JOB,
)
_FOR_EVER = 2**31 - 1
_ROW = b'{"messages":[{"role":"user","content":"%d"},{"role":"assistant","content":"%d"}]}\n'


def plant(store: Store, name: str, now: int) -> None:
    """Put a set of seeds into a store, where they are not there yet.

    Raises: UsageError for a set that nobody knows
    """
    if name not in SETS:
        raise UsageError(f"there is no set of seeds '{name}': choose one of {', '.join(SETS)}")
    _plant_files(store, now)
    with store.write() as db:
        if not add_seed(db, Seeded.JOB, _JOB):
            return
        _mark_models = [add_seed(db, Seeded.MODEL, model) for model in _MODELS]
        assert all(_mark_models)
        add_job(db, _job(now))
        add_event(db, _JOB, now, f"Created fine-tuning job: {_JOB}")
        change_job(db, _JOB, status=SUCCEEDED, finished_at=now, fine_tuned_model=_CHECKPOINT, trained_tokens=0)
        checkpoint = CheckpointRecord(
            id="ftckpt_seed", job=_JOB, created_at=now, model=_CHECKPOINT, step=1, metrics={"step": 1}
        )
        add_checkpoint(db, checkpoint)
        add_seed(db, Seeded.UPLOAD, _UPLOAD)
        add_upload(db, _upload(now))
        add_seed(db, Seeded.PERMISSION, _PERMISSION)
        for place, model in enumerate((_CHECKPOINT, _JOB)):
            permission = f"{_PERMISSION}{place or ''}"
            add_permission(db, PermissionRecord(id=permission, checkpoint=model, project="proj_seed", created_at=now))


def _plant_files(store: Store, now: int) -> None:
    for file in _FILES:
        with store.read() as db:
            if is_seed(db, Seeded.FILE, file):
                continue
        with incoming(store, file) as arriving:
            for line in _rows():
                arriving.write(line)
            arriving.place()
            record = FileRecord(
                id=file, filename="seed.jsonl", purpose=FINE_TUNE, size_bytes=arriving.size_bytes, created_at=now
            )
            with store.write() as db:
                if add_seed(db, Seeded.FILE, file):
                    add_file(db, record)


def _rows() -> Iterable[bytes]:
    return (_ROW % (number, number % 2) for number in range(10))


def _job(now: int) -> JobRecord:
    return JobRecord(
        id=_JOB,
        base=_MODELS[0],
        training_file=_FILES[0],
        validation_file=None,
        suffix="",
        seed=0,
        metadata=None,
        hyperparameters={"n_epochs": 1},
        status=VALIDATING,
        created_at=now,
    )


def _upload(now: int) -> UploadRecord:
    return UploadRecord(
        id=_UPLOAD, filename="seed.jsonl", purpose=FINE_TUNE, size_bytes=0, created_at=now, expires_at=_FOR_EVER
    )
