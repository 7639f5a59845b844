"""Spoils texts at random: bytes, pieces that parsers trip over, and values of JSON documents in place of others."""

import json
import random
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

PIECES = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xae",
        b"\xe2\x80\x8b",
        b"\xed\xa0\x80",
        b"\x1b[2J",
        b"\r",
        b"\n",
    ),
    *(
        b"&a ",
        b"*a",
        b"!!python/object:x ",
        b"<<: ",
        b"---\n",
        b"...\n",
        b"%YAML 9\n",
        b"? ",
        b": ",
        b"- ",
        b"|\n",
        b">-\n",
    ),
    *(b"[" * 200, b"{" * 200, b'{"a":' * 200, b"]" * 50, b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b",", b"#"),
    *(b"1e999", b"-0", b"NaN", b".inf", b"0x1F", b"9" * 400, b"1" * 5000, b"null", b"true", b"''", b"~"),
    *(
        b"::error::x",
        b"##[command]x",
        b"```",
        b"<!--",
        b"@all",
        b"../",
        b"https://evil.example.test/",
        b"{x.__class__}",
    ),
    *(b"data: ", b"event: error\n", b"[DONE]", b"\n\n"),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        1e308,
        10**30,
        2**63,
        -(2**63) - 1,
        "",
        " ",
        "\x00",
        "\ud800",
        "\u202e",
        "a" * 3000,
    ),
    *([], {}, [[]], [None], {"": ""}, {"id": []}, "../..", "https://evil.example.test", "::error::x", "ftjob-1"),
    *("9" * 30, "NaN", "succeeded", "running", "cancelled", "2026-02-30T00:00:00Z", ["a"] * 500),
)


def spoiled(text: bytes, chance: random.Random) -> bytes:
    """Return a text with up to five changes."""
    for _ in range(chance.randint(1, 5)):
        at, end = sorted(chance.randint(0, len(text)) for _ in range(2))
        end = min(end, at + chance.choice((1, 1, 4, 40, 400)))
        match chance.randint(0, 5):
            case 0:
                text = text[:at] + chance.randbytes(chance.randint(1, 4)) + text[end:]
            case 1:
                text = text[:at] + text[end:]
            case 2:
                text = text[:at] + text[at:end] * chance.choice((2, 3, 30)) + text[end:]
            case _:
                text = text[:at] + chance.choice(PIECES) + text[chance.choice((at, end)) :]
    return text[:200_000]


def replaced(document: Any, chance: random.Random) -> bytes:
    """Put other values into a JSON document, in up to three places."""
    document = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 3)):
        places = list(_places(document))
        if places:
            inside, key = chance.choice(places)
            if chance.random() < 0.15:
                del inside[key]
            elif chance.random() < 0.15 and isinstance(inside, dict):
                inside[chance.choice(("id", "error", "status", "extra", "next", "\x00"))] = deepcopy(
                    chance.choice(VALUES)
                )
            else:
                inside[key] = deepcopy(chance.choice(VALUES))
    return json.dumps(document, ensure_ascii=True).encode()


def either(document: Any, chance: random.Random) -> bytes:
    """Spoil a JSON document as values, as bytes, or as both."""
    text = replaced(document, chance) if chance.random() < 0.7 else json.dumps(document).encode()
    return spoiled(text, chance) if chance.random() < 0.4 else text


def _places(document: Any) -> Sequence[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        inside = waiting.pop()
        keys = list(inside) if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else ()
        found += [(inside, key) for key in keys]
        waiting += [inside[key] for key in keys]
    return found
