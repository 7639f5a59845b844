"""A small service of the old generation, written from the API's side: files and jobs as objects, lists without pages.

It does not use the classes of the domain. A job repeats neither the suffix nor anything else that was not in that API.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.providers.fake_service import EPOCH, FakeService, Json, refusal

_ENDED = {"succeeded", "failed", "cancelled"}
_SETTINGS = ("n_epochs", "batch_size", "learning_rate_multiplier", "prompt_loss_weight")
_DEFAULTS: Json = {"n_epochs": 4, "batch_size": None, "learning_rate_multiplier": None, "prompt_loss_weight": 0.01}
_CLASSES = ("compute_classification_metrics", "classification_n_classes", "classification_positive_class")


@dataclass
class OldService(FakeService):
    """The service of `/fine-tunes`.

    Shape:  `jobs` holds the objects as the API returns them, `asked` what it does not return; a write for which
            `spares` is true gets no trouble
    """

    spares: Callable[[httpx.Request], bool] = lambda request: False

    def __post_init__(self) -> None:
        self.asked: dict[str, Json] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" and self.spares(request):
            waiting, self.troubles = self.troubles, []
            try:
                return super().handle_request(request)
            finally:
                self.troubles = waiting
        return super().handle_request(request)

    def route(self, request: httpx.Request, path: str) -> httpx.Response:
        for method, pattern, handler in OLD_ROUTES:
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                answer = handler(self, request, *found.groups())
                answer.headers.update(self.account)
                return answer
        if path.startswith(("fine_tuning", "chat")):
            return refusal(404, f"Invalid URL ({request.method} {request.url.path})")
        return super().route(request, path)

    def add_tune(self, *, suffix: str | None = None, training: str = "", validation: str = "", **members: Any) -> str:
        job_id, now = self.new("ft")
        self.asked[job_id] = {"suffix": suffix}
        self.jobs[job_id] = {
            "id": job_id,
            "object": "fine-tune",
            "model": "curie",
            "created_at": now,
            "updated_at": now,
            "fine_tuned_model": None,
            "organization_id": "org-old",
            "status": "pending",
            "hyperparams": dict(_DEFAULTS),
            "training_files": [self.files[training]] if training else [],
            "validation_files": [self.files[validation]] if validation else [],
            "result_files": [],
            **members,
        }
        self.log(job_id, f"Created fine-tune: {job_id}")
        return job_id

    def log(self, job_id: str, message: str, data: Any = None, level: str = "info") -> None:
        now = self.new("event")[1]
        event = {"object": "fine-tune-event", "created_at": now, "level": level, "message": message}
        self.events.setdefault(job_id, []).append(event)

    def finish(self, job_id: str) -> str:
        job, suffix = self.jobs[job_id], self.asked[job_id]["suffix"]
        stem = f"{job['model']}:ft-acme" + (f":{suffix}" if suffix else "")
        model = f"{stem}-2022-08-09-00-{self.made % 3600 // 60:02}-{self.made % 60:02}"
        job |= {"status": "succeeded", "fine_tuned_model": model, "updated_at": EPOCH + 9999}
        self.models[model] = {"id": model, "object": "model", "owned_by": "acme", "permission": [], "root": model}
        return model

    def fail(self, job_id: str, message: str) -> None:
        self.log(job_id, message, level="error")
        self.jobs[job_id] |= {"status": "failed", "updated_at": EPOCH + 9999}

    # ---- routes -----------------------------------------------------------------------------------------------

    def make(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        for name in ("training_file", "validation_file"):
            if body.get(name) is not None and body[name] not in self.files:
                return refusal(400, f"invalid {name}: {body[name]}", param=name)
        stated = {name: body[name] for name in (*_SETTINGS, *_CLASSES) if name in body}
        job_id = self.add_tune(
            suffix=body.get("suffix"),
            training=body["training_file"],
            validation=body.get("validation_file", ""),
            model=body["model"],
            hyperparams={**_DEFAULTS, **stated},
        )
        return self.show_job(job_id)

    def show_job(self, job_id: str) -> httpx.Response:
        job = self.jobs.get(job_id)
        if job is None:
            return refusal(404, f"No such fine-tune: {job_id}")
        return httpx.Response(200, json={**job, "events": self.events[job_id]})

    def stop(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self.jobs.get(job_id)
        if job is not None and job["status"] in _ENDED:
            return refusal(400, f"Cannot cancel a job {job_id} that already has status '{job['status']}'.")
        if job is not None:
            job["status"] = "cancelled"
        return self.show_job(job_id)

    def list_tunes(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"object": "list", "data": list(self.jobs.values())})

    def list_job_events(self, request: httpx.Request, job_id: str) -> httpx.Response:
        if job_id not in self.jobs:
            return refusal(404, f"No such fine-tune: {job_id}")
        return httpx.Response(200, json={"object": "list", "data": self.events[job_id]})

    def list_files(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"object": "list", "data": list(self.files.values())})

    def completion(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        words = body["prompt"].split(" ")
        pieces = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
        return self.stream_response(body, [{"text": piece, "finish_reason": None} for piece in pieces])


OLD_ROUTES: tuple[tuple[str, str, Callable[..., httpx.Response]], ...] = (
    ("GET", "files", OldService.list_files),
    ("POST", "fine-tunes", OldService.make),
    ("GET", "fine-tunes", OldService.list_tunes),
    ("GET", "fine-tunes/([^/]+)", lambda service, request, job: service.show_job(job)),
    ("POST", "fine-tunes/([^/]+)/cancel", OldService.stop),
    ("GET", "fine-tunes/([^/]+)/events", OldService.list_job_events),
    ("POST", "completions", OldService.completion),
)


def is_label(request: httpx.Request) -> bool:
    """Return whether a request sends or drops a label, which a test of other writes is not about."""
    return b'filename="reconciler.' in request.content or request.method == "DELETE"
