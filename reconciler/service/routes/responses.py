"""The route `/responses`: answers whole or as a stream of named events. No answer is stored.

`store` is accepted because every client sends it, and is false in the answer: no route returns an answer again.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import count

import msgspec
from starlette.responses import Response, StreamingResponse

from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import (
    ApiRequest,
    JsonResponse,
    RequestBody,
    check_known,
    read_flag,
    read_integer,
    read_number,
    read_object,
    read_required_text,
    read_text,
    set_fields,
)
from reconciler.service.engines.rows import NotTextError, make_question
from reconciler.service.errors import ApiError, missing_error, no_item_error, type_error, unsupported_error, value_error
from reconciler.service.limits import check_prompts
from reconciler.service.routes.inference import MOST_TOKENS
from reconciler.service.routes.job_request import read_metadata
from reconciler.service.routes.wire import Json
from reconciler.service.seeding import is_for_seed, seed_answer
from reconciler.service.store.database import new_id


class ResponseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer to one request. `is_cut` is whether the token limit cut it."""

    id: str
    item: str
    model: str
    created: int
    instructions: str | None
    metadata: Mapping[str, str]
    temperature: float
    top_p: float
    limit: int | None
    tokens: tuple[str, ...]
    is_cut: bool
    prompt_tokens: int

    @property
    def status(self) -> str:
        return "incomplete" if self.is_cut else "completed"

    def whole(self) -> Json:
        """Return it as one object."""
        return self._response(self.status, [self._message(self.status, [self._part("".join(self.tokens))])])

    def events(self) -> Iterator[Json]:
        """Yield it as the numbered events of a stream."""
        numbers = count()

        def event(kind: str, **facts: object) -> Json:
            return {"type": f"response.{kind}", "sequence_number": next(numbers), **facts}

        at = {"item_id": self.item, "output_index": 0, "content_index": 0}
        text = "".join(self.tokens)
        yield event("created", response=self._response("in_progress", []))
        yield event("in_progress", response=self._response("in_progress", []))
        yield event("output_item.added", output_index=0, item=self._message("in_progress", []))
        yield event("content_part.added", **at, part=self._part(""))
        for token in self.tokens:
            yield event("output_text.delta", **at, delta=token, logprobs=[])
        yield event("output_text.done", **at, text=text, logprobs=[])
        yield event("content_part.done", **at, part=self._part(text))
        yield event("output_item.done", output_index=0, item=self._message(self.status, [self._part(text)]))
        yield event(self.status, response=self.whole())

    def _response(self, status: str, output: list[Json]) -> Json:
        done = status != "in_progress"
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "model": self.model,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": self.instructions,
            "max_output_tokens": self.limit,
            "metadata": dict(self.metadata),
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": self.temperature,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": self.top_p,
            "truncation": "disabled",
            "usage": self._usage() if done else None,
        }

    def _message(self, status: str, content: list[Json]) -> Json:
        return {"type": "message", "id": self.item, "role": "assistant", "status": status, "content": content}

    def _part(self, text: str) -> Json:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _usage(self) -> Json:
        return {
            "input_tokens": self.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": len(self.tokens),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.prompt_tokens + len(self.tokens),
        }


