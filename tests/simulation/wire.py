"""An HTTP transport in front of a JSON service, where every request may go wrong.

So our own client runs whole: its retries, pages, forms and readers.
"""

import json
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Any

import httpx

from tests.providers.fake_service import FakeService, Json, refusal
from tests.services.azure import AzureTranslator
from tests.simulation.boundary import Boundary
from tests.simulation.faults import CallOutcome
from tests.simulation.invariants import Sent
from tests.simulation.services import ServiceVariant
from tests.simulation.state import target_of
from tests.toy_service.translation import ToyTranslator

ADDRESS = "http://127.0.0.1:8000"
KEY = "key-of-the-world-0123456789"
"""What no message may show, although the service says it back."""

_HTML = b"<html><body><h1>Sorry</h1>" + KEY.encode() + b"</body></html>"
_NASTY = f"no \x1b[31mway\x1b[0m \u202e with {KEY}\n::error::x"


def _html(status: int) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, content=_HTML, headers={"content-type": "text/html"})


def _refusal(status: int, code: str | None = None) -> Callable[[], httpx.Response]:
    return lambda: refusal(status, _NASTY, code=code)


def _redirect(status: int) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, headers={"location": "https://elsewhere.example.test/"})


_REFUSALS = (
    *map(_refusal, (400, 404)),
    _refusal(400, "invalid_value"),
    _refusal(401, "invalid_api_key"),
    _refusal(403, "training_not_available"),
    _refusal(429, "rate_limit_exceeded"),
    _refusal(429, "daily_rate_limit_exceeded"),
)
"""In the service's own words: the only answers that come without an effect for certain."""

