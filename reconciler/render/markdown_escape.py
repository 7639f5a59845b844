"""Makes one line of text inert in Markdown: it is read as it stands, and nobody is called, linked or closed by it.

A backslash or an entity keeps punctuation from being markup. Mentions, references and emoji are found in the text
that is left when the markup is done, so they are broken by a space of no width (Source: GitHub Flavored Markdown,
and the way in which dependency bots quote foreign release notes).
"""

import re

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


def escape_markdown(line: str) -> str:
    """Return one line as Markdown that shows exactly this line, wherever inside a line or cell it is put.

    Shape:  one line, already without control characters
    """
    return _EDGE_SPACES.sub(
        lambda found: "&#32;" * len(found[0]), _STARTS_BLOCK.sub(_escape_block_start, escape_markdown_inside(line))
    )


def escape_markdown_inside(line: str) -> str:
    """Return what `inert` makes of a text that stands in the middle of a line."""
    shown = _ESCAPED.sub(r"\\\g<0>", line.translate(_ENTITIES))
    for seam in (_REFERENCE, _OTHER_REFERENCE, _WWW):
        shown = seam.sub(_SEAM, shown)
    shown = _AT.sub("@" + _SEAM, shown)
    return _COLON.sub(":" + _SEAM, shown).replace("$", _DOLLAR)


def _escape_block_start(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"
