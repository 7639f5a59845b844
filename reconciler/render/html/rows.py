"""The changed rows of datasets, each with its place and its words; as many as a page can hold."""

from dataclasses import dataclass

from reconciler.domain.plan import Plan, Upload
from reconciler.domain.row_diff import CellChange, RowChange, RowDiff, RowSample, RowsUnknown, WordChange
from reconciler.render.html.builder import Html, collapse, element, join
from reconciler.render.plan_words import NOT_PAIRED, row_numbers, training_text
from reconciler.render.text import count_text, grouped_count

MOST_ROWS = 2000
"""Rows of one dataset that are written out."""

MOST_CHARACTERS = 4_000_000
"""Characters of markup of rows on one page: more makes the browser of a phone slow."""

_OPEN_ROWS = 50

_KINDS = {
    RowChange.EDITED: ("~", "edited"),
    RowChange.ADDED: ("+", "added"),
    RowChange.REMOVED: ("−", "removed"),
    RowChange.MOVED: ("↕", "moved"),
    RowChange.REFORMATTED: ("=", "reformatted"),
}


@dataclass(slots=True)
class _Budget:
    """How many characters of markup the page can still hold."""

    characters: int = MOST_CHARACTERS


def rows_html(plan: Plan, *, samples: bool) -> Html:
    """Return the row changes of all datasets; empty where none were compared."""
    budget = _Budget()
    compared = (
        (step.action.dataset.spec.name, step.rows)
        for step in plan.steps
        if isinstance(step.action, Upload) and step.rows
    )
    return join(*(_dataset(name, rows, samples, budget) for name, rows in compared))


def _count_by_kind(rows: RowDiff) -> dict[RowChange, int]:
    """Return how many rows changed, by kind."""
    return {
        RowChange.EDITED: rows.edited,
        RowChange.ADDED: rows.added,
        RowChange.REMOVED: rows.removed,
        RowChange.MOVED: rows.moved,
        RowChange.REFORMATTED: rows.reformatted,
    }


def _dataset(name: str, rows: RowDiff | RowsUnknown, samples: bool, budget: _Budget) -> Html:
    title = element("h3", f"dataset/{name}")
    if isinstance(rows, RowsUnknown):
        return join(title, element("p", f"Rows differ from {rows.before}; {rows.why}."))
    sizes = f"{rows.rows_before:,} → {grouped_count(rows.rows_after, 'row')}, compared with {rows.before}"
    sizes += f"; {training_text(rows)}" if rows.has_other_share else ""
    tokens = "" if rows.tokens is None else f"; {rows.tokens:+,} tokens"
    counts = {kind: number for kind, number in _count_by_kind(rows).items() if number}
    summary = ", ".join(f"{number:,} {_KINDS[kind][1]}" for kind, number in counts.items()) or "no row changed"
    groups = (_group(kind, number, rows, budget) for kind, number in counts.items()) if samples else ()
    return join(
        title,
        element("p", element("strong", summary), f"{tokens}."),
        element("p", f"{sizes}.", class_="dim"),
        *([] if rows.is_whole else [element("p", f"({NOT_PAIRED})")]),
        *groups,
    )


def _group(kind: RowChange, number: int, rows: RowDiff, budget: _Budget) -> Html:
    shown: list[Html] = []
    for sample in [each for each in rows.samples if each.change is kind][:MOST_ROWS]:
        row = _row(sample)
        if len(row) > budget.characters:
            break
        budget.characters -= len(row)
        shown.append(row)
    mark, words = _KINDS[kind]
    title = join(element("span", mark, class_="mark"), f"{number:,} {words}")
    more = number - len(shown)
    rest = [element("p", f"… and {more:,} more", class_="dim")] if more else []
    return collapse(title, *shown, *rest, is_open=number <= _OPEN_ROWS)


def _row(sample: RowSample) -> Html:
    where = ", ".join(filter(None, [f"id {sample.id}" if sample.id else "", str(sample.place or "")]))
    mark = element("span", _KINDS[sample.change][0], class_="mark")
    remark = element("span", f" {where}" if where else "", class_="dim")
    head = element("p", mark, element("strong", row_numbers(sample)), remark)
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
