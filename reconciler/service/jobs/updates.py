"""Stores the progress and the end of a job: status, events and results, each change in one transaction."""

import json
import math
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from reconciler.service.engines.reporting import COMPILED_RESULTS, STEP_METRICS
from reconciler.service.store.database import Store, new_id
from reconciler.service.store.files import RESULTS, FileRecord, StagedFile, add_file, stage_file, sync_folder
from reconciler.service.store.fine_tunes import find_fine_tune, free_model_name
from reconciler.service.store.jobs import (
    ERROR,
    FAILED,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    VALIDATING,
    WARN,
    JobRecord,
    add_event,
    change_job,
    get_job,
)
from reconciler.service.store.models import CheckpointRecord, ModelRecord, add_checkpoint, add_model, job_weights_path

ORGANIZATION_NAME = "local"
"""The part of a model's name where the API has the organization."""

VALIDATED_MESSAGE = "Files validated, moving job to queued state"

_TAIL_BYTES = 16 * 1024


class SavedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that the engine has saved in `out/`."""

    step: int
    folder: str
    metrics: Mapping[str, float]
    created_at: int


@dataclass(slots=True)
class JobUpdates:
    """Stores the progress of one job. Updates after the job was cancelled are dropped."""

    store: Store
    job: JobRecord
    clock: Callable[[], float]
    saved: list[SavedCheckpoint] = field(default_factory=list)
    started_at: float = 0.0

    def start(self, hyperparameters: Mapping[str, float]) -> None:
        """Store that the rows are valid and that the job runs: one job runs at a time, so it starts at once."""
        text = json.dumps(dict(hyperparameters))
        # The rows of a job that waited were checked while it waited.
        message = VALIDATED_MESSAGE if self.job.status == VALIDATING else None
        self._move(message, status=QUEUED, hyperparameters=text)
        self.started_at = self.clock()
        self._move("Fine-tuning job started", status=RUNNING, started_at=self.started_at)

    def add_note(self, message: str) -> None:
        """Store a note of the engine."""
        self._say(message, level=WARN)

    def add_metrics(self, message: str, data: Mapping[str, float]) -> None:
        """Store measurements of the engine."""
        now, done, total = self.clock(), data["step"], data["total_steps"]
        finish = math.ceil(now + (now - self.started_at) / done * (total - done)) if done else None
        with self.store.write() as db:
            if change_job(db, self.job.id, estimated_finish=finish):
                add_event(db, self.job.id, int(now), message, data=data)

    def add_checkpoint(self, step: int, folder: str, metrics: Mapping[str, float]) -> None:
        """Keep a checkpoint that the engine saved. It is listed when the job has succeeded."""
        self.saved.append(SavedCheckpoint(step=step, folder=folder, metrics=metrics, created_at=int(self.clock())))
        self._say(f"Checkpoint created at step {step}")

    def fail(self, code: str, message: str, param: str | None = None) -> None:
        """Store that the job failed."""
        with self.store.write() as db:
            fail_job(db, self.job.id, int(self.clock()), code, self.store.without_paths(message), param)

    def complete(self, out: Path, tokens: int) -> None:
        """Keep the weights and the result file, and store that the job succeeded: all of it or nothing."""
        filename = self._result_file()
        results = (out / filename).read_bytes()
        weights = job_weights_path(self.store, self.job.id)
        with stage_file(self.store, new_id("file-")) as arriving:
            arriving.write(results)
            arriving.place()
            _keep(out, weights, filename)
            with self.store.write() as db:
                listed = get_job(db, self.job.id).is_active
                if listed:
                    self._list(db, arriving, filename, tokens)
            if not listed:
                arriving.path.unlink()
                shutil.rmtree(weights)

    def _result_file(self) -> str:
        with self.store.read() as db:
            return COMPILED_RESULTS if find_fine_tune(db, self.job.id) else STEP_METRICS.filename

    def _list(self, db: sqlite3.Connection, arriving: StagedFile, filename: str, tokens: int) -> None:
        job, now, results, size_bytes = self.job, int(self.clock()), arriving.id, arriving.size_bytes
        model = _model_name(db, job, now)
        add_file(
            db,
            FileRecord(id=results, filename=filename, purpose=RESULTS, size_bytes=size_bytes, created_at=now),
        )
        for saved in self.saved:
            # The newest checkpoint is the result of the job, and has its name.
            is_result = saved is self.saved[-1]
            name = model if is_result else f"{model}:ckpt-step-{saved.step}"
            _add_model(db, job, name, saved.folder, now if is_result else saved.created_at, checkpoint=not is_result)
            add_checkpoint(
                db,
                CheckpointRecord(
                    id=new_id("ftckpt_"),
                    job=job.id,
                    created_at=saved.created_at,
                    model=name,
                    step=saved.step,
                    metrics=saved.metrics,
                ),
            )
        add_event(db, job.id, now, f"New fine-tuned model created: {model}")
        add_event(db, job.id, now, "The job has successfully completed")
        change_job(
            db,
            job.id,
            fine_tuned_model=model,
            result_file=results,
            trained_tokens=tokens,
            finished_at=now,
            estimated_finish=None,
            status=SUCCEEDED,
        )

    def _move(self, message: str | None, **fields: object) -> None:
        with self.store.write() as db:
            if change_job(db, self.job.id, **fields) and message is not None:
                add_event(db, self.job.id, int(self.clock()), message)

    def _say(self, message: str, level: str = "info") -> None:
        with self.store.write() as db:
            if get_job(db, self.job.id).is_active:
                add_event(db, self.job.id, int(self.clock()), message, level=level)


def validating_message(job: JobRecord) -> str:
    """Return the event with which the check of a job's files begins."""
    second = f" and validation file: {job.validation_file}" if job.validation_file else ""
    return f"Validating training file: {job.training_file}{second}"


def fail_job(db: sqlite3.Connection, job: str, now: int, code: str, message: str, param: str | None = None) -> None:
    """End a job with an error, unless it has ended already."""
    error = json.dumps({"code": code, "message": message, "param": param})
    if change_job(db, job, status=FAILED, finished_at=now, estimated_finish=None, error=error):
        add_event(db, job, now, message, level=ERROR)


def last_line(path: Path) -> str:
    """Return the last line of a log that is not empty, and "" when it has none."""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = handle.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _add_model(db: sqlite3.Connection, job: JobRecord, name: str, folder: str, now: int, *, checkpoint: bool) -> None:
    record = ModelRecord(id=name, base=job.base, job=job.id, folder=folder, checkpoint=checkpoint, created_at=now)
    add_model(db, record)


def _model_name(db: sqlite3.Connection, job: JobRecord, now: int) -> str:
    fine_tune = find_fine_tune(db, job.id)
    if fine_tune is None:
        return f"ft:{job.base}:{ORGANIZATION_NAME}:{job.suffix}:{new_id('', 8)}"
    return free_model_name(db, ":".join(filter(None, (fine_tune.model, f"ft-{ORGANIZATION_NAME}", job.suffix))), now)


def _keep(out: Path, weights: Path, results: str) -> None:
    (out / results).unlink()
    for path in out.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        with_descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(with_descriptor)
        finally:
            os.close(with_descriptor)
    out.rename(weights)
    sync_folder(weights.parent)
