"""The entry points through which foreign bytes come in, each with a well-formed input to begin with.

An entry point takes a source of chance and a directory of its own, reads one spoiled input, and yields the messages
that a user would see.
"""

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from reconciler.domain.errors import InputError, ReconcilerError
from reconciler.domain.observed import JobId, ModelId
from reconciler.domain.ports import Message
from reconciler.journal.note import read_note
from reconciler.planner import read_saved
from reconciler.providers import PROFILE_NAMES
from reconciler.providers.http import error_of, paging
from reconciler.providers.http import wire as shared_wire
from reconciler.providers.openai import dialect
from reconciler.providers.openai_legacy import wire as legacy
from reconciler.specfile import read_lock, read_specs
from tests.providers.test_provider import opened, ours
from tests.security.corpus_reader import cases
from tests.security.data_entry_points import a_cached_measure, a_workbook, an_expression, some_steps
from tests.security.mutations import either, spoiled
from tests.security.plans import a_saved_plan, forged
from tests.specfile.test_lockfile import GOLDEN

EntryPoint = Callable[[random.Random, Path], Iterator[str]]

HERE = Path(__file__).parent.parent.parent
SPECS = [
    *(path.read_bytes() for path in sorted((HERE / "specs").rglob("*.yaml")) if "lock" not in path.name),
    *(case["text"].encode() for case in cases("specs").values()),
]
LOCK = GOLDEN.encode()
PLAN = a_saved_plan()

JOB: dict[str, Any] = {
    "object": "fine_tuning.job",
    "id": "ftjob-1",
    "model": "gpt-4o-mini-2024-07-18",
    "created_at": 1_790_000_000,
    "finished_at": None,
    "fine_tuned_model": "ft:x",
    "organization_id": "org-1",
    "result_files": ["file-3"],
    "status": "succeeded",
    "training_file": "file-1",
    "validation_file": None,
    "hyperparameters": {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 1.8},
    "trained_tokens": 5768,
    "error": {"code": "x", "message": "y", "param": None},
    "seed": 7,
    "estimated_finish": 0,
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    "events": [{"object": "fine-tune-event", "created_at": 1, "level": "info", "message": "m"}],
    "training_files": [{"id": "file-1", "filename": "a.jsonl", "bytes": 5, "created_at": 1, "purpose": "fine-tune"}],
    **ours(),
}
FILE = {"id": "file-1", "object": "file", "bytes": 5, "created_at": 1, "filename": "a.jsonl", "purpose": "fine-tune"}
EVENT = {"id": "ftevent-1", "created_at": 1, "level": "info", "message": "m", "type": "metrics", "data": {"step": 1}}
CHECKPOINT = {
    "id": "c-1",
    "created_at": 1,
    "fine_tuned_model_checkpoint": "ft:x",
    "step_number": 5,
    "metrics": {"a": 1},
}
ERROR = {"error": {"message": "no", "type": "invalid_request_error", "param": "model", "code": "model_not_available"}}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "hello"}}]}
PAYLOADS: dict[str, tuple[Any, Callable[[bytes], object]]] = {
    "page": ({"object": "list", "data": [JOB, FILE], "has_more": False}, paging.read_page),
    "job": (JOB, lambda body: dialect.read_job(body, "acme")),
    "file": (FILE, shared_wire.read_file),
    "event": (EVENT, dialect.read_event),
    "checkpoint": (CHECKPOINT, dialect.read_checkpoint),
    "model": ({"id": "ft:x", "object": "model", "created": 1, "owned_by": "org"}, shared_wire.read_model),
    "deleted": ({"id": "file-1", "object": "file", "deleted": True}, shared_wire.read_deleted),
    "held job": (JOB, lambda body: dialect.read_job(body, "acme", shared_wire.LENIENT)),
    "held file": (FILE, partial(shared_wire.read_file, reader=shared_wire.LENIENT)),
    "held model": (
        {"id": "ft:x", "object": "model", "created": 1, "owned_by": "org"},
        partial(shared_wire.read_model, reader=shared_wire.LENIENT),
    ),
    "legacy job": (JOB, legacy.read_tune),
    "legacy events": ({"data": [EVENT]}, lambda body: legacy.read_events(body, JobId("ft-1"))),
    "refusal": (ERROR, lambda body: str(error_of(httpx.Response(400, content=body), "OPENAI_API_KEY"))),
    "note": ({"version": 1, "stamp": "model/x", "owner": "a", "at": 5}, lambda body: read_note(body, "a note")),
}


