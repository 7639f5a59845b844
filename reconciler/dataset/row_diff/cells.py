"""Compares two rows: what differs between them, value by value and word by word, and how alike they are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.dataset.sensitive import mask_text
from reconciler.domain.row_diff import CellChange, WordChange, Words

MOST_CELLS = 20
SHOWN = 400
"""Characters of one value that are shown."""

_MASKED_AFTER = 4_000
"""Characters after those that are shown which are searched, too: a secret that begins in sight may end there."""

_CONTEXT = 6
"""Words and spaces that are shown before and after a change."""

_MOST_WORDS = 400
"""More words than this between the first and the last difference are shown as one change."""

LEAST_LIKENESS = 0.5
"""Two rows that share half of their words count as versions of one row."""

_MOST_CHARACTERS = 20_000
"""Characters of a row that are compared."""

_ANSWERS = frozenset({"completion", "preferred_output", "non_preferred_output"})
_SYSTEM_ROLES = frozenset({"system", "developer"})
_LETTERS = re.compile(r"\w+")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_read = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def compare_cells(before: object, after: object) -> tuple[tuple[CellChange, ...], int]:
    """Return the differences between two versions of a row, in the row's order, and the number of those left out."""
    changes = list(_changes(before, after, ""))
    return tuple(_describe_change(*change) for change in changes[:MOST_CELLS]), len(changes[MOST_CELLS:])


class _Absent:
    """Stands for a missing value, which is not the same as null."""


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
    old, new = _mask(before), _mask(after)
    words: tuple[Words, ...] = ()
    if old is not None and new is not None and isinstance(before, str) and isinstance(after, str):
        # Masked, two secrets may look the same: that one took the place of the other is shown all the same.
        words = compare_words(old, new) if old != new else _replace_all(old, new)
    shown = [None if text is None else shorten(text) for text in (old, new)]
    return CellChange(path=mask_text(path), before=shown[0], after=shown[1], words=words)


def _mask(value: object) -> str | None:
    if isinstance(value, _Absent):
        return None
    return mask_text(value if isinstance(value, str) else _encode(value).decode())


def _replace_all(old: str, new: str) -> tuple[Words, ...]:
    changes = ((WordChange.REMOVED, old), (WordChange.ADDED, new))
    return tuple(Words(change=change, text=shorten(text)) for change, text in changes)


def shorten(text: str, most: int = SHOWN) -> str:
    """Return a text, or its start with an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def show_masked(text: str, most: int = SHOWN) -> str:
    """Return a text of a row as it is shown: masked, and then shortened, so that no part of a secret is left."""
    return shorten(mask_text(text[: most + _MASKED_AFTER]), most)


def show_row(line: bytes) -> str:
    """Return a row as one text: a conversation as its turns, without system turns where there are others."""
    row = _read(line)
    turns = row.get("messages") if isinstance(row, dict) else None
    turns = turns if isinstance(turns, list) else []
    texts = [
        (turn.get("role"), turn["content"])
        for turn in turns
        if isinstance(turn, dict) and isinstance(turn.get("content"), str)
    ]
    if not texts or len(texts) != len(turns):
        return line.decode().rstrip("\n")
    shown = [turn for turn in texts if turn[0] not in _SYSTEM_ROLES] or texts
    return " | ".join(f"{role}: {content}" for role, content in shown)


def compare_words(before: str, after: str) -> tuple[Words, ...]:
    """Return both texts as one: equal words, shortened around the changes, removed words and added words."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    head = _count_equal(old, new)
    tail = _count_equal(old[head:][::-1], new[head:][::-1])
    middle = list(_compare_middle(old[head : len(old) - tail], new[head : len(new) - tail]))
    parts = [
        (WordChange.SAME, old[:head]),
        *middle,
        (WordChange.SAME, old[len(old) - tail :]),
    ]
    shown = [(change, words) for change, words in parts if words]
    return tuple(
        Words(change=change, text=shorten(_join_words(change, words, at == 0, at == len(shown) - 1)))
        for at, (change, words) in enumerate(shown)
    )


def _count_equal(old: Sequence[str], new: Sequence[str]) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


def _compare_middle(old: list[str], new: list[str]) -> Iterator[tuple[WordChange, list[str]]]:
    if len(old) > _MOST_WORDS or len(new) > _MOST_WORDS:
        yield from ((WordChange.REMOVED, old), (WordChange.ADDED, new))
        return
    removed, added = list[str](), list[str]()
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = old[old_from:old_to]
        if kind == "equal" and "".join(same).strip():
            yield from ((WordChange.REMOVED, removed), (WordChange.ADDED, added), (WordChange.SAME, same))
            removed, added = [], []
        else:
            # Neighbouring words that changed are one change, with the space between them.
            removed, added = removed + same, added + new[new_from:new_to]
    yield from ((WordChange.REMOVED, removed), (WordChange.ADDED, added))


def _join_words(change: WordChange, words: list[str], is_first: bool, is_last: bool) -> str:
    if change is not WordChange.SAME:
        return "".join(words)
    start = [] if is_first else words[:_CONTEXT]
    end = [] if is_last else words[len(start) :][-_CONTEXT:]
    if len(start) + len(end) >= len(words):
        return "".join(words)
    return "".join(start) + "…" + "".join(end)


class RowFacets(msgspec.Struct, frozen=True):
    """The parts of a row that are compared.

    Shape:  `question` is a hash of all but the answer, None where there is no question; `words` leave out system
            turns, which many rows share
    """

    question: int | None
    words: frozenset[str]


def read_facets(row: object) -> RowFacets:
    """Return the parts of one row that are compared."""
    text = "\n".join(_texts(row))[:_MOST_CHARACTERS]
    return RowFacets(_hash_question(row), frozenset(_LETTERS.findall(text.lower())))


def measure_likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of words that two rows have in common, from 0 to 1."""
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
    # Without an answer to leave out, the question would be the whole row, which matching has compared already.
    is_question = rest != row and len(rest) <= len(row) and bool("".join(_texts(rest)).strip())
    return xxh3_64_intdigest(_encode(rest)) if is_question else None


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
