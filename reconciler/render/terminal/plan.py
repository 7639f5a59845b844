"""A plan for the terminal: what will be done and why, what stays, what is refused, and the counts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import assert_never

from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Cancel, CommandScope, Delete, Keep, KeepReason, Plan, Promote, Step, Train, Upload
from reconciler.domain.row_diff import RowDiff
from reconciler.render.fields import StepField, step_fields
from reconciler.render.plan_words import (
    cost_notes,
    cost_text,
    count_plan,
    is_running,
    is_suspended,
    keep_sentence,
    needs_decision,
    plan_place,
    step_header,
    step_symbol,
)
from reconciler.render.sanitize import clean
from reconciler.render.terminal.problems import hint_lines, refused_section
from reconciler.render.terminal.rows import sample_lines
from reconciler.render.text import Style, count_text, pad, width_of, wrap

_LEGEND = {
    "+": "upload, train",
    "+/-": "retrain: a serving model stays active until the new one succeeds",
    "~": "promote: switch to a model that exists already",
    "-": "cancel, delete",
}

_ONE_LINE = 80
"""Columns of a change on one line; a longer one shows before and after below each other."""

_ORPHANS_SHOWN = 5

_NO_SCOPE = CommandScope()


def plan_text(
    plan: Plan,
    *,
    colour: bool = False,
    previous: Mapping[Address, ModelId] | None = None,
    width: int = 88,
    scope: CommandScope = _NO_SCOPE,
) -> str:
    """Return the whole plan; its last line counts the steps, or begins with `No changes`.

    Shape:  `previous` names the serving models, so that a retraining says which one it replaces; commands are
            written for the `scope`
    """
    style = Style(colour)
    sections = [
        _head(plan, style),
        *("\n".join(_step(step, previous or {}, style, width)) for step in plan.steps),
        *_kept_sections(plan, style, width, scope),
        "\n".join(line for each in plan.warnings for line in _warning(each, style, width)),
        refused_section(plan, style, width),
        "\n".join(_cost_lines(plan, width)),
        style.bold(_closing(plan)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(plan: Plan, style: Style) -> str:
    if plan.is_empty:
        return ""
    used = {step_symbol(step) for step in plan.steps}
    legend = [f"{style.symbol(each, each.rjust(3))} {means}" for each, means in _LEGEND.items() if each in used]
    return "\n".join([f"Plan for {plan_place(plan)}:", *legend])


def _step(step: Step, previous: Mapping[Address, ModelId], style: Style, width: int) -> Iterator[str]:
    symbol = step_symbol(step)
    header, *remarks = step_header(step)
    yield style.bold(f"  # {header}")
    yield from (style.dim(f"  # ({remark})") for remark in remarks)
    yield f"{style.symbol(symbol, symbol.rjust(3))} {_thing(step)}"
    yield from _field_lines(step_fields(step, previous.get(step.action.address)), style)
    if isinstance(step.rows, RowDiff):
        yield from sample_lines(step.rows, style, width, " " * 10)


def _thing(step: Step) -> str:
    match step.action:
        case Upload() | Train() | Promote():
            return f'{step.action.address.kind} "{clean(step.action.address.name)}"'
        case Cancel(job=job):
            return f'job "{clean(job.id)}"'
        case Delete(thing=thing, is_model=is_model):
            return f'{"model" if is_model else "file"} "{clean(thing)}"'
        case _:
            assert_never(step.action)


def _field_lines(fields: Sequence[StepField], style: Style) -> Iterator[str]:
    """Yield the lines of fields, their values in one column."""
    column = max((width_of(field.name) for field in fields), default=0)
    for field in fields:
        start = f"      {style.symbol(field.symbol, field.symbol)} {pad(field.name, column)} = "
        remark = f"  {style.yellow(field.remark)}" if field.remark else ""
        plain = " → ".join(field.values) + (f"  {field.remark}" if field.remark else "")
        if len(field.values) > 1 and 11 + column + width_of(plain) > _ONE_LINE:
            yield start + field.values[0]
            yield f"{' ' * (column + 9)}→ {' → '.join(field.values[1:])}{remark}"
        else:
            yield start + " → ".join(field.values) + remark


def _kept_sections(plan: Plan, style: Style, width: int, scope: CommandScope) -> Iterator[str]:
    """Yield a section for each group that needs attention, and one line that counts what is unchanged."""
    running = [keep for keep in plan.kept if is_running(keep)]
    undecided = [keep for keep in plan.kept if needs_decision(keep)]
    orphans = [keep for keep in plan.kept if keep.why is KeepReason.ORPHAN]
    ready = [keep for keep in plan.kept if keep.why is KeepReason.READY]
    yield _section(style.yellow("Still running:"), running, style, width, scope)
    yield _section(style.red("Waiting for your decision:"), undecided, style, width, scope)
    yield _section(style.yellow("Suspended in the specs:"), list(filter(is_suspended, plan.kept)), style, width, scope)
    yield _section("Unchanged, with a remark:", [keep for keep in ready if keep.detail], style, width, scope)
    yield _orphans(orphans, style, width)
    where = f" in {plan_place(plan)}" if plan.is_empty else ""
    yield f"{len(ready)} unchanged{where}." if ready else ""


def _section(title: str, kept: Sequence[Keep], style: Style, width: int, scope: CommandScope) -> str:
    return "\n".join([title, *(line for keep in kept for line in _keep(keep, style, width, scope))]) if kept else ""


def _keep(keep: Keep, style: Style, width: int, scope: CommandScope) -> Iterator[str]:
    first, *rest = wrap(f"{clean(str(keep.address))}: {keep_sentence(keep)}", width, first="  ", rest="    ")
    yield style.bold(first)
    yield from map(style.bold, rest)
    for detail in (keep.model if keep.why is KeepReason.MISSING else None, keep.detail):
        yield from wrap(clean(detail), width, first="    ", rest="    ") if detail else ()
    if keep.hint:
        yield from hint_lines(keep.hint, width)
    if is_running(keep) and "reconciler follow" not in keep.hint:
        yield f"    follow it with: {clean(scope.call('follow', keep.address.name))}"


def _orphans(kept: Sequence[Keep], style: Style, width: int) -> str:
    if not kept:
        return ""
    groups = [(clean(str(address)), list(group)) for address, group in groupby(kept, lambda keep: keep.address)]
    shown, others = groups[:_ORPHANS_SHOWN], groups[_ORPHANS_SHOWN:]
    column = max(width_of(address) for address, _ in shown)
    lines = [f"  {pad(address, column)}  {_versions(group)}".rstrip() for address, group in shown]
    if others:
        lines.append(f"  … and {len(others)} more; --json lists them all")
    hints = dict.fromkeys(keep.hint for keep in kept if keep.hint)
    # A hint that all of them share is shown once; different ones would hide the list.
    lines += hint_lines(next(iter(hints)), width) if len(hints) == 1 else []
    return "\n".join([style.dim("Not in the specs (orphaned); kept:"), *lines])


def _versions(group: Sequence[Keep]) -> str:
    if len(group) > 1:
        return count_text(len(group), "version")
    (keep,) = group
    facts = (keep.detail,) if keep.detail else (keep.job or "", str(keep.status or ""), keep.model or "")
    return ", ".join(clean(fact) for fact in facts if fact)


def _warning(text: str, style: Style, width: int) -> Iterator[str]:
    first, *rest = wrap(f"Warning: {clean(text)}", width, rest="  ")
    yield first.replace("Warning:", style.yellow("Warning:"), 1)
    yield from rest


def _cost_lines(plan: Plan, width: int) -> Iterator[str]:
    """Yield the lines that sum up what a plan costs; none where it trains nothing."""
    if plan.trains:
        notes = cost_notes(plan.cost)
        yield from wrap(clean(f"Cost: {cost_text(plan.cost)}" + (f" ({notes})" if notes else "")), width, rest="  ")


def _closing(plan: Plan) -> str:
    counts = count_plan(plan)
    if plan.steps or plan.refused:
        refused = f" {count_text(counts.refuse, 'refusal')}: this plan will not be applied." if plan.refused else ""
        promote = f"{counts.promote} to promote, " if counts.promote else ""
        return (
            f"Plan: {promote}{counts.upload} to upload, {counts.train} to train, {counts.cancel} to cancel, "
            f"{counts.delete} to delete.{refused}"
        )
    running, undecided = sum(map(is_running, plan.kept)), sum(map(needs_decision, plan.kept))
    suspended = sum(map(is_suspended, plan.kept))
    groups = (
        (running, "job", "is still running", "are still running"),
        (undecided, "model", "needs your decision", "need your decision"),
        (suspended, "model", "is suspended", "are suspended"),
    )
    pending = [f"{count_text(count, noun)} {one if count == 1 else many}" for count, noun, one, many in groups if count]
    result = "The service was not contacted" if plan.against else "The service matches the specs"
    if plan.unmet:
        return f"Nothing to do now, but not yet as the specs ask: {' and '.join(pending)}."
    return f"No changes. {' and '.join(pending) or result}."
