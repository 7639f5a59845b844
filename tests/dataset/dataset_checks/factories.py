"""Datasets to check, and generated keys in the forms of their services; no file holds a key."""

import random
import zlib
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.expectations import Allowance, Expectation, OptionalCheck, Requirement
from reconciler.foundation.secret_shapes import base62
from tests.dataset.factories import SPEC_PLACE, a_chat, a_spec, chats, jsonl, problems_of, write

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def noise(length: int, letters: str = LETTERS) -> str:
    """Return characters that look random and are the same in every run."""
    return "".join(random.Random(length).choices(letters, k=length))


def github_token(right: bool = True) -> str:
    """Return a token in GitHub's form, with a right or a wrong checksum."""
    body = noise(30)
    check = base62(zlib.crc32(body.encode()))
    return "gh" + "p_" + body + (check if right else check[::-1] if check != check[::-1] else "000000")


def found(
    directory: Path,
    rows: Sequence[object],
    *,
    looks: Sequence[OptionalCheck] = (),
    expect: Sequence[Expectation] = (),
    allow: Sequence[Allowance] = (),
    heldout: Sequence[str] = (),
    share: float = 0.0,
    padded: bool = True,
) -> tuple[Problem, ...]:
    """Return all findings in some rows, with ten ordinary ones before them."""
    content = jsonl([*(chats(10) if padded else ()), *rows])
    spec = replace(
        a_spec(write(directory, "rows.jsonl", content), share=share),
        checks=tuple(looks),
        expect=tuple(expect),
        allow=tuple(allow),
        heldout=tuple(heldout),
    )
    return problems_of(spec, directory)


def expecting(wanted: Requirement, severity: Severity = Severity.ERROR) -> Expectation:
    return Expectation(wanted=wanted, severity=severity, place=SPEC_PLACE, path="expect[0]")


def says(text: str) -> dict[str, object]:
    """Return a chat with this user message."""
    return a_chat(text, f"an answer to {text[:20]}")
