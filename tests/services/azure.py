"""Azure's v1 API in front of the fake service of today's dialect, from its documentation and recorded answers.

What no witness shows is a switch: whether metadata comes back, and whether members without a value are absent or null.
"""

import json
from typing import Any

import httpx

Json = dict[str, Any]
PATH = "/openai/v1/"
KEY = "key-of-the-emulator"
TRAINING_TYPES = frozenset({"standard", "globalstandard", "developer", "developertier"})
_FIELDS = frozenset(
    {
        *("model", "training_file", "validation_file", "method", "hyperparameters", "suffix", "seed", "metadata"),
        *("integrations", "trainingType"),
    }
)


class AzureTranslator(httpx.BaseTransport):
    """The service: a key in a header of its own, a training type with each job, files that are processed for a while.

    Shape:  `is_strict` refuses a job without a training type, and members that the API does not know; with
            `processes`, a file that was just sent cannot be trained on until it was looked at twice
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        key: str = KEY,
        is_strict: bool = True,
        keeps_metadata: bool = True,
        shows_nulls: bool = False,
        processes: bool = False,
    ) -> None:
        self._inner = inner
        self._key = key
        self._is_strict = is_strict
        self._keeps_metadata = keeps_metadata
        self._shows_nulls = shows_nulls
        self._processes = processes
        self._processing: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith(PATH):
            return httpx.Response(404, json={"error": {"code": "404", "message": "Resource not found"}})
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key not in (request.headers.get("api-key"), bearer):
            words = "Access denied due to invalid subscription key or wrong API endpoint."
            return httpx.Response(401, json={"error": {"code": "401", "message": words}})
        path = request.url.path.removeprefix(PATH)
        if request.method == "DELETE" and path.startswith("models/"):
            return httpx.Response(404, json={"error": {"code": "404", "message": "Resource not found"}})
        content = request.read()
        if request.method == "POST" and path == "fine_tuning/jobs" and (refused := self._refuse(json.loads(content))):
            return httpx.Response(400, json={"error": {"code": "invalidPayload", "message": refused}})
        if path == "files" and request.method == "GET":
            return self._list_files(request)
        return self._translate(request.method, path, self._send(request, request.url.params, content))

    def _refuse(self, body: Json) -> str:
        if self._is_strict and str(body.get("trainingType", "")).lower() not in TRAINING_TYPES:
            return "The specified base model does not support fine-tuning."
        if self._is_strict and (unknown := set(body) - _FIELDS):
            return f"Unknown properties: {sorted(unknown)}"
        if {body.get("training_file"), body.get("validation_file")} & self._processing:
            return "The specified file reference must point to a completed file import."
        return ""

    def _send(self, request: httpx.Request, query: httpx.QueryParams, content: bytes) -> httpx.Response:
        url = request.url.copy_with(path="/v1/" + request.url.path.removeprefix(PATH), params=query)
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        sent = httpx.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)
        answer = self._inner.handle_request(sent)
        for name in ("openai-organization", "openai-project"):
            answer.headers.pop(name, None)
        return answer

    def _list_files(self, request: httpx.Request) -> httpx.Response:
        """Return every file on one page: the API has no cursor here, and would begin anew."""
        files: list[Json] = []
        query = request.url.params.set("limit", 10000).remove("after")
        while True:
            answer = self._send(request, query, b"")
            page = _read_object(answer)
            if page is None or not isinstance(page.get("data"), list):
                return answer
            files += page["data"]
            if not (page.get("has_more") and page["data"]):
                self._processing -= {file["id"] for file in files}
                return httpx.Response(200, json={**page, "data": files}, headers=_head_of(answer))
            query = query.set("after", page["data"][-1]["id"])

    def _translate(self, method: str, path: str, answer: httpx.Response) -> httpx.Response:
        if not path.startswith(("files", "fine_tuning")) or path.endswith("/content"):
            return answer
        body = _read_object(answer)
        if body is None:
            return answer
        if path.startswith("files"):
            shown = self._show_file(method, body)
        elif isinstance(body.get("data"), list):
            shown = {**body, "data": [self._show_job(each) for each in body["data"]]}
        else:
            shown = self._show_job(body)
        return httpx.Response(200, json=shown, headers=_head_of(answer))

    def _show_file(self, method: str, file: Json) -> Json:
        """Show a file as it is; one that was just sent is processed when it has been looked at twice."""
        if method == "POST" and self._processes:
            self._processing.add(file["id"])
            return {**file, "status": "pending"}
        if file.get("id") in self._processing:
            self._processing.discard(file["id"])
            return {**file, "status": "running"}
        return file

    def _show_job(self, job: Json) -> Json:
        if not isinstance(job, dict) or job.get("object") != "fine_tuning.job" or "created_at" not in job:
            return job
        shown = {**job, "status": "pending" if job.get("status") == "queued" else job.get("status")}
        if not self._keeps_metadata:
            shown["metadata"] = None
        if isinstance(numbers := shown.get("hyperparameters"), dict):
            shown["hyperparameters"] = {name: -1 if value == "auto" else value for name, value in numbers.items()}
        shown["estimated_finish"] = shown["created_at"] + 3600
        if self._shows_nulls:
            return {"organization_id": None, "result_files": None, "method": None, **shown}
        return {name: value for name, value in shown.items() if value is not None}


def _read_object(answer: httpx.Response) -> Json | None:
    """Return the object that an answer holds; None for a refusal, and for one that a fault has cut or replaced."""
    content = answer.read()
    try:
        body = json.loads(content)
    except ValueError:
        return None
    if answer.status_code != 200 or not isinstance(body, dict):
        return None
    # A job has an error member too.
    return body if "id" in body or "error" not in body else None


def _head_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("x-") or name == "date"}
