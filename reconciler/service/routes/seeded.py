"""What seeds answer where anything else would be trained or asked: the job that is there, and one honest sentence."""

import sqlite3

from reconciler.service.context import Service
from reconciler.service.engines.port import Answer
from reconciler.service.fields import Json
from reconciler.service.store.jobs import JobRecord, get_job
from reconciler.service.store.seeds import Seeded, is_seed

SENTENCE = "This model was put here for a test suite: it has learned nothing."


def seeded_job(service: Service, body: Json) -> JobRecord | None:
    """Return the seeded job where a job on a seeded model is asked for; None for any other."""
    if not asks_a_seed(service, body):
        return None
    with service.store.read() as db:
        return get_job(db, _first_job(db))


def asks_a_seed(service: Service, body: Json) -> bool:
    """Return whether a request names a seeded model."""
    model = body.get("model")
    if not service.seeded or not isinstance(model, str):
        return False
    with service.store.read() as db:
        return is_seed(db, Seeded.MODEL, model)


def sentence() -> Answer:
    """Return what every seeded model says."""
    return Answer(tokens=(SENTENCE,), logprobs=(0.0,), alternatives=((SENTENCE, 0.0),), prompt_tokens=0)


def _first_job(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT id FROM seeds WHERE kind = ? ORDER BY id LIMIT 1", (Seeded.JOB,)).fetchone()
    return str(row["id"])
