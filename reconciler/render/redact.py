"""Finds secrets in text, in every dress they wear, and takes them out. Knows no stream and no layout."""

import base64
import json
import math
import re
from collections.abc import Iterator
from itertools import product

from reconciler.render.markdown_escape import escape_markdown, escape_markdown_inside

REDACTED = "[redacted]"
ELLIPSIS = "…"
"""What text that was cut short ends with."""

SHORTEST = 4
"""A shorter value hides nothing, and taking it out would tear every text apart."""

_SHORTEST_CORE = 6

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_IN_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


class Redactor:
    """Takes given secrets out of text, in every dress.

    Shape:  as they are; quoted for URLs, JSON, HTML, Markdown, Python and workflow commands; in base64 and in hex
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        values = {value for secret in secrets for value in (secret, secret.strip()) if len(value) >= SHORTEST}
        forms = {form for value in values for form in _secret_forms(value)}
        # Longest first: a form that contains another one is taken out whole.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None

    def __call__(self, text: str) -> str:
        """Return the text without any secret, and without the beginning of one that was cut short."""
        if self._pattern is None or not (ELLIPSIS in text or any(form in text for form in self._forms)):
            return text
        *cut_short, rest = self._pattern.sub(REDACTED, text).split(ELLIPSIS)
        return ELLIPSIS.join([*map(self._without_stump, cut_short), rest])

    def open_end(self, text: str) -> int:
        """Count the characters at the end of a text that may be the beginning of a secret still to come."""
        longest = len(self._forms[0]) - 1 if self._forms else 0
        for size in range(min(longest, len(text)), 0, -1):
            if any(form.startswith(text[-size:]) for form in self._forms):
                return size
        return 0

    def _without_stump(self, text: str) -> str:
        stump = self.open_end(text)
        return text[:-stump] + REDACTED if stump >= SHORTEST else text


def _secret_forms(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "surrogatepass")
    quoted = (_percent_encode(raw), _percent_encode(raw, kept=b"/"), _percent_encode(raw).replace("%20", "+"))
    yield value
    yield from quoted
    yield from (re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in quoted)
    yield from (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    yield json.dumps(json.dumps(value)[1:-1])[1:-1]
    yield value.translate(_IN_HTML)
    for in_markdown in (escape_markdown(value), escape_markdown_inside(value)):
        yield from (in_markdown, in_markdown.translate(_IN_HTML), in_markdown.replace("\\|", "&#124;"))
    for quoted_for_command in (value.replace("%", "%25"), value.replace("%", "%25").replace(":", "%3A")):
        yield from (quoted_for_command, quoted_for_command.replace(",", "%2C"))
    yield repr(value)[1:-1]
    yield from (raw.hex(), raw.hex().upper())
    yield from _base64_forms(raw)


def _percent_encode(raw: bytes, kept: bytes = b"") -> str:
    return "".join(chr(byte) if byte in _UNRESERVED or byte in kept else f"%{byte:02X}" for byte in raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield base64 of the secret by itself, and what of it is the same wherever it stands inside something larger."""
    for encode, shift in product((base64.b64encode, base64.urlsafe_b64encode), range(3)):
        text = encode(b"\0" * shift + raw).decode()
        core = text[math.ceil(8 * shift / 6) : 8 * (shift + len(raw)) // 6]
        if shift == 0:
            yield from (text, text.rstrip("="))
        if len(core) >= _SHORTEST_CORE:
            yield core
