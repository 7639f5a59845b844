"""The tokens of a row that a service bills: its texts, and a few tokens of frame for each turn and each example.

The count is that of the public recipe for chat data, and so exact for rows of text alone. No service publishes how it
counts calls and tools: their texts are counted, and the row is marked as one that has more.

Source: the OpenAI cookbook's "Data preparation and analysis for chat model fine-tuning"
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import mul
from typing import Annotated, Literal, NamedTuple, Self

import msgspec

from reconciler.dataset.readers.stream import BLOCK_BYTES
from reconciler.dataset.tokens import CountTokens
from reconciler.domain.desired import Part

PER_EXAMPLE = 3
PER_TURN = 3
PER_NAME = 1

_TURNS = ("messages", "preferred_output", "non_preferred_output")
_BESIDE = ("tools", "functions")
_CALLS = ("tool_calls", "function_call")
_PAIR = ("prompt", "completion")


class BillableText(NamedTuple):
    """The billable texts of one row, and the tokens of its frame.

    Shape:  `is_all` is false when the row has tools, calls or other parts whose tokens are not published; images have
            a published rule of their own (see `images.py`), and `has_images` says that there are some
    """

    texts: Sequence[str]
    frame: int
    is_all: bool = True
    has_images: bool = False


class _TextTurn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer", "user", "assistant"]
    content: str


class _TextChat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_TextTurn], msgspec.Meta(min_length=1)]


class _TextPair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: str


_read_chats = msgspec.json.Decoder(_TextChat).decode_lines
_read_pairs = msgspec.json.Decoder(_TextPair).decode_lines
_read_any = msgspec.json.Decoder().decode_lines


def read_billable_texts(lines: bytes) -> Sequence[BillableText]:
    """Return the billable texts of each canonical line."""
    return [find_billable_text(row) for row in _read_any(lines)]


def count_lines(lines: bytes, count: CountTokens) -> tuple[int, bool]:
    """Return the tokens of some canonical lines together, and whether all that is billed for them was counted.

    As `weigh` of `billed_rows`, and three times as fast where all rows are plain texts.
    """
    read_plain = _plain_pairs if lines.startswith(b'{"prompt"') else _plain_chats
    try:
        seen, frame = read_plain(lines)
    except msgspec.ValidationError:
        rows = read_billable_texts(lines)
        return sum(count_rows(rows, count)), all(row.is_all for row in rows)
    return frame + sum(map(mul, count(list(seen)), seen.values())), True


def count_rows(rows: Sequence[BillableText], count: CountTokens) -> list[int]:
    """Return the tokens of each row. A text that occurs many times, such as a system prompt, is counted once."""
    texts = list(dict.fromkeys(text for row in rows for text in row.texts))
    known = dict(zip(texts, count(texts), strict=True))
    return [row.frame + sum(map(known.__getitem__, row.texts)) for row in rows]


def find_billable_text(row: object) -> BillableText:
    """Return the billable texts of a row of any form."""
    if not isinstance(row, Mapping):
        return BillableText((), 0, is_all=False)
    pair = [text for key in _PAIR if isinstance(text := row.get(key), str)]
    turns = list(_turns(row))
    parts = [_read_turn(turn) for turn in turns]
    return BillableText(
        [*pair, *(text for part in parts for text in part.texts)],
        sum(part.frame for part in parts) + (PER_EXAMPLE if turns else 0),
        is_all=all(part.is_all for part in parts) and not _has_tools(row) and bool(pair or turns),
        has_images=any(part.has_images for part in parts),
    )


def _has_tools(row: Mapping[str, object]) -> bool:
    # The dumps of SDKs have null where there are none. The question of a preference row has its own.
    within = row.get("input")
    return any(row.get(key) is not None for key in _BESIDE) or (isinstance(within, Mapping) and _has_tools(within))


def _plain_chats(lines: bytes) -> tuple[Counter[str], int]:
    rows = _read_chats(lines)
    turns = [turn for row in rows for turn in row.messages]
    seen = Counter([turn.content for turn in turns])
    seen.update([turn.role for turn in turns])
    return seen, PER_EXAMPLE * len(rows) + PER_TURN * len(turns)


def _plain_pairs(lines: bytes) -> tuple[Counter[str], int]:
    rows = _read_pairs(lines)
    seen = Counter([row.prompt for row in rows])
    seen.update([row.completion for row in rows])
    return seen, 0


def _turns(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for key in _TURNS:
        turns = row.get(key)
        yield from (turn for turn in turns if isinstance(turn, Mapping)) if isinstance(turns, list) else ()
    within = row.get("input")
    if isinstance(within, Mapping):
        yield from _turns(within)


def _read_turn(turn: Mapping[str, object]) -> BillableText:
    texts = [text for text in turn.values() if isinstance(text, str)]
    content, is_all, has_images = turn.get("content"), not any(turn.get(key) for key in _CALLS), False
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, Mapping)]
        inner = [part.get("text") for part in parts if "image_url" not in part]
        texts += [text for text in inner if isinstance(text, str)]
        is_all = is_all and all(isinstance(text, str) for text in inner)
        has_images = len(inner) < len(parts)
    return BillableText(texts, PER_TURN + (PER_NAME if turn.get("name") is not None else 0), is_all, has_images)


class TokenCounter:
    """The tokens of the lines so far, by side.

    Cost:   two blocks of lines in memory, one that fills and one that is counted
    """

    def __init__(self, count: CountTokens) -> None:
        self._count = count
        self._sums = dict.fromkeys(Part, 0)
        self._unknown: set[Part] = set()
        self._waiting: dict[Part, list[bytes]] = {part: [] for part in Part}
        self._waiting_bytes = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokens")
        self._pending: Future[None] | None = None

    def add(self, part: Part, lines: bytes) -> None:
        """Add whole canonical lines of one side."""
        self._waiting[part].append(lines)
        self._waiting_bytes += len(lines)
        if self._waiting_bytes >= BLOCK_BYTES:
            self._hand_over()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def tokens(self, part: Part) -> int | None:
        """Return the tokens of one side; None when a row of it has a part that cannot be counted."""
        self._hand_over()
        self._wait()
        return None if part in self._unknown else self._sums[part]

    def _hand_over(self) -> None:
        self._wait()
        blocks = {part: b"".join(lines) for part, lines in self._waiting.items() if lines}
        self._waiting, self._waiting_bytes = {part: [] for part in Part}, 0
        if blocks:
            self._pending = self._thread.submit(self._weigh, blocks)

    def _weigh(self, blocks: dict[Part, bytes]) -> None:
        for part, lines in blocks.items():
            tokens, are_all = count_lines(lines, self._count)
            self._sums[part] += tokens
            if not are_all:
                self._unknown.add(part)

    def _wait(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, None
            pending.result()
