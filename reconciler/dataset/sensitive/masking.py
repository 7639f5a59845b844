"""Rows as they may be shown: what the checks would mask in a finding is masked wherever a text of a row is written."""

import json
import re

from msgspec.structs import replace

from reconciler.dataset.sensitive.personal_data import find_personal_data
from reconciler.domain.errors import Problem
from reconciler.domain.stats import RowShown
from reconciler.foundation.secret_shapes import find_secrets, find_stumps

_JSON_SCALAR = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")(?P<is_key>(?=\s*:))?|-?[0-9][0-9.eE+-]*', re.DOTALL)
_QUOTED = re.compile("`([^`]+)`")


def mask_text(text: str) -> str:
    """Return a text with its secrets and personal data replaced by their kind and a masked form.

    Shape:  `[a GitHub token ghp_…]`; where two overlap, the one that begins first
    """
    found = [(each.start, -each.end, each.kind, each.masked) for each in find_secrets(text)]
    found += [(each.start, -each.end, each.kind, each.masked) for each in find_stumps(text)]
    found += [(each.start, -each.end, each.kind, each.masked) for each in find_personal_data(text)]
    if not found:
        return text
    pieces, at = [], 0
    for start, end, kind, masked in sorted(found):
        if start >= at:
            pieces += [text[at:start], f"[{kind} {masked}]"]
        at = max(at, -end)
    return "".join((*pieces, text[at:]))


def mask_problem(problem: Problem) -> Problem:
    """Return a problem as it may be shown: its message may quote a cell, a key or a name of a row."""
    texts = {"what": problem.what, "path": problem.path, "hint": problem.hint}
    masked = {name: shown for name, text in texts.items() if (shown := _mask_quotes(text)) != text}
    return replace(problem, **masked) if masked else problem


def mask_row(row: RowShown) -> RowShown:
    """Return a row to look at as it may be shown. The file has it whole."""
    return replace(row, text=mask_json(row.text))


def mask_json(text: str) -> str:
    """Return a row as JSON with its values masked: each alone, and with its key, which may say what it is.

    A number that is masked becomes a text. What stands alone counts: a card is a card in a column named `id`, too.
    """
    key = ""

    def mask(found: re.Match[str]) -> str:
        nonlocal key
        is_key = found["is_key"] is not None
        word: str = json.loads(found[0]) if found["text"] else found[0]
        shown = mask_text(word)
        if not is_key:
            beside = f"{key}: {shown}"
            with_key = mask_text(beside)
            shown = with_key.removeprefix(f"{key}: ") if with_key != beside else shown
        written = found[0] if shown == word else json.dumps(shown, ensure_ascii=False)
        key = shown if is_key else key
        return written

    return _JSON_SCALAR.sub(mask, text)


def _mask_quotes(text: str) -> str:
    # A quoted value counts by itself: the words before it may say that it is the number of something else.
    return mask_text(_QUOTED.sub(lambda found: f"`{mask_text(found[1])}`", text) if "`" in text else text)
