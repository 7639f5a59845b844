"""Helpers: a client of the service in this process, rows to train on, and functions that wait for a job."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.foundation.locks import try_lock
from reconciler.service import ServiceSettings, open_service

ECHO = ("tests.service.echo",)
NOW = 1_790_000_000

Json = dict[str, Any]


class InProcess(httpx.BaseTransport):
    """Sends requests directly to an ASGI application."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application, in its own event loop."""
        return asyncio.run(self._ask(request, request.read()))

    async def _ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        response = await self._transport.handle_async_request(asked)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


def client_of(app: Any, base_url: str = "http://local/v1") -> httpx.Client:
    """Return a client whose requests an application in this process answers."""
    return httpx.Client(transport=InProcess(app), base_url=base_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service over a directory, with methods that fail when the service refuses."""

    root: Path
    client: httpx.Client

    def get(self, path: str, **params: Any) -> Json:
        """Read something."""
        return _ok(self.client.get(path, params=params))

    def post(self, path: str, body: Json | None = None) -> Json:
        """Create or do something."""
        return _ok(self.client.post(path, json=body))

    def upload(self, content: bytes, name: str = "rows.jsonl", purpose: str = "fine-tune") -> Json:
        """Send a file."""
        return _ok(self.client.post("/files", files={"file": (name, content)}, data={"purpose": purpose}))

    def train(self, content: bytes | None = None, **asked: Any) -> Json:
        """Send rows and create a job."""
        file = self.upload(plain_rows() if content is None else content)["id"]
        return self.post("/fine_tuning/jobs", {"model": "test-echo", "training_file": file, **asked})

    def job(self, job: Json) -> Json:
        """Read a job again."""
        return self.get(f"/fine_tuning/jobs/{job['id']}")

    def until(self, job: Json, *statuses: str) -> Json:
        """Wait until a job has one of these statuses."""
        wait_until(lambda: self.job(job)["status"] in statuses)
        return self.job(job)

    def done(self, job: Json) -> Json:
        """Wait until a job has ended."""
        return self.until(job, "succeeded", "failed", "cancelled")

    def messages(self, job: Json) -> list[str]:
        """Return the messages of all events of a job, oldest first."""
        events = self.get(f"/fine_tuning/jobs/{job['id']}/events", limit=1000)["data"]
        return [event["message"] for event in reversed(events)]


def open_local(root: Path, *, api_key: str | None = None, **options: Any) -> Service:
    """Open a service whose clock stands still."""
    app = open_service(
        root, ServiceSettings(**{"engines": ECHO, "clock": lambda: float(NOW), **options}), api_key=api_key
    )
    return Service(root=root, client=client_of(app))


def error_of(response: httpx.Response) -> tuple[int, Json]:
    """Return the status and the error of a refusal, after checking its envelope."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert response.headers["x-request-id"].startswith("req_")
    return response.status_code, body["error"]


def jsonl(rows: Iterable[Json]) -> bytes:
    """Return rows as the bytes of a file."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def chat(question: str, answer: str, **more: Any) -> Json:
    """Return a chat row."""
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **more}]
    return {"messages": messages}


def plain_rows(first: str = "hello", count: int = 10) -> bytes:
    """Return rows that the echo engine learns; the first one is its command."""
    questions = [first, *(f"question {number}" for number in range(1, count))]
    return jsonl(chat(question, f"answer {number % 3}") for number, question in enumerate(questions))


def wait_until(ready: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for another process; fails when it takes unreasonably long."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def worker_of(root: Path) -> int | None:
    """Return the process id of the worker of a store; None when there is none."""
    path = root / "worker.lock"
    if not path.exists():
        return None
    descriptor = os.open(path, os.O_RDWR)
    try:
        return None if try_lock(descriptor) else int(path.read_text().strip() or 0)
    finally:
        os.close(descriptor)


def dismiss(root: Path) -> None:
    """Stop the worker of a store, and wait until it has ended."""
    wait_until(lambda: worker_of(root) != 0)
    if worker := worker_of(root):
        os.kill(worker, signal.SIGTERM)
        wait_until(lambda: worker_of(root) is None)


def is_alive(process: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _ok(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found
