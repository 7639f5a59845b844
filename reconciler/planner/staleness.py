"""Whether a plan that was made earlier still holds: compares it with one made now, and says what moved."""

from msgspec.structs import replace

from reconciler.domain.basis import Grounds
from reconciler.domain.errors import StalePlanError
from reconciler.domain.identity import Digest
from reconciler.domain.plan import Plan

_AGAIN = "Plan again, and review what is new."


def check_place(before: Grounds, *, environment: str | None, provider: str, version: str) -> None:
    """Make sure that a saved plan is for where this run would work, before anything is looked at there.

    Raises: StalePlanError, naming the inputs that moved
    """
    now = replace(before, environment=environment or "", provider=provider, version=version)
    _refuse(before.basis.moved(now.basis), before, now)


def check_fresh(saved: Plan, now: Plan) -> None:
    """Make sure that a saved plan still describes the world.

    Raises: StalePlanError, naming the inputs that moved and the things in them
    """
    _refuse(saved.grounds.basis.moved(now.basis), saved.grounds, now.grounds)
    # The words of a saved plan are worth nothing where its inputs lead to other steps.
    if [step.id for step in saved.steps] != [step.id for step in now.steps] or saved.basis != now.basis:
        raise StalePlanError(
            f"the saved plan is stale: the same inputs lead to other steps than it shows. {_AGAIN}", ("plan",)
        )


def check_expected(expected: Digest, now: Plan) -> None:
    """Make sure that a plan made now rests on just what a reviewed one rested on.

    Raises: StalePlanError
    """
    found = now.basis.digest
    if found != expected:
        what = f"the plan is stale: its basis was {expected} when it was reviewed, and is {found} now"
        raise StalePlanError(
            f"{what}. One digest cannot say what moved: compare the field basis of plan --json, then and now. {_AGAIN}",
            ("basis",),
        )


def _refuse(moved: tuple[str, ...], before: Grounds, now: Grounds) -> None:
    if moved:
        raise StalePlanError(f"the saved plan is stale: {before.told(moved, now)}. {_AGAIN}", moved)
