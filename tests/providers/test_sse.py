"""Server-sent events, however the bytes are split."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.errors import MalformedError
from reconciler.providers.http.inference import ServerEvent, read_events
from tests.providers.fakes import anything


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"data: one\n\n", ["one"]),
        (b"data:one\n\ndata:  two\n\n", ["one", " two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        (b"data: one\r\rdata: two\r\r", ["one", "two"]),
        (b"data: first\ndata: second\n\n", ["first\nsecond"]),
        (b": a comment\n\nevent: ping\nid: 7\nretry: 10\ndata: one\n\n", ["one"]),
        (b"event: nothing\n\ndata\n\n", [""]),
        (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
        (b"data: whole\n\ndata: cut", ["whole"]),
        (b"data: whole\n\ndata: cut\n", ["whole"]),
        ("data: grüße\n\n".encode(), ["grüße"]),
        (b"data: \xff\n\n", ["\N{REPLACEMENT CHARACTER}"]),
        (b"", []),
    ],
)
def test_events(text: bytes, found: list[str]) -> None:
    assert [event.data for event in read_events([text])] == found
    assert [event.data for event in read_events(bytes([byte]) for byte in text)] == found, "cut at every byte"


@anything
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_events_are_the_same_wherever_the_bytes_are_split(text: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    parts = [text[start:end] for start, end in pairwise(places)]
    assert list(read_events(parts)) == list(read_events([text]))


def test_an_event_has_the_kind_that_stands_beside_its_data() -> None:
    text = b"event: error\ndata: one\n\ndata: two\n\nevent: lost\n\ndata: three\n\n"
    assert list(read_events([text])) == [ServerEvent("error", "one"), ServerEvent("", "two"), ServerEvent("", "three")]


def test_an_endless_line_or_event_is_an_error() -> None:
    with pytest.raises(MalformedError):
        list(read_events(b"x" * 65536 for _ in range(1000)))
    with pytest.raises(MalformedError):
        list(read_events(b"data: xxxxxxxxxxxxxxxxxx\n" * 1000 for _ in range(1000)))
