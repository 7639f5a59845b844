"""What the steps do and why: a table in which things that are alike are one line, and each step in full behind it."""

from collections.abc import Iterator, Sequence

from reconciler.domain.plan import Cancel, Delete, Promote, Step, Train, Upload
from reconciler.domain.rowdiff import RowDiff, RowsUnknown
from reconciler.render.review.model import Review
from reconciler.render.review.parts import Block
from reconciler.render.review.words import (
    CELL,
    code,
    collapse,
    diff_fence,
    fence_line,
    grouped_count,
    list_names,
    sentence,
)
from reconciler.render.sanitize import clean
from reconciler.render.steps import action_word, is_retrain, step_symbol
from reconciler.render.terminal.cost import cost_text, tokens_text
from reconciler.render.terminal.fields import StepField, change_field
from reconciler.render.terminal.plan import step_fields, step_header
from reconciler.render.terminal.rows import counts_text
from reconciler.render.units import size_text

_HEAD = "| | what | does | why | tokens | cost |\n|---|---|---|---|---|---|\n"
_MOST_REASONS = 4
_COLOURED = {"+": "+", "-": "-", "~": "!", "+/-": "!"}

Row = tuple[str, str, str, str, str]
"""Symbol, deed, reasons, tokens and cost: steps that agree in these are one line."""


def change_blocks(review: Review) -> Iterator[Block]:
    """Yield the table of all steps, and the steps in full."""
    steps = review.plan.steps
    if steps:
        yield Block(lines=tuple(_table(steps)), around=_under_head, rest="changes")


def full_blocks(review: Review) -> Iterator[Block]:
    """Yield every step with all its fields, behind a summary."""
    steps = review.plan.steps
    if steps:
        title = f"Every step in full ({len(steps):,})"
        lines = tuple(line for step in steps for line in _in_full(step, review))
        yield Block(lines=lines, around=collapse(title, diff_fence), rest="lines of steps in full")


def _under_head(lines: Sequence[str]) -> str:
    return _HEAD + "\n".join(lines)


def _table(steps: Sequence[Step]) -> Iterator[str]:
    groups: dict[Row, list[Step]] = {}
    for step in steps:
        groups.setdefault(_row(step), []).append(step)
    for (symbol, deed, why, tokens, cost), alike in groups.items():
        addresses = list(dict.fromkeys(str(step.action.address) for step in alike))
        deeds = deed if len(alike) == 1 else f"{deed} × {len(alike):,}"
        price = cost if len(alike) == 1 or not cost else f"each {cost}"
        yield f"| `{symbol}` | {list_names(addresses)} | {deeds} | {why} | {tokens} | {price} |"


def _row(step: Step) -> Row:
    estimate = step.estimate
    deed = "retrain" if is_retrain(step) else action_word(step.action)
    tokens = sentence(tokens_text(estimate)) if estimate and not estimate.cost.is_free else ""
    cost = sentence(cost_text(estimate.cost)) if estimate else ""
    return step_symbol(step), deed, "<br>".join(_reasons(step)), tokens, cost


def _reasons(step: Step) -> Iterator[str]:
    match step.action:
        case Upload(dataset=dataset):
            size = f"{grouped_count(dataset.measure.rows, 'row')}, {size_text(dataset.measure.size_bytes)}"
            yield sentence(f"{_rows(step.rows)} → {size}" if step.rows else size)
            yield from _changes(step)
        case Train():
            _, *remarks = step_header(step)
            yield from map(sentence, remarks)
            yield from _changes(step) if is_retrain(step) else ()
            if not (remarks or is_retrain(step)):
                yield "new"
        case Promote(job=job, model=model, instead_of=instead_of):
            yield f"{code(instead_of) if instead_of else 'nothing'} → {code(model)}"
            yield f"job {code(job.id)} made it already; nothing is paid"
        case Cancel(job=job):
            _, *remarks = step_header(step)
            yield from map(sentence, [f"job {clean(job.id)} is {clean(str(job.status))}", *remarks])
        case Delete(thing=thing):
            _, *remarks = step_header(step)
            yield from (code(thing), *map(sentence, remarks))


def _changes(step: Step) -> Iterator[str]:
    fields = [change_field(each) for each in step.changes]
    yield from (_change(each) for each in fields[:_MOST_REASONS])
    if len(fields) > _MOST_REASONS:
        yield f"and {len(fields) - _MOST_REASONS} more"


def _change(field: StepField) -> str:
    values = " → ".join(sentence(value, CELL) for value in field.values)
    return f"{code(field.name)}: {values}" if len(field.values) > 1 else f"{code(field.name)}: set to {values}"


def _rows(rows: RowDiff | RowsUnknown) -> str:
    return counts_text(rows) if isinstance(rows, RowDiff) else "others, not compared"


def _in_full(step: Step, review: Review) -> Iterator[str]:
    symbol = step_symbol(step)
    header, *remarks = step_header(step)
    yield fence_line(_COLOURED[symbol], header)
    yield from (fence_line(" ", f"  ({remark})") for remark in remarks)
    for field in step_fields(step, review.previous.get(step.action.address)):
        yield from _pair(field) if field.symbol == "~" and len(field.values) > 1 else (_single(field, symbol),)


def _pair(field: StepField) -> Iterator[str]:
    yield fence_line("-", f"    {field.name}: {field.values[0]}")
    yield fence_line("+", f"    {field.name}: {' → '.join(field.values[1:])}{_remark(field)}")


def _single(field: StepField, symbol: str) -> str:
    mark = field.symbol if field.symbol in {"+", "-"} and symbol != "-" else " "
    return fence_line(mark, f"    {field.name}: {' → '.join(field.values)}{_remark(field)}")


def _remark(field: StepField) -> str:
    return f"  {field.remark}" if field.remark else ""
