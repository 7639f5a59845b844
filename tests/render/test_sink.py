"""No secret is written, in any form, whole or in pieces; and every stream gets what it can encode."""

import base64
import html
import io
import json
import random
import re
import string
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render import Sink, clean
from reconciler.render.sink import PIECE, REDACTED

CANARY = 'cánary/+"key" 7f3\\&=9a'


def behind(shift: int, text: str) -> str:
    """A secret as a part of something larger that is in base64 as a whole."""
    return base64.b64encode(b"user:xyz"[:shift] + text.encode() + b".").decode()


DRESSES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "quoted for a URL": lambda text: quote(text, safe=""),
    "quoted for a path": quote,
    "quoted for a form": quote_plus,
    "quoted in small letters": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "JSON": lambda text: json.dumps({"key": text}),
    "JSON beyond ASCII": lambda text: json.dumps({"key": text}, ensure_ascii=False),
    "HTML": html.escape,
    "Python": repr,
    "hex": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    **{f"base64 behind {shift} bytes": partial(behind, shift) for shift in range(1, 8)},
    "cleaned": clean,
}


def put(*texts: str, secrets: tuple[str, ...] = (CANARY,)) -> str:
    """What a stream holds after texts were written, a line each."""
    stream = io.StringIO()
    sink = Sink(stream, secrets)
    for text in texts:
        sink.line(text)
    return stream.getvalue()


@pytest.mark.parametrize("name", DRESSES)
def test_a_secret_is_taken_out_in_every_dress(name: str) -> None:
    dressed = DRESSES[name](CANARY)
    shown = put(f"before {dressed} after")

    assert REDACTED in shown
    assert dressed not in shown
    assert "cánary" not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after\n")


def test_of_a_secret_inside_base64_no_more_than_its_edges_is_left() -> None:
    """The characters at the edges carry bits of what stands beside the secret."""
    shown = put(base64.b64encode(f"user:{CANARY}:more".encode()).decode())
    left = shown.strip().replace(REDACTED, "")

    assert len(left) <= len(base64.b64encode(b"user:" + b":more")) + 4


def test_every_place_and_every_secret() -> None:
    assert put("one two one", secrets=("one1", "one", "two2")) == "one two one\n"
    assert put("aaaa bbbb aaaa", secrets=("aaaa", "bbbb")) == f"{REDACTED} {REDACTED} {REDACTED}\n"


def test_a_secret_with_a_newline_around_it() -> None:
    """A key that was read from a file often ends with one."""
    assert put("it is abcdef!", secrets=("abcdef\n",)) == f"it is {REDACTED}!\n"


KEY = "sk-proj-" + "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=48))


def longest_common_piece(text: str, secret: str) -> int:
    sizes = range(len(secret), 0, -1)
    return next(
        (size for size in sizes if any(secret[at : at + size] in text for at in range(len(secret) - size + 1))), 0
    )


@pytest.mark.parametrize("dress", [str, lambda text: text.encode().hex(), lambda text: quote(text, safe="")])
@pytest.mark.parametrize("start", range(8, len(KEY) - PIECE - 6, 5))
def test_a_piece_of_a_key_is_taken_out(start: int, dress: Callable[[str], str]) -> None:
    piece = KEY[start : start + PIECE + 6]

    assert put(f"the key ({dress(piece)}) is wrong", secrets=(KEY,)) == f"the key ({REDACTED}) is wrong\n"


def test_a_key_in_halves_is_taken_out() -> None:
    shown = put(f"it begins with {KEY[:28]} and ends with {KEY[28:]}", secrets=(KEY,))

    assert shown == f"it begins with {REDACTED} and ends with {REDACTED}\n"


@given(st.integers(0, 30), st.integers(PIECE, 40), st.lists(st.integers(1, 60), max_size=8))
def test_a_piece_of_a_key_in_a_text_that_arrives_in_pieces(start: int, size: int, cuts: list[int]) -> None:
    text = f"the key is {KEY[start : start + size]}, they said"
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stream = io.StringIO()
    sink = Sink(stream, (KEY,))
    for begin, end in pairwise(places):
        sink.write_untrusted(text[begin:end])
    sink.end_untrusted()
    torn, whole = stream.getvalue(), put(text, secrets=(KEY,)).rstrip("\n")

    assert torn == whole
    assert longest_common_piece(torn, KEY[8:]) < PIECE


