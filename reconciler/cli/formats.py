"""The formats of a plan, and where each of them goes: `--format FMT[=FILE]`. The formats themselves are `render`'s."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Literal, assert_never

import msgspec
import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption
from reconciler.cli.places import WARNINGS_TAIL
from reconciler.dataset.row_checks import RULES
from reconciler.domain.errors import InputError, ReconcilerError, UnusablePlaceError, UsageError
from reconciler.domain.row_diff import FEW_ROWS
from reconciler.render import failure_json, plan_json, plan_text, problems_json, problems_text
from reconciler.render.html import MOST_ROWS, DatasetFigures, plan_html
from reconciler.render.review import (
    Review,
    annotations_text,
    junit_text,
    limit_samples,
    mask_review,
    outputs_text,
    plan_outputs,
    review_json,
    review_markdown,
    sarif_text,
    summary_text,
    verdict_text,
)

MeasureFigures = Callable[[], Mapping[str, DatasetFigures]]


class PlanFormat(StrEnum):
    """The reader that a plan is written for."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    HTML = "html"
    SARIF = "sarif"
    JUNIT = "junit"
    REVIEW = "review"


_SHARES_STDOUT = frozenset({PlanFormat.TEXT, PlanFormat.GITHUB})
"""Formats of lines; any other format is a document that has to be alone on stdout."""


class FormatTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One format; to stdout where no file is named."""

    form: PlanFormat
    path: Path | None = None


_JSON = FormatTarget(form=PlanFormat.JSON)


class ReviewOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan is shown."""

    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="text, json, markdown, github, html, sarif, junit or review; to stdout, or with =FILE to a file;"
            " repeatable.",
            metavar="FMT[=FILE]",
        ),
    ] = None
    as_json: JsonOption = False
    no_samples: Annotated[
        bool, typer.Option("--no-samples", help="Count the rows that changed, and show none of them.")
    ] = False

    def read(self) -> tuple[FormatTarget, ...]:
        """Return the formats and their targets.

        Raises: UsageError for an unknown format, a file in no directory, or two documents on stdout
        """
        return read_formats(self.format, as_json=self.as_json)


def read_formats(texts: Sequence[str] | None, *, as_json: bool = False) -> tuple[FormatTarget, ...]:
    """Read the values of `--format`; the default is text.

    Raises: UsageError for an unknown format, a file in no directory, or two documents on stdout
    """
    targets = tuple(dict.fromkeys([*map(_read_target, texts or ()), *([_JSON] if as_json else [])]))
    on_stdout = [target.form for target in targets if target.path is None]
    documents = [form for form in on_stdout if form not in _SHARES_STDOUT]
    if documents and len(on_stdout) > 1:
        raise UsageError(
            f"--format {documents[0]} fills stdout, and {len(on_stdout) - 1} more would go there;"
            f" give it a file: --format {documents[0]}=FILE"
        )
    files = [target.path for target in targets if target.path]
    if len(set(files)) < len(files):
        raise UsageError("two formats go to the same file; give each its own")
    return targets or (FormatTarget(form=PlanFormat.TEXT),)


def count_rows_shown(targets: Sequence[FormatTarget]) -> int:
    """Return how many rows of a dataset the largest of the formats shows."""
    return MOST_ROWS if any(target.form is PlanFormat.HTML for target in targets) else FEW_ROWS


def is_json(targets: Sequence[FormatTarget]) -> bool:
    """Return whether JSON goes to stdout."""
    return _JSON in targets


def show_review(
    review: Review,
    targets: Sequence[FormatTarget],
    console: Console,
    *,
    exit_code: int,
    environ: Mapping[str, str] | None = None,
    plan_file: str = "",
    figures: MeasureFigures | None = None,
) -> None:
    """Write a review in every format that was asked for; a review without samples shows no row in any of them.

    Shape:  `plan_file` is where the plan was saved; `figures` measures the datasets, for the formats that show them
    Raises: UnusablePlaceError when a file cannot be written, after the others were written
    """
    review = mask_review(review, console.out.redact)
    review = replace(review, exit_code=exit_code, is_success=exit_codes.is_success(exit_code))
    page = review if review.samples else replace(review, plan=limit_samples(review.plan, 0))
    brief = replace(page, plan=limit_samples(page.plan, FEW_ROWS))
    unwritten = []
    for target in targets:
        shown = page if target.form is PlanFormat.HTML else brief
        try:
            if target.form is PlanFormat.GITHUB:
                _write_github(shown, console, os.environ if environ is None else environ, exit_code, plan_file)
            elif target.path is None:
                console.out.write(_format_review(target.form, shown, console.colour, figures))
            else:
                text = _format_review(target.form, shown, False, figures)
                if target.form is PlanFormat.TEXT and shown.is_planned and shown.problems:
                    # On a terminal these stand beside the plan; a file has to hold them.
                    text = f"{problems_text(shown.problems, tail=WARNINGS_TAIL)}\n{text}"
                _write(target.path, text, console)
        except UnusablePlaceError as error:
            unwritten.append(str(error))
    if unwritten:
        raise UnusablePlaceError("; ".join(unwritten))