_UNCLEAR = (
    *map(_refusal, (401, 403, 405, 408, 409, 410, 413, 422, 429, 500, 503)),
    _refusal(400, "400"),
    _refusal(429, "429"),
    *map(_html, (400, 401, 403, 404, 405, 410, 413, 418, 429, 451, 500, 502, 503, 504, 520, 529)),
    *map(_redirect, (301, 302, 303, 307, 308)),
    lambda: httpx.Response(404, json={"detail": "Not Found"}),
    lambda: httpx.Response(429, json={"message": "API rate limit exceeded"}),
    lambda: httpx.Response(500, content=b""),
    lambda: httpx.Response(503, json={"error": "busy"}),
)
_FOREIGN: tuple[Callable[[], httpx.Response], ...] = (
    lambda: httpx.Response(200, content=_HTML),
    lambda: httpx.Response(200, json={"id": "ftjob-9999", "object": "fine_tuning.job", "status": "queued"}),
    lambda: httpx.Response(200, json=[]),
    lambda: httpx.Response(201, content=b""),
    lambda: httpx.Response(204),
)
_WAITS: tuple[dict[str, str], ...] = (
    {"retry-after": "3"},
    {"retry-after": "0"},
    {"retry-after": "-7"},
    {"retry-after": "1e400"},
    {"retry-after": "86400"},
    {"retry-after": "nan"},
    {"retry-after": "soon"},
    {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"},
    {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
    {"retry-after-ms": "1500"},
    {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"},
    {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "never"},
    {"x-should-retry": "true"},
    {"x-should-retry": "false"},
)


def translate(variant: ServiceVariant, transport: httpx.BaseTransport) -> httpx.BaseTransport:
    """Return a transport that speaks as a service does, in front of the one that speaks today's API."""
    if variant is ServiceVariant.TOY:
        return ToyTranslator(transport)
    if variant is ServiceVariant.AZURE:
        return AzureTranslator(transport, key=KEY, is_strict=False)
    return transport


class FaultyTransport(httpx.BaseTransport):
    """The service as one run of one actor reaches it. `skew` is how far its `Date` is from any clock of ours."""

    def __init__(self, service: FakeService, boundary: Boundary, skew: float) -> None:
        self._service, self._boundary, self._skew = service, boundary, skew

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        boundary, (verb, target) = self._boundary, target_of(request)
        if verb == "read":
            key, outcome = boundary.cross(f"read {target} {_query(request)}".strip())
            return self._read(request, key, outcome, target)
        if verb == "train":
            target = _stamp_in(request)
        elif verb == "upload":
            target = "label" if b'filename="reconciler.' in request.read() else "rows"
        key, outcome = boundary.cross(f"{verb} {target}", is_write=True)
        return self._write(request, key, outcome, boundary.invariants.sending(boundary.record, verb, target))

    def _read(self, request: httpx.Request, key: str, outcome: CallOutcome, path: str) -> httpx.Response:
        if outcome is CallOutcome.NO_CONNECTION:
            raise httpx.ConnectError("no route to host")
        if outcome is CallOutcome.UNDELIVERED:
            self._no_answer(key, request)
        if outcome is CallOutcome.REFUSED:
            return self._one_of(_REFUSALS, key)
        if outcome is CallOutcome.UNCLEAR:
            return self._one_of(_UNCLEAR, key)
        if outcome is CallOutcome.FOREIGN:
            return self._one_of(_FOREIGN, key)
        if path == "files" and "after" not in request.url.params:
            self._boundary.invariants.looking(self._boundary.record)
        answer = self._service.handle(request)
        self._boundary.ended(outcome)
        return self._cut(answer) if outcome is CallOutcome.CUT else self._dated(self._odd(answer, key), key)

    def _write(self, request: httpx.Request, key: str, outcome: CallOutcome, sent: Sent) -> httpx.Response:
        boundary = self._boundary
        if outcome is CallOutcome.NO_CONNECTION:
            raise httpx.ConnectTimeout("no time to connect")
        request.read()
        if outcome is CallOutcome.REFUSED:
            return self._one_of(_REFUSALS, key)
        if outcome is CallOutcome.UNCLEAR:
            return self._one_of(_UNCLEAR, key)
        if outcome is CallOutcome.UNDELIVERED:
            self._no_answer(key, request)
        effect = partial(boundary.invariants.effect, sent, partial(self._service.handle, request))
        if outcome in {CallOutcome.LATE, CallOutcome.TOO_LATE, CallOutcome.KILLED_LATE}:
            if outcome is not CallOutcome.KILLED_LATE:
                boundary.no_answer(key, _patience(request))
            boundary.actor.scheduler.time.after(boundary.late(key, outcome), effect)
            boundary.ended(outcome)
            if boundary.decider.pick(f"late answer {key}", 3) == 1:
                # A gateway gave up on the service and answered in its place.
                return self._one_of(_UNCLEAR, key)
            raise httpx.ReadTimeout("no answer came")
        answer = effect()
        boundary.ended(outcome)
        if outcome is CallOutcome.REPLY_LOST:
            self._no_answer(key, request)
        if outcome is CallOutcome.UNCLEAR_DONE:
            return self._one_of(_UNCLEAR, key)
        if outcome is CallOutcome.CUT and answer.status_code == 200:
            return self._cut(answer)
        if outcome is CallOutcome.FOREIGN and answer.status_code == 200:
            return self._one_of(_FOREIGN, key)
        return self._dated(self._odd(answer, key), key)

    def _no_answer(self, key: str, request: httpx.Request) -> None:
        self._boundary.no_answer(key, _patience(request))
        kinds = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)
        raise kinds[self._boundary.decider.pick(f"kind {key}", len(kinds))](f"gone, with {KEY}")

    def _one_of(self, answers: tuple[Callable[[], httpx.Response], ...], key: str) -> httpx.Response:
        return self._dated(answers[self._boundary.decider.pick(key, len(answers))](), key)

    def _dated(self, answer: httpx.Response, key: str) -> httpx.Response:
        lie = (0.0, 3600.0, -3600.0, 86400.0)[self._boundary.decider.pick(f"lie {key}", 4)]
        wrong = lie if self._boundary.decider.chance(key, "lies") else 0.0
        answer.headers["date"] = formatdate(self._boundary.actor.now + self._skew + wrong, usegmt=True)
        if self._boundary.decider.chance(key, "bad_waits"):
            answer.headers.update(_WAITS[self._boundary.decider.pick(f"wait {key}", len(_WAITS))])
        return answer

    def _cut(self, answer: httpx.Response) -> httpx.Response:
        body, length = answer.content, str(len(answer.content))
        if self._boundary.decider.pick(f"told {length}", 2):
            length = str(len(body) // 2)
        return httpx.Response(200, content=body[: len(body) // 2], headers={"content-length": length})

    def _odd(self, answer: httpx.Response, key: str) -> httpx.Response:
        """Answer the same with unknown members, unknown states, and nulls in place of values."""
        if not self._boundary.decider.chance(key, "odd_words") or answer.status_code != 200:
            return answer
        body: Any = json.loads(answer.content)
        for each in body["data"] if isinstance(body.get("data"), list) else [body]:
            _make_odd(each)
        return httpx.Response(200, json={**body, "x_new": {"deep": [None]}}, headers=_kept(answer))


def _make_odd(thing: Json) -> None:
    thing["x_unheard_of"] = [{"of": None}]
    if thing.get("status") in {"queued", "running", "pending"}:
        thing["status"] = "warming_up"
    for name in ("hyperparameters", "error", "trained_tokens", "result_files", "owned_by", "finished_at"):
        if name in thing:
            thing[name] = None


def _kept(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith(("openai-", "x-"))}


def _patience(request: httpx.Request) -> float:
    length: float = request.extensions["timeout"]["read"]
    return length


def _query(request: httpx.Request) -> str:
    params = request.url.params
    return " ".join(f"{name}={params[name][:16]}" for name in params if name not in {"limit", "purpose"})


def _stamp_in(request: httpx.Request) -> str:
    """Return what tells one create of a run from another."""
    body = json.loads(request.read())
    marks = body.get("metadata") or {}
    return f"{marks.get('reconciler-address', '')}{marks.get('reconciler-digest', '')[:15]}{body.get('suffix', '')}"
