"""What differs within one row that was edited: each value by its path, and texts word by word."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.domain.row_diff import CellChange, WordChange, Words

MOST_CELLS = 20
SHOWN = 400
"""Characters of one value that are kept."""

_CONTEXT = 6
"""Words, spaces between them included, that are kept on each side of a change."""

_MOST_WORDS = 400
"""More words than this between the first and the last difference are shown as one change."""

LEAST_LIKENESS = 0.5
"""Rows that share half of their words are taken for versions of one row."""

_MOST_CHARACTERS = 20_000
"""What of a row is looked at."""

_ANSWERS = frozenset({"completion", "preferred_output", "non_preferred_output"})
_SYSTEM_ROLES = frozenset({"system", "developer"})
_LETTERS = re.compile(r"\w+")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_read = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def compare_cells(before: object, after: object) -> tuple[tuple[CellChange, ...], int]:
    """Return what differs between two versions of a row, in the row's order, and how many more there are."""
    found = list(_changes(before, after, ""))
    return tuple(_describe_change(*each) for each in found[:MOST_CELLS]), len(found[MOST_CELLS:])


class _Absent:
    """Stands for a value that is not there, which null is not."""


_ABSENT = _Absent()
_Change = tuple[str, object, object]


def _changes(before: object, after: object, path: str) -> Iterator[_Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        for at in range(max(len(before), len(after))):
            pair = [side[at] if at < len(side) else _ABSENT for side in (before, after)]
            yield from _changes(pair[0], pair[1], f"{path}[{at}]")
    elif type(before) is not type(after) or before != after:
        yield path, before, after


def _describe_change(path: str, before: object, after: object) -> CellChange:
    words = compare_words(before, after) if isinstance(before, str) and isinstance(after, str) else ()
    return CellChange(path=path, before=_text(before), after=_text(after), words=words)


def _text(value: object) -> str | None:
    if isinstance(value, _Absent):
        return None
    return shorten(value if isinstance(value, str) else _encode(value).decode())


def shorten(text: str, most: int = SHOWN) -> str:
    """Return a text, or its beginning and a mark that there is more."""
    return text if len(text) <= most else text[: most - 1] + "…"


def show_row(line: bytes) -> str:
    """Return a row as one text: a conversation by its turns, without system turns where there are others."""
    row = _read(line)
    turns = row.get("messages") if isinstance(row, dict) else None
    turns = turns if isinstance(turns, list) else []
    said = [
        (turn.get("role"), turn["content"])
        for turn in turns
        if isinstance(turn, dict) and isinstance(turn.get("content"), str)
    ]
    if not said or len(said) != len(turns):
        return line.decode().rstrip("\n")
    shown = [each for each in said if each[0] not in {"system", "developer"}] or said
    return " | ".join(f"{role}: {content}" for role, content in shown)


def compare_words(before: str, after: str) -> tuple[Words, ...]:
    """Return both texts as one: what stayed, cut short around the changes, what went and what came."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    head = _count_equal(old, new)
    tail = _count_equal(old[head:][::-1], new[head:][::-1])
    middle = list(_compare_middle(old[head : len(old) - tail], new[head : len(new) - tail]))
    stretches = [
        (WordChange.SAME, old[:head]),
        *middle,
        (WordChange.SAME, old[len(old) - tail :]),
    ]
    told = [(change, words) for change, words in stretches if words]
    return tuple(
        Words(change=change, text=shorten(_join_words(change, words, at == 0, at == len(told) - 1)))
        for at, (change, words) in enumerate(told)
    )


def _count_equal(old: Sequence[str], new: Sequence[str]) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


def _compare_middle(old: list[str], new: list[str]) -> Iterator[tuple[WordChange, list[str]]]:
    if len(old) > _MOST_WORDS or len(new) > _MOST_WORDS:
        yield from ((WordChange.REMOVED, old), (WordChange.ADDED, new))
        return
    gone, came = list[str](), list[str]()
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = old[old_from:old_to]
        if kind == "equal" and "".join(same).strip():
            yield from ((WordChange.REMOVED, gone), (WordChange.ADDED, came), (WordChange.SAME, same))
            gone, came = [], []
        else:
            # Words that changed side by side are one change, with the space between them.
            gone, came = gone + same, came + new[new_from:new_to]
    yield from ((WordChange.REMOVED, gone), (WordChange.ADDED, came))


def _join_words(change: WordChange, words: list[str], is_first: bool, is_last: bool) -> str:
    if change is not WordChange.SAME:
        return "".join(words)
    start = [] if is_first else words[:_CONTEXT]
    end = [] if is_last else words[len(start) :][-_CONTEXT:]
    if len(start) + len(end) >= len(words):
        return "".join(words)
    return "".join(start) + "…" + "".join(end)


class RowFacets(msgspec.Struct, frozen=True):
    """What of a row is compared.

    Shape:  `question` is a hash of all but the answer, None where nothing is asked; `words` leave out system turns,
            which many rows share
    """

    question: int | None
    words: frozenset[str]


def read_facets(row: object) -> RowFacets:
    """Look at one row."""
    text = "\n".join(_texts(row))[:_MOST_CHARACTERS]
    return RowFacets(_hash_question(row), frozenset(_LETTERS.findall(text.lower())))


def measure_likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of their words that two rows have in common, from 0 to 1."""
    return 2 * len(one & other) / ((len(one) + len(other)) or 1)


def _hash_question(row: object) -> int | None:
    if not isinstance(row, Mapping):
        return None
    rest = {key: value for key, value in row.items() if key not in _ANSWERS}
    messages = rest.get("messages")
    if isinstance(messages, list):
        if messages and isinstance(messages[-1], Mapping) and messages[-1].get("role") == "assistant":
            messages = messages[:-1]
        rest["messages"] = [turn for turn in messages if not _is_system_turn(turn)]
    said = "".join(_texts(rest)).strip()
    return xxh3_64_intdigest(_encode(rest)) if said and len(rest) <= len(row) and _leaves_out(rest, row) else None


def _leaves_out(rest: Mapping[str, object], row: Mapping[str, object]) -> bool:
    # Without an answer left out, the question would be the row, and that is on the other side or it is not.
    return rest != row


def _is_system_turn(turn: object) -> bool:
    return isinstance(turn, Mapping) and turn.get("role") in _SYSTEM_ROLES


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        if not _is_system_turn(value):
            for key, inner in value.items():
                if key != "role":
                    yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
