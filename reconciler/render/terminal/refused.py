"""What a policy or guard said no to: what it saw, what was not done, and the way on."""

from collections.abc import Iterator

from reconciler.domain.plan import Plan, Refusal
from reconciler.render.sanitize import clean
from reconciler.render.style import Paint
from reconciler.render.terminal.layout import wrapped

_NOT_DONE = "Refused: nothing was uploaded, created, cancelled or deleted."


def refused_section(plan: Plan, paint: Paint, width: int) -> str:
    """Return the part of a plan that tells of refusals; nothing when there are none."""
    return _told("Refused:", plan, paint, width)


def refusals_text(plan: Plan, *, colour: bool = False, width: int = 88) -> str:
    """Return the refusals alone, for readers who skip the plan: what was seen, what was not done, and the next step."""
    return _told(_NOT_DONE, plan, Paint(colour), width) + "\n" if plan.refused else ""


def _told(head: str, plan: Plan, paint: Paint, width: int) -> str:
    if not plan.refused:
        return ""
    lines = [line for refusal in plan.refused for line in _refusal(refusal, width)]
    return "\n".join([paint.red(head), *lines])


def _refusal(refusal: Refusal, width: int) -> Iterator[str]:
    yield from wrapped(f"{clean(refusal.policy)}: {clean(refusal.what)}", width, first="  ", rest="    ")
    if refusal.hint:
        yield from wrapped(f"hint: {clean(refusal.hint)}", width, first="    ", rest="          ")
    if refusal.guard and refusal.guard not in refusal.hint:
        yield f"    hint: to go on all the same, add --allow {clean(refusal.guard)}"
