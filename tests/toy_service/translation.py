"""Lets the fake service of today's API speak the toy's: translates requests and answers."""

import json
import re
from typing import Any

import httpx

from tests.toy_service.dialect import STATES

Json = dict[str, Any]
_PATHS = (("trainings", "fine_tuning/jobs"), ("/log", "/events"), ("/snapshots", "/checkpoints"), ("/stop", "/cancel"))
_NAMES = {
    "state": "status",
    "result": "fine_tuned_model",
    "rows": "training_file",
    "checks": "validation_file",
    "base": "model",
    "tags": "metadata",
    "trouble": "error",
    "ended_at": "finished_at",
    "text": "message",
    "numbers": "data",
    "step": "step_number",
}
_WORDS = {word: state for state, word in STATES.items()}


class ToyTranslator(httpx.BaseTransport):
    """The toy service: another API in front of the same fake."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if "/trainings" not in path:
            return self._inner.handle_request(request)
        for theirs, todays in _PATHS:
            path = path.replace(theirs, todays)
        content = request.read()
        if content and request.method == "POST":
            asked = {_NAMES.get(name, name): value for name, value in json.loads(content).items()}
            content = json.dumps(asked).encode()
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        url = request.url.copy_with(path=path)
        sent = httpx.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)
        return _translate(self._inner.handle_request(sent))


def _translate(answer: httpx.Response) -> httpx.Response:
    content = answer.read()
    try:
        body: Any = json.loads(content)
    except ValueError:
        return answer
    if answer.status_code != 200 or not isinstance(body, dict):
        return answer
    listed = body.get("data")
    shown = {**body, "data": [_rename(item) for item in listed]} if isinstance(listed, list) else _rename(body)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return httpx.Response(200, headers=headers, json=shown)


def _rename(item: Json) -> Json:
    theirs = {todays: name for name, todays in _NAMES.items()}
    renamed = {theirs.get(name, name): value for name, value in item.items()}
    if re.match(r"ftckpt", str(item.get("id"))):
        renamed["model"] = item["fine_tuned_model_checkpoint"]
    if "state" in renamed:
        renamed["state"] = _WORDS.get(renamed["state"], renamed["state"])
    return renamed