ROLES = ("user", "assistant", "system", "developer")
_TEXTS = ("input_text", "output_text", "text")
_NOT_HERE = (
    *("tools", "previous_response_id", "conversation", "background", "background_options", "prompt", "include"),
    *("reasoning", "max_tool_calls", "context_management", "moderation", "image", "access_programs"),
)
_FIELDS = frozenset(
    (
        *("model", "input", "instructions", "max_output_tokens", "metadata", "temperature", "top_p", "text", "store"),
        *("stream", "stream_options", "truncation", "top_logprobs", "tool_choice", "parallel_tool_calls", "user"),
        *("service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        *_NOT_HERE,
    )
)
LEAST_OUTPUT = 1


def create_response(context: ServiceContext, request: ApiRequest) -> Response:
    """Answer an input."""
    body = request.body
    model = read_required_text(body, "model")
    messages = _messages(body)
    seeded = is_for_seed(context, body)
    if not seeded:
        check_known(set_fields(body), _FIELDS)
        _refuse(body)
    read_number(body, "temperature", 0.0, 2.0)
    read_number(body, "top_p", 0.0, 1.0)
    read_flag(body, "store")
    limit = read_integer(body, "max_output_tokens", LEAST_OUTPUT, MOST_TOKENS)
    metadata = read_metadata(body)
    try:
        question = make_question(messages)
    except NotTextError as error:
        raise ApiError(400, str(error), param="input", code="unsupported_content") from error
    check_prompts((f"{question.instructions}{question.text}",), "input")
    answer = seed_answer() if seeded else context.models.get(model).answer(question)
    reply = ResponseAnswer(
        id=new_id("resp_", 48),
        item=new_id("msg_", 48),
        model=model,
        created=context.now(),
        instructions=read_text(body, "instructions"),
        metadata=metadata or {},
        temperature=_number_or_one(body, "temperature"),
        top_p=_number_or_one(body, "top_p"),
        limit=limit,
        tokens=answer.tokens if limit is None else answer.tokens[:limit],
        is_cut=limit is not None and limit < len(answer.tokens),
        prompt_tokens=answer.prompt_tokens,
    )
    return _send(reply, stream=read_flag(body, "stream"))


def _send(reply: ResponseAnswer, *, stream: bool) -> Response:
    if not stream:
        return JsonResponse(reply.whole())
    return StreamingResponse(_lines(reply), media_type="text/event-stream", headers={"cache-control": "no-cache"})


def _lines(reply: ResponseAnswer) -> Iterator[bytes]:
    for event in reply.events():
        yield b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), msgspec.json.encode(event))


def _number_or_one(body: RequestBody, name: str) -> float:
    value = body.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 1.0


def _refuse(body: RequestBody) -> None:
    for name in _NOT_HERE:
        if body.get(name):
            raise unsupported_error(name, "is not supported with this model.")
    if read_integer(body, "top_logprobs", 0, 20):
        raise unsupported_error("top_logprobs", "is not supported with this model.")
    if body.get("tool_choice") not in (None, "auto", "none"):
        raise value_error("tool_choice", "it needs 'tools', which are not supported with this model.")
    if body.get("truncation") not in (None, "auto", "disabled"):
        raise value_error("truncation", "expected 'auto' or 'disabled'.")
    if read_object(body, "stream_options") and not read_flag(body, "stream"):
        raise value_error("stream_options", "it is only allowed when 'stream' is true.")
    form = (read_object(body, "text") or {}).get("format")
    if form is not None and (not isinstance(form, dict) or form.get("type", "text") != "text"):
        raise unsupported_error("text.format", "is not supported with this model beyond {'type': 'text'}.")


def _messages(body: RequestBody) -> list[dict[str, object]]:
    given = body.get("input")
    if given is None:
        raise missing_error("input")
    if not isinstance(given, str | list):
        raise type_error("input", "a string or an array of items", given)
    items: list[object] = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not items:
        raise value_error("input", "expected at least one item.", "empty_array")
    messages = [_message(item, f"input[{place}]") for place, item in enumerate(items)]
    instructions = read_text(body, "instructions")
    return [{"role": "developer", "content": instructions}, *messages] if instructions else messages


def _message(item: object, at: str) -> dict[str, object]:
    if not isinstance(item, dict):
        raise type_error(at, "an object", item)
    kind = item.get("type")
    if kind == "item_reference" or (kind is None and set(item) <= {"id", "type"} and isinstance(item.get("id"), str)):
        if item.get("id") is None:
            raise missing_error(f"{at}.id")
        if not isinstance(item["id"], str):
            raise type_error(f"{at}.id", "a string", item["id"])
        raise no_item_error(item["id"])
    if kind not in (None, "message"):
        raise unsupported_error(f"{at}.type", "is not supported with this model: it reads messages.")
    if item.get("role") not in ROLES:
        raise value_error(f"{at}.role", f"expected one of {sorted(ROLES)}.")
    content = item.get("content")
    if isinstance(content, list):
        content = [_part(part, f"{at}.content[{place}]") for place, part in enumerate(content)]
    elif not isinstance(content, str):
        raise type_error(f"{at}.content", "a string or an array of parts", content)
    return {"role": item["role"], "content": content}


def _part(part: object, at: str) -> dict[str, object]:
    if not isinstance(part, dict):
        raise type_error(at, "an object", part)
    if part.get("type") not in _TEXTS:
        raise unsupported_error(f"{at}.type", "is not supported with this model: it reads text.")
    value = part.get("text")
    if not isinstance(value, str):
        raise type_error(f"{at}.text", "a string", value)
    return {"type": "text", "text": value}
