"""The words that every view of a plan shares: of steps, kept things, refusals, changed rows, and costs."""

from collections.abc import Iterator
from typing import Literal, assert_never, get_args

import msgspec

from reconciler.domain.cost import Cost, Estimate
from reconciler.domain.observed import JobStatus
from reconciler.domain.plan import (
    Action,
    Cancel,
    CancelReason,
    Delete,
    Keep,
    KeepReason,
    Plan,
    Promote,
    Refusal,
    Step,
    Train,
    Upload,
)
from reconciler.domain.row_diff import RowDiff, RowSample
from reconciler.render.sanitize import clean

Word = Literal["upload", "train", "cancel", "delete", "promote"]
Symbol = Literal["+", "+/-", "~", "-"]

NOT_PAIRED = "too many rows differ to pair them all: some edited rows count as removed and added"


def action_word(action: Action) -> Word:
    """Return the action's word, as programs read it."""
    match action:
        case Upload():
            return "upload"
        case Train():
            return "train"
        case Cancel():
            return "cancel"
        case Delete():
            return "delete"
        case Promote():
            return "promote"
        case _:
            assert_never(action)


def name_step(step: Step) -> str:
    """Return the name of a step that no other step of its plan has: `cancel model/a (ftjob-1)`."""
    word, address = "retrain" if is_retrain(step) else action_word(step.action), str(step.action.address)
    match step.action:
        case Cancel(job=job):
            return f"{word} {address} ({job.id})"
        case Delete(thing=thing):
            return f"{word} {address} ({thing})"
        case _:
            return f"{word} {address}"


def is_retrain(step: Step) -> bool:
    """Return whether a step trains a model again: it had another version before, or a job that does not count."""
    if not isinstance(step.action, Train):
        return False
    return bool(step.action.excluded_jobs) or has_earlier_version(step)


def has_earlier_version(step: Step) -> bool:
    """Return whether a step's changes name an earlier version; if not, they only name what is new."""
    return any(change.before is not None for change in step.changes)


def step_symbol(step: Step) -> Symbol:
    """Return the symbol that users of plans know: create, replace, change in place, remove."""
    match step.action:
        case Upload():
            return "+"
        case Train():
            return "+/-" if is_retrain(step) else "+"
        case Cancel() | Delete():
            return "-"
        case Promote():
            return "~"
        case _:
            assert_never(step.action)


class PlanCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many steps of each kind a plan has, and how many things it keeps and refuses."""

    upload: int
    train: int
    cancel: int
    delete: int
    promote: int
    keep: int
    refuse: int


def count_plan(plan: Plan) -> PlanCounts:
    """Return the counts of a plan."""
    words = [action_word(step.action) for step in plan.steps]
    counts = {word: words.count(word) for word in get_args(Word)}
    return PlanCounts(**counts, keep=len(plan.kept), refuse=len(plan.refused))


def step_header(step: Step) -> Iterator[str]:
    """Yield what a step does, as a sentence, and then the remarks on it."""
    address = clean(str(step.action.address))
    match step.action:
        case Upload():
            changes = step.rows or any(change.before is not None for change in step.changes)
            yield f"{address} has changed and will be uploaded" if changes else f"{address} will be uploaded"
        case Train(excluded_jobs=excluded, supersedes=supersedes):
            yield f"{address} will be {'retrained' if is_retrain(step) else 'trained'}"
            if excluded:
                yield f"{_jobs(excluded)} produced no usable model"
            if supersedes:
                yield f"supersedes {_jobs(supersedes)}, cancelled when this job exists"
        case Cancel(reason=reason, kept=kept):
            yield f"{address}: a job will be cancelled"
            yield _cancel_reason(reason, kept)
        case Delete(is_model=is_model):
            yield f"{address}: a {'model' if is_model else 'file'} will be deleted"
            yield "orphaned: not in the specs, and nothing uses it"
        case Promote(job=job):
            yield f"{address} will be promoted"
            yield f"job {clean(job.id)} already trained this version: no new training, no cost"
        case _:
            assert_never(step.action)


def _cancel_reason(reason: CancelReason, kept: str | None) -> str:
    match reason:
        case CancelReason.SUPERSEDED:
            return "superseded: the specs now ask for another version of the model"
        case CancelReason.DUPLICATE:
            other = f"job {clean(kept)}" if kept else "another job"
            return f"duplicate: {other} trains the same version and is kept"
        case CancelReason.ORPHAN:
            return "orphaned: not in the specs any more"
        case CancelReason.ASKED:
            return "you requested it by name"
        case _:
            assert_never(reason)


def _jobs(jobs: tuple[str, ...]) -> str:
    return ("job " if len(jobs) == 1 else "jobs ") + ", ".join(map(clean, jobs))


def is_running(keep: Keep) -> bool:
    """Return whether a job is running, for this version or for an older one."""
    return keep.why in {KeepReason.TRAINING, KeepReason.BUSY}


def needs_decision(keep: Keep) -> bool:
    """Return whether the model waits for the user's decision."""
    return keep.why in {KeepReason.FAILED, KeepReason.CANCELLED, KeepReason.MISSING}


