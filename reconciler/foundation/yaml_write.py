"""Write texts as YAML scalars that every reader, of YAML 1.1 or 1.2, takes for just that text."""

import re

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/@+-]|:(?=[A-Za-z0-9._/@+:-]))*")
# Some readers, old or new, take these words for a boolean or for nothing.
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def yaml_scalar(text: str) -> str:
    """Return a text as a YAML scalar, in quotes only where it needs them."""
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
