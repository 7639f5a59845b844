"""data show, stats and sample: a dataset of the specs, or any file of rows. Calls no service, and changes nothing."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, SpecsOption, add_command
from reconciler.dataset import INSTALL, can_count, find_vocabulary, vocabulary_name
from reconciler.dataset.stats import DatasetTarget, find_row, gather_stats, names_file, sample_rows, target_file
from reconciler.domain.stats import RowShown
from reconciler.render import rows_json, rows_text, stats_json, stats_text

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

DatasetArgument = Annotated[
    str, typer.Argument(help="The name of a Dataset in the specs, or a file.", metavar="NAME|FILE")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, show, epilog=SHOW_EXAMPLES)
    add_command(app, stats, epilog=STATS_EXAMPLES)
    add_command(app, sample, epilog="Example:\n\n  reconciler data sample tickets -n 3 --seed 7")


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
        found = find_row(_find_target(what, specs).read_rows(progress), row)
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
    target = _find_target(what, specs)
    bases = frozenset({base}) if base else target.bases
    with console.show_progress() as progress:
        found = gather_stats(
            target.spec,
            target.workspace,
            vocabulary=find_vocabulary(bases),
            progress=partial(progress, target.spec.name),
        )
    hint = _explain_estimate(bases)
    if as_json:
        console.out.write(stats_json(found, hint=hint))
    else:
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
        found = sample_rows(_find_target(what, specs).read_rows(progress), number, seed)
    return _show_rows(found, console, as_json=as_json)


def _find_target(what: str, specs: Path) -> DatasetTarget:
    if names_file(what, specs):
        return target_file(what)
    # Only a name needs the specs, and what reads them.
    from reconciler.workflow.targets import find_dataset

    return find_dataset(what, specs, os.environ)


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
