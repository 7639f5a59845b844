"""How much two rows say the same, and what a row asks. Says nothing about which rows belong together."""

import re
from collections.abc import Iterator, Mapping

import msgspec
from xxhash import xxh3_64_intdigest

LEAST_LIKENESS = 0.5
"""Rows that share half of their words are taken for versions of one row."""

_MOST_CHARACTERS = 20_000
"""What of a row is looked at."""

_ANSWERS = frozenset({"completion", "preferred_output", "non_preferred_output"})
_SYSTEM_ROLES = frozenset({"system", "developer"})
_WORD = re.compile(r"\w+")
_encode = msgspec.json.Encoder(decimal_format="number").encode


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
    return RowFacets(_hash_question(row), frozenset(_WORD.findall(text.lower())))


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
