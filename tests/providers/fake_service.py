"""A small service of the OpenAI dialect behind `httpx.MockTransport`, written from the API's side: JSON in, JSON out.

It does not use the classes of the domain. A test decides when a job changes, which reply is lost, which list is wrong.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

Json = dict[str, Any]
EPOCH = 1_790_000_000
ORGANIZATION = "org-fake"


@dataclass
class Trouble:
    """What happens to one write: another answer or none, with or without its effect."""

    has_effect: bool
    answer: Callable[[httpx.Request], httpx.Response] | None = None


@dataclass
class FakeService:
    """The service, and what a test can set in it.

    Shape:  `page` bounds what one page of jobs or events holds; `requests` are all that arrived; `account` is what
            every answer says of whom it is for
    """

    page: int = 2
    knows_filters: bool = True
    files: dict[str, Json] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, Json] = field(default_factory=dict)
    models: dict[str, Json] = field(default_factory=dict)
    events: dict[str, list[Json]] = field(default_factory=dict)
    checkpoints: dict[str, list[Json]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    account: dict[str, str] = field(default_factory=lambda: {"openai-organization": ORGANIZATION})
    made: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self.lock:
            return self.handle_request(request)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = unquote(request.url.path).removeprefix("/v1/")
        if request.method != "GET" and self.troubles and not path.endswith("completions"):
            trouble = self.troubles.pop(0)
            if trouble.has_effect:
                self.route(request, path)
            if trouble.answer is None:
                raise httpx.ReadError("the connection was reset")
            return trouble.answer(request)
        return self.route(request, path)

    def route(self, request: httpx.Request, path: str) -> httpx.Response:
        for method, pattern, handler in ROUTES:
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                answer = handler(self, request, *found.groups())
                answer.headers.update(self.account)
                answer.headers["x-request-id"] = "req-1"
                return answer
        return refusal(404, f"Invalid URL ({request.method} {request.url.path})")

    def new(self, kind: str) -> tuple[str, int]:
        self.made += 1
        return f"{kind}-{self.made:04}", EPOCH + self.made

    def add_file(self, filename: str, content: bytes = b"", *, purpose: str = "fine-tune", **more: Any) -> str:
        file_id, now = self.new("file")
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": now,
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
            **more,
        }
        return file_id

    def add_job(self, **members: Any) -> str:
        job_id, now = self.new("ftjob")
        self.jobs[job_id] = {
            "id": job_id,
            "object": "fine_tuning.job",
            "created_at": now,
            "finished_at": None,
            "model": "base",
            "fine_tuned_model": None,
            "status": "queued",
            "training_file": "file-x",
            "validation_file": None,
            "trained_tokens": None,
            "hyperparameters": {"n_epochs": "auto"},
            "error": {},
            "metadata": None,
            **members,
        }
        self.log(job_id, f"Created fine-tuning job: {job_id}")
        return job_id

    def log(self, job_id: str, message: str, data: Any = None, level: str = "info") -> None:
        event_id, now = self.new("ftevent")
        event = {"id": event_id, "created_at": now, "level": level, "message": message, "data": data}
        self.events.setdefault(job_id, []).append(event)

    def save(self, job_id: str, step: int) -> None:
        saved_id, now = self.new("ftckpt")
        model = f"ft:base:acme::{job_id}:ckpt-step-{step}"
        saved = {"id": saved_id, "created_at": now, "fine_tuned_model_checkpoint": model, "step_number": step}
        self.checkpoints.setdefault(job_id, []).append(saved)

    def finish(self, job_id: str) -> str:
        job = self.jobs[job_id]
        model = f"ft:{job['model']}:acme:{job.get('suffix') or ''}:{job_id}"
        job |= {"status": "succeeded", "fine_tuned_model": model, "finished_at": EPOCH + 9999, "trained_tokens": 1000}
        self.models[model] = {"id": model, "object": "model", "shutdown_date": None}
        return model

    # ---- routes -----------------------------------------------------------------------------------------------

    def upload(self, request: httpx.Request) -> httpx.Response:
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        if int(request.headers["content-length"]) != len(request.content):
            return refusal(400, "the body is not as long as its header states")
        parts = [part.partition(b"\r\n\r\n") for part in request.content.split(b"--" + boundary)[1:-1]]
        heads = {re.search(rb'name="(\w+)"', head)[1]: (head, body[:-2]) for head, _, body in parts}  # type: ignore[index]  # a part without a name may fail
        filename = re.search(rb'filename="([^"]+)"', heads[b"file"][0])
        assert filename
        file_id = self.add_file(filename[1].decode(), heads[b"file"][1], purpose=heads[b"purpose"][1].decode())
        return httpx.Response(200, json=self.files[file_id])

    def create(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        for name in ("training_file", "validation_file"):
            if body.get(name) is not None and body[name] not in self.files:
                return refusal(400, f"invalid {name}: {body[name]}", param=name)
        job_id = self.add_job(**body)
        return httpx.Response(200, json=self.jobs[job_id])

    def cancel(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self.jobs.get(job_id)
        if job is None:
            return refusal(404, f"No such job: {job_id}")
        if job["status"] in {"succeeded", "failed", "cancelled"}:
            return refusal(400, f"Job has already {job['status']}")
        job["status"] = "cancelled"
        return httpx.Response(200, json=job)

    def list_files(self, request: httpx.Request) -> httpx.Response:
        wanted = request.url.params.get("purpose")
        files = [file for file in self.files.values() if wanted in (None, file["purpose"])]
        return self.page_response(request, files[::-1], self.page * 100)

    def content(self, request: httpx.Request, file_id: str) -> httpx.Response:
        if file_id not in self.contents:
            return refusal(404, f"No such File object: {file_id}")
        held = self.contents[file_id]
        return httpx.Response(200, stream=Sent(held[start : start + 5] for start in range(0, len(held), 5)))

    def list_jobs(self, request: httpx.Request) -> httpx.Response:
        filters = {key[9:-1]: value for key, value in request.url.params.items() if key.startswith("metadata[")}
        jobs = [
            job for job in self.jobs.values() if not self.knows_filters or filters.items() <= _metadata_of(job).items()
        ]
        return self.page_response(request, jobs[::-1], self.page)

    def list_events(self, request: httpx.Request, job_id: str) -> httpx.Response:
        return self.page_response(request, self.events.get(job_id, [])[::-1], self.page)

    def list_checkpoints(self, request: httpx.Request, job_id: str) -> httpx.Response:
        return self.page_response(request, self.checkpoints.get(job_id, [])[::-1], self.page)

    def list_models(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"object": "list", "data": list(self.models.values())})

    def one(self, kind: str) -> Callable[[httpx.Request, str], httpx.Response]:
        def show(request: httpx.Request, item_id: str) -> httpx.Response:
            found = getattr(self, kind).get(item_id)
            return httpx.Response(200, json=found) if found else refusal(404, f"No such object: {item_id}")

        return show

    def drop(self, kind: str) -> Callable[[httpx.Request, str], httpx.Response]:
        def remove(request: httpx.Request, item_id: str) -> httpx.Response:
            if getattr(self, kind).pop(item_id, None) is None:
                return refusal(404, f"No such object: {item_id}")
            return httpx.Response(200, json={"id": item_id, "deleted": True})

        return remove

    def chat(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        words = body["messages"][-1]["content"].split(" ")
        pieces = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
        return self.stream_response(body, [{"delta": {"content": piece}, "finish_reason": None} for piece in pieces])

    def completion(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        return self.stream_response(body, [{"text": body["prompt"], "finish_reason": None}])

    def stream_response(self, body: Json, choices: list[Json]) -> httpx.Response:
        if body["model"] not in self.models:
            return refusal(404, f"The model {body['model']} does not exist", code="model_not_found")
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Sent(events_of(choices)))

    def page_response(self, request: httpx.Request, items: list[Json], most: int) -> httpx.Response:
        after = request.url.params.get("after")
        ids = [item["id"] for item in items]
        start = ids.index(after) + 1 if after in ids else 0
        size = min(most, int(request.url.params.get("limit", "20")))
        page = items[start : start + size]
        more = start + size < len(items)
        return httpx.Response(200, json={"object": "list", "data": page, "has_more": more})


def _metadata_of(job: Json) -> Json:
    found = job.get("metadata")
    return found if isinstance(found, dict) else {}


class Sent(httpx.SyncByteStream):
    """A body that comes in the parts given."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self._parts


