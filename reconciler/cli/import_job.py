"""import: a spec for a job that was made without one. Reads the service, writes files, and changes nothing there."""

import os
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption, SpecsOptions, add_command
from reconciler.cli.places import find_place
from reconciler.domain.errors import UsageError
from reconciler.domain.plan import DIRECTORY_VARIABLE, CommandScope
from reconciler.render import FORMAT_VERSION, Fields, json_document
from reconciler.workflow.import_job import check_names, draft_import
from reconciler.workflow.plan import open_service
from reconciler.workflow.targets import find_job, is_id

EXAMPLES = """
Examples:

  reconciler import ftjob-abc123 --as support-triage            show the spec

  reconciler import ftjob-abc123 --as support-triage --write    write it, and its rows

  reconciler import ft:BASE:ORG:NAME:ID --as support-triage --dataset tickets --write

The next plan then has nothing to do for it. The job may be of any origin: it is never cancelled, nor its model deleted.
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, import_, name="import", epilog=EXAMPLES)


def import_(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="The id of a job, or of a model.", metavar="JOB|MODEL")],
    name: Annotated[str, typer.Option("--as", help="The name for the model.", metavar="NAME")],
    where: SpecsOptions,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            help="The Dataset it was trained on: one of the specs, or the name for the rows that are downloaded.",
            metavar="NAME",
        ),
    ] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="State the hyperparameters and seed that the job reports.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the files instead of showing the spec.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Write a spec for a job, or for the model of one.

    With its training rows, if the service lets them be downloaded. The spec then plans empty: nothing is trained again.
    """
    console: Console = context.obj
    if not is_id(what):
        scope = CommandScope(
            directory=os.environ.get(DIRECTORY_VARIABLE, ""),
            root=str(where.specs),
            environment=where.environment,
            provider=where.provider,
        )
        raise UsageError(
            f"{what} is not the id of a job or a model, such as ftjob-… or ft:…; list them with: {scope.call('jobs')}"
        )
    place = find_place(where, (what,))
    rows = dataset or f"{name}-data"
    check_names(name, rows, place)
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        console.note(text)

    with open_service(place.setting, place.specs, sleep=console.pause) as provider, console.notice_silence():
        job = find_job(place, what, provider, note)
        with draft_import(place, job, provider, name=name, rows=rows, settings=settings) as draft:
            if write:
                draft.write()
    if as_json:
        document: Fields = {
            "format_version": FORMAT_VERSION,
            "job": job.id,
            "spec": draft.text,
            "files": [str(path) for path in draft.paths],
            "is_written": write,
            "notes": notes,
            "next": place.setting.scope.plan() if write else None,
        }
        console.out.write(json_document(document))
    elif not write:
        console.out.write(draft.text)
    for path in draft.paths:
        console.err.line(f"{'Wrote' if write else 'With --write:'} {path}")
    console.err.line(f"Next: {place.setting.scope.plan()}" if write else "Nothing was written.")
    return exit_codes.OK
