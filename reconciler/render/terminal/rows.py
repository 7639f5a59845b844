"""How rows differ, for the terminal: one line of counts, and a few rows with what changed in each."""

import re
from collections.abc import Iterator

from reconciler.domain.row_diff import CellChange, RowChange, RowDiff, RowSample, WordChange
from reconciler.render.plan_words import NOT_PAIRED, count_changed, counts_text, more_tokens, row_numbers
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, count_text, wrap

MOST_CELLS = 3
"""Values of one row that are shown."""

_SHOWN_ROW = 140
_SHOWN_VALUE = 90
_SHOWN_TEXT = 240
_WIDTH = 100
_REMOVED = re.compile(r"\[-.*?-\]")
_ADDED = re.compile(r"\{\+.*?\+\}")

_SYMBOLS = {
    RowChange.ADDED: "+",
    RowChange.REMOVED: "-",
    RowChange.EDITED: "~",
    RowChange.MOVED: "↕",
    RowChange.REFORMATTED: "=",
}


def diff_text(diff: RowDiff, after: str, *, colour: bool = False, width: int | None = None) -> str:
    """Return a comparison of two versions; `after` names the newer one. Ends with a newline."""
    style = Style(colour)
    head = [f"{style.red('---')} {clean(diff.before)} ({count_text(diff.rows_before, 'row')})"]
    head += [f"{style.green('+++')} {clean(after)} ({count_text(diff.rows_after, 'row')})"]
    if diff.is_empty:
        return "\n".join([*head, style.bold("No row changed.")]) + "\n"
    lines = [*head, style.bold(f"rows: {counts_text(diff)}"), *_summary(diff)]
    return "\n".join([*lines, *sample_lines(diff, style, width or _WIDTH, "  ")]) + "\n"


def sample_lines(diff: RowDiff, style: Style, width: int, indent: str) -> Iterator[str]:
    """Yield the rows that are shown, and how many are not."""
    for sample in diff.samples:
        yield from _sample(sample, style, width, indent)
    if len(diff.samples) < count_changed(diff):
        yield style.dim(f"{indent}… and {count_changed(diff) - len(diff.samples)} more")
    if not diff.is_whole:
        yield from (style.dim(line) for line in wrap(f"({NOT_PAIRED})", width, first=indent, rest=indent))


def _summary(diff: RowDiff) -> Iterator[str]:
    counts = {
        "added": diff.added,
        "removed": diff.removed,
        "edited": diff.edited,
        "moved": diff.moved,
        "reformatted": diff.reformatted,
    }
    summary = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    yield "; ".join(filter(None, [summary, more_tokens(diff)]))


def _sample(sample: RowSample, style: Style, width: int, indent: str) -> Iterator[str]:
    symbol = _SYMBOLS[sample.change]
    start = f"{indent}{style.symbol(symbol, symbol)} {_name(sample)}"
    if sample.change is not RowChange.EDITED:
        yield f"{start}: {clean(sample.text, limit=_SHOWN_ROW)}"
        return
    yield start
    for cell in sample.cells[:MOST_CELLS]:
        yield from _cell(cell, style, width, f"{indent}    ")
    more = len(sample.cells[MOST_CELLS:]) + sample.cells_more
    if more:
        yield f"{indent}    … and {count_text(more, 'more value')}"


def _name(sample: RowSample) -> str:
    facts = [f"id {clean(sample.id)}" if sample.id else "", clean(str(sample.place)) if sample.place else ""]
    row, remark = row_numbers(sample), ", ".join(filter(None, facts))
    return f"{row} ({remark})" if remark else row


def _cell(cell: CellChange, style: Style, width: int, indent: str) -> Iterator[str]:
    path = clean(cell.path) or "the row"
    if not cell.words:
        values = [_value(cell.before), _value(cell.after)]
        yield f"{indent}{path}: {style.red(values[0])} → {style.green(values[1])}"
        return
    # Not every reader sees the colours, so the brackets are there too.
    words, free = [], _SHOWN_TEXT
    for each in cell.words:
        text = clean(each.text, limit=max(free, 1))
        free -= len(text)
        match each.change:
            case WordChange.SAME:
                words.append(text)
            case WordChange.REMOVED:
                words.append(f"[-{text}-]")
            case WordChange.ADDED:
                words.append(f"{{+{text}+}}")
        if free <= 0:
            words.append("…")
            break
    lines = wrap("".join(words), width, first=f"{indent}{path}: ", rest=f"{indent}  ")
    yield from (_colour_words(line, style) for line in lines)


def _colour_words(line: str, style: Style) -> str:
    shown = _REMOVED.sub(lambda match: style.red(match[0]), line)
    return _ADDED.sub(lambda match: style.green(match[0]), shown)


def _value(text: str | None) -> str:
    return "(nothing)" if text is None else clean(text, limit=_SHOWN_VALUE) or '""'
