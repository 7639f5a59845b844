"""data: a dataset of the specs, or any file of rows. Calls no service but for `diff service:NAME`; changes nothing."""

import os
from functools import partial
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption, ProviderOption, SpecsOption, add_command
from reconciler.dataset.stats import find_row, gather_stats, sample_rows
from reconciler.dataset.tokens import INSTALL, can_count, find_vocabulary, vocabulary_name
from reconciler.domain.stats import RowShown
from reconciler.history import compare_named, open_version
from reconciler.render import diff_json, diff_text, rows_json, rows_text, stats_json, stats_text
from reconciler.workflow import DEFAULT_ROOT
from reconciler.workflow.dataset_targets import find_dataset

SHOW_EXAMPLES = """
Examples:

  reconciler data show tickets              the first row, as it is uploaded

  reconciler data show data/tickets.csv --row 17
"""

STATS_EXAMPLES = """
Examples:

  reconciler data stats tickets

  reconciler data stats data/tickets.jsonl --base gpt-4o-mini-2024-07-18 --json
"""

DIFF_EXAMPLES = """
Examples:

  reconciler data diff old.jsonl new.jsonl

  reconciler data diff main:tickets tickets

  reconciler data diff service:tickets tickets

  reconciler data diff HEAD~1:data/tickets.csv data/tickets.csv --id ticket_id
"""

DatasetArgument = Annotated[
    str, typer.Argument(help="The name of a Dataset in the specs, or a file.", metavar="NAME|FILE")
]
_VERSION = "A file, a dataset's name, REVISION:NAME, REVISION:PATH or service:NAME."


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Show and compare datasets.", no_args_is_help=True, rich_markup_mode=None)
    add_command(group, show, epilog=SHOW_EXAMPLES)
    add_command(group, stats, epilog=STATS_EXAMPLES)
    add_command(group, sample, epilog="Example:\n\n  reconciler data sample tickets -n 3 --seed 7")
    add_command(group, diff, epilog=DIFF_EXAMPLES)
    app.add_typer(group, name="data")


def show(
    context: typer.Context,
    what: DatasetArgument,
    row: Annotated[int, typer.Option("--row", help="Which row, counted from 1.", min=1)] = 1,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Show one row.

    Of a dataset as it is uploaded, of a file as it is written there.
    """
    console: Console = context.obj
    with console.show_progress() as progress:
        found = find_row(find_dataset(what, specs, os.environ).read_rows(progress), row)
    return _show_rows((found,), console, as_json=as_json)


def stats(
    context: typer.Context,
    what: DatasetArgument,
    base: Annotated[
        str | None,
        typer.Option("--base", help="Count tokens as this base model does; by default, as the models of the specs do."),
    ] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Show the statistics of a dataset.

    Rows, tokens, lengths, roles, labels and system prompts. Tokens are counted where the extra tokens is installed and
    the base model is known, and estimated elsewhere.
    """
    console: Console = context.obj
    target = find_dataset(what, specs, os.environ)
    bases = frozenset({base}) if base else target.bases
    with console.show_progress() as progress:
        found = gather_stats(
            target.spec,
            target.workspace,
            vocabulary=find_vocabulary(bases),
            progress=partial(progress, target.spec.name),
        )
    if as_json:
        console.out.write(stats_json(found))
    else:
        hint = _explain_estimate(bases)
        console.out.write(stats_text(found, hint=hint, colour=console.colour, width=console.width))
    return exit_codes.OK


def sample(
    context: typer.Context,
    what: DatasetArgument,
    number: Annotated[int, typer.Option("--number", "-n", help="How many rows.", min=1, max=1000)] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Another seed selects other rows.", min=0, max=2**32)] = 1,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Show a few rows, chosen by their content.

    The same rows and seed give the same sample; a row that is added changes at most one row of it.
    """
    console: Console = context.obj
    with console.show_progress() as progress:
        found = sample_rows(find_dataset(what, specs, os.environ).read_rows(progress), number, seed)
    return _show_rows(found, console, as_json=as_json)


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


def _explain_estimate(bases: frozenset[str]) -> str:
    """Return how to get counts instead of estimates; empty where tokens are counted."""
    names = {vocabulary_name(base) for base in bases}
    if not bases:
        return "name the base model with --base"
    if None in names:
        return "the vocabulary of the base model is not known here; name another with --base"
    if len(names) > 1:
        return "the models trained on it have several vocabularies; choose one with --base"
    return "" if can_count() else INSTALL


def _show_rows(rows: tuple[RowShown, ...], console: Console, *, as_json: bool) -> int:
    console.out.write(rows_json(rows) if as_json else rows_text(rows, colour=console.colour))
    return exit_codes.OK
