"""Problems of the input and refusals of a plan, for people."""

from collections.abc import Iterator, Sequence

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.plan import Plan, Refusal
from reconciler.render.plan_words import refusal_hints
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, count_text, pad, width_of, wrap

_WIDEST_PLACE = 40
"""Where all places are shorter, they share one column; otherwise each file has its own."""

_NOT_DONE = "Refused: nothing was uploaded, created, cancelled or deleted."


def problems_text(
    problems: Sequence[Problem],
    unshown: int = 0,
    tail: str = "nothing was planned",
    *,
    colour: bool = False,
    width: int = 100,
) -> str:
    """Return one line a problem, its hint under it, and a closing line that counts.

    Shape:  in the order given; `unshown` were found beyond these; `tail` says what that means for the run
    """
    style = Style(colour)
    columns = _columns(problems)
    lines = [line for each in problems for line in _lines(each, columns[each.where.file], style, width)]
    return "".join(f"{line}\n" for line in [*lines, style.bold(_closing(problems, unshown, tail))])


def _columns(problems: Sequence[Problem]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for each in problems:
        sizes[each.where.file] = max(sizes.get(each.where.file, 0), width_of(clean(str(each.where))))
    widest = max(sizes.values(), default=0)
    return dict.fromkeys(sizes, widest) if widest <= _WIDEST_PLACE else sizes


def _lines(problem: Problem, column: int, style: Style, width: int) -> Iterator[str]:
    place, margin = pad(clean(str(problem.where)), column), " " * (column + 2)
    warning = "" if problem.severity is Severity.ERROR else f"{problem.severity}: "
    path = f"{clean(problem.path)}: " if problem.path else ""
    first, *rest = wrap(f"{warning}{path}{clean(problem.what)}", width, first=margin, rest=margin)
    text = first[len(margin) :]
    if warning:
        text = text.replace(warning, style.yellow(warning), 1)
    yield f"{style.bold(place)}  {text}"
    yield from rest
    if problem.hint:
        hint = wrap(f"hint: {clean(problem.hint)}", width, first=margin, rest=f"{margin}      ")
        yield from (line.replace("hint:", style.cyan("hint:"), 1) if n == 0 else line for n, line in enumerate(hint))


def _closing(problems: Sequence[Problem], unshown: int, tail: str) -> str:
    warnings = sum(each.severity is Severity.WARNING for each in problems)
    notes = sum(each.severity is Severity.INFO for each in problems)
    errors = len(problems) - warnings - notes + unshown
    found = ((errors, "problem"), (warnings, "warning"), (notes, "note"))
    counts = [count_text(number, noun) for number, noun in found if number]
    shown = f" ({len(problems)} shown)" if unshown else ""
    return (", ".join(counts) or "0 problems") + shown + (f"; {tail}." if tail else ".")


def refused_section(plan: Plan, style: Style, width: int) -> str:
    """Return the part of a plan that lists refusals; empty when there are none."""
    return _refusals("Refused:", plan, style, width)


def refusals_text(plan: Plan, *, colour: bool = False, width: int = 88) -> str:
    """Return the refusals alone: what was seen, what was not done, and the next step."""
    return _refusals(_NOT_DONE, plan, Style(colour), width) + "\n" if plan.refused else ""


def _refusals(head: str, plan: Plan, style: Style, width: int) -> str:
    if not plan.refused:
        return ""
    lines = [line for refusal in plan.refused for line in _refusal(refusal, width)]
    return "\n".join([style.red(head), *lines])


def _refusal(refusal: Refusal, width: int) -> Iterator[str]:
    yield from wrap(f"{clean(refusal.policy)}: {clean(refusal.what)}", width, first="  ", rest="    ")
    for hint in refusal_hints(refusal):
        yield from hint_lines(hint, width)


def hint_lines(text: str, width: int) -> list[str]:
    """Return a hint below an indented line."""
    return wrap(f"hint: {clean(text)}", width, first="    ", rest="          ")
