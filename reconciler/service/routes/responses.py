"""Asks fine-tuned models through `/responses`, whole or as a stream of named events. Nothing is kept of an answer.

`store` is accepted, because every client sends it, and answered with false: there is no route to fetch an answer again.
"""

import math
from collections.abc import Iterator

import msgspec
from starlette.responses import Response, StreamingResponse

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.engines.plain import NotPlainError, question_of
from reconciler.service.errors import ApiError, bad_type, bad_value, missing, unsupported
from reconciler.service.fields import Json, flag, number, required_text, table, text, whole
from reconciler.service.ids import new_id
from reconciler.service.routes.inference import MOST_TOKENS
from reconciler.service.routes.job_request import read_metadata
from reconciler.service.routes.responses_format import Reply
from reconciler.service.routes.seeded import asks_a_seed, sentence

ROLES = ("user", "assistant", "system", "developer")
_TEXTS = ("input_text", "output_text", "text")
_NOT_HERE = ("tools", "previous_response_id", "conversation", "background", "prompt", "include", "reasoning")
LEAST_OUTPUT = 1


def created(service: Service, call: Call) -> Response:
    """Answer an input."""
    body = call.body
    model = required_text(body, "model")
    messages = _messages(body)
    seeded = asks_a_seed(service, body)
    if not seeded:
        _refuse(body)
    number(body, "temperature", 0.0, 2.0)
    number(body, "top_p", 0.0, 1.0)
    flag(body, "store")
    limit = whole(body, "max_output_tokens", LEAST_OUTPUT, MOST_TOKENS)
    metadata = read_metadata(body)
    try:
        question = question_of(messages)
    except NotPlainError as error:
        raise ApiError(400, str(error), param="input", code="unsupported_content") from error
    answer = sentence() if seeded else service.answers.of(model).answer(question)
    reply = Reply(
        id=new_id("resp_", 48),
        item=new_id("msg_", 48),
        model=model,
        created=service.now(),
        instructions=text(body, "instructions"),
        metadata=metadata or {},
        temperature=_given(body, "temperature"),
        top_p=_given(body, "top_p"),
        limit=limit,
        tokens=answer.tokens if limit is None else answer.tokens[:limit],
        is_cut=limit is not None and limit < len(answer.tokens),
        prompt_tokens=answer.prompt_tokens,
    )
    return _send(reply, stream=flag(body, "stream"))


def _send(reply: Reply, *, stream: bool) -> Response:
    if not stream:
        return JsonResponse(reply.whole())
    return StreamingResponse(_lines(reply), media_type="text/event-stream", headers={"cache-control": "no-cache"})


def _lines(reply: Reply) -> Iterator[bytes]:
    for event in reply.events():
        yield b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), msgspec.json.encode(event))


def _given(body: Json, name: str) -> float:
    value = body.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 1.0


def _refuse(body: Json) -> None:
    for name in _NOT_HERE:
        if body.get(name):
            raise unsupported(name, "is not supported with this model.")
    form = (table(body, "text") or {}).get("format")
    if form is not None and (not isinstance(form, dict) or form.get("type", "text") != "text"):
        raise unsupported("text.format", "is not supported with this model beyond {'type': 'text'}.")


def _messages(body: Json) -> list[dict[str, object]]:
    given = body.get("input")
    if given is None:
        raise missing("input")
    if not isinstance(given, str | list):
        raise bad_type("input", "a string or an array of items", given)
    items: list[object] = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not items:
        raise bad_value("input", "expected at least one item.", "empty_array")
    messages = [_message(item, f"input[{place}]") for place, item in enumerate(items)]
    instructions = text(body, "instructions")
    return [{"role": "developer", "content": instructions}, *messages] if instructions else messages


def _message(item: object, at: str) -> dict[str, object]:
    if not isinstance(item, dict):
        raise bad_type(at, "an object", item)
    if item.get("type", "message") != "message":
        raise unsupported(f"{at}.type", "is not supported with this model: it reads messages.")
    if item.get("role") not in ROLES:
        raise bad_value(f"{at}.role", f"expected one of {sorted(ROLES)}.")
    content = item.get("content")
    if isinstance(content, list):
        content = [_part(part, f"{at}.content[{place}]") for place, part in enumerate(content)]
    elif not isinstance(content, str):
        raise bad_type(f"{at}.content", "a string or an array of parts", content)
    return {"role": item["role"], "content": content}


def _part(part: object, at: str) -> dict[str, object]:
    if not isinstance(part, dict):
        raise bad_type(at, "an object", part)
    if part.get("type") not in _TEXTS:
        raise unsupported(f"{at}.type", "is not supported with this model: it reads text.")
    value = part.get("text")
    if not isinstance(value, str):
        raise bad_type(f"{at}.text", "a string", value)
    return {"type": "text", "text": value}
