"""The routes of completions, chat and plain, whole or as a stream of server-sent events.

Answers are the most probable ones, as at temperature 0, whatever temperature, top_p, seed or penalties are: these
choose among several answers, and are accepted because every client sends them. A field that would change the form of an
answer (tools, JSON schemas, token biases) is refused.
"""

from collections.abc import Iterator
from functools import partial

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
    read_texts,
    set_fields,
)
from reconciler.service.engines.port import ModelAnswer, ModelQuestion
from reconciler.service.engines.rows import NotTextError, make_question
from reconciler.service.errors import ApiError, missing_error, type_error, unsupported_error, value_error
from reconciler.service.limits import check_answer, check_prompts
from reconciler.service.routes.answer_forms import CHAT, COMPLETION, AnswerChoice, AnswerFormat, CompletionAnswer
from reconciler.service.routes.job_request import read_metadata
from reconciler.service.seeding import is_for_seed, seed_answer
from reconciler.service.store.database import new_id

MOST_CHOICES = 128
MOST_PROMPTS = 2048
MOST_TOKENS = 2**31 - 1
COMPLETION_TOKENS = 16
"""The default length of an answer to a prompt."""

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


_SHARED = (
    *("model", "stream", "stream_options", "n", "stop", "seed", "user", "logprobs", "max_tokens"),
    *("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias"),
)
_CHAT_ONLY = (
    *("messages", "max_completion_tokens", "top_logprobs", "response_format", "metadata", "store", "service_tier"),
    *("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "audio", "modalities"),
    *("prediction", "reasoning_effort", "verbosity", "web_search_options", "moderation", "safety_identifier"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
)
_CHAT_FIELDS = frozenset((*_SHARED, *_CHAT_ONLY))
_COMPLETION_FIELDS = frozenset((*_SHARED, "prompt", "suffix", "echo", "best_of"))
_NOT_IN_CHAT = (
    *("tools", "functions", "logit_bias", "audio", "reasoning_effort", "verbosity", "web_search_options"),
    *("moderation", "prediction"),
)
_TIERS = ("auto", "default", "flex", "scale", "priority")


def create_chat_completion(context: ServiceContext, request: ApiRequest) -> Response:
    """Answer a conversation."""
    body = request.body
    model = context.registry.resolve(read_required_text(body, "model"))
    if is_for_seed(context, body):
        return _send_seed_answer(context, CHAT, model, body)
    check_known(set_fields(body), _CHAT_FIELDS)
    question = _conversation(body)
    check_prompts((f"{question.instructions}{question.text}",), "messages")
    _refuse(body, _NOT_IN_CHAT)
    _check_chat_options(body)
    top = read_integer(body, "top_logprobs", 0, 20)
    logprobs = (top or 0) if read_flag(body, "logprobs") else None
    if top is not None and logprobs is None:
        raise value_error("top_logprobs", "it needs 'logprobs' to be true.")
    limit = _chat_limit(body)
    stops, choices = _sampling(body)
    answer = context.models.get(model).answer(question)
    choice = _make_choice(answer, stops, logprobs, limit=limit)
    check_answer(choices, choices * choice.most_bytes, "n")
    return _send(_make_answer(context, CHAT, model, (choice,) * choices, answer.prompt_tokens), body)


def _check_chat_options(body: RequestBody) -> None:
    if (read_object(body, "response_format") or {}).get("type", "text") != "text":
        raise unsupported_error("response_format", "is not supported with this model beyond {'type': 'text'}.")
    if set(read_texts(body, "modalities", 10)) - {"text"}:
        raise unsupported_error("modalities", "is not supported with this model beyond ['text'].")
    for name, needed in (("tool_choice", "tools"), ("parallel_tool_calls", "tools"), ("function_call", "functions")):
        if body.get(name) is not None:
            raise value_error(name, f"'{name}' is only allowed when '{needed}' are specified.")
    if (tier := read_text(body, "service_tier")) is not None and tier not in _TIERS:
        raise value_error("service_tier", f"expected one of {list(_TIERS)}.")
    for name in ("safety_identifier", "prompt_cache_key"):
        read_text(body, name)
    read_flag(body, "store")
    read_metadata(body)


def _chat_limit(body: RequestBody) -> int:
    old, new = (read_integer(body, name, 1, MOST_TOKENS) for name in ("max_tokens", "max_completion_tokens"))
    if old is not None and new is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise ApiError(400, message, param="max_tokens", code="invalid_parameter_combination")
    return next((limit for limit in (new, old) if limit is not None), MOST_TOKENS)


def create_completion(context: ServiceContext, request: ApiRequest) -> Response:
    """Answer one or more prompts."""
    body = request.body
    model = context.registry.resolve(read_required_text(body, "model"))
    if is_for_seed(context, body):
        return _send_seed_answer(context, COMPLETION, model, body)
    check_known(set_fields(body), _COMPLETION_FIELDS)
    prompts = _prompts(body)
    check_prompts(prompts, "prompt")
    _refuse(body, ("suffix", "logit_bias"))
    limit = read_integer(body, "max_tokens", 0, MOST_TOKENS)
    logprobs = read_integer(body, "logprobs", 0, 5)
    echo = read_flag(body, "echo")
    stops, choices = _sampling(body)
    best_of = read_integer(body, "best_of", 0, 20)
    if best_of and best_of < choices:
        raise value_error("best_of", "it must not be less than 'n'.")
    if best_of and best_of > choices and read_flag(body, "stream"):
        raise value_error("best_of", "results cannot be streamed when it is greater than 'n'.")
    check_answer(len(prompts) * choices, 0, "n")
    loaded = context.models.get(model)
    limit = COMPLETION_TOKENS if limit is None else limit
    made: list[AnswerChoice] = []
    prompt_tokens = answer_bytes = 0
    for prompt in prompts:
        answer = loaded.answer(ModelQuestion(text=prompt))
        choice = _make_choice(answer, stops, logprobs, before=prompt if echo else "", limit=limit)
        prompt_tokens += answer.prompt_tokens
        answer_bytes += choices * choice.most_bytes
        check_answer(0, answer_bytes, "n")
        made += [choice] * choices
    return _send(_make_answer(context, COMPLETION, model, tuple(made), prompt_tokens), body)


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
    if options and not lenient:
        check_known(options, ("include_usage", "include_obfuscation"), "stream_options.")
        read_flag(options, "include_obfuscation")
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
        if message["role"] == "tool":
            # An assistant message with calls is refused below, so that nothing can have called a tool.
            why = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
            raise ApiError(400, f"Invalid parameter: {why}", param=f"messages[{number_}].role")
        if message["role"] == "function":
            raise unsupported_error(f"messages[{number_}].role", "'function' is not supported with this model.")
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
    read_integer(body, "seed", -(2**63), 2**63 - 1)
    read_text(body, "user")
    stops = tuple(filter(None, read_texts(body, "stop", 4)))
    return stops, read_integer(body, "n", 1, MOST_CHOICES) or 1


def _refuse(body: RequestBody, names: tuple[str, ...]) -> None:
    for name in names:
        if body.get(name):
            raise unsupported_error(name, "is not supported with this model.")
