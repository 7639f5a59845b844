"""The id of a row, for people: a column or key of its file, or of the row as it is sent."""

from collections.abc import Iterator

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, advise_column, spec_problem
from reconciler.domain.errors import Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.text import list_words

_MOST_NAMED = 100
"""Columns that are remembered, to name them."""


def read_id(value: object, path: str) -> str:
    """Return a value within a row as text, by its name or a path with dots; empty when it is missing."""
    if isinstance(value, dict) and path in value:
        value = value[path]
    else:
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list):
        return ""
    return value if isinstance(value, str) else write_canonical_text(value)


class IdColumn:
    """Whether any row has the `id` that a spec names, in its file or as it is sent."""

    def __init__(self, spec: DatasetSpec) -> None:
        self._spec = spec
        self._has_id = not spec.id
        self._columns: dict[str, None] = {}

    def watch(self, rows: Iterator[Row], *, are_written: bool = False) -> Iterator[Row]:
        """Return the rows unchanged; until one has the id, each is looked at; `are_written` are those to be sent."""
        return rows if self._has_id else self._look(rows, are_written)

    def _look(self, rows: Iterator[Row], are_written: bool) -> Iterator[Row]:
        for row in rows:
            if not self._has_id and isinstance(row.value, dict):
                self._has_id = bool(read_id(row.value, self._spec.id))
                if len(self._columns) < _MOST_NAMED and not are_written:
                    self._columns.update(dict.fromkeys(row.value))
            yield row

    def report(self, report: RowReport) -> None:
        """Warn when no row has the id; nothing where there are no rows."""
        name, columns = self._spec.id, tuple(self._columns)
        if self._has_id or not columns or report.is_misread(name):
            return
        what = f"no row has the column `{name}`; the columns are: {list_words(columns)}"
        hint = advise_column(self._spec, name, columns) or "name the column that identifies a row, or remove `id`"
        report.add(spec_problem(self._spec, "mapping.unknown-column", "id", what, hint, Severity.WARNING))
