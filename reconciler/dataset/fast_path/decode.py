"""Plain rows: recognised by their types alone, and written as the general path would write them.

The general path defines the result. A row is plain when its types show that the general path would find nothing wrong
and write the same line: chat turns of text by system, developer, user and assistant, of which the last is the
assistant's; or a prompt and a completion of text. Every other row is odd, and takes the general path.

A check of the texts themselves has to run before this path, or has to be repeated here.
"""

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.domain.spec import Format

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _PlainTurn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer", "user", "assistant"]
    content: _Text


class _PlainChat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_PlainTurn], msgspec.Meta(min_length=1)]


class _PlainPair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: _Text


_Rows = Sequence[msgspec.Struct | None]


class _RowKind:
    """How plain rows of one format are read, and which of them are odd although their types are right."""

    def __init__(self, shape: type[msgspec.Struct], odd: Callable[[_Rows], set[int]]) -> None:
        self.decode = msgspec.json.Decoder(shape).decode
        self.convert: Callable[[Sequence[object]], _Rows] = partial(msgspec.convert, type=list[shape])  # type: ignore[valid-type]  # a type that is made here
        self.odd = odd


def _find_unanswered(rows: _Rows) -> set[int]:
    return {
        at
        for at, row in enumerate(rows)
        if isinstance(row, _PlainChat)
        and not (
            (turns := row.messages)[-1].role == "assistant"
            and (turns[0].role == "user" or turns[len(turns) > 1].role == "user" or _asks(turns))
            and not turns[-1].content.isspace()
            and (len(turns) < 3 or not _has_blank(turns))
        )
    }


def _asks(turns: Sequence[_PlainTurn]) -> bool:
    return any(turn.role == "user" for turn in turns)


def _has_blank(turns: Sequence[_PlainTurn]) -> bool:
    return any(turn.content.isspace() for turn in turns)


def _find_blank(rows: _Rows) -> set[int]:
    return {at for at, row in enumerate(rows) if isinstance(row, _PlainPair) and row.completion.isspace()}


_KINDS = {Format.CHAT: _RowKind(_PlainChat, _find_unanswered), Format.COMPLETION: _RowKind(_PlainPair, _find_blank)}
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encode_lines = msgspec.json.Encoder().encode_lines


def can_be_plain(row_format: Format) -> bool:
    """Return whether rows of a format can be plain."""
    return row_format in _KINDS


def plain_block(block: bytes, row_format: Format) -> tuple[bytes, Sequence[int]] | None:
    """Return a block of lines as its canonical text and the key of each line; None when a row of it is odd.

    Shape:  whole lines, the last without its line feed; keys are those of a `LineBatch`
    """
    kind = _KINDS[row_format]
    try:
        rows = list(map(kind.decode, block.split(b"\n")))
    except _REFUSED:
        return None
    if kind.odd(rows):
        return None
    texts = _write_rows(rows)
    text = b"".join(texts)
    return (text, array("Q", map(xxh3_64_intdigest, texts))) if _has_keys_once(block, text) else None


def plain_values(values: Sequence[object], row_format: Format) -> list[bytes] | None:
    """Return the canonical lines of rows that are read already; None when one of them is odd."""
    kind = _KINDS.get(row_format)
    if kind is None:
        return None
    try:
        rows = kind.convert(values)
        return None if kind.odd(rows) else _write_rows(rows)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None


def plain_lines(lines: Sequence[bytes], row_format: Format) -> list[bytes | None]:
    """Return the canonical line of each plain row, and None for each line that the general path must read."""
    kind = _KINDS[row_format]
    rows = [_decode_line(kind, line) for line in lines]
    odd = kind.odd(rows) | {at for at, row in enumerate(rows) if row is None}
    texts = iter(_write_rows([row for at, row in enumerate(rows) if at not in odd]))
    written = [None if at in odd else next(texts) for at in range(len(rows))]
    return [
        text if text is not None and _has_keys_once(line, text) else None
        for line, text in zip(lines, written, strict=True)
    ]


def _decode_line(kind: _RowKind, line: bytes) -> msgspec.Struct | None:
    try:
        return kind.decode(line)
    except _REFUSED:
        return None


def _write_rows(rows: _Rows) -> list[bytes]:
    # Row by row, each with its line feed, because each line has a key.
    return list(map(_encode_lines, zip(rows, strict=True)))


def _has_keys_once(source: bytes, written: bytes) -> bool:
    # A source that equals its canonical line has no key twice.
    if len(written) == len(source) + 1 and written.startswith(source):
        return True
    # The decoder keeps the last of two equal keys, and loses a colon with the other. So the source has as many colons
    # as its canonical line, or a key occurs twice, or a colon of a text is spelled `\u003a`.
    return b"\\u003" not in source and source.count(b":") == written.count(b":")
