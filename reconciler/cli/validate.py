"""validate: specs and data, checked offline."""

import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, JsonOption, NoCacheOption, add_command
from reconciler.cli.places import check_with_progress
from reconciler.domain.errors import InputError, Problem
from reconciler.render import count_text, problems_json
from reconciler.specfile import find_roots
from reconciler.workflow import locate_setting


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, validate, epilog="Example:\n\n  reconciler validate specs/quickstart")


def validate(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="The spec root, or a directory that holds several.")] = DEFAULT_ROOT,
    environment: EnvOption = None,
    as_json: JsonOption = False,
    no_cache: NoCacheOption = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Search for secrets, personal data and near duplicates too, whatever the size."),
    ] = False,
    max_errors: Annotated[
        int | None,
        typer.Option("--max-errors", min=1, help="Show so many findings of a file instead of 50.", metavar="N"),
    ] = None,
) -> int:
    """Check specs and data, offline.

    Shows every problem at once, with file, line and column.
    """
    console: Console = context.obj
    problems: list[Problem] = []
    warnings: list[Problem] = []
    unshown = models = datasets = rows = 0
    for each in find_roots(root):
        try:
            setting = locate_setting(each, os.environ, environment=environment, use_cache=not no_cache)
            checked = check_with_progress(replace(setting, deep=deep, max_errors=max_errors), console)
        except InputError as error:
            problems += error.problems
            unshown += error.unshown
            continue
        warnings += checked.warnings
        models += len(checked.specs.models)
        datasets += len(checked.specs.datasets)
        sides = [side for measured in checked.measures.values() for side in (measured.training, measured.validation)]
        rows += sum(side.rows for side in sides if side)
    if problems:
        # As text, the warnings about the other roots have been shown.
        raise InputError((*problems, *(warnings if as_json else ())), unshown)
    if as_json:
        console.out.write(problems_json(warnings))
    else:
        counts = ((models, "model"), (datasets, "dataset"), (rows, "row"))
        console.out.line(f"Valid: {', '.join(count_text(number, noun) for number, noun in counts)}.")
    return exit_codes.OK