def a_spec(chance: random.Random, home: Path) -> Iterator[str]:
    (home / "specs").mkdir(exist_ok=True)
    (home / "specs/all.yaml").write_bytes(spoiled(chance.choice(SPECS), chance))
    yield from _messages(lambda: read_specs(home / "specs", home, profiles=PROFILE_NAMES))


def a_lock(chance: random.Random, home: Path) -> Iterator[str]:
    (home / "models.lock.yaml").write_bytes(spoiled(LOCK, chance))
    yield from _messages(lambda: read_lock(home / "models.lock.yaml"))


def a_plan(chance: random.Random, home: Path) -> Iterator[str]:
    """Read a changed plan; half of them have the digest of the changed text."""
    is_forger = chance.random() < 0.5
    text = _forged(chance) if is_forger else spoiled(PLAN.encode(), chance).decode("utf-8", "replace")
    yield from _messages(lambda: read_saved(text))


def _forged(chance: random.Random) -> str:
    try:
        found = json.loads(either(json.loads(PLAN), chance))
        return forged(PLAN, **{name: value for name, value in found.items() if name != "digest"})
    except (ReconcilerError, ValueError, RecursionError, AttributeError, KeyError):
        return "{}"


def a_payload(chance: random.Random, home: Path) -> Iterator[str]:
    document, read = PAYLOADS[chance.choice(sorted(PAYLOADS))]
    body = either(document, chance)
    yield from _messages(lambda: read(body))


def a_service(chance: random.Random, home: Path) -> Iterator[str]:
    """Call a service that answers everything, from lists to prompts, with the same malformed text."""
    documents = [document for document, _ in PAYLOADS.values()]
    body = either({"object": "list", "data": chance.sample(documents, 3), "has_more": False}, chance)
    if chance.random() < 0.3:
        body = b"data: " + either(CHUNK, chance) + b"\n\ndata: [DONE]\n\n"
    status = chance.choice((200, 200, 200, 200, 201, 302, 400, 401, 403, 404, 409, 429))
    headers = {"content-type": chance.choice(("application/json", "text/event-stream", "text/html"))}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, content=body)

    provider = opened(httpx.MockTransport(answer))
    messages = (Message(role="user", content="hello"),)
    asks: list[Callable[[], object]] = [
        provider.observe,
        lambda: provider.list_jobs(),
        lambda: list(provider.answer(ModelId("ft:x"), messages)),
        lambda: provider.events(JobId("ftjob-1"), None),
        lambda: provider.cancel(JobId("ftjob-1")),
    ]
    yield from _messages(chance.choice(asks))


def _messages(ask: Callable[[], object]) -> Iterator[str]:
    """Read the input and yield our refusals. Any other exception is a bug."""
    try:
        ask()
    except InputError as error:
        for problem in error.problems:
            yield f"{problem} {problem.hint}"
    except ReconcilerError as error:
        yield f"{error} {getattr(error, 'hint', '')}"


ENTRY_POINTS: dict[str, tuple[int, EntryPoint]] = {
    "spec": (30, a_spec),
    "lock": (5, a_lock),
    "plan": (15, a_plan),
    "payload": (25, a_payload),
    "service": (5, a_service),
    "measure": (5, a_cached_measure),
    "expression": (5, an_expression),
    "steps": (5, some_steps),
    "workbook": (5, a_workbook),
}
"""Each with its share in a hundred; a service case makes forty requests, so it has few."""
