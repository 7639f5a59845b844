"""What is true on the service, whatever its lists show: one view of each service in memory."""

import json
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

import httpx

from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.observed import JobId, JobStatus, ModelId, RemoteJob
from reconciler.testing import MemoryProvider
from tests.factories import a_digest
from tests.providers.fake_service import FakeService, Json
from tests.providers.openai_legacy.fake import OldService
from tests.simulation.carriers import Alteration, NameAlteration
from tests.simulation.faults import Decider
from tests.simulation.scheduler import Time

PROJECT = "acme"
_SPENT = {"failed", "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueJob:
    """A job as it is. A spent job does not serve and never will; `stamp` is None when it is not ours."""

    id: str
    stamp: str | None
    is_active: bool
    is_spent: bool
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFile:
    """A file as it is; `filename` is what it was sent as, and `is_kept` whether lists show just that."""

    id: str
    filename: str
    content: bytes
    is_kept: bool = True


class ServiceState(Protocol):
    """What is true on a service, and the changes that happen there without us."""

    def jobs(self) -> tuple[TrueJob, ...]: ...

    def files(self) -> tuple[TrueFile, ...]: ...

    def models(self) -> tuple[str, ...]: ...

    def finish(self, job: str) -> None: ...

    def fail(self, job: str, code: str) -> None: ...

    def set_status(self, job: str, status: str) -> None: ...

    def remove(self, thing: str) -> None: ...

    def settle_in(self) -> None:
        """Add things of other projects, some of which look like ours."""


@dataclass
class Lag:
    """What lists show of what was just made: some time later, and until then now and then.

    Units:  `longest` in seconds, from the effect until every list shows it
    """

    time: Time
    decider: Decider
    longest: float
    made: dict[str, float] = field(default_factory=dict)

    def listed_at(self, thing: str) -> float:
        made = self.made.get(thing, float("-inf"))
        return made + (self.decider.span(f"lag {thing}", self.longest) if self.longest else 0.0)

    def shows(self, thing: str) -> bool:
        if self.time.now >= self.listed_at(thing):
            return True
        return self.decider.chance(f"{thing} {self.time.now}", "flicker")


class MemoryState:
    """The truth of the service at the Python port."""

    def __init__(self, memory: MemoryProvider) -> None:
        self.memory = memory

    def jobs(self) -> tuple[TrueJob, ...]:
        ours = tuple(
            TrueJob(
                id=job.id,
                stamp=str(job.stamp),
                is_active=job.status.is_active,
                is_spent=job.status.word in _SPENT or (job.model is not None and job.model not in self.memory.models),
                files=tuple(file for file in (job.training_file, job.validation_file) if file),
            )
            for job in self.memory.jobs.values()
        )
        theirs = (each for each in self.memory.foreign if isinstance(each, RemoteJob))
        return ours + tuple(
            TrueJob(id=job.id, stamp=None, is_active=job.status.is_active, is_spent=job.status.is_terminal, files=())
            for job in theirs
        )

    def files(self) -> tuple[TrueFile, ...]:
        contents = self.memory.contents
        return tuple(
            TrueFile(id=file.id, filename=file.filename, content=contents[file.id])
            for file in self.memory.files.values()
        )

    def models(self) -> tuple[str, ...]:
        return tuple(sorted(self.memory.models))

    def finish(self, job: str) -> None:
        self.memory.finish(JobId(job))

    def fail(self, job: str, code: str) -> None:
        self.memory.fail(JobId(job), code, "it did not work out")

    def set_status(self, job: str, status: str) -> None:
        self.memory.move(JobId(job), status)

    def remove(self, thing: str) -> None:
        self.memory.forget(JobId(thing))

    def settle_in(self) -> None:
        self.memory.foreign.append(RemoteJob(id=JobId("ftjob-theirs"), status=JobStatus("running")))
        self.memory.models.add(ModelId("gpt-of-everybody"))


class LaggingService(FakeService):
    """The service of today's dialect on the simulated clock; its lists lag and have odd pages within the contract.

    Shape:  with `pages` False it knows neither limits nor cursors, and shows everything at once; `alter` is what it, or
            a gateway before it, does to metadata, in the answer to a create too if it `alters_answer`
    """

    time: Time
    lag: Lag
    decider: Decider
    sent_marks: dict[str, dict[str, str]]
    skew: float = 0.0
    pages: bool = True
    alter: Alteration | None = None
    alters_answer: bool = True

    def new(self, kind: str) -> tuple[str, int]:
        made, _ = super().new(kind)
        self.lag.made[made] = self.time.now
        return made, int(self.time.now + self.skew)

    def route(self, request: httpx.Request, path: str) -> httpx.Response:
        answer = super().route(request, path)
        if (request.method, path, answer.status_code) != ("POST", "fine_tuning/jobs", 200):
            return answer
        job = json.loads(answer.content)
        self.sent_marks[job["id"]] = job["metadata"]
        if self.alter is None:
            return answer
        kept = self.jobs[job["id"]]
        kept["metadata"] = self.alter(job["metadata"])
        return httpx.Response(200, json=kept, headers=answer.headers) if self.alters_answer else answer

    def page_response(self, request: httpx.Request, items: list[Json], most: int) -> httpx.Response:
        shown = [item for item in items if self.lag.shows(item["id"])]
        if not self.pages:
            return httpx.Response(200, json={"object": "list", "data": shown})
        key = f"{request.url.path} {request.url.params.get('after')} {self.time.now}"
        most = 1 + self.decider.pick(f"size {key}", most) if self.decider.chance(key, "short_pages") else most
        answer = super().page_response(request, shown, most)
        page = json.loads(answer.content)
        if page["data"] and self.decider.chance(key, "repeating"):
            page["data"] = [page["data"][0], *page["data"]]
        if self.decider.chance(key, "unordered"):
            # The cursor is the last of a page, so all but that one may stand anywhere.
            page["data"] = [*page["data"][-2::-1], *page["data"][-1:]]
        return httpx.Response(200, json=page)


class LaggingLegacyService(OldService):
    """The service of the old dialect, likewise; its lists have no pages.

    Shape:  `alter_name` is what it, or a gateway before it, does to the names of files, in the answer to an upload too
            if it `alters_answer`
    """

    time: Time
    lag: Lag
    decider: Decider
    sent_names: dict[str, str]
    skew: float = 0.0
    alter_name: NameAlteration | None = None
    alters_answer: bool = True

    def new(self, kind: str) -> tuple[str, int]:
        made, _ = super().new(kind)
        self.lag.made[made] = self.time.now
        return made, int(self.time.now + self.skew)

    def route(self, request: httpx.Request, path: str) -> httpx.Response:
        answer = super().route(request, path)
        # Whichever generation a route is of, it is one service.
        answer.headers["openai-organization"] = "org-old"
        if (request.method, path, answer.status_code) == ("POST", "files", 200) and self.alter_name:
            file = self.files[json.loads(answer.content)["id"]]
            self.sent_names[file["id"]] = file["filename"]
            file["filename"] = self.alter_name(file["filename"])
            if self.alters_answer:
                return httpx.Response(200, json=file, headers={"openai-organization": "org-old"})
        if request.method == "GET" and path in {"files", "fine-tunes"} and answer.status_code == 200:
            page = json.loads(answer.content)
            page["data"] = [item for item in page["data"] if self.lag.shows(item["id"])]
            if self.decider.chance(f"{path} {self.time.now}", "unordered"):
                page["data"].reverse()
            return httpx.Response(200, json=page, headers={"openai-organization": "org-old"})
        return answer


class HttpState:
    """The truth of a service that speaks JSON."""

    def __init__(self, service: FakeService) -> None:
        self.service = service

    def jobs(self) -> tuple[TrueJob, ...]:
        return tuple(self._job(job) for job in self.service.jobs.values())

    def _job(self, job: Json) -> TrueJob:
        ended = job["status"] in _SPENT | {"succeeded"}
        model = job["fine_tuned_model"]
        return TrueJob(
            id=job["id"],
            stamp=self.stamp_of(job),
            is_active=not ended,
            is_spent=job["status"] in _SPENT or (ended and model not in self.service.models),
            files=_files_of(job),
        )

    def stamp_of(self, job: Json) -> str | None:
        """Return whose a job is: by the marks that it was sent with, whatever was kept of them."""
        if isinstance(self.service, OldService):
            suffix = self.service.asked[job["id"]]["suffix"] or ""
            name, _, digest = suffix.rpartition("-")
            return f"model/{name}@{digest}" if name and len(digest) == 12 else None
        sent = self.service.sent_marks if isinstance(self.service, LaggingService) else {}
        marks = sent.get(job["id"]) or job["metadata"] or {}
        if marks.get("reconciler-project") != PROJECT:
            return None
        return f"{marks['reconciler-address']}@{marks['reconciler-digest'].partition(':')[2][:12]}"

    def files(self) -> tuple[TrueFile, ...]:
        contents = self.service.contents
        names: dict[str, str] = {file["id"]: file["filename"] for file in self.service.files.values()}
        sent = {**names, **(self.service.sent_names if isinstance(self.service, LaggingLegacyService) else {})}
        return tuple(
            TrueFile(id=file, filename=sent[file], content=contents[file], is_kept=sent[file] == name)
            for file, name in names.items()
        )

    def models(self) -> tuple[str, ...]:
        return tuple(sorted(self.service.models))

    def finish(self, job: str) -> None:
        self.service.finish(job)

    def fail(self, job: str, code: str) -> None:
        if isinstance(self.service, OldService):
            self.service.fail(job, "it did not work out")
            return
        error = {"code": code, "message": "it did not work out", "param": None}
        self.service.jobs[job] |= {"status": "failed", "error": error}

    def set_status(self, job: str, status: str) -> None:
        self.service.jobs[job]["status"] = status

    def remove(self, thing: str) -> None:
        for kind in (self.service.jobs, self.service.files, self.service.models):
            kind.pop(thing, None)

    def settle_in(self) -> None:
        """Add a job without a stamp, one of another project, and files and models that look like ours."""
        alike = Stamp(Address(Kind.DATASET, "tickets"), a_digest("of others"))
        other = self.service.add_file("their.jsonl", b"{}\n")
        self.service.add_file(alike.filename, b"{}\n", purpose="assistants")
        if isinstance(self.service, OldService):
            self.service.add_tune(suffix="theirs", training=other, status="running")
        else:
            marks = {"reconciler-project": "other", "reconciler-address": "model/triage", "reconciler-digest": "v1:00"}
            self.service.add_job(metadata=marks, training_file=other, status="running")
            self.service.add_job(metadata=None, training_file=other, status="an odd one")
        self.service.models["gpt-of-everybody"] = {"id": "gpt-of-everybody", "object": "model"}


def _files_of(job: Json) -> tuple[str, ...]:
    if "training_files" in job:
        return tuple(file["id"] for side in ("training_files", "validation_files") for file in job[side])
    return tuple(job[side] for side in ("training_file", "validation_file") if job.get(side))


def target_of(request: httpx.Request) -> tuple[str, str]:
    """Return what a request is, as a verb of ours, and the thing it is about."""
    path = unquote(request.url.path).removeprefix("/v1/")
    parts = path.split("/")
    if request.method == "DELETE":
        return "delete", parts[-1]
    if request.method == "POST" and path.endswith("/cancel"):
        return "cancel", parts[-2]
    if request.method == "POST":
        return ("upload", "") if path == "files" else ("train", "")
    return "read", path
