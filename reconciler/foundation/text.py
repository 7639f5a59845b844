"""Text for messages and files: the known word that was probably meant, lists of words, names, YAML scalars."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from types import MappingProxyType

MAX_LENGTH = 100
"""A longer word is no typing mistake, and the cost of comparing grows with the product of the lengths."""

MOST_KNOWN = 1_000
"""Known words that are compared; a row may have millions of keys."""

_NONE: Mapping[str, str] = MappingProxyType({})
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/@+-]|:(?=[A-Za-z0-9._/@+:-]))*")
# Some readers, old or new, take these words for a boolean or for nothing.
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def nearest(word: str, known: Iterable[str], synonyms: Mapping[str, str] = _NONE) -> str | None:
    """Return the known word that was probably meant. None when none is near.

    Shape:  case, dashes, underscores, spaces and camel case make no difference; `synonyms` are words of other tools,
            in snake case, and the known word for each
    """
    names = sorted(set(islice(known, MOST_KNOWN)), reverse=True)
    plain = _snake_case(word.strip())
    if not plain or len(plain) > MAX_LENGTH:
        return None
    if (synonym := synonyms.get(plain)) in names:
        return synonym
    by_plain = {_snake_case(name): name for name in names}
    if plain in by_plain:
        return by_plain[plain]
    close = difflib.get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    return by_plain[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that asks for the nearest word. Empty when none is near."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else ""


def list_words(words: Collection[str], most: int = 20) -> str:
    """Return words as part of a sentence, in the order given, with a count of those left out."""
    shown = [f"`{word[:100]}`" for word in list(words)[:most]]
    rest = len(words) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def slug(text: str) -> str:
    """Return a name made of what a text has of lower-case letters, digits and dashes. It may be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text[: 4 * MAX_LENGTH].lower()).strip("-")[:63].strip("-")


def _snake_case(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word[: 4 * MAX_LENGTH]).lower().replace("-", "_").replace(" ", "_")


def yaml_scalar(text: str) -> str:
    """Return a text as a YAML scalar that every reader, of YAML 1.1 or 1.2, takes for just that text."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT else yaml_quoted(text)


def yaml_quoted(text: str) -> str:
    """Return a text as a YAML scalar in quotes. A character that cannot be seen becomes an escape."""
    return '"' + "".join(_ESCAPES.get(char) or (char if char.isprintable() else _code(char)) for char in text) + '"'


def _code(char: str) -> str:
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        # Half of a surrogate pair is no character, and no encoding can write it.
        return "\ufffd"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
