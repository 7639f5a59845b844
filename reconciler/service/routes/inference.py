"""The routes of completions, chat and plain, whole or as a stream of server-sent events.

Answers are the most probable ones, as at temperature 0, whatever temperature, top_p, seed or penalties are: these
choose among several answers, and are accepted because every client sends them. A field that would change the form of an
answer (tools, JSON schemas, token biases) is refused.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from starlette.responses import Response, StreamingResponse

from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import (
    ApiRequest,
    JsonResponse,
    RequestBody,
    read_flag,
    read_integer,
    read_number,
    read_object,
    read_required_text,
    read_texts,
)
from reconciler.service.engines.port import ModelAnswer, ModelQuestion
from reconciler.service.engines.rows import NotTextError, make_question
from reconciler.service.errors import ApiError, missing_error, type_error, unsupported_error, value_error
from reconciler.service.routes.wire import Json
from reconciler.service.seeding import is_for_seed, seed_answer
from reconciler.service.store.database import new_id


class AnswerChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `alternatives` is None when no probabilities are asked for; `before` is the prompt to echo."""

    text: str
    finish_reason: str
    completion_tokens: int
    tokens: tuple[tuple[str, float], ...]
    alternatives: tuple[tuple[str, float], ...] | None
    before: str = ""


class AnswerFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the two routes writes a choice: whole, or as the chunks of a stream."""

    prefix: str
    object: str
    chunk_object: str
    whole: Callable[[AnswerChoice], Json]
    chunks: Callable[[AnswerChoice], Iterator[Json]]


class CompletionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer to one request."""

    form: AnswerFormat
    id: str
    model: str
    created: int
    choices: tuple[AnswerChoice, ...]
    prompt_tokens: int

    def whole(self) -> Json:
        """Return it as one object."""
        choices = [{"index": index, **self.form.whole(choice)} for index, choice in enumerate(self.choices)]
        return {**self._head(self.form.object), "choices": choices, "usage": self._usage()}

    def chunks(self, *, include_usage: bool) -> Iterator[Json]:
        """Yield it as the chunks of a stream. The usage comes last, if it is asked for, without choices."""
        head = self._head(self.form.chunk_object)
        usage = {"usage": None} if include_usage else {}
        for index, choice in enumerate(self.choices):
            for chunk in self.form.chunks(choice):
                yield {**head, "choices": [{"index": index, **chunk}], **usage}
        if include_usage:
            yield {**head, "choices": [], "usage": self._usage()}

    def _head(self, kind: str) -> Json:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
        }

    def _usage(self) -> Json:
        completion = sum(choice.completion_tokens for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }


def _chat_whole(choice: AnswerChoice) -> Json:
    return {
        "message": {"role": "assistant", "content": choice.text, "refusal": None, "annotations": []},
        "logprobs": _chat_logprobs(choice),
        "finish_reason": choice.finish_reason,
    }


def _chat_chunks(choice: AnswerChoice) -> Iterator[Json]:
    first = {"role": "assistant", "content": "", "refusal": None}
    yield {"delta": first, "logprobs": None, "finish_reason": None}
    yield {"delta": {"content": choice.text}, "logprobs": _chat_logprobs(choice), "finish_reason": None}
    yield {"delta": {}, "logprobs": None, "finish_reason": choice.finish_reason}


def _chat_logprobs(choice: AnswerChoice) -> Json | None:
    if choice.alternatives is None:
        return None
    top = [_token(*alternative) for alternative in choice.alternatives]
    return {"content": [{**_token(*token), "top_logprobs": top} for token in choice.tokens], "refusal": None}


def _token(token: str, logprob: float) -> Json:
    return {"token": token, "logprob": _finite(logprob), "bytes": list(token.encode())}


def _completion_whole(choice: AnswerChoice) -> Json:
    text = choice.before + choice.text
    return {"text": text, "logprobs": _completion_logprobs(choice), "finish_reason": choice.finish_reason}


def _completion_chunks(choice: AnswerChoice) -> Iterator[Json]:
    text = choice.before + choice.text
    yield {"text": text, "logprobs": _completion_logprobs(choice), "finish_reason": None}
    yield {"text": "", "logprobs": None, "finish_reason": choice.finish_reason}