@contextmanager
def write_failures(empty: Callable[[], Review], targets: Sequence[FormatTarget], console: Console) -> Iterator[None]:
    """Write in every format that was asked for why there is no plan, and raise the error again.

    No file of an earlier run stays as if it were the result of this one.

    Shape:  `empty` returns the review without a plan; text and JSON on stdout are written where the error ends
    """
    try:
        yield
    except ReconcilerError as error:
        others = [target for target in targets if target.path or target.form not in {PlanFormat.TEXT, PlanFormat.JSON}]
        if others:
            try:
                show_review(explain_failure(empty(), error), others, console, exit_code=exit_codes.of_error(error))
            except UnusablePlaceError as unwritten:
                # The first error is the cause, and decides the exit code.
                console.note(f"Warning: {unwritten}")
        raise


def explain_failure(empty: Review, error: BaseException) -> Review:
    """Return the review of a command that made no plan: the problems of its input, or the error in one line."""
    if isinstance(error, InputError):
        return replace(empty, problems=error.problems, unshown=error.unshown)
    return replace(empty, failure=exit_codes.name_failure(error))


def check_writable(targets: Iterable[FormatTarget], environ: Mapping[str, str]) -> None:
    """Open every file that the formats go to, for a command that pays before it writes them. No file is changed.

    Raises: UnusablePlaceError
    """
    files = [target.path for target in targets if target.path]
    if any(target.form is PlanFormat.GITHUB for target in targets):
        named = (environ.get("GITHUB_STEP_SUMMARY"), environ.get("GITHUB_OUTPUT"))
        files += [Path(each) for each in named if each]
    for path in files:
        if path.is_fifo():
            # Its reader would take the first close for the end.
            continue
        is_new = not path.exists()
        try:
            with path.open("ab"):
                pass
        except OSError as error:
            raise UnusablePlaceError(
                f"{path} cannot be written ({error.strerror}), and nothing was sent: name a file that can be written"
            ) from error
        if is_new:
            path.unlink(missing_ok=True)


def _read_target(text: str) -> FormatTarget:
    name, is_file, path = text.partition("=")
    if name not in set(PlanFormat):
        raise UsageError(f"--format {name}: no such format; there are {', '.join(PlanFormat)}")
    if not is_file:
        return FormatTarget(form=PlanFormat(name))
    if name == PlanFormat.GITHUB:
        raise UsageError("--format github takes no file: it writes to stdout, GITHUB_STEP_SUMMARY and GITHUB_OUTPUT")
    if not path or Path(path).is_dir() or not Path(path).parent.is_dir():
        raise UsageError(f"--format {text}: name a file in a directory that exists")
    return FormatTarget(form=PlanFormat(name), path=Path(path))


def _format_review(form: PlanFormat, review: Review, colour: bool, figures: MeasureFigures | None) -> str:
    match form:
        case PlanFormat.TEXT:
            if review.is_invalid:
                return problems_text(review.problems, review.unshown, "nothing was sent", colour=colour)
            if not review.is_planned:
                return f"{verdict_text(review)}\n"
            return plan_text(review.plan, colour=colour, previous=review.previous, scope=review.scope)
        case PlanFormat.JSON:
            if review.is_invalid:
                return problems_json(review.problems, review.unshown)
            if not review.is_planned:
                return failure_json(verdict_text(review), review.exit_code)
            return plan_json(review.plan, review.problems)
        case PlanFormat.MARKDOWN:
            return review_markdown(review)
        case PlanFormat.REVIEW:
            return review_json(review)
        case PlanFormat.HTML:
            return plan_html(review, figures() if figures else None)
        case PlanFormat.SARIF:
            return sarif_text(review, RULES)
        case PlanFormat.JUNIT:
            return junit_text(review)
        case PlanFormat.GITHUB:
            raise AssertionError("written to three places, and not as one text")
        case _:
            assert_never(form)


def _write_github(review: Review, console: Console, environ: Mapping[str, str], exit_code: int, plan_file: str) -> None:
    console.out.write(annotations_text(review))
    summary, outputs = environ.get("GITHUB_STEP_SUMMARY"), environ.get("GITHUB_OUTPUT")
    if summary:
        _write(Path(summary), summary_text(review, _measure_size(Path(summary))), console, mode="a")
    if outputs:
        values = plan_outputs(review, exit_code, plan_file)
        _write(Path(outputs), outputs_text(values, token_hex(16)), console, mode="a")


def _measure_size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _write(path: Path, text: str, console: Console, mode: Literal["w", "a"] = "w") -> None:
    try:
        with path.open(mode, encoding="utf-8", errors="backslashreplace", newline="") as file:
            console.redirect(file).write(text)
    except OSError as error:
        raise UnusablePlaceError(f"{path} cannot be written: {error.strerror or error}") from error
