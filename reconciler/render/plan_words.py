"""The words that every view of a plan shares: of steps, of what stays, of changed rows, and of costs."""

from collections.abc import Iterator
from typing import Literal, assert_never

import msgspec

from reconciler.domain.cost import Cost, Estimate
from reconciler.domain.observed import JobStatus
from reconciler.domain.plan import Action, Cancel, CancelReason, Delete, Keep, Plan, Promote, Step, Train, Upload, Why
from reconciler.domain.rowdiff import RowDiff
from reconciler.render.sanitize import clean

Word = Literal["upload", "train", "cancel", "delete", "promote"]
Symbol = Literal["+", "+/-", "~", "-"]


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


def is_retrain(step: Step) -> bool:
    """Return whether a step trains a model anew: it had another version before, or a job that does not count."""
    if not isinstance(step.action, Train):
        return False
    return bool(step.action.despite) or has_earlier_version(step)


def has_earlier_version(step: Step) -> bool:
    """Return whether a step's changes name a version before; else they only say what is new."""
    return any(change.before is not None for change in step.changes)


def step_symbol(step: Step) -> Symbol:
    """Return the symbol that users of plans know: create, create beside, change in place, end."""
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
    """How many there are of each."""

    upload: int
    train: int
    cancel: int
    delete: int
    promote: int
    keep: int
    refuse: int


def count_steps(plan: Plan) -> PlanCounts:
    """Count a plan."""
    words = [action_word(step.action) for step in plan.steps]
    return PlanCounts(
        upload=words.count("upload"),
        train=words.count("train"),
        cancel=words.count("cancel"),
        delete=words.count("delete"),
        promote=words.count("promote"),
        keep=len(plan.kept),
        refuse=len(plan.refused),
    )


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


def is_running(keep: Keep) -> bool:
    """Return whether a job is under way, for this version or for an older one."""
    return keep.why in {Why.TRAINING, Why.BUSY}


def needs_decision(keep: Keep) -> bool:
    """Return whether nothing goes on until somebody decides."""
    return keep.why in {Why.FAILED, Why.CANCELLED, Why.MISSING}


def is_suspended(keep: Keep) -> bool:
    """Return whether the spec says that nothing is created for now."""
    return keep.why is Why.SUSPENDED


def keep_sentence(keep: Keep) -> str:
    """Say in a few words why something stays as it is."""
    job = f"job {clean(keep.job)}" if keep.job else "a job"
    match keep.why:
        case Why.READY:
            return "as the specs ask"
        case Why.TRAINING:
            return f"{job} is {_status(keep.status)}"
        case Why.BUSY:
            return f"waits for {job}, which is {_status(keep.status)}"
        case Why.FAILED:
            return f"{job} failed"
        case Why.CANCELLED:
            return f"{job} was cancelled"
        case Why.MISSING:
            return f"the model that {job} made is missing"
        case Why.SUSPENDED:
            return f"{job} is {_status(keep.status)}" if keep.job else "no job"
        case Why.ORPHAN:
            return "no spec names it"
        case _:
            assert_never(keep.why)


def _status(status: JobStatus | None) -> str:
    if status is None:
        return "active"
    return clean(str(status)) if status.is_known else f'"{clean(str(status))}"'


def plan_place(plan: Plan) -> str:
    """Say which project on which service a plan is about."""
    # Where the service goes by the profile's own name, the rest of it is the id of one store and tells nobody anything.
    known = plan.service.partition("/")[0] == plan.provider
    place = "" if known else f" ({clean(plan.service)})"
    environment = f", environment {clean(plan.environment)}," if plan.environment else ""
    against = f", {clean(plan.against)}" if plan.against else ""
    return f"project {clean(plan.project)}{environment} on {clean(plan.provider)}{place}{against}"


def counts_text(diff: RowDiff) -> str:
    """Return the counts on one line: `+3 -0 ~1 ↕5`."""
    counts = [f"+{diff.added}", f"-{diff.removed}", f"~{diff.edited}", f"↕{diff.moved}"]
    return " ".join([*counts, *([f"={diff.reformatted}"] if diff.reformatted else [])])


def more_tokens(diff: RowDiff) -> str:
    """Say how many tokens there are more or fewer; empty when nobody counted."""
    return "" if diff.tokens is None else f"{diff.tokens:+,} tokens"


def tokens_text(estimate: Estimate) -> str:
    """Say how much a job has to read, and how often: `2,000 counted × 3 epochs`."""
    tokens = estimate.tokens
    how = f"{tokens.expected:,} counted" if tokens.exact else f"{tokens.low:,}–{tokens.high:,} (estimate)"
    chosen = "" if estimate.is_stated else " (auto)"
    epochs = f" × {estimate.epochs} {'epoch' if estimate.epochs == 1 else 'epochs'}{chosen}" if estimate.epochs else ""
    return how + epochs


def cost_text(cost: Cost) -> str:
    """Say a cost with what is most likely: `4.10–4.90 USD, expected 4.40 USD`."""
    low_is_high = cost.low == cost.high
    expected = "" if cost.expected is None or low_is_high else f", expected {cost.expected_text}"
    return f"{cost}{expected}"
