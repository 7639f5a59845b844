"""The forms of completions: a choice with its probabilities, whole or as chunks, and the whole answer around it."""

import math
from collections.abc import Callable, Iterator
from itertools import accumulate

import msgspec

from reconciler.service.routes.wire import Json

_CHARACTER_BYTES, _TOKEN_CHARACTER_BYTES, _TOKEN_BYTES = 6, 22, 64
"""The most bytes of JSON for a character of a text and of a token, and for what stands around a token."""


class AnswerChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `alternatives` is None when no probabilities are asked for; `before` is the prompt to echo."""

    text: str
    finish_reason: str
    completion_tokens: int
    tokens: tuple[tuple[str, float], ...]
    alternatives: tuple[tuple[str, float], ...] | None
    before: str = ""

    @property
    def most_bytes(self) -> int:
        """Return an upper bound of its JSON: as escaped text, and in chat each token once more as a list of bytes."""
        alternatives = sum(len(token) + _TOKEN_BYTES for token, _ in self.alternatives or ())
        probabilities = 0
        if self.alternatives is not None:
            probabilities = sum(len(token) + _TOKEN_BYTES + alternatives for token, _ in self.tokens)
        return _CHARACTER_BYTES * (len(self.before) + len(self.text)) + _TOKEN_CHARACTER_BYTES * probabilities


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
        "text_offset": list(accumulate(map(len, tokens), initial=0))[:-1],
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