def _completion_logprobs(choice: AnswerChoice) -> Json | None:
    if choice.alternatives is None:
        return None
    # The model did not choose an echoed prompt: like the first token of any text, it has no probability.
    echoed = [choice.before] if choice.before else []
    tokens = [*echoed, *(token for token, _ in choice.tokens)]
    nothing: list[None] = [None for _ in echoed]
    top = {token: _finite(logprob) for token, logprob in choice.alternatives}
    return {
        "tokens": tokens,
        "token_logprobs": [*nothing, *(_finite(logprob) for _, logprob in choice.tokens)],
        "top_logprobs": [*nothing, *(top for _ in choice.tokens)],
        "text_offset": [sum(map(len, tokens[:at])) for at in range(len(tokens))],
    }


def _finite(logprob: float) -> float:
    # JSON has no infinity; the API writes this number for what is practically impossible.
    return logprob if math.isfinite(logprob) else -9999.0


CHAT = AnswerFormat(
    prefix="chatcmpl-",
    object="chat.completion",
    chunk_object="chat.completion.chunk",
    whole=_chat_whole,
    chunks=_chat_chunks,
)
COMPLETION = AnswerFormat(
    prefix="cmpl-",
    object="text_completion",
    chunk_object="text_completion",
    whole=_completion_whole,
    chunks=_completion_chunks,
)


MOST_CHOICES = 128
MOST_PROMPTS = 2048
MOST_TOKENS = 2**31 - 1
COMPLETION_TOKENS = 16
"""The default length of an answer to a prompt."""

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def create_chat_completion(context: ServiceContext, request: ApiRequest) -> Response:
    """Answer a conversation."""
    body = request.body
    model = context.registry.resolve(read_required_text(body, "model"))
    if is_for_seed(context, body):
        return _send_seed_answer(context, CHAT, model, body)
    question = _conversation(body)
    _refuse(body, ("tools", "functions", "logit_bias", "audio"))
    if (read_object(body, "response_format") or {}).get("type", "text") != "text":
        raise unsupported_error("response_format", "is not supported with this model beyond {'type': 'text'}.")
    for name in ("max_tokens", "max_completion_tokens"):
        read_integer(body, name, 1, MOST_TOKENS)
    top = read_integer(body, "top_logprobs", 0, 20)
    logprobs = (top or 0) if read_flag(body, "logprobs") else None
    if top is not None and logprobs is None:
        raise value_error("top_logprobs", "it needs 'logprobs' to be true.")
    stops, choices = _sampling(body)
    answer = context.models.get(model).answer(question)
    choice = _make_choice(answer, stops, logprobs)
    return _send(_make_answer(context, CHAT, model, (choice,) * choices, answer.prompt_tokens), body)


def create_completion(context: ServiceContext, request: ApiRequest) -> Response:
    """Answer one or more prompts."""
    body = request.body
    model = context.registry.resolve(read_required_text(body, "model"))
    if is_for_seed(context, body):
        return _send_seed_answer(context, COMPLETION, model, body)
    prompts = _prompts(body)
    _refuse(body, ("suffix", "logit_bias"))
    limit = read_integer(body, "max_tokens", 0, MOST_TOKENS)
    logprobs = read_integer(body, "logprobs", 0, 5)
    echo = read_flag(body, "echo")
    stops, choices = _sampling(body)
    if (best_of := read_integer(body, "best_of", 0, 20)) and best_of < choices:
        raise value_error("best_of", "it must not be less than 'n'.")
    loaded = context.models.get(model)
    answers = [loaded.answer(ModelQuestion(text=prompt)) for prompt in prompts]
    limit = COMPLETION_TOKENS if limit is None else limit
    made = tuple(
        _make_choice(answer, stops, logprobs, before=prompt if echo else "", limit=limit)
        for prompt, answer in zip(prompts, answers, strict=True)
        for _ in range(choices)
    )
    prompt_tokens = sum(answer.prompt_tokens for answer in answers)
    return _send(_make_answer(context, COMPLETION, model, made, prompt_tokens), body)


