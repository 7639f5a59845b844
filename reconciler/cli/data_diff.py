"""data diff: how the rows of a dataset differ between two versions of it, wherever they are."""

import os
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, ProviderOption, SpecsOption, add_command
from reconciler.history import compare_named, open_version
from reconciler.render import diff_json, diff_text

EXAMPLES = """
Examples:

  reconciler data diff old.jsonl new.jsonl

  reconciler data diff main:tickets tickets

  reconciler data diff service:tickets tickets

  reconciler data diff HEAD~1:data/tickets.csv data/tickets.csv --id ticket_id
"""

_VERSION = "A file, a dataset's name, REVISION:NAME, REVISION:PATH or service:NAME."


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, diff, epilog=EXAMPLES)


def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help=f"The version before. {_VERSION}", metavar="A")],
    after: Annotated[str, typer.Argument(help="The version after, in the same form.", metavar="B")],
    id_path: Annotated[
        str | None, typer.Option("--id", help="The column that identifies a row; the default is the spec's own.")
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

    Counts added, removed, edited, moved and reformatted rows, and shows a few. Rows are matched by --id, else by what
    they ask, by their position, and by the words that they share.
    """
    console: Console = context.obj
    with (
        open_version(before, specs, os.environ, provider=provider) as old,
        open_version(after, specs, os.environ, provider=provider) as new,
    ):
        found = compare_named(old, new, id_path, samples)
    if as_json:
        console.out.write(diff_json(found, after))
    else:
        console.out.write(diff_text(found, after, colour=console.colour, width=console.width))
    return exit_codes.CHANGES if detailed_exitcode and not found.is_empty else exit_codes.OK
