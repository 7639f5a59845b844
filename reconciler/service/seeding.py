"""Seeds: objects with fixed ids that other projects' test suites expect. A change to one is answered, but not made."""

import sqlite3
from collections.abc import Iterable
from enum import StrEnum

from reconciler.domain.errors import UsageError
from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import RequestBody
from reconciler.service.engines.port import ModelAnswer
from reconciler.service.store.database import Store
from reconciler.service.store.files import FINE_TUNE, FileRecord, add_file, stage_file
from reconciler.service.store.jobs import SUCCEEDED, VALIDATING, JobRecord, add_event, add_job, change_job, get_job
from reconciler.service.store.models import CheckpointRecord, PermissionRecord, add_checkpoint, add_permission
from reconciler.service.store.uploads import UploadRecord, add_upload


class SeedKind(StrEnum):
    """The kinds of objects that can be seeds."""

    FILE = "file"
    JOB = "job"
    MODEL = "model"
    UPLOAD = "upload"
    PERMISSION = "permission"


def add_seed(db: sqlite3.Connection, kind: SeedKind, object_id: str) -> bool:
    """Mark an object as a seed. Return whether it was not one before."""
    return db.execute("INSERT OR IGNORE INTO seeds (kind, id) VALUES (?, ?)", (kind, object_id)).rowcount == 1


def is_seed(db: sqlite3.Connection, kind: SeedKind, object_id: str) -> bool:
    """Return whether an object is a seed."""
    return db.execute("SELECT 1 FROM seeds WHERE kind = ? AND id = ?", (kind, object_id)).fetchone() is not None


def seeded_models(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the seeded models in order. They have no weights."""
    rows = db.execute("SELECT id FROM seeds WHERE kind = ? ORDER BY id", (SeedKind.MODEL,))
    return tuple(str(row["id"]) for row in rows)


def has_seeds(db: sqlite3.Connection) -> bool:
    """Return whether a store holds seeds."""
    return db.execute("SELECT 1 FROM seeds LIMIT 1").fetchone() is not None


SENTENCE = "This model was put here for a test suite: it has learned nothing."


def seeded_job(context: ServiceContext, body: RequestBody) -> JobRecord | None:
    """Return the seeded job for a request on a seeded model; None for any other request."""
    if not is_for_seed(context, body):
        return None
    with context.store.read() as db:
        return get_job(db, _first_job(db))


def is_for_seed(context: ServiceContext, body: RequestBody) -> bool:
    """Return whether a request names a seeded model."""
    model = body.get("model")
    if not context.seeded or not isinstance(model, str):
        return False
    with context.store.read() as db:
        return is_seed(db, SeedKind.MODEL, model)


def seed_answer() -> ModelAnswer:
    """Return the answer of every seeded model."""
    return ModelAnswer(tokens=(SENTENCE,), logprobs=(0.0,), alternatives=((SENTENCE, 0.0),), prompt_tokens=0)


def _first_job(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT id FROM seeds WHERE kind = ? ORDER BY id LIMIT 1", (SeedKind.JOB,)).fetchone()
    return str(row["id"])


UPSTREAM_SUITES = "upstream-suites"
"""The objects that the tests of the official Python and Node libraries name."""

SEED_SETS = (UPSTREAM_SUITES,)

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


def plant_seeds(store: Store, name: str, now: int) -> None:
    """Add a set of seeds to a store, where they are missing.

    Raises: UsageError for an unknown set
    """
    if name not in SEED_SETS:
        raise UsageError(f"there is no set of seeds '{name}': choose one of {', '.join(SEED_SETS)}")
    _plant_files(store, now)
    with store.write() as db:
        if not add_seed(db, SeedKind.JOB, _JOB):
            return
        _mark_models = [add_seed(db, SeedKind.MODEL, model) for model in _MODELS]
        assert all(_mark_models)
        add_job(db, _seed_job(now))
        add_event(db, _JOB, now, f"Created fine-tuning job: {_JOB}")
        change_job(db, _JOB, status=SUCCEEDED, finished_at=now, fine_tuned_model=_CHECKPOINT, trained_tokens=0)
        checkpoint = CheckpointRecord(
            id="ftckpt_seed", job=_JOB, created_at=now, model=_CHECKPOINT, step=1, metrics={"step": 1}
        )
        add_checkpoint(db, checkpoint)
        add_seed(db, SeedKind.UPLOAD, _UPLOAD)
        add_upload(db, _seed_upload(now))
        add_seed(db, SeedKind.PERMISSION, _PERMISSION)
        for place, model in enumerate((_CHECKPOINT, _JOB)):
            permission = f"{_PERMISSION}{place or ''}"
            add_permission(db, PermissionRecord(id=permission, checkpoint=model, project="proj_seed", created_at=now))


def _plant_files(store: Store, now: int) -> None:
    for file in _FILES:
        with store.read() as db:
            if is_seed(db, SeedKind.FILE, file):
                continue
        with stage_file(store, file) as arriving:
            for line in _seed_rows():
                arriving.write(line)
            arriving.place()
            record = FileRecord(
                id=file, filename="seed.jsonl", purpose=FINE_TUNE, size_bytes=arriving.size_bytes, created_at=now
            )
            with store.write() as db:
                if add_seed(db, SeedKind.FILE, file):
                    add_file(db, record)


def _seed_rows() -> Iterable[bytes]:
    return (_ROW % (number, number % 2) for number in range(10))


def _seed_job(now: int) -> JobRecord:
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


def _seed_upload(now: int) -> UploadRecord:
    return UploadRecord(
        id=_UPLOAD, filename="seed.jsonl", purpose=FINE_TUNE, size_bytes=0, created_at=now, expires_at=_FOR_EVER
    )
