"""Images: their sizes from the header of their data, and the tiles that they are billed as."""

import base64
import json
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.dataset import measure
from reconciler.dataset.images import MOST_TILES, count_image, count_tiles, find_images, read_data_uri_size
from reconciler.domain.desired import Images
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec


def data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def png(width: int, height: int, more: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(head))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\0" * more
    )


def jpeg(width: int, height: int, notes: int = 0, more: int = 0) -> bytes:
    preview = b"".join(b"\xff\xe1" + struct.pack(">H", 60_000 + 2) + b"\0" * 60_000 for _ in range(notes))
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\0" * 9
    return (
        b"\xff\xd8\xff\xe0"
        + struct.pack(">H", 16)
        + b"JFIF\0"
        + b"\0" * 9
        + preview
        + frame
        + b"\xff\xda"
        + b"\0" * more
    )


def webp(kind: bytes, width: int, height: int) -> bytes:
    if kind == b"VP8 ":
        body = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    elif kind == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    else:
        body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(1024, 700), "png"),
        (jpeg(1024, 700), "jpeg"),
        (jpeg(1024, 700, notes=3, more=9000), "jpeg"),
        (webp(b"VP8 ", 1024, 700), "webp"),
        (webp(b"VP8L", 1024, 700), "webp"),
        (webp(b"VP8X", 1024, 700), "webp"),
    ],
    ids=["png", "jpeg", "jpeg with previews", "webp lossy", "webp lossless", "webp extended"],
)
def test_the_size_is_read_from_the_header(content: bytes, kind: str) -> None:
    assert read_data_uri_size(data_uri(content, kind)) == (1024, 700)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.test/a.png",
        "data:image/png;base64,",
        "data:image/png;base64,####",
        data_uri(png(10, 10)[:20]),
        data_uri(png(0, 10)),
        data_uri(b"RIFF0000WEBPVP9 " + b"\0" * 40, "webp"),
        data_uri(b"\xff\xd8\xff\xe0\x00\x00", "jpeg"),
        data_uri(jpeg(9, 9, notes=20), "jpeg")[:200],
        "data:image/png;base64" + "A" * 100,
    ],
)
def test_where_no_header_says_it_the_size_is_unknown(url: str) -> None:
    assert read_data_uri_size(url) is None


def test_no_more_than_a_header_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    decode = base64.b64decode

    def count(text: str) -> bytes:
        decoded.append(len(text))
        return decode(text)

    url = data_uri(png(640, 480, more=5_000_000))
    monkeypatch.setattr("reconciler.dataset.images.base64.b64decode", count)
    assert read_data_uri_size(url) == (640, 480)
    assert sum(decoded) < 2000


@pytest.mark.parametrize(
    ("size", "tiles"),
    # The first two are the examples of the guide.
    [
        ((1024, 1024), 4),
        ((2048, 4096), 6),
        ((512, 512), 1),
        ((513, 512), 2),
        ((768, 768), 4),
        ((4096, 4096), 4),
        ((1, 1), 1),
        ((20_000, 1), 4),
        ((2048, 768), 8),
        ((100_000, 37_500), 8),
    ],
)
def test_tiles_are_those_of_the_guide(size: tuple[int, int], tiles: int) -> None:
    assert count_tiles(*size) == count_tiles(*reversed(size)) == tiles


@given(st.integers(1, 200_000), st.integers(1, 200_000))
def test_an_image_has_at_least_one_tile_and_no_more_than_the_largest(width: int, height: int) -> None:
    assert 1 <= count_tiles(width, height) <= MOST_TILES


@given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8X", b""]))
def test_no_header_is_too_strange(content: bytes, start: bytes) -> None:
    size = read_data_uri_size(data_uri(start + content))
    assert size is None or min(size) > 0


def test_an_unknown_size_and_the_detail_auto_give_a_range() -> None:
    address, data = "https://example.test/a.png", data_uri(png(1024, 1024))
    tiles = {
        (url[:5], detail): (found.least_tiles, found.tiles, found.most_tiles)
        for url in (address, data)
        for detail in ("low", "high", "auto")
        if (found := count_image(url, detail))
    }
    assert tiles == {
        ("https", "low"): (0, 0, 0),
        ("https", "high"): (1, 4, 8),
        ("https", "auto"): (0, 4, 8),
        ("data:", "low"): (0, 0, 0),
        ("data:", "high"): (4, 4, 4),
        ("data:", "auto"): (0, 4, 4),
    }


def a_turn(*urls: str, detail: str = "high") -> dict[str, object]:
    parts: list[object] = [{"type": "text", "text": "what is it?"}]
    parts += [{"type": "image_url", "image_url": {"url": url, "detail": detail}} for url in urls]
    return {"role": "user", "content": parts}


def test_images_of_every_form_are_found() -> None:
    chat = {"messages": [a_turn("https://a.test/1", "https://a.test/2")]}
    assert [url for url, _ in find_images(chat)] == ["https://a.test/1", "https://a.test/2"]
    assert [url for url, _ in find_images({"input": chat})] == ["https://a.test/1", "https://a.test/2"]
    assert not list(find_images({"messages": [{"role": "user", "content": 'an "image_url" in a text'}]}))
    assert not list(find_images([1]))


def test_a_measure_has_the_images_of_each_side_and_texts_without_them(tmp_path: Path) -> None:
    urls = [data_uri(png(1024, 1024, more=4000 + n)) for n in range(12)]
    rows = [{"messages": [a_turn(url), {"role": "assistant", "content": "a cat"}]} for url in urls]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = DatasetSpec(name="pictures", place=Place(file="s.yaml"), sources=("rows.jsonl",))
    found = measure(spec, tmp_path).training
    assert found.images == Images(
        count=12, least_tiles=48, tiles=48, most_tiles=48, size_bytes=sum(len(url) for url in urls)
    )
