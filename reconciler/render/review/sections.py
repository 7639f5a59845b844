"""The sections of a review: refusals, problems, changes, cost, warnings, kept things, and every step in full."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.plan import Cancel, Delete, Keep, KeepReason, Plan, Promote, Refusal, Step, Train, Upload
from reconciler.domain.row_diff import RowDiff
from reconciler.render.fields import StepField, change_field, step_fields
from reconciler.render.plan_words import (
    action_word,
    cost_notes,
    cost_text,
    counts_text,
    is_retrain,
    is_running,
    is_suspended,
    keep_sentence,
    needs_decision,
    refusal_hints,
    step_header,
    step_symbol,
    tokens_text,
)
from reconciler.render.review.model import Review, StepResult
from reconciler.render.review.parts import (
    CELL,
    Block,
    bullets,
    code,
    collapse,
    diff_block,
    diff_line,
    list_names,
    sentence,
    text_block,
)
from reconciler.render.sanitize import clean
from reconciler.render.text import grouped_count, size_text

_CENT = Decimal("0.01")
_HEAD = "| | what | does | why | tokens | cost |\n|---|---|---|---|---|---|\n"
_MOST_REASONS = 4
_DIFF_MARKS = {"+": "+", "-": "-", "~": "!", "+/-": "!"}

Row = tuple[str, str, str, str, str]
"""Symbol, action, reasons, tokens and cost: steps that agree in these share one line."""


def refused_blocks(review: Review) -> Iterator[Block]:
    """Yield what was refused, why, and the next step."""
    if review.plan.refused:
        lines = tuple(map(_refusal, review.plan.refused))
        yield Block(lines=lines, around=_under_title("#### Refused: this plan will not be applied"), rest="refusals")


def failure_blocks(review: Review) -> Iterator[Block]:
    """Yield why no plan was made, or why a command ended early."""
    if review.failure:
        rest = "" if review.is_planned else "<br>No plan was made, so nothing is known of the models."
        yield text_block(f"**{sentence(review.failure)}**{rest}")


def result_blocks(review: Review) -> Iterator[Block]:
    """Yield how each step of an apply ended."""
    if review.result and review.result.steps:
        lines = tuple(map(_step_result, review.result.steps))
        yield Block(lines=lines, around=_under_title("#### What the apply did"), rest="results")


def _step_result(result: StepResult) -> str:
    action = result.step.action
    # A model can have a create and several cancels in one plan.
    job = f" ({code(action.job.id)})" if isinstance(action, Cancel) else ""
    word = f"{action_word(action)} {code(str(action.address))}{job}: {result.outcome or 'not begun'}"
    return "<br>".join([word, *(sentence(each) for each in (result.message, result.hint) if each)])


def problem_blocks(review: Review) -> Iterator[Block]:
    """Yield the errors of specs and rows; the same finding in many places is one line."""
    errors = [each for each in review.problems if each.severity is Severity.ERROR]
    if errors:
        more = [f"and {grouped_count(review.unshown, 'error')} more"] if review.unshown else []
        yield Block(lines=(*_group_problems(errors), *more), around=_under_title("#### Errors"), rest="errors")


def warning_blocks(review: Review) -> Iterator[Block]:
    """Yield warnings and notes, which stop nothing."""
    notes = [each for each in review.problems if each.severity is not Severity.ERROR]
    lines = (
        *map(sentence, review.plan.warnings),
        *_cancelled_jobs(review.plan),
        *_group_problems(each for each in notes if each.severity is Severity.WARNING),
        *map(sentence, review.notes),
    )
    if lines:
        yield Block(lines=lines, around=_under_title("#### Warnings"), rest="warnings")
    infos = tuple(_group_problems(each for each in notes if each.severity is Severity.INFO))
    if infos:
        summary = grouped_count(len(infos), "note")
        yield Block(lines=infos, around=collapse(summary, bullets), rest="notes")


def cost_blocks(review: Review) -> Iterator[Block]:
    """Yield what all jobs cost together, and where the prices are from."""
    if review.plan.trains:
        cost = review.plan.cost
        notes = cost_notes(cost)
        yield text_block(f"**Cost:** {sentence(cost_text(cost))}" + (f" ({sentence(notes)})" if notes else ""))


def kept_blocks(review: Review) -> Iterator[Block]:
    """Yield what waits and what is suspended; behind a summary, what is unchanged and what is orphaned."""
    kept = review.plan.kept
    waiting = [keep for choose in (needs_decision, is_running, is_suspended) for keep in kept if choose(keep)]
    if waiting:
        yield Block(lines=tuple(map(_keep, waiting)), around=_under_title("#### Waiting"), rest="waiting")
    yield from _collapsed_list([each for each in kept if each.why is KeepReason.READY], "unchanged")
    yield from _collapsed_list(
        [each for each in kept if each.why is KeepReason.ORPHAN], "not in the specs (orphaned), kept"
    )


def _collapsed_list(kept: Sequence[Keep], state: str) -> Iterator[Block]:
    if kept:
        lines = tuple(f"{code(str(each.address))} {_facts(each)}".rstrip() for each in kept)
        yield Block(lines=lines, around=collapse(f"{len(kept):,} {state}", bullets), rest=state)


def _under_title(title: str) -> Callable[[Sequence[str]], str]:
    return lambda lines: f"{title}\n\n{bullets(lines)}"


def _refusal(refusal: Refusal) -> str:
    return "<br>".join(
        [f"**{sentence(refusal.policy)}**: {sentence(refusal.what)}", *map(sentence, refusal_hints(refusal))]
    )


def _group_problems(problems: Iterable[Problem]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for each in problems:
        groups.setdefault((each.rule, each.what, each.path), []).append(each)
    for (rule, what, path), alike in groups.items():
        places = list_names(list(dict.fromkeys(str(each.where) for each in alike)))
        field = f"{code(path)}: " if path else ""
        hint = f"<br>{sentence(alike[0].hint)}" if alike[0].hint else ""
        count = f" ({len(alike):,} times)" if len(alike) > 1 else ""
        yield f"{places} {field}{sentence(what)}{count}{f' ({code(rule)})' if rule else ''}{hint}"


def _cancelled_jobs(plan: Plan) -> Iterator[str]:
    """Yield what it costs to cancel an active job: its training so far remains billed."""
    for step in plan.steps:
        if isinstance(step.action, Cancel) and step.action.job.status.is_active:
            job = step.action.job
            trained = job.trained_tokens
            paid = "the service does not say what it cost so far"
            if trained:
                price = _price_of_tokens(plan, step.action, trained)
                paid = f"it has trained {trained:,} tokens so far{price}, which remain billed"
            yield f"{code(str(step.action.address))}: job {code(job.id)} is active and will be cancelled; {paid}"


def _price_of_tokens(plan: Plan, cancel: Cancel, trained: int) -> str:
    """Return the price of tokens, at the rate of the next job on the same base; empty where the rate is unknown."""
    for step in plan.steps:
        if not isinstance(step.action, Train) or step.action.address != cancel.address or not step.estimate:
            continue
        estimate = step.estimate
        paid = estimate.tokens.expected * (estimate.epochs or 0)
        if paid and estimate.cost.expected and step.action.model.recipe.base == cancel.job.base:
            worth = (estimate.cost.expected * trained / paid).quantize(_CENT, rounding=ROUND_HALF_UP)
            return f", about {worth:,} USD"
    return ""


def _keep(keep: Keep) -> str:
    more = "".join(f"<br>{sentence(each)}" for each in (keep.detail, keep.hint) if each)
    return f"{code(str(keep.address))}: {sentence(keep_sentence(keep))}{more}"


def _facts(keep: Keep) -> str:
    facts = [each for each in (keep.model, keep.job) if each][:1]
    return " ".join([*map(code, facts), *([sentence(keep.detail)] if keep.detail else [])])


def change_blocks(review: Review) -> Iterator[Block]:
    """Yield the table of all steps."""
    steps = review.plan.steps
    if steps:
        yield Block(lines=tuple(_table(steps)), around=lambda lines: _HEAD + "\n".join(lines), rest="changes")


def full_blocks(review: Review) -> Iterator[Block]:
    """Yield every step with all its fields, behind a summary."""
    steps = review.plan.steps
    if steps:
        title = f"Every step in full ({len(steps):,})"
        lines = tuple(line for step in steps for line in _in_full(step, review))
        yield Block(lines=lines, around=collapse(title, diff_block), rest="lines of steps in full")


def _table(steps: Sequence[Step]) -> Iterator[str]:
    groups: dict[Row, list[Step]] = {}
    for step in steps:
        groups.setdefault(_row(step), []).append(step)
    for (symbol, action, why, tokens, cost), alike in groups.items():
        addresses = list(dict.fromkeys(str(step.action.address) for step in alike))
        actions = action if len(alike) == 1 else f"{action} × {len(alike):,}"
        price = cost if len(alike) == 1 or not cost else f"each {cost}"
        yield f"| `{symbol}` | {list_names(addresses)} | {actions} | {why} | {tokens} | {price} |"


def _row(step: Step) -> Row:
    estimate = step.estimate
    action = "retrain" if is_retrain(step) else action_word(step.action)
    tokens = sentence(tokens_text(estimate)) if estimate and not estimate.cost.is_free else ""
    cost = sentence(cost_text(estimate.cost)) if estimate else ""
    return step_symbol(step), action, "<br>".join(_reasons(step)), tokens, cost


def _reasons(step: Step) -> Iterator[str]:
    match step.action:
        case Upload(dataset=dataset):
            size = f"{grouped_count(dataset.measure.rows, 'row')}, {size_text(dataset.measure.size_bytes)}"
            before = counts_text(step.rows) if isinstance(step.rows, RowDiff) else "changed, not compared"
            yield sentence(f"{before} → {size}" if step.rows else size)
            yield from _changes(step)
        case Train():
            _, *remarks = step_header(step)
            yield from map(sentence, remarks)
            yield from _changes(step) if is_retrain(step) else ()
            if not (remarks or is_retrain(step)):
                yield "new"
        case Promote(job=job, model=model, instead_of=instead_of):
            yield f"{code(instead_of) if instead_of else 'nothing'} → {code(model)}"
            yield f"job {code(job.id)} already trained this version; no cost"
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


def _in_full(step: Step, review: Review) -> Iterator[str]:
    symbol = step_symbol(step)
    header, *remarks = step_header(step)
    yield diff_line(_DIFF_MARKS[symbol], header)
    yield from (diff_line(" ", f"  ({remark})") for remark in remarks)
    for field in step_fields(step, review.previous.get(step.action.address)):
        yield from _field_lines(field, symbol)


def _field_lines(field: StepField, symbol: str) -> Iterator[str]:
    values, mark = field.values, field.symbol if field.symbol in {"+", "-"} and symbol != "-" else " "
    if field.symbol == "~" and len(values) > 1:
        yield diff_line("-", f"    {field.name}: {values[0]}")
        values, mark = values[1:], "+"
    remark = f"  {field.remark}" if field.remark else ""
    yield diff_line(mark, f"    {field.name}: {' → '.join(values)}{remark}")
