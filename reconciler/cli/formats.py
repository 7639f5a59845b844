"""In which forms a plan is told, and where each of them goes. Reads `--format FMT[=FILE]`; the forms are `render`'s."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_never

import msgspec
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.domain.errors import InputError, UsageError
from reconciler.workflow.row_changes import FEW_ROWS

if TYPE_CHECKING:
    from reconciler.render.html import DatasetFigures
    from reconciler.render.review import Review

    FiguresOf = Callable[[], Mapping[str, DatasetFigures]]


class PlanFormat(StrEnum):
    """For whom a plan is told."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    HTML = "html"
    SARIF = "sarif"
    JUNIT = "junit"
    REVIEW = "review"


_SHARES_STDOUT = frozenset({PlanFormat.TEXT, PlanFormat.GITHUB})
"""Lines among lines; any other form is a document that nothing may stand beside."""


class FormatTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One form; to stdout where no file is named."""

    form: PlanFormat
    path: Path | None = None


def read_formats(texts: Sequence[str] | None, *, as_json: bool = False) -> tuple[FormatTarget, ...]:
    """Read what was asked for; text when nothing was.

    Raises: UsageError for a form that there is not, a file that cannot be written, or two documents on stdout
    """
    wanted = tuple(
        dict.fromkeys([*map(_read_target, texts or ()), *([FormatTarget(form=PlanFormat.JSON)] if as_json else [])])
    )
    on_stdout = [each.form for each in wanted if each.path is None]
    documents = [form for form in on_stdout if form not in _SHARES_STDOUT]
    if documents and len(on_stdout) > 1:
        raise UsageError(
            f"--format {documents[0]} fills stdout, and {len(on_stdout) - 1} more would go there;"
            f" give it a file: --format {documents[0]}=FILE"
        )
    files = [each.path for each in wanted if each.path]
    if len(set(files)) < len(files):
        raise UsageError("two formats go to the same file; give each its own")
    return wanted or (FormatTarget(form=PlanFormat.TEXT),)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON on stdout, so that problems are told in JSON too."""
    return (
        "--json" in arguments
        or f"--format={PlanFormat.JSON}" in arguments
        or ("--format", str(PlanFormat.JSON)) in pairwise(arguments)
    )


def rows_shown(wanted: Sequence[FormatTarget]) -> int:
    """Return how many rows of a dataset the roomiest of the forms shows."""
    if any(each.form is PlanFormat.HTML for each in wanted):
        from reconciler.render.html import MOST_ROWS

        return MOST_ROWS
    return FEW_ROWS


def is_json(wanted: Sequence[FormatTarget]) -> bool:
    """Return whether JSON goes to stdout."""
    return FormatTarget(form=PlanFormat.JSON) in wanted


def show_review(
    review: "Review",
    wanted: Sequence[FormatTarget],
    console: Console,
    *,
    exit_code: int,
    environ: Mapping[str, str] | None = None,
    plan_file: str = "",
    figures: "FiguresOf | None" = None,
) -> None:
    """Put a review into every form that is wanted; what it is without samples is left out of all of them.

    Shape:  `plan_file` is where the plan was saved; `figures` measures the datasets, for the forms that show them
    Raises: UsageError when a file cannot be written
    """
    from reconciler.render.review import limit_samples

    page = review if review.samples else replace(review, plan=limit_samples(review.plan, 0))
    brief = replace(page, plan=limit_samples(page.plan, FEW_ROWS))
    for each in wanted:
        shown = page if each.form is PlanFormat.HTML else brief
        if each.form is PlanFormat.GITHUB:
            _tell_github(shown, console, os.environ if environ is None else environ, exit_code, plan_file)
        elif each.path is None:
            console.out.write(_text(each.form, shown, console.colour, figures))
        else:
            _write(each.path, _text(each.form, shown, False, figures), console)


@contextmanager
def show_problems_in_formats(
    blank: "Callable[[], Review]", wanted: Sequence[FormatTarget], console: Console
) -> Iterator[None]:
    """Put problems of specs and rows into every form that is wanted, and let them go on as they were raised.

    Shape:  `blank` gives the review of what was not planned; people, and JSON on stdout, are told where the error ends
    """
    try:
        yield
    except InputError as error:
        review = replace(blank(), problems=error.problems, unshown=error.unshown)
        others = [
            each for each in wanted if each != FormatTarget(form=PlanFormat.JSON) and each.form is not PlanFormat.TEXT
        ]
        show_review(review, others, console, exit_code=exit_codes.INVALID)
        raise


def _read_target(text: str) -> FormatTarget:
    name, is_file, path = text.partition("=")
    if name not in set(PlanFormat):
        raise UsageError(f"--format {name}: no such format; there are {', '.join(PlanFormat)}")
    if not is_file:
        return FormatTarget(form=PlanFormat(name))
    if name == PlanFormat.GITHUB:
        raise UsageError("--format github takes no file: it writes to stdout, GITHUB_STEP_SUMMARY and GITHUB_OUTPUT")
    if not path or Path(path).is_dir() or not Path(path).parent.is_dir():
        raise UsageError(f"--format {text}: name a file in a directory that is there")
    return FormatTarget(form=PlanFormat(name), path=Path(path))


def _text(form: PlanFormat, review: "Review", colour: bool, figures: "FiguresOf | None") -> str:
    from reconciler.render import plan_json, plan_text, problems_json, problems_text
    from reconciler.render.review import review_json, review_markdown

    match form:
        case PlanFormat.TEXT:
            if review.is_invalid:
                return problems_text(review.problems, review.unshown, "nothing was sent", colour=colour)
            return plan_text(review.plan, colour=colour, previous=review.previous)
        case PlanFormat.JSON:
            return problems_json(review.problems, review.unshown) if review.is_invalid else plan_json(review.plan)
        case PlanFormat.MARKDOWN:
            return review_markdown(review)
        case PlanFormat.REVIEW:
            return review_json(review)
        case PlanFormat.HTML:
            from reconciler.render.html import plan_html

            return plan_html(review, figures() if figures else None)
        case PlanFormat.SARIF:
            from reconciler.dataset.row_checks.catalogue import RULES
            from reconciler.render.review import sarif_text

            return sarif_text(review, RULES)
        case PlanFormat.JUNIT:
            from reconciler.render.review import junit_text

            return junit_text(review)
        case PlanFormat.GITHUB:
            raise AssertionError("told in three places, and not as one text")
        case _:
            assert_never(form)


def _tell_github(
    review: "Review", console: Console, environ: Mapping[str, str], exit_code: int, plan_file: str
) -> None:
    from secrets import token_hex

    from reconciler.render.review import annotations_text, outputs_text, plan_outputs, summary_text

    console.out.write(annotations_text(review))
    summary, outputs = environ.get("GITHUB_STEP_SUMMARY"), environ.get("GITHUB_OUTPUT")
    if summary:
        _write(Path(summary), summary_text(review, _size(Path(summary))), console, mode="a")
    if outputs:
        values = plan_outputs(review, exit_code, plan_file)
        _write(Path(outputs), outputs_text(values, token_hex(16)), console, mode="a")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _write(path: Path, text: str, console: Console, mode: Literal["w", "a"] = "w") -> None:
    try:
        with path.open(mode, encoding="utf-8", errors="backslashreplace", newline="") as file:
            console.redirect(file).write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
