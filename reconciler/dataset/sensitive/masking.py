"""Rows as they may be shown: what the checks would mask in a finding is masked wherever a text of a row is written."""

from msgspec.structs import replace

from reconciler.dataset.sensitive.personal_data import find_personal_data
from reconciler.domain.errors import Problem
from reconciler.domain.stats import RowShown
from reconciler.foundation.secret_shapes import find_secrets, find_stumps


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
    masked = {name: shown for name, text in texts.items() if (shown := mask_text(text)) != text}
    return replace(problem, **masked) if masked else problem


def mask_row(row: RowShown) -> RowShown:
    """Return a row to look at as it may be shown. The file has it whole."""
    return replace(row, text=mask_text(row.text))
