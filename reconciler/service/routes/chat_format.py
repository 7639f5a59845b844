"""What a model said, in the API's forms: whole, or in chunks. Pure."""

import math
from collections.abc import Callable, Iterator

import msgspec

Json = dict[str, object]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `alternatives` are None where nobody asked for probabilities; `before` is the prompt to be echoed."""

    text: str
    finish_reason: str
    completion_tokens: int
    tokens: tuple[tuple[str, float], ...]
    alternatives: tuple[tuple[str, float], ...] | None
    before: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the two routes writes a choice: whole, and as the chunks that lead to it."""

    object: str
    chunk_object: str
    whole: Callable[[Choice], Json]
    chunks: Callable[[Choice], Iterator[Json]]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer to one request."""

    form: Form
    id: str
    model: str
    created: int
    choices: tuple[Choice, ...]
    prompt_tokens: int

    def whole(self) -> Json:
        """Write it as one object."""
        choices = [{"index": index, **self.form.whole(choice)} for index, choice in enumerate(self.choices)]
        return {**self._head(self.form.object), "choices": choices, "usage": self._usage()}

    def chunks(self, *, include_usage: bool) -> Iterator[Json]:
        """Write it as the chunks of a stream; the usage comes last, where it is asked for, with no choices."""
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


def _chat_whole(choice: Choice) -> Json:
    return {
        "message": {"role": "assistant", "content": choice.text, "refusal": None, "annotations": []},
        "logprobs": _chat_logprobs(choice),
        "finish_reason": choice.finish_reason,
    }


def _chat_chunks(choice: Choice) -> Iterator[Json]:
    first = {"role": "assistant", "content": "", "refusal": None}
    yield {"delta": first, "logprobs": None, "finish_reason": None}
    yield {"delta": {"content": choice.text}, "logprobs": _chat_logprobs(choice), "finish_reason": None}
    yield {"delta": {}, "logprobs": None, "finish_reason": choice.finish_reason}


def _chat_logprobs(choice: Choice) -> Json | None:
    if choice.alternatives is None:
        return None
    top = [_token(*alternative) for alternative in choice.alternatives]
    return {"content": [{**_token(*token), "top_logprobs": top} for token in choice.tokens], "refusal": None}


def _token(token: str, logprob: float) -> Json:
    return {"token": token, "logprob": _finite(logprob), "bytes": list(token.encode())}


def _completion_whole(choice: Choice) -> Json:
    text = choice.before + choice.text
    return {"text": text, "logprobs": _completion_logprobs(choice), "finish_reason": choice.finish_reason}


def _completion_chunks(choice: Choice) -> Iterator[Json]:
    text = choice.before + choice.text
    yield {"text": text, "logprobs": _completion_logprobs(choice), "finish_reason": None}
    yield {"text": "", "logprobs": None, "finish_reason": choice.finish_reason}


def _completion_logprobs(choice: Choice) -> Json | None:
    if choice.alternatives is None:
        return None
    # An echoed prompt was not chosen by the model: like the first token of any text, it has no probability.
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
    # JSON knows no infinity; the API writes this number for what is as good as impossible.
    return logprob if math.isfinite(logprob) else -9999.0


CHAT = Form(object="chat.completion", chunk_object="chat.completion.chunk", whole=_chat_whole, chunks=_chat_chunks)
COMPLETION = Form(
    object="text_completion", chunk_object="text_completion", whole=_completion_whole, chunks=_completion_chunks
)
