"""The services that are held to the contract: a provider each, and the same handles on the service behind it."""

from collections.abc import Callable

import httpx

from reconciler.domain.errors import RejectedError
from reconciler.domain.observed import FileId, JobId, ModelId
from reconciler.domain.ports import Provider
from reconciler.providers import HttpProvider, open_provider
from reconciler.testing import Keeps, MemoryProvider
from tests.providers.fake_service import FakeService, Trouble, refusal
from tests.providers.openai_legacy.fake import OldService, is_label
from tests.services.azure import KEY, AzureTranslator
from tests.toy_service.dialect import TOY
from tests.toy_service.translation import ToyTranslator

PROJECT = "acme"


class MemoryContractService:
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


class HttpService:
    """The OpenAI dialect over HTTP, with a small service at the bottom."""

    keeps = frozenset(Keeps)

    def __init__(self) -> None:
        self.service = FakeService()
        self._provider = self.open(self.service)

    def open(self, service: FakeService) -> HttpProvider:
        return open_provider(
            "openai",
            project=PROJECT,
            environ={"OPENAI_API_KEY": "key-of-the-contract"},
            transport=service.transport,
            sleep=lambda _: None,
            clock=ticking(),
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


class ToyHttpService(HttpService):
    """A seventh service, with an API of its own."""

    def open(self, service: FakeService) -> HttpProvider:
        return open_provider(
            TOY,
            project=PROJECT,
            environ={"TOY_KEY": "key-of-the-contract"},
            transport=ToyTranslator(service.transport),
            sleep=lambda _: None,
            clock=ticking(),
        )


class AzureHttpService(HttpService):
    """Azure's variant of today's dialect. Its models are deleted in the pages of the service only."""

    keeps = frozenset(Keeps)

    def open(self, service: FakeService) -> HttpProvider:
        return open_provider(
            "azure",
            project=PROJECT,
            environ={"AZURE_OPENAI_ENDPOINT": "https://house.openai.azure.com", "AZURE_OPENAI_API_KEY": KEY},
            transport=AzureTranslator(service.transport, is_strict=False),
            sleep=lambda _: None,
            clock=ticking(),
        )


class LegacyHttpService:
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
            clock=ticking(),
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


def ticking() -> Callable[[], float]:
    ticks = iter(range(10_000_000))
    return lambda: float(next(ticks))
