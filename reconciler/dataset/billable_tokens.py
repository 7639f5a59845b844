"""What of a row a service bills: its texts, and a few tokens of frame around each turn and each example.

The count is that of the public recipe for chat data, and so exact for rows of text alone. What calls, tools and images
come to is published by nobody: their texts are counted, and the row is marked as one that has more.

Source: the OpenAI cookbook's "Data preparation and analysis for chat model fine-tuning"
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import mul
from typing import Annotated, Literal, NamedTuple

import msgspec

from reconciler.dataset.tokens import Count

PER_EXAMPLE = 3
PER_TURN = 3
PER_NAME = 1

_TURNS = ("messages", "preferred_output", "non_preferred_output")
_BESIDE = ("tools", "functions")
_CALLS = ("tool_calls", "function_call")
_PAIR = ("prompt", "completion")


class Billed(NamedTuple):
    """What one row is billed by.

    Shape:  `is_all` is false when the row has tools, calls, images or anything else whose tokens nobody publishes
    """

    texts: Sequence[str]
    frame: int
    is_all: bool = True


class _Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer", "user", "assistant"]
    content: str


class _Chat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_Turn], msgspec.Meta(min_length=1)]


class _Pair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: str


_read_chats = msgspec.json.Decoder(_Chat).decode_lines
_read_pairs = msgspec.json.Decoder(_Pair).decode_lines
_read_any = msgspec.json.Decoder().decode_lines


def billed_rows(lines: bytes) -> Sequence[Billed]:
    """Return what each of some canonical lines is billed by."""
    return [billed(row) for row in _read_any(lines)]


def weigh_all(lines: bytes, count: Count) -> tuple[int, bool]:
    """Return the tokens of some canonical lines together, and whether all that is billed for them was counted.

    As `weigh` of `billed_rows`, and three times as fast where all rows are plain texts.
    """
    read_plain = _plain_pairs if lines.startswith(b'{"prompt"') else _plain_chats
    try:
        seen, frame = read_plain(lines)
    except msgspec.ValidationError:
        rows = billed_rows(lines)
        return sum(weigh(rows, count)), all(row.is_all for row in rows)
    return frame + sum(map(mul, count(list(seen)), seen.values())), True


def weigh(rows: Sequence[Billed], count: Count) -> list[int]:
    """Return the tokens of each row. A text that is there many times, as system prompts are, is counted once."""
    texts = list(dict.fromkeys(text for row in rows for text in row.texts))
    known = dict(zip(texts, count(texts), strict=True))
    return [row.frame + sum(map(known.__getitem__, row.texts)) for row in rows]


def billed(row: object) -> Billed:
    """Return what a row of any form is billed by."""
    if not isinstance(row, Mapping):
        return Billed((), 0, is_all=False)
    pair = [text for key in _PAIR if isinstance(text := row.get(key), str)]
    turns = list(_turns(row))
    each = [_of_turn(turn) for turn in turns]
    return Billed(
        [*pair, *(text for turn in each for text in turn.texts)],
        sum(turn.frame for turn in each) + (PER_EXAMPLE if turns else 0),
        is_all=all(turn.is_all for turn in each) and not any(key in row for key in _BESIDE) and bool(pair or turns),
    )


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
        held = row.get(key)
        yield from (turn for turn in held if isinstance(turn, Mapping)) if isinstance(held, list) else ()
    within = row.get("input")
    if isinstance(within, Mapping):
        yield from _turns(within)


def _of_turn(turn: Mapping[str, object]) -> Billed:
    texts = [text for text in turn.values() if isinstance(text, str)]
    content, is_all = turn.get("content"), not any(turn.get(key) for key in _CALLS)
    if isinstance(content, list):
        said = [part.get("text") for part in content if isinstance(part, Mapping)]
        texts += [text for text in said if isinstance(text, str)]
        is_all = is_all and all(isinstance(text, str) for text in said)
    return Billed(texts, PER_TURN + (PER_NAME if "name" in turn else 0), is_all)
