"""Cells that hold what programs write for no value: rows are read as wanted, and the filter of the hint drops them."""

from reconciler.domain.errors import Severity

from .cases import Finding, WildFile, pairs
from .tables import PLAIN, a_table


def without_value(case: str, cell: str) -> WildFile:
    """Return a file of which two rows have a cell without a value; the author drops these rows."""
    rows = (*PLAIN, ("question 12", cell), ("question 13", cell))
    found = Finding("row.placeholder", f"`{cell}`", f'not_equals: "{cell}"', Severity.WARNING, line=14)
    content = a_table(rows).encode()
    return WildFile(f"placeholder-{case}", "t.csv", content, pairs(*PLAIN), found, is_warning=True, then={})


PLACEHOLDERS = (
    without_value("pandas", "NaN"),
    without_value("database", "NULL"),
    without_value("spreadsheet-name", "#NAME?"),
    without_value("spreadsheet-missing", "#N/A"),
    WildFile(
        "placeholder-word-in-a-text",
        "t.csv",
        a_table((*PLAIN, ("is it NULL?", "None"), ("NaN means", "no number"))).encode(),
        pairs(*PLAIN, ("is it NULL?", "None"), ("NaN means", "no number")),
    ),
)
