"""Untrusted text made harmless: for one line, for several lines, and for Markdown and HTML of ours.

Untrusted text (a service's words, a row, a spec, a file name) is cleaned where it is put into a text of ours.

clean            one line, for a terminal, a log or a file
clean_lines      several lines that stay lines
markdown_text    a few words in a line or a table cell
markdown_code    a name or a value, set as code
code_block       several lines as a fenced block
html_text        text between tags or in a quoted attribute

A backslash or an entity keeps punctuation from being markup. Mentions, references and emoji are found in the text
that is left when the markup is done, so they are broken by a space of no width (Source: GitHub Flavored Markdown,
and the way in which dependency bots quote foreign release notes).
"""

import html
import re
import unicodedata

LIMIT = 1000
"""Characters of one untrusted text that are shown, unless the caller says otherwise."""

ELLIPSIS = "…"
"""The end of a text that was cut short."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Invisible, and yet neither control nor format characters: fillers, joiners, and selectors that can hide a message.
_UNSEEN = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x2800, 0x3164, 0xFFA0, 0x1D159))
) | frozenset(
    chr(code)
    for start, end in ((0x180B, 0x180D), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(start, end + 1)
)

# Readable text needs these: scripts of India and Persia, and emoji that consist of several characters.
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")

# Plain characters are skipped quickly; only the others are examined one by one.
_UNPLAIN = re.compile(r"[^ -~]")

# A CI runner takes `::` for a command at the start of a line, spaces or not, and `##[` for one anywhere in it.
_COMMAND = re.compile(r"(?:^|(?<=\s))::")
_COMMAND_LINE = re.compile(r"^([^\S\n]*)::", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=\[)")

_SEAM = "&#8203;"
_ESCAPED = re.compile(r"[\\`*_\[\]~|!#^{}]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

# `a@b` calls or mails, `#1` and `GH-1` refer and, after a closing word, close; `:x:` is an emoji, the rest are links.
_AT = re.compile(r"@(?=\S)")
_REFERENCE = re.compile(r"(?<=\\#)(?=\w)")
_OTHER_REFERENCE = re.compile(r"(?i)(?<=\bgh-)(?=\d)")
_COLON = re.compile(r":(?=[\w+/-])")
_WWW = re.compile(r"(?i)(?<=\bwww)(?=\.)")
_DOLLAR = "<span>$</span>"

# Only the start of a line makes headings, lists, rules and quotes.
_STARTS_BLOCK = re.compile(r"^(?:([-+=])|(\d{1,9})([.)]))")
_EDGE_SPACES = re.compile(r"^ +| +$")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_TICKS = re.compile(r"`+")
_LANGUAGE = re.compile(r"[a-z0-9-]*")

# A hidden marker tells our own comments from others; no row or name may carry one.
_COMMENT = re.compile(r"<(?=!--)")


def clean(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text as one harmless line: what cannot be seen, or could act, is shown as an escape.

    Shape:  control bytes, escape sequences, newlines, bidi marks, invisible characters and lone surrogates become
            `\\x1b`, `\\n`, `\\u202e`, …; other kinds of space become a space; the starts of workflow commands get a
            backslash; what is longer than the limit ends with `…`
    """
    shown = _escape_unseen(text[: limit + 1], frozenset())
    shown = _OLD_COMMAND.sub("#\\\\#", _COMMAND.sub("\\\\::", shown))
    return shown if len(shown) <= limit else shown[: max(limit - 1, 0)] + ELLIPSIS


def clean_lines(text: str) -> str:
    """Return untrusted text whose lines and tabs stay: everything else in it is made harmless as in `clean`.

    Shape:  of any length; scripts and emoji keep the joiners that they need
    """
    shown = _escape_unseen(text.replace("\r\n", "\n"), _JOINERS | {"\n", "\t"})
    return _OLD_COMMAND.sub("#\\\\#", _COMMAND_LINE.sub(r"\1\\::", shown))


def markdown_text(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text as Markdown for one line or table cell: it shows as it is, and has no effect.

    Shape:  no markup, no link, no mention, no reference that a closing word could close, no emoji, no formula
    """
    return escape_markdown(clean(text, limit=limit))


def markdown_code(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text as a code span, for a line or table cell; its own backticks do not end the span."""
    shown = _COMMENT.sub(r"<\\", clean(text, limit=limit))
    if "|" in shown or not shown.strip():
        # In a table a bar ends the cell, even inside a code span; and a span of nothing is no span.
        return f"<code>{escape_markdown(shown) or '&#32;'}</code>".replace("\\|", "&#124;")
    ticks = "`" * (1 + _longest(shown) if "`" in shown else 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def code_block(text: str, language: str = "") -> str:
    """Return untrusted lines as a fenced block that no line of theirs can end. The caller bounds their size.

    Shape:  without a newline at the end; starts in the first column
    Raises: ValueError for a language that is no plain word
    """
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(f"{language!r} is not a language of a fenced block")
    shown = _COMMENT.sub(r"<\\", clean_lines(text)).removesuffix("\n")
    fence = "`" * max(3, 1 + _longest(shown))
    return f"{fence}{language}\n{shown}\n{fence}"


def html_text(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text for HTML, between tags or inside a quoted attribute that is no address or script."""
    return html.escape(clean(text, limit=limit), quote=True)


def escape_markdown(line: str) -> str:
    """Return one line as Markdown that shows exactly this line, anywhere in a line or cell.

    Shape:  one line, already without control characters
    """
    return _EDGE_SPACES.sub(
        lambda found: "&#32;" * len(found[0]), _STARTS_BLOCK.sub(_escape_block_start, escape_markdown_inside(line))
    )


def escape_markdown_inside(line: str) -> str:
    """Return the same for a text in the middle of a line."""
    shown = _ESCAPED.sub(r"\\\g<0>", line.translate(_ENTITIES))
    for seam in (_REFERENCE, _OTHER_REFERENCE, _WWW):
        shown = seam.sub(_SEAM, shown)
    shown = _AT.sub("@" + _SEAM, shown)
    return _COLON.sub(":" + _SEAM, shown).replace("$", _DOLLAR)


def percent_encode(raw: bytes, kept: bytes = b"") -> str:
    """Return bytes as a part of a URL: all but unreserved and `kept` characters become `%` and two digits."""
    return "".join(chr(byte) if byte in _UNRESERVED or byte in kept else f"%{byte:02X}" for byte in raw)


def _escape_unseen(text: str, allowed: frozenset[str]) -> str:
    if text.isprintable() and _UNSEEN.isdisjoint(text):
        return text
    return _UNPLAIN.sub(lambda found: found[0] if found[0] in allowed else _escape_char(found[0]), text)


def _escape_char(char: str) -> str:
    if char.isprintable() and char not in _UNSEEN:
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_block_start(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
