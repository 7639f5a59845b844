"""Which rows changed: for each dataset the counts, a few rows, more behind a summary, and the count of the rest."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from reconciler.domain.cost import Estimate
from reconciler.domain.identity import Address
from reconciler.domain.plan import Plan, Step, Train, Upload
from reconciler.domain.row_diff import CellChange, RowChange, RowDiff, RowSample, RowsUnknown, WordChange
from reconciler.render.plan_words import NOT_PAIRED, count_changed, counts_text, more_tokens, row_numbers, training_text
from reconciler.render.review.model import Review
from reconciler.render.review.parts import (
    Block,
    code,
    collapse,
    diff_block,
    diff_line,
    sentence,
    text_block,
)
from reconciler.render.sanitize import clean, html_text
from reconciler.render.terminal.rows import MOST_CELLS
from reconciler.render.text import count_text, grouped_count

IN_SIGHT = 3
"""Rows of one dataset that are shown outside the summary."""

_TEXT = 240
_CENT = Decimal("0.01")
_SYMBOLS = {RowChange.ADDED: "+", RowChange.REMOVED: "-", RowChange.EDITED: "!", RowChange.MOVED: " "}


def row_blocks(review: Review) -> Iterator[Block]:
    """Yield the blocks of each dataset whose rows differ from those before."""
    uploads = [step for step in review.plan.steps if isinstance(step.action, Upload) and step.rows]
    if uploads:
        yield text_block("#### Rows")
    trainings = _trainings(review.plan) if uploads else {}
    for step in uploads:
        yield from _dataset(step, trainings.get(step.action.address, []), review)


def _trainings(plan: Plan) -> Mapping[Address, Sequence[Estimate]]:
    found: dict[Address, list[Estimate]] = defaultdict(list)
    for step in plan.steps:
        if isinstance(step.action, Train) and step.estimate:
            found[step.action.model.training.stamp.address].append(step.estimate)
    return found


def _dataset(step: Step, trainings: Sequence[Estimate], review: Review) -> Iterator[Block]:
    name = str(step.action.address)
    address = code(name)
    match step.rows:
        case RowsUnknown(before=before, why=why):
            yield text_block(f"{address}: rows differ from {code(before)}; {sentence(why)}")
        case RowDiff() as rows:
            yield text_block(f"{address}: {_counts(rows)}{_cost_difference(rows, trainings)}")
            yield from _samples(rows, name, samples=review.samples)


def _counts(rows: RowDiff) -> str:
    if rows.is_empty:
        training = f"; {training_text(rows)}" if rows.has_other_share else ""
        return f"no row changed since {code(rows.before)}{training}"
    sizes = f"{rows.rows_before:,} → {rows.rows_after:,} rows since {code(rows.before)}"
    notes = [sizes, training_text(rows), more_tokens(rows)]
    return f"**{sentence(counts_text(rows))}** ({', '.join(filter(None, notes))})"


def _cost_difference(rows: RowDiff, trainings: Sequence[Estimate]) -> str:
    """Return what the rows alone add to the cost, where the tokens were counted and a price is known."""
    prices = list(dict.fromkeys(_differences(rows, trainings)))
    return f"; {', '.join(prices)} per training" if prices else ""


def _differences(rows: RowDiff, trainings: Sequence[Estimate]) -> Iterator[str]:
    for estimate in trainings:
        tokens, cost = estimate.tokens, estimate.cost
        if rows.tokens and tokens.exact and tokens.expected and cost.expected:
            difference = cost.expected * rows.tokens / tokens.expected
            rounded = difference.quantize(_CENT, rounding=ROUND_HALF_UP)
            yield f"{rounded:+,} USD" if rounded else "a difference of less than a cent"


def _samples(rows: RowDiff, address: str, *, samples: bool) -> Iterator[Block]:
    shown = rows.samples if samples else ()
    first, others = shown[:IN_SIGHT], shown[IN_SIGHT:]
    if first:
        yield _sample_block(first)
    if others:
        inside = _sample_block(others)
        summary = f"{grouped_count(len(others), 'more row')} of <code>{html_text(address)}</code>"
        yield Block(lines=inside.lines, around=collapse(summary, diff_block), rest="lines of rows")
    rest = count_changed(rows) - len(shown)
    notes = [
        *([f"… and {grouped_count(rest, 'changed row')} not shown"] if rest > 0 else []),
        *([] if rows.is_whole else [f"{NOT_PAIRED[:1].upper()}{NOT_PAIRED[1:]}."]),
    ]
    if notes:
        yield text_block("\n\n".join(notes))


def _sample_block(samples: Sequence[RowSample]) -> Block:
    return Block(lines=tuple(line for each in samples for line in _row(each)), around=diff_block, rest="lines of rows")


def _row(sample: RowSample) -> Iterator[str]:
    symbol = _SYMBOLS.get(sample.change, " ")
    if sample.change is not RowChange.EDITED:
        moved = f"{sample.change}: " if symbol == " " else ""
        yield diff_line(symbol, f"{_name(sample)}: {moved}{clean(sample.text, limit=_TEXT)}")
        return
    yield diff_line(symbol, _name(sample))
    for cell in sample.cells[:MOST_CELLS]:
        yield from _cell(cell)
    more = len(sample.cells[MOST_CELLS:]) + sample.cells_more
    if more:
        yield diff_line(" ", f"… and {count_text(more, 'more value')} of this row")


def _name(sample: RowSample) -> str:
    row, place = row_numbers(sample, ","), str(sample.place or "")
    facts = [f"id {clean(sample.id, limit=40)}" if sample.id else "", clean(place, limit=80)]
    remark = ", ".join(filter(None, facts))
    return f"{row} ({remark})" if remark else row


def _cell(cell: CellChange) -> Iterator[str]:
    path = clean(cell.path, limit=60) or "the row"
    if cell.before is not None:
        yield diff_line("-", f"{path}: {_side(cell, WordChange.REMOVED, cell.before)}")
    if cell.after is not None:
        yield diff_line("+", f"{path}: {_side(cell, WordChange.ADDED, cell.after)}")


def _side(cell: CellChange, change: WordChange, whole: str) -> str:
    if not cell.words:
        return clean(whole, limit=_TEXT) or '""'
    brackets = ("[-", "-]") if change is WordChange.REMOVED else ("{+", "+}")
    words = (
        each.text if each.change is WordChange.SAME else f"{brackets[0]}{each.text}{brackets[1]}"
        for each in cell.words
        if each.change in {WordChange.SAME, change}
    )
    return clean("".join(words), limit=_TEXT)
