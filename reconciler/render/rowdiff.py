"""How rows differ, for programs: counts of everything, and the few rows that were kept to show, cut short."""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from reconciler.domain.errors import Place
from reconciler.domain.rowdiff import CellChange, RowDiff, RowSample, RowsUnknown

Fields = dict[str, object]


def rows_fields(rows: RowDiff | RowsUnknown) -> Fields:
    """Return what is known of changed rows as every document shows it."""
    match rows:
        case RowDiff():
            counts = ("rows_before", "rows_after", "added", "removed", "edited", "moved", "reformatted", "tokens")
            told = {name: getattr(rows, name) for name in counts}
            samples = [_sample(each) for each in rows.samples]
            return {"before": rows.before, **told, "is_whole": rows.is_whole, "samples": samples}
        case RowsUnknown(before=before, why=why):
            return {"before": before, "unknown": why}
        case _:
            assert_never(rows)


def _sample(sample: RowSample) -> Fields:
    return {
        "change": sample.change,
        "row_before": sample.row_before or None,
        "row_after": sample.row_after or None,
        "place": _place(sample.place),
        "id": sample.id or None,
        "text": sample.text or None,
        "cells": [_cell(each) for each in sample.cells],
        "cells_more": sample.cells_more,
    }


def _place(place: Place | None) -> Mapping[str, object] | None:
    return {"file": place.file, "line": place.line or None} if place else None


def _cell(cell: CellChange) -> Fields:
    words = [msgspec.to_builtins(each) for each in cell.words]
    return {"path": cell.path, "before": cell.before, "after": cell.after, "words": words}
