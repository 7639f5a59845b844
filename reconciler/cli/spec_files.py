"""init and schema: the files to start from, and the JSON Schemas of all files and outputs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, add_command
from reconciler.domain.errors import UsageError
from reconciler.domain.plan import DIRECTORY_VARIABLE, CommandScope
from reconciler.render import FORMAT_VERSION, json_document
from reconciler.specfile import schema_names, schema_text, write_starter


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, init, epilog="Example:\n\n  reconciler init && reconciler apply")
    add_command(app, schema, epilog="Example:\n\n  reconciler schema spec > spec.schema.json")


def init(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="Where to write.")] = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Write a commented spec tree to start from.

    It comes with a small dataset, and trains on this machine.
    """
    console: Console = context.obj
    written = [str(path) for path in write_starter(root)]
    scope = CommandScope(
        directory=os.environ.get(DIRECTORY_VARIABLE, ""), root="" if root == DEFAULT_ROOT else str(root)
    )
    if as_json:
        console.out.write(json_document({"format_version": FORMAT_VERSION, "files": written, "next": scope.apply()}))
        return exit_codes.OK
    for path in written:
        console.out.line(path)
    console.err.line(f"Next: {scope.apply()}")
    return exit_codes.OK


def schema(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which one; without a name they are listed.")] = None,
) -> int:
    """Print a JSON Schema.

    There is one for the specs, the lock file, the price tables, and each kind of JSON that commands write.
    """
    console: Console = context.obj
    if name is None:
        for each in schema_names():
            console.out.line(each)
        return exit_codes.OK
    if name not in schema_names():
        raise UsageError(f"no schema {name}; there are {', '.join(schema_names())}")
    console.out.line(schema_text(name).rstrip("\n"))
    return exit_codes.OK
