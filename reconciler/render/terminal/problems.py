"""Everything that is wrong with the input, each with its place, for people."""

from collections.abc import Iterator, Sequence

from reconciler.domain.errors import Problem, Severity
from reconciler.render.sanitize import clean
from reconciler.render.style import Style
from reconciler.render.terminal.layout import pad, width_of, wrap
from reconciler.render.units import count_text

_WIDEST_PLACE = 40
"""Where all places are shorter, one column serves them all; else every file has its own."""


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
    shown = f" ({len(problems)} of them shown)" if unshown else ""
    return (", ".join(counts) or "0 problems") + shown + (f"; {tail}." if tail else ".")
