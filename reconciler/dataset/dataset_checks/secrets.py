"""Secrets in texts: keys of services, recognised by their form, and proved by a checksum where there is one.

A text that only looks like a secret is a warning; one with a right checksum is an error. Secrets are shown masked.

Source: GitHub "Behind GitHub's new authentication token formats"; AWS "Understanding unique ID prefixes"; the
        token formats that Slack, Stripe, Google, GitLab, npm, PyPI, Hugging Face, SendGrid and OpenAI publish; RFC
        7468; RFC 7519
"""

import base64
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

_LEAST_ENTROPY = 3.0
"""Bits per character: invented examples (`xxxxxxxx`, `1234`) have fewer, random keys have more than 4."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC_CHARACTERS = 6


class Secret(NamedTuple):
    """A secret as it may be shown; `is_sure` when its checksum is right."""

    kind: str
    masked: str
    is_sure: bool = False


class _SecretForm(NamedTuple):
    # The pattern is compiled at the first text with the hint: most runs search for no secrets.
    kind: str
    hint: str
    pattern: str
    judge: Callable[[str], bool | None] = lambda found: False if entropy(found) >= _LEAST_ENTROPY else None


def _github(found: str) -> bool | None:
    """Return True for a token with a right checksum; None for another, which is only a word like a token."""
    body, check = found[4:-_CRC_CHARACTERS], found[-_CRC_CHARACTERS:]
    return True if base62(zlib.crc32(body.encode())) == check else None


def _token_of_web(found: str) -> bool | None:
    head = found.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return None
    return False if isinstance(header, dict) and "alg" in header else None


def _any(_found: str) -> bool | None:
    return False


_FORMS = (
    _SecretForm("a GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36}\b", _github),
    _SecretForm("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    _SecretForm("an AWS access key", "IA", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    _SecretForm("a Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{20,250}"),
    _SecretForm(
        "a Slack webhook", "hooks.slack", r"\bhooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"
    ),
    _SecretForm("a key of OpenAI's form", "sk-", r"\bsk-(?:[a-z]{2,12}-)?[A-Za-z0-9_-]{32,200}"),
    _SecretForm("a Stripe key", "k_", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{20,200}\b"),
    _SecretForm("a Google key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _SecretForm("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,100}"),
    _SecretForm("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b", _github),
    _SecretForm("a PyPI token", "pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{50,500}"),
    _SecretForm("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{34}\b"),
    _SecretForm("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    _SecretForm(
        "a JSON web token", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}", _token_of_web
    ),
    _SecretForm("a private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY(?: BLOCK)?-----", _any),
    _SecretForm("a password in an address", "://", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:[^\s:/@]{6,100}@"),
)


def find_secrets(text: str) -> Iterator[Secret]:
    """Yield the secrets in a text, masked."""
    for form in _FORMS:
        if form.hint not in text:
            continue
        for found in re.finditer(form.pattern, text):
            is_sure = form.judge(found[0])
            if is_sure is not None:
                yield Secret(form.kind, mask_secret(found[0]), is_sure)


def mask_secret(secret: str) -> str:
    """Return the beginning of a secret, enough to find it and not enough to use it."""
    return f"{secret[:4]}…"


def entropy(text: str) -> float:
    """Return the bits per character of a text, by the counts of its characters."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def base62(number: int) -> str:
    """Write a checksum as GitHub's tokens end with it."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(_CRC_CHARACTERS, "0")
