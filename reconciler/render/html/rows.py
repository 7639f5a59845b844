"""The rows that changed, one after another, each with its place and its words; so many as a page can bear."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from reconciler.domain.plan import Plan, Upload
from reconciler.domain.rowdiff import CellChange, RowChange, RowDiff, RowSample, RowsUnknown, WordChange
from reconciler.render.html.builder import Html, collapse, element, join
from reconciler.render.text import count_text, grouped_count

MOST_ROWS = 2000
"""Rows of one dataset that are written out."""

MOST_CHARACTERS = 4_000_000
"""Markup of rows on one page: more makes a phone's browser slow."""

_OPEN_ROWS = 50

_KINDS = {
    RowChange.EDITED: ("~", "edited"),
    RowChange.ADDED: ("+", "added"),
    RowChange.REMOVED: ("−", "removed"),
    RowChange.MOVED: ("↕", "moved"),
    RowChange.REFORMATTED: ("=", "the same, written otherwise"),
}


@dataclass(slots=True)
class _Budget:
    """How much more the page can bear."""

    characters: int = MOST_CHARACTERS


def rows_html(plan: Plan, *, samples: bool) -> Html:
    """Return the row changes of all datasets; empty where nobody compared any."""
    room = _Budget()
    return join(
        *(_dataset(step.action.dataset.spec.name, step.rows, samples, room) for step in _compared_uploads(plan))
    )


def counts_of(rows: RowDiff) -> dict[RowChange, int]:
    """Count what became of the rows, by kind."""
    return {
        RowChange.EDITED: rows.edited,
        RowChange.ADDED: rows.added,
        RowChange.REMOVED: rows.removed,
        RowChange.MOVED: rows.moved,
        RowChange.REFORMATTED: rows.reformatted,
    }


class _ComparedUpload(msgspec.Struct, frozen=True):
    """A step that sends rows which were compared."""

    action: Upload
    rows: RowDiff | RowsUnknown


def _compared_uploads(plan: Plan) -> Iterator[_ComparedUpload]:
    for step in plan.steps:
        if isinstance(step.action, Upload) and step.rows:
            yield _ComparedUpload(step.action, step.rows)


def _dataset(name: str, rows: RowDiff | RowsUnknown, samples: bool, room: _Budget) -> Html:
    title = element("h3", f"dataset/{name}")
    if isinstance(rows, RowsUnknown):
        return join(title, element("p", f"Others than in {rows.before}; {rows.why}."))
    sizes = f"{rows.rows_before:,} → {grouped_count(rows.rows_after, 'row')}, compared with {rows.before}"
    tokens = "" if rows.tokens is None else f"; {rows.tokens:+,} tokens"
    counts = {kind: number for kind, number in counts_of(rows).items() if number}
    told = ", ".join(f"{number:,} {_KINDS[kind][1]}" for kind, number in counts.items()) or "no row changed"
    whole = "" if rows.is_whole else "So many rows differ that not all were paired: some count as removed and added."
    groups = (_group(kind, number, rows, room) for kind, number in counts.items()) if samples else ()
    return join(
        title,
        element("p", element("strong", told), f"{tokens}."),
        element("p", f"{sizes}.", class_="dim"),
        *([element("p", whole)] if whole else []),
        *groups,
    )


def _group(kind: RowChange, number: int, rows: RowDiff, room: _Budget) -> Html:
    shown: list[Html] = []
    for sample in [each for each in rows.samples if each.change is kind][:MOST_ROWS]:
        row = _row(sample)
        if len(row) > room.characters:
            break
        room.characters -= len(row)
        shown.append(row)
    mark, words = _KINDS[kind]
    title = join(element("span", mark, class_="mark"), f"{number:,} {words}")
    more = number - len(shown)
    rest = [element("p", f"… and {more:,} more", class_="dim")] if more else []
    return collapse(title, *shown, *rest, is_open=number <= _OPEN_ROWS)


def _row(sample: RowSample) -> Html:
    numbers = " → ".join(dict.fromkeys(str(each) for each in (sample.row_before, sample.row_after) if each))
    beside = [f"id {sample.id}" if sample.id else "", str(sample.place or "")]
    where = ", ".join(filter(None, beside))
    mark = element("span", _KINDS[sample.change][0], class_="mark")
    head = element(
        "p", mark, element("strong", f"row {numbers}"), element("span", f" {where}" if where else "", class_="dim")
    )
    more = count_text(sample.cells_more, "more value")
    return element(
        "div",
        head,
        *(_cell(cell) for cell in sample.cells),
        *([element("p", f"… and {more}", class_="dim")] if sample.cells_more else []),
        *([_text(sample)] if sample.text else []),
        class_="row",
    )


def _text(sample: RowSample) -> Html:
    wrap = {RowChange.ADDED: "ins", RowChange.REMOVED: "del"}.get(sample.change)
    return element("p", element(wrap, sample.text, class_="whole") if wrap else sample.text, class_="text mono")


def _cell(cell: CellChange) -> Html:
    path = element("p", element("code", cell.path or "the row"), class_="dim")
    if cell.words:
        wraps = {WordChange.REMOVED: "del", WordChange.ADDED: "ins"}
        words = (element(wraps[each.change], each.text) if each.change in wraps else each.text for each in cell.words)
        return join(path, element("p", *words, class_="text"))
    before = element("del", cell.before) if cell.before is not None else element("span", "(nothing)", class_="dim")
    after = element("ins", cell.after) if cell.after is not None else element("span", "(nothing)", class_="dim")
    return join(path, element("p", before, " → ", after, class_="text"))
