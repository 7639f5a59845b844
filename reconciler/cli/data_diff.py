"""data diff: how the rows of a dataset differ between two versions of it, wherever they are."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, ProviderOption, SpecsOption

if TYPE_CHECKING:
    from reconciler.dataset.row_diff import DatasetVersion, MatchedRows
    from reconciler.domain.row_diff import RowDiff
    from reconciler.history.dataset_versions import NamedVersion

EXAMPLES = """
Examples:

  reconciler data diff old.jsonl new.jsonl

  reconciler data diff main:tickets tickets

  reconciler data diff service:tickets tickets

  reconciler data diff HEAD~1:data/tickets.csv data/tickets.csv --id ticket_id
"""

_WHAT = "A file, a dataset's name, REVISION:NAME, REVISION:PATH or service:NAME."


def register(group: typer.Typer) -> None:
    """Add the command of this file to the group."""
    group.command(epilog=EXAMPLES)(diff)


def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help=f"The version before. {_WHAT}", metavar="A")],
    after: Annotated[str, typer.Argument(help="The version after, in the same words.", metavar="B")],
    id_path: Annotated[
        str | None, typer.Option("--id", help="The column that identifies a row; the spec's own if not said.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", help="How many rows to show.", min=0, max=1000)] = 5,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when the rows differ, 0 when they do not.")
    ] = False,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show which rows changed.

    Added, removed, edited, moved and reformatted rows are counted, and a few are shown. Rows are versions of each other
    by --id, else by what they ask, where they stand, and the words that they share.
    """
    from reconciler.history.dataset_versions import open_version
    from reconciler.render import diff_json, diff_text

    console: Console = context.obj
    with open_version(before, specs, provider) as old, open_version(after, specs, provider) as new:
        found = _compared(old, new, id_path, samples)
    if as_json:
        console.out.write(diff_json(found, after))
    else:
        console.out.write(diff_text(found, after, colour=console.colour, width=console.width))
    return exit_codes.CHANGES if detailed_exitcode and not found.is_empty else exit_codes.OK


def _compared(old: "NamedVersion", new: "NamedVersion", id_path: str | None, samples: int) -> "RowDiff":
    from reconciler.dataset.row_diff import compare_versions
    from reconciler.dataset.tokens import vocabulary_for

    id_path = id_path or new.id or old.id
    vocabulary = vocabulary_for(old.bases | new.bases)
    with old.open(id_path) as before, new.open(id_path) as after:
        return compare_versions(
            before,
            after,
            old.title,
            most_samples=samples,
            count=vocabulary.count if vocabulary else None,
            reformatted=_reformatted(old, new, before, after),
        )


def _reformatted(
    old: "NamedVersion", new: "NamedVersion", before: "DatasetVersion", after: "DatasetVersion"
) -> "Callable[[MatchedRows], Sequence[int]] | None":
    from reconciler.dataset.row_diff import find_reformatted

    if not (old.paths and new.paths):
        return None
    return partial(find_reformatted, before, old.paths, after, new.paths)
