"""A plan as people who know plans expect it: what will be done and why, what stays, what is refused, the count."""

from collections.abc import Iterator, Mapping
from typing import assert_never

from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Cancel, CancelReason, Delete, Plan, Promote, Step, Train, Upload
from reconciler.domain.rowdiff import RowDiff, RowsUnknown
from reconciler.render.sanitize import clean
from reconciler.render.steps import count_steps, has_earlier_version, is_retrain, step_symbol
from reconciler.render.style import Style
from reconciler.render.terminal.cost import cost_lines, estimate_fields
from reconciler.render.terminal.fields import FORCES, KNOWN_LATER, StepField, change_field, field_lines, value_field
from reconciler.render.terminal.kept import is_running, is_suspended, kept_sections, needs_decision, plan_place
from reconciler.render.terminal.layout import wrap
from reconciler.render.terminal.refused import refused_section
from reconciler.render.terminal.rows import counts_text, more_tokens, sample_lines
from reconciler.render.units import count_text, size_text

_LEGEND = {
    "+": "upload, train",
    "+/-": "retrain: make a new model; what answers now goes on answering",
    "~": "promote: answer from a model that is there already",
    "-": "cancel, delete",
}


def plan_text(
    plan: Plan, *, colour: bool = False, previous: Mapping[Address, ModelId] | None = None, width: int = 88
) -> str:
    """Return the whole plan, ending with the line that counts it, or that begins with `No changes.`

    Shape:  `previous` names the models that answer now, so that a retraining can say which one it is about to follow
    """
    style = Style(colour)
    sections = [
        _head(plan, style),
        *("\n".join(_step(step, previous or {}, style, width)) for step in plan.steps),
        *kept_sections(plan, style, width),
        "\n".join(line for each in plan.warnings for line in _warning(each, style, width)),
        refused_section(plan, style, width),
        "\n".join(cost_lines(plan, width)),
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
    yield from field_lines(step_fields(step, previous.get(step.action.address)), style)
    if isinstance(step.rows, RowDiff):
        yield from sample_lines(step.rows, style, width, " " * 10)


def step_header(step: Step) -> Iterator[str]:
    """Yield what a step does, as a sentence, and then what there is to remark on it."""
    address = clean(str(step.action.address))
    match step.action:
        case Upload():
            changes = step.rows or any(change.before is not None for change in step.changes)
            yield f"{address} has changed and will be uploaded" if changes else f"{address} will be uploaded"
        case Train(despite=despite, supersedes=supersedes):
            yield f"{address} will be {'retrained' if is_retrain(step) else 'trained'}"
            if despite:
                yield f"despite {_jobs(despite)}, which left no model that can be used"
            if supersedes:
                yield f"supersedes {_jobs(supersedes)}, cancelled first"
        case Cancel(reason=reason, kept=kept):
            yield f"{address}: a job will be cancelled"
            yield _cancel_reason(reason, kept)
        case Delete(is_model=is_model):
            yield f"{address}: a {'model' if is_model else 'file'} will be deleted"
            yield "no spec names it, and nothing uses it"
        case Promote(job=job):
            yield f"{address} will be promoted"
            yield f"job {clean(job.id)} made what the specs ask for: nothing is trained, and nothing is paid"
        case _:
            assert_never(step.action)


def _cancel_reason(reason: CancelReason, kept: str | None) -> str:
    match reason:
        case CancelReason.SUPERSEDED:
            return "superseded: the specs now ask for another version of the model"
        case CancelReason.DUPLICATE:
            other = f"job {clean(kept)}" if kept else "another job"
            return f"duplicate: {other} makes the same model, and is kept"
        case CancelReason.ORPHAN:
            return "orphan: no spec asks for it any more"
        case CancelReason.ASKED:
            return "you asked for it by name"
        case _:
            assert_never(reason)


def _jobs(jobs: tuple[str, ...]) -> str:
    return ("job " if len(jobs) == 1 else "jobs ") + ", ".join(map(clean, jobs))


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


def step_fields(step: Step, previous: ModelId | None) -> list[StepField]:
    """Return what there is to know of a step, a field each; `previous` is the model that answers now."""
    match step.action:
        case Upload(dataset=dataset):
            facts = {
                "source": ", ".join(dataset.spec.sources),
                "rows": str(dataset.measure.rows),
                "size": size_text(dataset.measure.size_bytes),
                "file": dataset.stamp.filename,
            }
            fields = [change_field(change) for change in step.changes]
            if step.rows:
                fields.append(_rows_field(step.rows))
            stated = {change.field for change in step.changes} | ({"rows"} if step.rows else set())
            return fields + [value_field(name, value) for name, value in facts.items() if name not in stated]
        case Train():
            return _train_fields(step, step.action, previous)
        case Cancel(job=job):
            facts = {"status": f"{job.status}", "base": job.base, "version": job.stamp.digest.short}
            return [value_field(name, value, "-") for name, value in facts.items() if value]
        case Delete(job=job):
            return [value_field("made by", f"job {job}", "-")] if job else []
        case Promote(model=model, instead_of=instead_of):
            before = (clean(instead_of),) if instead_of else ()
            return [StepField("~" if before else "+", "model id", (*before, clean(model)))]
        case _:
            assert_never(step.action)


def _rows_field(rows: RowDiff | RowsUnknown) -> StepField:
    match rows:
        case RowDiff():
            notes = [f"{rows.rows_before} → {rows.rows_after} since {clean(rows.before)}", more_tokens(rows)]
            return StepField("~", "rows", (f"{counts_text(rows)}  ({', '.join(filter(None, notes))})",))
        case RowsUnknown(before=before, why=why):
            return StepField("~", "rows", (f"others than in {clean(before)}; {clean(why)}",))
        case _:
            assert_never(rows)


def _train_fields(step: Step, train: Train, previous: ModelId | None) -> list[StepField]:
    answers = (clean(previous),) if previous and is_retrain(step) else ()
    model_id = StepField("~" if answers else "+", "model id", (*answers, KNOWN_LATER))
    if has_earlier_version(step):
        stated = {change.field for change in step.changes}
        # What stays the same is shown where a reader would miss it.
        same = [value_field("base", train.model.recipe.base, " ")] if "base" not in stated else []
        return [*same, *(change_field(change, FORCES) for change in step.changes), *estimate_fields(step), model_id]
    # Nothing differs from a version before: the fields only say what will be trained, new or once more.
    symbol = " " if train.despite else "+"
    told = [(change.field, change.after or "") for change in step.changes] or train.model.told
    return [*(value_field(name, value, symbol) for name, value in told), *estimate_fields(step), model_id]


def _warning(text: str, style: Style, width: int) -> Iterator[str]:
    first, *rest = wrap(f"Warning: {clean(text)}", width, rest="  ")
    yield first.replace("Warning:", style.yellow("Warning:"), 1)
    yield from rest


def _closing(plan: Plan) -> str:
    counts = count_steps(plan)
    if plan.refused:
        refused = f" {count_text(counts.refuse, 'refusal')}: this plan will not be applied."
    else:
        refused = ""
    if plan.steps or plan.refused:
        promote = f"{counts.promote} to promote, " if counts.promote else ""
        return (
            f"Plan: {promote}{counts.upload} to upload, {counts.train} to train, {counts.cancel} to cancel, "
            f"{counts.delete} to delete.{refused}"
        )
    running, held = sum(map(is_running, plan.kept)), sum(map(needs_decision, plan.kept))
    suspended = sum(map(is_suspended, plan.kept))
    open_ends = [
        *([f"{count_text(running, 'job')} {'is' if running == 1 else 'are'} still running"] if running else []),
        *([f"{count_text(held, 'model')} {'needs' if held == 1 else 'need'} your decision"] if held else []),
        *([f"{count_text(suspended, 'model')} {'is' if suspended == 1 else 'are'} suspended"] if suspended else []),
    ]
    settled = "The service was not asked" if plan.against else "The service holds what the specs ask for"
    return f"No changes. {' and '.join(open_ends) or settled}."
