"""journal list, journal clear: the notes about creates that are in flight, and how a person takes one out."""

from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import ApproveOption, JsonOption, SpecsOptions, add_command
from reconciler.cli.places import resolve_specs
from reconciler.domain.errors import UsageError
from reconciler.journal import JournalKind
from reconciler.render import clean, count_text, time_text
from reconciler.workflow import Setting, read_setting
from reconciler.workflow.mending import ListedNote, clear_notes, list_notes, open_notes, select_notes

_TIME = "%Y-%m-%d %H:%M:%S UTC"

JournalOption = Annotated[
    JournalKind,
    typer.Option("--journal", help="Where intents are kept.", envvar="RECONCILER_JOURNAL", case_sensitive=False),
]

_STATES = {
    True: "its run is at work",
    False: "its run has ended",
    None: "whether its run is at work is not known",
}

EXAMPLES = """
Examples:

  reconciler journal list

  reconciler journal clear ftjob-4f8a

  reconciler journal clear support-triage
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, list_, name="list", epilog=EXAMPLES)
    add_command(app, clear, epilog=EXAMPLES)


def list_(
    context: typer.Context,
    where: SpecsOptions,
    journal: JournalOption = JournalKind.DIRECTORY,
    as_json: JsonOption = False,
) -> int:
    """List the notes about creates that are in flight.

    A note that stays when no run is at work is left by a run that was interrupted; the next apply follows it.
    """
    console: Console = context.obj
    setting = _resolve(where, journal)
    specs = read_setting(setting)
    with open_notes(setting, specs) as opened:
        listed = list_notes(opened)
    if as_json:
        console.out.write(msgspec.json.format(msgspec.json.encode([_fields(each) for each in listed])).decode() + "\n")
    elif not listed:
        console.out.line(f"The journal of project {specs.project.name} is empty: no create is in flight.")
    else:
        for each in listed:
            console.out.line(clean(_line(each)))
    return exit_codes.OK


def clear(
    context: typer.Context,
    where: SpecsOptions,
    name: Annotated[str, typer.Argument(help="The id of a job, the name of a model, or a stamp.")],
    journal: JournalOption = JournalKind.DIRECTORY,
    auto_approve: ApproveOption = False,
) -> int:
    """Take notes out of the journal; the service is not changed.

    The next apply then knows nothing of that create. Look for its job first: a job that no list shows yet would be
    created and paid for a second time. A note whose run still works on this machine stays.
    """
    console: Console = context.obj
    if not auto_approve and not console.can_ask:
        raise UsageError("journal clear needs approval, and there is no terminal to ask on; use --auto-approve")
    setting = _resolve(where, journal)
    specs = read_setting(setting)
    with open_notes(setting, specs) as opened:
        chosen = select_notes(list_notes(opened), name)
        for each in chosen:
            console.err.line(clean(_line(each)))
        console.err.line(f"Look for the job first: {setting.scope.call('jobs')}")
        if not auto_approve and not console.ask_approval():
            console.err.line("Not approved: nothing was done.")
            return exit_codes.REFUSED
        clear_notes(opened, chosen, name)
    console.out.line(f"Taken out of the journal of project {specs.project.name}: {count_text(len(chosen), 'note')}.")
    return exit_codes.OK


def _resolve(where: SpecsOptions, journal: JournalKind) -> Setting:
    return replace(resolve_specs(where), journal=journal)


def _line(each: ListedNote) -> str:
    intent, account = each.intent, each.note.account
    words = [
        str(intent.stamp),
        f"job {intent.job}" if intent.job else "no job known",
        f"written {time_text(intent.at, _TIME)}" if intent.at is not None else "written at an unknown time",
        f"by run {intent.owner}",
        *([f"account {account.organization or account.project}"] if account.organization or account.project else []),
        *([f"in doubt: answered {intent.doubt}"] if intent.doubt else []),
        _STATES[each.is_active],
    ]
    return ", ".join(words)


def _fields(each: ListedNote) -> dict[str, object]:
    intent, note = each.intent, each.note
    return {
        "address": str(intent.stamp.address),
        "digest": str(intent.stamp.digest),
        "job": intent.job,
        "doubt": intent.doubt or None,
        "written_at": intent.at,
        "run": intent.owner,
        "machine": note.machine or None,
        "organization": note.account.organization or None,
        "account_project": note.account.project or None,
        "is_active": each.is_active,
    }
