"""The images of rows: how many there are, and how many tiles they are billed as. Texts are counted elsewhere.

The size of an image in a data URI is read from its header. An image at an address is not fetched: its size is unknown,
and gives a range.

Source: the OpenAI guide to images, "Calculating costs": an image is scaled into 2048 × 2048 pixels, then to a shortest
        side of 768, and billed by the squares of 512 that cover it; one of detail `low` is billed without squares
"""

import base64
import binascii
from collections.abc import Iterator, Mapping

import msgspec

from reconciler.domain.desired import Images

LONGEST_SIDE = 2048
SHORTEST_SIDE = 768
TILE = 512
MOST_TILES = 8
"""The squares of the largest image: 2048 × 768."""

USUAL_TILES = 4
"""The squares of an image of unknown size that is about as high as wide, and not small."""

MARK = b'"image_url"'
"""Stands in the canonical line of every row with an image."""

_HEADER_BYTES = 1 << 10
_MOST_HEADER_BYTES = 1 << 20
"""Pictures of cameras have a preview of some kilobytes before their size; what has more is of unknown size."""

_JPEG_SIZES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_decode_lines = msgspec.json.Decoder().decode_lines


class ImageCounter:
    """The images of the lines so far."""

    def __init__(self) -> None:
        self._found = Images()

    def add(self, lines: bytes) -> None:
        """Add whole canonical lines."""
        if MARK in lines:
            for row in _decode_lines(lines):
                for url, detail in find_images(row):
                    self._found = self._found.plus(count_image(url, detail))

    @property
    def images(self) -> Images | None:
        """The images so far; None without any."""
        return self._found if self._found.count else None


def find_images(row: object) -> Iterator[tuple[str, str]]:
    """Yield the address and the detail of every image of a row in the API's form."""
    if not isinstance(row, Mapping):
        return
    yield from find_images(row.get("input"))
    turns = row.get("messages")
    for turn in turns if isinstance(turns, list) else ():
        content = turn.get("content") if isinstance(turn, Mapping) else None
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url") if isinstance(part, Mapping) else None
            if isinstance(image, Mapping) and isinstance(image.get("url"), str):
                yield image["url"], str(image.get("detail") or "auto")


def count_image(url: str, detail: str) -> Images:
    """Return the tiles of one image. With the detail `auto`, the service may take it as `low`."""
    size_bytes = len(url.encode(errors="surrogatepass"))
    if detail == "low":
        return Images(count=1, size_bytes=size_bytes)
    size = read_data_uri_size(url)
    expected, most = (count_tiles(*size),) * 2 if size else (USUAL_TILES, MOST_TILES)
    least = 0 if detail != "high" else most if size else 1
    return Images(count=1, least_tiles=least, tiles=expected, most_tiles=most, size_bytes=size_bytes)


def count_tiles(width: int, height: int) -> int:
    """Return the squares that an image of so many pixels is billed as."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    scale = min(scale, SHORTEST_SIDE / min(width, height))
    across, down = (max(1, -(-round(side * scale) // TILE)) for side in (width, height))
    return min(MOST_TILES, across * down)


def read_data_uri_size(url: str) -> tuple[int, int] | None:
    """Return width and height of the JPEG, PNG or WEBP image in a data URI; None where its header does not say.

    Cost:   decodes 1 KiB, and of a JPEG with long notes before its size four times as much, up to 1 MiB
    """
    head, comma, _ = url[:64].partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        return None
    start, most = len(head) + 1, _HEADER_BYTES
    while True:
        data = _decode_start(url, start, most)
        size = _read_size(data)
        is_whole = start + most * 4 // 3 >= len(url)
        if size or is_whole or most >= _MOST_HEADER_BYTES or not data.startswith(b"\xff\xd8"):
            return size if size and min(size) else None
        most *= 4


def _decode_start(url: str, start: int, most: int) -> bytes:
    text = url[start : start + most * 4 // 3 // 4 * 4]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _read_size(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _read_webp_size(data)
    return _read_jpeg_size(data) if data.startswith(b"\xff\xd8") else None


def _read_webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8 " and len(data) >= 30:
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


def _read_jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        kind = data[at + 1]
        if kind in _JPEG_SIZES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        # A fill byte stands alone, and some marks have no length.
        at += 1 if kind == 0xFF else 2 if kind in _JPEG_BARE else 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return None