def _make_answer(
    context: ServiceContext, form: AnswerFormat, model: str, choices: tuple[AnswerChoice, ...], prompt_tokens: int = 0
) -> CompletionAnswer:
    now = context.now()
    return CompletionAnswer(
        form=form, id=new_id(form.prefix), model=model, created=now, choices=choices, prompt_tokens=prompt_tokens
    )


def _send_seed_answer(context: ServiceContext, form: AnswerFormat, model: str, body: RequestBody) -> Response:
    choice = _make_choice(seed_answer(), (), None)
    return _send(_make_answer(context, form, model, (choice,)), body, lenient=True)


def _send(answer: CompletionAnswer, body: RequestBody, *, lenient: bool = False) -> Response:
    options = read_object(body, "stream_options")
    if not read_flag(body, "stream"):
        if options and not lenient:
            raise value_error("stream_options", "it is only allowed when 'stream' is true.")
        return JsonResponse(answer.whole())
    chunks = answer.chunks(include_usage=read_flag(options or {}, "include_usage"))
    return StreamingResponse(
        _event_lines(chunks), media_type="text/event-stream", headers={"cache-control": "no-cache"}
    )


def _event_lines(chunks: Iterator[dict[str, object]]) -> Iterator[bytes]:
    yield from map(partial(b"data: %b\n\n".__mod__), map(msgspec.json.encode, chunks))
    yield b"data: [DONE]\n\n"


def _make_choice(
    answer: ModelAnswer, stops: tuple[str, ...], logprobs: int | None, *, before: str = "", limit: int = MOST_TOKENS
) -> AnswerChoice:
    given = tuple(zip(answer.tokens, answer.logprobs, strict=True))[:limit]
    text = "".join(token for token, _ in given)
    cut = min((at for at in map(text.find, stops) if at >= 0), default=len(text))
    stopped = cut < len(text) or len(given) == len(answer.tokens)
    # Tokens that a stop sequence cut were not returned, so they have no probabilities.
    tokens = () if cut < len(text) else given
    return AnswerChoice(
        text=text[:cut],
        before=before,
        finish_reason="stop" if stopped else "length",
        completion_tokens=len(given),
        tokens=tokens,
        alternatives=None if logprobs is None else answer.alternatives[:logprobs],
    )


def _conversation(body: RequestBody) -> ModelQuestion:
    messages = body.get("messages")
    if messages is None:
        raise missing_error("messages")
    if not isinstance(messages, list):
        raise type_error("messages", "an array of objects", messages)
    if not messages:
        raise value_error("messages", "expected at least one message.", "empty_array")
    for number_, message in enumerate(messages):
        if not isinstance(message, dict):
            raise type_error(f"messages[{number_}]", "an object", message)
        if message.get("role") not in ROLES:
            raise value_error(f"messages[{number_}].role", f"expected one of {sorted(ROLES)}.")
    try:
        return make_question(messages)
    except NotTextError as error:
        raise ApiError(400, str(error), param="messages", code="unsupported_content") from error


def _prompts(body: RequestBody) -> tuple[str, ...]:
    prompt = body.get("prompt")
    if prompt is None:
        raise missing_error("prompt")
    if isinstance(prompt, list) and any(isinstance(item, int | list) for item in prompt):
        raise unsupported_error("prompt", "as token ids is not supported: this model reads text.")
    prompts = read_texts(body, "prompt", MOST_PROMPTS)
    if not prompts:
        raise value_error("prompt", "expected at least one prompt.", "empty_array")
    return prompts


def _sampling(body: RequestBody) -> tuple[tuple[str, ...], int]:
    for name, low, high in (
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ):
        read_number(body, name, low, high)
    stops = tuple(filter(None, read_texts(body, "stop", 4)))
    return stops, read_integer(body, "n", 1, MOST_CHOICES) or 1


def _refuse(body: RequestBody, names: tuple[str, ...]) -> None:
    for name in names:
        if body.get(name):
            raise unsupported_error(name, "is not supported with this model.")
