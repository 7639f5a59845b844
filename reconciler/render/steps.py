"""What every view says of a step: its word, its symbol, whether it is a retraining; and the counts of a plan."""

from typing import Literal, assert_never

import msgspec

from reconciler.domain.plan import Action, Cancel, Delete, Plan, Promote, Step, Train, Upload

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