def is_suspended(keep: Keep) -> bool:
    """Return whether the spec suspends the model, so that nothing is created."""
    return keep.why is KeepReason.SUSPENDED


def keep_sentence(keep: Keep) -> str:
    """Return in a few words why something stays as it is."""
    job = f"job {clean(keep.job)}" if keep.job else "a job"
    match keep.why:
        case KeepReason.READY:
            return "matches the specs"
        case KeepReason.TRAINING:
            return f"{job} is {_status(keep.status)}"
        case KeepReason.BUSY:
            return f"waits for {job}, which is {_status(keep.status)}"
        case KeepReason.FAILED:
            return f"{job} failed"
        case KeepReason.CANCELLED:
            return f"{job} was cancelled"
        case KeepReason.MISSING:
            return f"the model that {job} created is missing"
        case KeepReason.SUSPENDED:
            return f"{job} is {_status(keep.status)}" if keep.job else "no job"
        case KeepReason.ORPHAN:
            return "not in the specs"
        case _:
            assert_never(keep.why)


def _status(status: JobStatus | None) -> str:
    if status is None:
        return "active"
    return clean(str(status)) if status.is_known else f'"{clean(str(status))}"'


def plan_place(plan: Plan) -> str:
    """Return which project on which service a plan is about."""
    # Where the service has the profile's own name, the rest of it is the id of one store, which helps no reader.
    known = plan.service.partition("/")[0] == plan.provider
    place = "" if known else f" ({clean(plan.service)})"
    environment = f", environment {clean(plan.environment)}," if plan.environment else ""
    against = f", {clean(plan.against)}" if plan.against else ""
    return f"project {clean(plan.project)}{environment} on {clean(plan.provider)}{place}{against}"


def refusal_hints(refusal: Refusal) -> list[str]:
    """Return the next steps after a refusal, as they came; the flag that allows it comes last."""
    hints = [refusal.hint] if refusal.hint else []
    if refusal.guard and refusal.guard not in refusal.hint:
        hints.append(f"to proceed anyway, add --allow {refusal.guard}")
    return hints


def counts_text(diff: RowDiff) -> str:
    """Return the counts of changed rows on one line: `+3 -0 ~1 ↕5`."""
    counts = [f"+{diff.added}", f"-{diff.removed}", f"~{diff.edited}", f"↕{diff.moved}"]
    return " ".join([*counts, *([f"={diff.reformatted}"] if diff.reformatted else [])])


def count_changed(diff: RowDiff) -> int:
    """Return how many rows differ in any way."""
    return diff.added + diff.removed + diff.edited + diff.moved + diff.reformatted


def more_tokens(diff: RowDiff) -> str:
    """Return how many tokens there are more or fewer; empty when they were not counted."""
    return "" if diff.tokens is None else f"{diff.tokens:+,} tokens"


def training_text(diff: RowDiff) -> str:
    """Return how the training file changes, where a split makes that another number: `20 → 15 in the training file`."""
    return f"{diff.training_before:,} → {diff.training_after:,} in the training file" if diff.has_other_share else ""


def row_numbers(sample: RowSample, number_format: str = "") -> str:
    """Return the number of a row, before and after where they differ: `row 7 → 8`."""
    numbers = [f"{number:{number_format}}" for number in (sample.row_before, sample.row_after) if number]
    return f"row {' → '.join(dict.fromkeys(numbers))}"


def tokens_text(estimate: Estimate) -> str:
    """Return how much a job has to read, and how often: `2,000 counted × 3 epochs`."""
    tokens = estimate.tokens
    how = f"{tokens.expected:,} counted" if tokens.exact else f"{tokens.low:,}–{tokens.high:,} (estimate)"
    chosen = "" if estimate.is_stated else " (auto)"
    epochs = f" × {estimate.epochs} {'epoch' if estimate.epochs == 1 else 'epochs'}{chosen}" if estimate.epochs else ""
    return how + epochs


def cost_text(cost: Cost) -> str:
    """Return a cost with the expected value: `4.10–4.90 USD, expected 4.40 USD`."""
    low_is_high = cost.low == cost.high
    expected = "" if cost.expected is None or low_is_high else f", expected {cost.expected_text}"
    return f"{cost}{expected}"


def cost_notes(cost: Cost) -> str:
    """Return what is unknown of a cost, and where its prices are from."""
    dated = f"{cost.source}, {cost.dated}" if cost.source and cost.dated and not cost.is_free else cost.source
    return "; ".join(filter(None, [cost.unknown, dated]))
