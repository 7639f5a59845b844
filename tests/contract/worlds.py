"""The worlds that the contract is held in: a provider each, and the same handles on what lies behind it."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import httpx
from msgspec.structs import replace

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import RejectedError
from reconciler.domain.observed import FileId, JobId, ModelId
from reconciler.domain.ports import Provider
from reconciler.domain.spec import Format
from reconciler.providers import open_provider
from reconciler.testing.memory import MemoryProvider
from tests.factories import a_dataset
from tests.providers.fake_service import FakeService, Trouble, refusal
from tests.providers.openai_legacy.fake import OldService, is_label

PROJECT = "acme"


class Keeps(StrEnum):
    """What not every service keeps: a promise about it is held where it is kept, and its absence where it is not."""

    NOTES = "notes about what a job was made of and superseded"
    CODES = "codes of failures"
    METRICS = "numbers in events"
    CHECKPOINTS = "models from the middle of a job"


class World(Protocol):
    """What the contract turns."""

    keeps: frozenset[Keeps]

    @property
    def provider(self) -> Provider: ...

    def move(self, job: JobId, status: str) -> None: ...

    def finish(self, job: JobId) -> ModelId: ...

    def fail(self, job: JobId, code: str, message: str) -> None: ...

    def log(self, job: JobId, message: str, **metrics: float) -> None: ...

    def save(self, job: JobId, step: int) -> None: ...

    def break_file(self, file: FileId) -> None: ...

    def content(self, file: FileId) -> bytes: ...

    def refuse_next(self, message: str) -> None: ...

    def lose_next_reply(self, *, effect: bool) -> None: ...

    def jobs_there(self) -> int: ...

    def files_there(self) -> int: ...


class MemoryWorld:
    """The provider in dictionaries."""

    keeps = frozenset(Keeps)

    def __init__(self) -> None:
        ticks = iter(range(1_790_000_000, 1_800_000_000))
        self.memory = MemoryProvider(clock=lambda: float(next(ticks)))
        self.move = self.memory.move
        self.finish = self.memory.finish
        self.fail = self.memory.fail
        self.save = self.memory.save
        self.lose_next_reply = self.memory.lose_next_reply

    @property
    def provider(self) -> Provider:
        return self.memory

    def log(self, job: JobId, message: str, **metrics: float) -> None:
        self.memory.log(job, message, **metrics)

    def break_file(self, file: FileId) -> None:
        self.memory.mark_file(file, "error")

    def content(self, file: FileId) -> bytes:
        return self.memory.contents[file]

    def refuse_next(self, message: str) -> None:
        self.memory.refuse_next(RejectedError(message, status=400))

    def jobs_there(self) -> int:
        return len(self.memory.jobs)

    def files_there(self) -> int:
        return len(self.memory.files)


class HttpWorld:
    """The OpenAI dialect over HTTP, with a small service at the bottom."""

    keeps = frozenset(Keeps)

    def __init__(self) -> None:
        self.service = FakeService()
        self._provider = open_provider(
            "openai",
            project=PROJECT,
            environ={"OPENAI_API_KEY": "key-of-the-contract"},
            transport=self.service.transport,
            sleep=lambda _: None,
            clock=_ticking(),
        )

    @property
    def provider(self) -> Provider:
        return self._provider

    def move(self, job: JobId, status: str) -> None:
        self.service.jobs[job]["status"] = status

    def finish(self, job: JobId) -> ModelId:
        return ModelId(self.service.finish(job))

    def fail(self, job: JobId, code: str, message: str) -> None:
        self.service.jobs[job] |= {"status": "failed", "error": {"code": code, "message": message, "param": None}}

    def log(self, job: JobId, message: str, **metrics: float) -> None:
        self.service.log(job, message, metrics)

    def save(self, job: JobId, step: int) -> None:
        self.service.save(job, step)

    def break_file(self, file: FileId) -> None:
        self.service.files[file]["status"] = "error"

    def content(self, file: FileId) -> bytes:
        return self.service.contents[file]

    def refuse_next(self, message: str) -> None:
        self.service.troubles.append(Trouble(has_effect=False, answer=lambda _: refusal(400, message)))

    def lose_next_reply(self, *, effect: bool) -> None:
        def broken(request: httpx.Request) -> httpx.Response:
            return httpx.Response(502, text="<html>bad gateway</html>")

        answer = None if effect else broken
        # What is safe to repeat is repeated, so a lost reply takes all its attempts to stay lost.
        self.service.troubles.append(Trouble(has_effect=effect, answer=answer))

    def jobs_there(self) -> int:
        return len(self.service.jobs)

    def files_there(self) -> int:
        return len(self.service.files)


class LegacyWorld:
    """The dialect of `/fine-tunes` over HTTP, with a small service of that generation at the bottom."""

    keeps: frozenset[Keeps] = frozenset()

    def __init__(self) -> None:
        # Trouble meets what the contract is about; what becomes of labels has tests of its own.
        self.service = OldService(spares=is_label)
        self._provider = open_provider(
            "openai-legacy",
            project=PROJECT,
            environ={"OPENAI_API_KEY": "key-of-the-contract", "OPENAI_API_BASE": "http://127.0.0.1:8000/v1"},
            transport=self.service.transport,
            sleep=lambda _: None,
            clock=_ticking(),
        )

    @property
    def provider(self) -> Provider:
        return self._provider

    def move(self, job: JobId, status: str) -> None:
        self.service.jobs[job]["status"] = status

    def finish(self, job: JobId) -> ModelId:
        return ModelId(self.service.finish(job))

    def fail(self, job: JobId, code: str, message: str) -> None:
        self.service.fail(job, message)

    def log(self, job: JobId, message: str, **metrics: float) -> None:
        self.service.log(job, message)

    def save(self, job: JobId, step: int) -> None:
        """Nothing is saved in the middle of a job."""

    def break_file(self, file: FileId) -> None:
        self.service.files[file]["status"] = "error"

    def content(self, file: FileId) -> bytes:
        return self.service.contents[file]

    def refuse_next(self, message: str) -> None:
        self.service.troubles.append(Trouble(has_effect=False, answer=lambda _: refusal(400, message)))

    def lose_next_reply(self, *, effect: bool) -> None:
        answer = None if effect else (lambda _: httpx.Response(502, text="<html>bad gateway</html>"))
        self.service.troubles.append(Trouble(has_effect=effect, answer=answer))

    def jobs_there(self) -> int:
        return len(self.service.jobs)

    def files_there(self) -> int:
        return len(self.service.files)


def _ticking() -> Callable[[], float]:
    ticks = iter(range(10_000_000))
    return lambda: float(next(ticks))


def rows_of(word: str, count: int = 12) -> bytes:
    """Some lines in the API's form, told apart by a word."""
    rows = ({"prompt": f"{word} {n} ->", "completion": " yes"} for n in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def dataset_of(content: bytes, name: str = "tickets") -> Dataset:
    """A dataset that measures as the content does."""
    made = a_dataset(name, content.decode(), format=Format.COMPLETION)
    return replace(made, measure=replace(made.measure, size_bytes=len(content)))


WORLDS: tuple[Callable[[], World], ...] = (MemoryWorld, HttpWorld, LegacyWorld)
