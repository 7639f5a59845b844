"""init: the files to start from, with rows of one's own or with a small dataset."""

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, add_command
from reconciler.cli.prepare import show_findings, write_findings
from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.plan import DIRECTORY_VARIABLE, CommandScope
from reconciler.foundation.text import slug
from reconciler.prepare_data.suggest import Examination, examine, write_dataset
from reconciler.render import FORMAT_VERSION, clean, json_document
from reconciler.specfile import OwnRows, write_starter

EXAMPLES = """
Examples:

  reconciler init && reconciler apply

  reconciler init --data data/tickets.csv
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, init, epilog=EXAMPLES)


def init(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="Where to write.")] = DEFAULT_ROOT,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Start from this file of examples: its Dataset is written, with the steps it needs."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Write a commented spec tree to start from.

    It comes with a small dataset, and trains on this machine. With --data it reads a file of examples instead.
    """
    console: Console = context.obj
    examined = examine(data) if data else None
    written = [str(path) for path in write_starter(root, _describe_rows(examined, root) if examined else None)]
    scope = CommandScope(
        directory=os.environ.get(DIRECTORY_VARIABLE, ""), root="" if root == DEFAULT_ROOT else str(root)
    )
    if as_json:
        found = write_findings(examined) if examined else {}
        document = {"format_version": FORMAT_VERSION, "files": written, "next": scope.apply()}
        console.out.write(json_document(document | found))
        return exit_codes.OK
    if examined and (examined.warnings or examined.findings):
        show_findings(examined, console.err)
    for path in written:
        console.out.line(path)
    if examined:
        console.err.line(f"Choose a base in {clean(str(root / 'models.yaml'))}, and take away its comment signs.")
    console.err.line(f"Next: {scope.apply()}")
    return exit_codes.OK


def _describe_rows(examined: Examination, root: Path) -> OwnRows:
    """Return what the specs say of a file's rows.

    Raises: InputError, when only a person can decide what to do with a row or a key
            UsageError, when a spec cannot read the file as it is
    """
    if examined.questions:
        raise InputError(examined.questions)
    if not examined.is_for_specs:
        what = f"a spec cannot read {examined.file} as it is"
        raise UsageError(f"{what}; write another with reconciler prepare --write, and name that one")
    name = slug(examined.file.stem) or "examples"
    source = os.path.relpath(os.path.abspath(examined.file), os.path.realpath(root))
    text = write_dataset(name, source, row_format=examined.format, steps=examined.steps)
    return OwnRows(name=name, dataset=text, format=examined.format)