def test_words_and_names_that_a_secret_shares_with_a_text_stay() -> None:
    text = "the base model gpt-4o-mini-2024-07-18 and local-development"

    assert put(text, secrets=("local-development-key", "gpt-4o-mini-2024-07-18:mine")) == text + "\n"


def test_a_piece_in_a_long_output_is_found_among_many_secrets() -> None:
    text = f"{'an ordinary sentence of a long output. ' * 5_000}{KEY[20:40]}"
    secrets = (KEY, *("".join(random.Random(seed).choices(string.ascii_letters, k=40)) for seed in range(40)))

    assert put(text, secrets=secrets) == text.replace(KEY[20:40], REDACTED) + "\n"


@pytest.mark.parametrize("secret", ["", " ", "a", "abc"])
def test_a_secret_that_is_too_short_is_not_replaced(secret: str) -> None:
    assert put("a plain abc text", secrets=(secret,)) == "a plain abc text\n"


@pytest.mark.parametrize("limit", range(len("the key is ") + 5, len("the key is ") + len(CANARY) + 3))
def test_the_beginning_of_a_secret_that_was_cut_short(limit: int) -> None:
    shown = put(clean(f"the key is {CANARY}", limit=limit))

    assert "cána" not in shown


@given(st.lists(st.integers(1, 60), max_size=8))
def test_a_secret_in_pieces(cuts: list[int]) -> None:
    """However a foreign text is torn, its secret does not come through."""
    text = f"the key is {CANARY}, they said: {quote(CANARY)}."
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stream = io.StringIO()
    sink = Sink(stream, (CANARY,))
    for start, end in pairwise(places):
        sink.write_untrusted(text[start:end])
        sink.flush()
    sink.end_untrusted()

    assert stream.getvalue() == f"the key is {REDACTED}, they said: {REDACTED}."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo\tthree\r\nfour", "one\ntwo\tthree\nfour"),
        ("::error::x", "\\::error::x"),
        ("a\n  ::error::x", "a\n  \\::error::x"),
        ("f :: Int -> Int", "f :: Int -> Int"),
        ("a ##[error]x", "a #\\#[error]x"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\rb", "a\\rb"),
        ("family: 👨‍👩‍👧 ❤️", "family: 👨‍👩‍👧 ❤️"),
        ("\u202eabc", "\\u202eabc"),
        ("ends with :", "ends with :"),
        ("ends with #", "ends with #"),
        ("\n:", "\n:"),
    ],
)
def test_a_foreign_text_keeps_its_lines_and_nothing_that_acts(text: str, shown: str) -> None:
    for size in (1, 2, 3, len(text)):
        stream = io.StringIO()
        sink = Sink(stream)
        for start in range(0, len(text), size):
            sink.write_untrusted(text[start : start + size])
        sink.end_untrusted()

        assert stream.getvalue() == shown


def test_a_command_cannot_begin_in_our_text_and_end_in_theirs() -> None:
    stream = io.StringIO()
    sink = Sink(stream)
    sink.line("ours")
    sink.write_untrusted(":")
    sink.write_untrusted(":error::x")
    sink.line("")
    sink.write("ours: ")
    sink.write_untrusted("::x")

    assert stream.getvalue() == "ours\n\\::error::x\nours: ::x"


def test_withheld_text_is_written_before_our_next_text() -> None:
    stream = io.StringIO()
    sink = Sink(stream, ("secret-word",))
    sink.write_untrusted("no secret")
    sink.line("!")

    assert stream.getvalue() == "no secret!\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "a -> b ... na\\xefve"), ("latin-1", "a -> b ... naïve"), ("utf-8", "a → b … naïve")],
)
def test_a_stream_gets_the_characters_that_its_encoding_has(encoding: str, shown: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    sink = Sink(stream)
    sink.line("a → b … naïve")
    sink.flush()

    assert raw.getvalue().decode(encoding) == f"{shown}\n"


def test_a_lone_surrogate_is_no_crash() -> None:
    raw = io.BytesIO()
    sink = Sink(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
    sink.line("a\ud800b → c")
    sink.flush()

    assert raw.getvalue().decode() == "a\\ud800b → c\n"


def test_a_stream_without_a_terminal_has_eighty_columns() -> None:
    assert Sink(io.StringIO()).columns == 80
