"""Asks fine-tuned models: chat and plain completions, whole or as a stream of server-sent events.

Answers are the model's likeliest ones, as at temperature 0, whatever temperature, top_p, seed or penalties say: those
choose among several ways to go on, and are accepted because every client sends them. What would change the form of an
answer (tools, JSON schemas, token biases) is refused.
"""

from collections.abc import Iterator
from functools import partial

import msgspec
from starlette.responses import Response, StreamingResponse

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.engines.plain import NotPlainError, question_of
from reconciler.service.engines.port import Answer, Question
from reconciler.service.errors import ApiError, bad_type, bad_value, missing, unsupported
from reconciler.service.fields import Json, flag, number, required_text, table, texts, whole
from reconciler.service.ids import new_id
from reconciler.service.routes.chat_format import CHAT, COMPLETION, Choice, Form, Said
from reconciler.service.routes.seeded import asks_a_seed, sentence

MOST_CHOICES = 128
MOST_PROMPTS = 2048
MOST_TOKENS = 2**31 - 1
COMPLETION_TOKENS = 16
"""Of an answer to a prompt, where the request does not say how many."""

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def chat(service: Service, call: Call) -> Response:
    """Answer a conversation."""
    body = call.body
    model = service.shelf.true_name(required_text(body, "model"))
    if asks_a_seed(service, body):
        return _send(_seeded(CHAT, "chatcmpl-", model, service.now()), body, kind=True)
    question = _conversation(body)
    _refuse(body, ("tools", "functions", "logit_bias", "audio"))
    if (table(body, "response_format") or {}).get("type", "text") != "text":
        raise unsupported("response_format", "is not supported with this model beyond {'type': 'text'}.")
    for name in ("max_tokens", "max_completion_tokens"):
        whole(body, name, 1, MOST_TOKENS)
    top = whole(body, "top_logprobs", 0, 20)
    logprobs = (top or 0) if flag(body, "logprobs") else None
    if top is not None and logprobs is None:
        raise bad_value("top_logprobs", "it needs 'logprobs' to be true.")
    stops, choices = _sampling(body)
    answer = service.answers.of(model).answer(question)
    said = Said(
        form=CHAT,
        id=new_id("chatcmpl-"),
        model=model,
        created=service.now(),
        choices=(_choice(answer, stops, logprobs),) * choices,
        prompt_tokens=answer.prompt_tokens,
    )
    return _send(said, body)


def completion(service: Service, call: Call) -> Response:
    """Answer one prompt, or several."""
    body = call.body
    model = service.shelf.true_name(required_text(body, "model"))
    if asks_a_seed(service, body):
        return _send(_seeded(COMPLETION, "cmpl-", model, service.now()), body, kind=True)
    prompts = _prompts(body)
    _refuse(body, ("suffix", "logit_bias"))
    limit = whole(body, "max_tokens", 0, MOST_TOKENS)
    logprobs = whole(body, "logprobs", 0, 5)
    echo = flag(body, "echo")
    stops, choices = _sampling(body)
    if (best_of := whole(body, "best_of", 0, 20)) and best_of < choices:
        raise bad_value("best_of", "it must not be less than 'n'.")
    answerer = service.answers.of(model)
    answers = [answerer.answer(Question(text=prompt)) for prompt in prompts]
    made = [
        _choice(
            answer, stops, logprobs, before=prompt if echo else "", limit=COMPLETION_TOKENS if limit is None else limit
        )
        for prompt, answer in zip(prompts, answers, strict=True)
        for _ in range(choices)
    ]
    said = Said(
        form=COMPLETION,
        id=new_id("cmpl-"),
        model=model,
        created=service.now(),
        choices=tuple(made),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
    )
    return _send(said, body)


def _seeded(form: Form, prefix: str, model: str, now: int) -> Said:
    choice = _choice(sentence(), (), None)
    return Said(form=form, id=new_id(prefix), model=model, created=now, choices=(choice,), prompt_tokens=0)


def _send(said: Said, body: Json, *, kind: bool = False) -> Response:
    options = table(body, "stream_options")
    if not flag(body, "stream"):
        if options and not kind:
            raise bad_value("stream_options", "it is only allowed when 'stream' is true.")
        return JsonResponse(said.whole())
    chunks = said.chunks(include_usage=flag(options or {}, "include_usage"))
    return StreamingResponse(_events(chunks), media_type="text/event-stream", headers={"cache-control": "no-cache"})


def _events(chunks: Iterator[dict[str, object]]) -> Iterator[bytes]:
    yield from map(partial(b"data: %b\n\n".__mod__), map(msgspec.json.encode, chunks))
    yield b"data: [DONE]\n\n"


def _choice(
    answer: Answer, stops: tuple[str, ...], logprobs: int | None, *, before: str = "", limit: int = MOST_TOKENS
) -> Choice:
    given = tuple(zip(answer.tokens, answer.logprobs, strict=True))[:limit]
    text = "".join(token for token, _ in given)
    cut = min((at for at in map(text.find, stops) if at >= 0), default=len(text))
    stopped = cut < len(text) or len(given) == len(answer.tokens)
    # Tokens that a stop sequence cut short were not given, so they have no probabilities to tell.
    tokens = () if cut < len(text) else given
    return Choice(
        text=text[:cut],
        before=before,
        finish_reason="stop" if stopped else "length",
        completion_tokens=len(given),
        tokens=tokens,
        alternatives=None if logprobs is None else answer.alternatives[:logprobs],
    )


def _conversation(body: Json) -> Question:
    messages = body.get("messages")
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise bad_type("messages", "an array of objects", messages)
    if not messages:
        raise bad_value("messages", "expected at least one message.", "empty_array")
    for number_, message in enumerate(messages):
        if not isinstance(message, dict):
            raise bad_type(f"messages[{number_}]", "an object", message)
        if message.get("role") not in ROLES:
            raise bad_value(f"messages[{number_}].role", f"expected one of {sorted(ROLES)}.")
    try:
        return question_of(messages)
    except NotPlainError as error:
        raise ApiError(400, str(error), param="messages", code="unsupported_content") from error


def _prompts(body: Json) -> tuple[str, ...]:
    prompt = body.get("prompt")
    if prompt is None:
        raise missing("prompt")
    if isinstance(prompt, list) and any(isinstance(item, int | list) for item in prompt):
        raise unsupported("prompt", "as token ids is not supported: this model reads text.")
    prompts = texts(body, "prompt", MOST_PROMPTS)
    if not prompts:
        raise bad_value("prompt", "expected at least one prompt.", "empty_array")
    return prompts


def _sampling(body: Json) -> tuple[tuple[str, ...], int]:
    for name, low, high in (
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ):
        number(body, name, low, high)
    stops = tuple(filter(None, texts(body, "stop", 4)))
    return stops, whole(body, "n", 1, MOST_CHOICES) or 1


def _refuse(body: Json, names: tuple[str, ...]) -> None:
    for name in names:
        if body.get(name):
            raise unsupported(name, "is not supported with this model.")
