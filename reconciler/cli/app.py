"""The table of commands, and how one of them runs. A command's module is imported when the command is called.

Help and completion of the group read the table alone, so that neither pays for what the commands load.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import Abort

from reconciler import __version__


class CommandEntry(NamedTuple):
    """A command: the module of this package that registers it, and the first line of its help."""

    module: str
    help: str


COMMANDS = {
    "init": CommandEntry("init", "Write a commented spec tree to start from."),
    "validate": CommandEntry("validate", "Check specs and data, offline."),
    "schema": CommandEntry("spec_files", "Print a JSON Schema."),
    "prepare": CommandEntry("prepare", "Check a file of examples, and show how to correct it."),
    "data": CommandEntry("", "Show and compare datasets."),
    "plan": CommandEntry("plans", "Show what apply would do, and why."),
    "apply": CommandEntry("plans", "Do what plan shows, and wait for the jobs."),
    "diff": CommandEntry("reviews", "Show what changes between two commits."),
    "show": CommandEntry("reviews", "Show a saved plan as it was made."),
    "status": CommandEntry("jobs", "Show the state of every model of the specs."),
    "follow": CommandEntry("jobs", "Show the events of a job until it ends."),
    "wait": CommandEntry("jobs", "Wait until jobs have ended."),
    "cancel": CommandEntry("jobs", "Cancel the running jobs of a model, or one job by its id."),
    "files": CommandEntry("inventory", "List the files on the service, ours and not ours, or show one."),
    "jobs": CommandEntry("inventory", "List the jobs on the service, ours and not ours, or show one."),
    "models": CommandEntry("inventory", "List the models on the service, ours and not ours, or show one."),
    "output": CommandEntry("models", "Print the id of the serving model."),
    "run": CommandEntry("models", "Ask a model; the answer is printed as it comes."),
    "import": CommandEntry("import_job", "Write a spec for a job, or for the model of one."),
    "journal": CommandEntry("", "Show and mend the notes about creates that are in flight."),
    "lock": CommandEntry("", "Mend the lock file."),
    "forget": CommandEntry("forget", "Take a model out of the lock file; the service is not changed."),
    "snippet": CommandEntry("models", "Print a ready call to a finished model."),
    "serve": CommandEntry("serve", "Run the built-in service on a port."),
    "providers": CommandEntry("providers", "List the services that a spec may name, or show one."),
    "doctor": CommandEntry("doctor", "Check that plan and apply can work here."),
}


DATA_COMMANDS = {
    "show": CommandEntry("data", "Show one row."),
    "stats": CommandEntry("data", "Show the statistics of a dataset."),
    "sample": CommandEntry("data", "Show a few rows, chosen by their content."),
    "diff": CommandEntry("data_diff", "Show which rows changed."),
}


JOURNAL_COMMANDS = {
    "list": CommandEntry("journal", "List the notes about creates that are in flight."),
    "clear": CommandEntry("journal", "Take notes out of the journal; the service is not changed."),
}

LOCK_COMMANDS = {
    "rebuild": CommandEntry("lock", "Write the lock file again from what the service holds."),
}


class LazyGroup(TyperGroup):
    """The group of all commands; a command is imported when it is called."""

    table: Mapping[str, CommandEntry] = COMMANDS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name=name, help=entry.help) for name, entry in self.table.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name, the command itself and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name, self.table[name]) if name and command else None, rest


class DataGroup(LazyGroup):
    """The group of the data commands."""

    table = DATA_COMMANDS


class JournalGroup(LazyGroup):
    """The group of the journal commands."""

    table = JOURNAL_COMMANDS


class LockGroup(LazyGroup):
    """The group of the lock commands."""

    table = LOCK_COMMANDS


_GROUPS: Mapping[str, type[LazyGroup]] = {"data": DataGroup, "journal": JournalGroup, "lock": LockGroup}


def load_command(name: str, entry: CommandEntry) -> Any:
    """Import the module of a command, and return the command; the entry of a group names no module."""
    if not entry.module:
        return _GROUPS[name](name=name, help=entry.help, no_args_is_help=True, rich_markup_mode=None)
    app = typer.Typer(rich_markup_mode=None)
    import_module(f"reconciler.cli.{entry.module}").register(app)
    return typer.main.get_group(app).commands[name]


EPILOG = (
    "Exit codes: 0 done or nothing to do; 1 the service refused or did not answer; 2 steps to apply, or a "
    "wanted model is not there and no job makes it (plan --detailed-exitcode); 3 specs or data invalid; 4 saved plan "
    "stale; 5 a policy or guard refused; 6 a job failed; 7 still running; 8 some steps failed; 9 outcome of a create "
    "unknown, safe to run again; 64 wrong usage; 74 a directory or port of this machine cannot be used; 130 "
    "interrupted; 143 ended by SIGTERM."
)

app = typer.Typer(
    name="reconciler",
    cls=LazyGroup,
    help="Plan and apply for fine-tuned models.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconciler {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    chdir: Annotated[Path | None, typer.Option("--chdir", "-C", help="Work as if started in this directory.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="Write without colour.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Plan and apply for fine-tuned models.

    Specs in git say which datasets and fine-tuned models should exist. plan shows the difference to what the service
    holds, apply closes it.
    """
    # `--help` and completion write through the command-line library, and load nothing else.
    from reconciler.cli.console import change_directory, open_console

    if chdir and not chdir.is_dir():
        raise typer.BadParameter(f"no such directory: {chdir}")
    change_directory(chdir)
    context.obj = open_console(os.environ, no_colour=no_color)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. A bug keeps its traceback."""
    try:
        code = app(list(arguments), standalone_mode=False)
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The program that read our output has ended; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, Abort, Exception) as error:
        # A command that succeeds does not pay for the texts of errors.
        from reconciler.cli.failures import report_failure

        code = report_failure(error, arguments)
        if code is None:
            raise
        return code
