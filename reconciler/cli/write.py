"""init, validate and schema: everything that needs no service."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, JsonOption, NoCacheOption
from reconciler.domain.errors import InputError, Problem, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog="Example:\n\n  reconciler init && reconciler apply")(init)
    app.command(epilog="Example:\n\n  reconciler validate specs/quickstart")(validate)
    app.command(epilog="Example:\n\n  reconciler schema spec > spec.schema.json")(schema)


def init(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="Where to write.")] = DEFAULT_ROOT,
) -> int:
    """Write a commented spec tree to start from.

    It comes with a small dataset, and trains on this machine.
    """
    from reconciler.specfile import write_starter

    console: Console = context.obj
    for path in write_starter(root):
        console.out.line(str(path))
    where = "" if root == DEFAULT_ROOT else f" {root}"
    console.err.line(f"Next: reconciler apply{where}")
    return exit_codes.OK


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

    Everything that is wrong is said at once, with file, line and column.
    """
    import os

    from msgspec.structs import replace

    from reconciler.cli.plans import check_with_progress
    from reconciler.render import count_text
    from reconciler.specfile import find_roots
    from reconciler.workflow.engine import settle

    console: Console = context.obj
    problems: list[Problem] = []
    unshown = models = datasets = rows = 0
    for each in find_roots(root):
        try:
            setting = settle(each, os.environ, environment=environment or None, use_cache=not no_cache)
            checked = check_with_progress(replace(setting, deep=deep, max_errors=max_errors), console)
        except InputError as error:
            problems += error.problems
            unshown += error.unshown
            continue
        models += len(checked.specs.models)
        datasets += len(checked.specs.datasets)
        sides = [side for measured in checked.measures.values() for side in (measured.training, measured.validation)]
        rows += sum(side.rows for side in sides if side)
    if problems:
        raise InputError(tuple(problems), unshown)
    if as_json:
        from reconciler.render import problems_json

        console.out.write(problems_json((), 0))
    else:
        found = ((models, "model"), (datasets, "dataset"), (rows, "row"))
        console.out.line(f"Valid: {', '.join(count_text(number, noun) for number, noun in found)}.")
    return exit_codes.OK


def schema(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which one; without a name they are listed.")] = None,
) -> int:
    """Print a JSON Schema.

    There is one of the specs, the lock file, the plan, the saved plan and the events.
    """
    from reconciler.specfile import schema_names, schema_text

    console: Console = context.obj
    if name is None:
        for each in schema_names():
            console.out.line(each)
        return exit_codes.OK
    if name not in schema_names():
        raise UsageError(f"no schema {name}; there are {', '.join(schema_names())}")
    console.out.line(schema_text(name).rstrip("\n"))
    return exit_codes.OK
