"""schema: the JSON Schemas of all files and outputs."""

from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import add_command
from reconciler.domain.errors import UsageError
from reconciler.specfile import schema_names, schema_text


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, schema, epilog="Example:\n\n  reconciler schema spec > spec.schema.json")


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