def events_of(choices: list[Json]) -> Iterator[bytes]:
    """The choices as server-sent events, with the end that the API gives them."""
    yield b": hello\n\n"
    for choice in choices:
        yield f"data: {json.dumps({'choices': [{'index': 0, **choice}]})}\n\n".encode()
    yield b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    yield b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
    yield b"data: [DONE]\n\n"


def refusal(status: int, message: str, *, code: str | None = None, param: str | None = None) -> httpx.Response:
    """A refusal in the API's envelope."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return httpx.Response(status, json={"error": error})


ROUTES: tuple[tuple[str, str, Callable[..., httpx.Response]], ...] = (
    ("POST", "files", FakeService.upload),
    ("GET", "files", FakeService.list_files),
    ("GET", "files/([^/]+)", lambda service, request, item: service.one("files")(request, item)),
    ("GET", "files/([^/]+)/content", FakeService.content),
    ("DELETE", "files/([^/]+)", lambda service, request, item: service.drop("files")(request, item)),
    ("POST", "fine_tuning/jobs", FakeService.create),
    ("GET", "fine_tuning/jobs", FakeService.list_jobs),
    ("GET", "fine_tuning/jobs/([^/]+)", lambda service, request, item: service.one("jobs")(request, item)),
    ("POST", "fine_tuning/jobs/([^/]+)/cancel", FakeService.cancel),
    ("GET", "fine_tuning/jobs/([^/]+)/events", FakeService.list_events),
    ("GET", "fine_tuning/jobs/([^/]+)/checkpoints", FakeService.list_checkpoints),
    ("GET", "models", FakeService.list_models),
    ("GET", "models/([^/]+)", lambda service, request, item: service.one("models")(request, item)),
    ("DELETE", "models/([^/]+)", lambda service, request, item: service.drop("models")(request, item)),
    ("POST", "chat/completions", FakeService.chat),
    ("POST", "completions", FakeService.completion),
)
