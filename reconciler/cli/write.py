"""init, validate and schema: everything that needs no service."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exits
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, JsonOption
from reconciler.cli.talk import Talk
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
    from reconciler.spec import write_starter

    talk: Talk = context.obj
    for path in write_starter(root):
        talk.out.line(str(path))
    where = "" if root == DEFAULT_ROOT else f" {root}"
    talk.err.line(f"Next: reconciler apply{where}")
    return exits.OK


def validate(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="The spec root, or a directory that holds several.")] = DEFAULT_ROOT,
    environment: EnvOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check specs and data, offline.

    Everything that is wrong is said at once, with file, line and column.
    """
    import os

    from reconciler.cli.plans import checked_aloud
    from reconciler.engine import settle
    from reconciler.render import counted
    from reconciler.spec import find_roots

    talk: Talk = context.obj
    problems: list[Problem] = []
    unshown = models = datasets = rows = 0
    for each in find_roots(root):
        try:
            checked = checked_aloud(settle(each, os.environ, environment=environment or None), talk)
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

        talk.out.write(problems_json((), 0))
    else:
        found = ((models, "model"), (datasets, "dataset"), (rows, "row"))
        talk.out.line(f"Valid: {', '.join(counted(number, noun) for number, noun in found)}.")
    return exits.OK


def schema(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which one; without a name they are listed.")] = None,
) -> int:
    """Print a JSON Schema.

    There is one of the specs, the lock file, the plan, the saved plan and the events.
    """
    from reconciler.spec import schema_names, schema_text

    talk: Talk = context.obj
    if name is None:
        for each in schema_names():
            talk.out.line(each)
        return exits.OK
    if name not in schema_names():
        raise UsageError(f"no schema {name}; there are {', '.join(schema_names())}")
    talk.out.line(schema_text(name).rstrip("\n"))
    return exits.OK
