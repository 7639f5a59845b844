"""What a model said, in the form of a response: whole, or as the numbered events that lead to it. Pure."""

from collections.abc import Iterator, Mapping
from itertools import count

import msgspec

Json = dict[str, object]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer to one request. `is_cut` is whether the limit of tokens left some of it unsaid."""

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
        """Write it as one object."""
        return self._response(self.status, [self._message(self.status, [self._part("".join(self.tokens))])])

    def events(self) -> Iterator[Json]:
        """Write it as the events of a stream."""
        numbers = count()

        def event(kind: str, **facts: object) -> Json:
            return {"type": f"response.{kind}", "sequence_number": next(numbers), **facts}

        at = {"item_id": self.item, "output_index": 0, "content_index": 0}
        said = "".join(self.tokens)
        yield event("created", response=self._response("in_progress", []))
        yield event("in_progress", response=self._response("in_progress", []))
        yield event("output_item.added", output_index=0, item=self._message("in_progress", []))
        yield event("content_part.added", **at, part=self._part(""))
        for token in self.tokens:
            yield event("output_text.delta", **at, delta=token, logprobs=[])
        yield event("output_text.done", **at, text=said, logprobs=[])
        yield event("content_part.done", **at, part=self._part(said))
        yield event("output_item.done", output_index=0, item=self._message(self.status, [self._part(said)]))
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

    def _part(self, said: str) -> Json:
        return {"type": "output_text", "text": said, "annotations": [], "logprobs": []}

    def _usage(self) -> Json:
        return {
            "input_tokens": self.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": len(self.tokens),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.prompt_tokens + len(self.tokens),
        }
