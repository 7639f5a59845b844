"""How rows differ, for people: one line of counts, and a few rows, each with what changed in it."""

from collections.abc import Iterator

from reconciler.domain.rowdiff import CellChange, RowChange, RowDiff, RowSample, WordChange
from reconciler.render.plan_words import counts_text, more_tokens
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, count_text, wrap

MOST_CELLS = 3
"""Values of one row that are shown."""

_SHOWN_ROW = 140
_SHOWN_VALUE = 90
_SHOWN_TEXT = 240
_WIDTH = 100

_SYMBOLS = {
    RowChange.ADDED: "+",
    RowChange.REMOVED: "-",
    RowChange.EDITED: "~",
    RowChange.MOVED: "↕",
    RowChange.REFORMATTED: "=",
}


def diff_text(diff: RowDiff, after: str, *, colour: bool = False, width: int | None = None) -> str:
    """Return a comparison of two versions, named by what they are; ends with a newline."""
    style = Style(colour)
    head = [f"{style.red('---')} {clean(diff.before)} ({count_text(diff.rows_before, 'row')})"]
    head += [f"{style.green('+++')} {clean(after)} ({count_text(diff.rows_after, 'row')})"]
    if diff.is_empty:
        return "\n".join([*head, style.bold("No row changed.")]) + "\n"
    lines = [*head, style.bold(f"rows: {counts_text(diff)}"), *_summary(diff)]
    return "\n".join([*lines, *sample_lines(diff, style, width or _WIDTH, "  ")]) + "\n"


def sample_lines(diff: RowDiff, style: Style, width: int, indent: str) -> Iterator[str]:
    """Yield the rows that are shown, and what there is to say of all of them."""
    for sample in diff.samples:
        yield from _sample(sample, style, width, indent)
    changed = diff.added + diff.removed + diff.edited + diff.moved + diff.reformatted
    if len(diff.samples) < changed:
        yield style.dim(f"{indent}… and {changed - len(diff.samples)} more")
    if not diff.is_whole:
        what = "so many rows differ that not all were paired: some that were edited count as removed and added"
        yield from (style.dim(line) for line in wrap(f"({what})", width, first=indent, rest=indent))


def _summary(diff: RowDiff) -> Iterator[str]:
    words = {
        "added": diff.added,
        "removed": diff.removed,
        "edited": diff.edited,
        "moved": diff.moved,
        "the same, written otherwise": diff.reformatted,
    }
    told = [f"{number} {word}" for word, number in words.items() if number]
    tokens = more_tokens(diff)
    yield ", ".join(told) + (f"; {tokens}" if tokens else "")


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
    numbers = [str(number) for number in (sample.row_before, sample.row_after) if number]
    row = f"row {' → '.join(dict.fromkeys(numbers))}"
    beside = [*([f"id {clean(sample.id)}"] if sample.id else []), *([clean(str(sample.place))] if sample.place else [])]
    return f"{row} ({', '.join(beside)})" if beside else row


def _cell(cell: CellChange, style: Style, width: int, indent: str) -> Iterator[str]:
    path = clean(cell.path) or "the row"
    if not cell.words:
        values = [_value(cell.before), _value(cell.after)]
        yield f"{indent}{path}: {style.red(values[0])} → {style.green(values[1])}"
        return
    # Colour alone would be lost on paper and on many eyes, so the brackets stay beside it.
    words, room = [], _SHOWN_TEXT
    for each in cell.words:
        text = clean(each.text, limit=max(room, 1))
        room -= len(text)
        match each.change:
            case WordChange.SAME:
                words.append(text)
            case WordChange.REMOVED:
                words.append(f"[-{text}-]")
            case WordChange.ADDED:
                words.append(f"{{+{text}+}}")
        if room <= 0:
            words.append("…")
            break
    lines = wrap("".join(words), width, first=f"{indent}{path}: ", rest=f"{indent}  ")
    yield from (_colour_words(line, style) for line in lines)


def _colour_words(line: str, style: Style) -> str:
    if not style.wanted:
        return line
    for start, end, colour in (("[-", "-]", style.red), ("{+", "+}", style.green)):
        pieces = line.split(start)
        line = pieces[0] + "".join(
            colour(start + piece[: piece.index(end) + 2]) + piece[piece.index(end) + 2 :]
            if end in piece
            else start + piece
            for piece in pieces[1:]
        )
    return line


def _value(text: str | None) -> str:
    return "(nothing)" if text is None else clean(text, limit=_SHOWN_VALUE) or '""'
