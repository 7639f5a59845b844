"""What a policy or guard said no to: what it saw, what was not done, and the way on."""

from collections.abc import Iterator

from reconciler.domain.plan import Plan, Refusal
from reconciler.render.sanitize import clean
from reconciler.render.style import Style
from reconciler.render.terminal.layout import wrap

_NOT_DONE = "Refused: nothing was uploaded, created, cancelled or deleted."


def refused_section(plan: Plan, style: Style, width: int) -> str:
    """Return the part of a plan that tells of refusals; nothing when there are none."""
    return _refusals("Refused:", plan, style, width)


def refusals_text(plan: Plan, *, colour: bool = False, width: int = 88) -> str:
    """Return the refusals alone, for readers who skip the plan: what was seen, what was not done, and the next step."""
    return _refusals(_NOT_DONE, plan, Style(colour), width) + "\n" if plan.refused else ""


def _refusals(head: str, plan: Plan, style: Style, width: int) -> str:
    if not plan.refused:
        return ""
    lines = [line for refusal in plan.refused for line in _refusal(refusal, width)]
    return "\n".join([style.red(head), *lines])


def _refusal(refusal: Refusal, width: int) -> Iterator[str]:
    yield from wrap(f"{clean(refusal.policy)}: {clean(refusal.what)}", width, first="  ", rest="    ")
    if refusal.hint:
        yield from wrap(f"hint: {clean(refusal.hint)}", width, first="    ", rest="          ")
    if refusal.guard and refusal.guard not in refusal.hint:
        yield f"    hint: to go on all the same, add --allow {clean(refusal.guard)}"
