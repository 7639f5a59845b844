"""The reference: every command, argument, flag and variable of the program is on its page, and nothing else is."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.cli.app import COMMANDS, EPILOG, app, load_command

HERE = Path(__file__).parent.parent.parent
PAGE = HERE / "docs" / "commands.md"
TITLE = """\
# Commands, flags and variables

Every command with its arguments and flags, and every variable of the environment that the program reads. This page is
made from the program. The fields of specs are in [specs.md](specs.md), the outputs of the action in [ci.md](ci.md).
`reconciler schema NAME` prints the shapes of JSON: `plan`, `event` (the lines of `apply --json`), `problems` (`validate
--json`, and every command that stops at the input), `prepare`, `review` and more. A finding has the same fields in all
of them: `file`, `line`, `column`, `path`, `what`, `hint`, `rule` and `severity`.

A command with `--json` that fails writes an object of the schema `error`; `apply` writes its line `result`, `follow`
and `wait` a line `error`. Only a signal leaves no object, except in an apply that has begun.
"""
VARIABLES = {
    "RECONCILER_ENV": "The environment of the Project (`--env`). An empty one is a usage error.",
    "RECONCILER_DIRECTORY": "Set by `-C`, for the commands that messages print; nothing else sets it.",
    "RECONCILER_HOME": "The directory of our own files: store, journal, caches. See [offline.md](offline.md).",
    "RECONCILER_JOURNAL": "Where an intent is recorded (`--journal`).",
    "RECONCILER_BOUNDS": "Bounds of the service, separated by commas (`--bound`). See [services.md](services.md).",
    "RECONCILER_PRICES": "A file of prices (`--prices`).",
    "RECONCILER_PROFILES": "A file of services of your own. See [services.md](services.md).",
    "RECONCILER_STRICT": "`1`: a dataset that git does not track is an error; `0`: a warning. Else `CI` decides.",
    "RECONCILER_LOCAL_URL": "The address of a built-in service that listens on a port.",
    "RECONCILER_LOCAL_KEY": "The key of that service.",
    "OPENAI_API_KEY": "The key of the profiles openai and openai-legacy.",
    "OPENAI_BASE_URL": "The address of the profile openai, and of openai-legacy.",
    "OPENAI_API_BASE": "The address of the profile openai-legacy.",
    "AZURE_OPENAI_ENDPOINT": "The address of the profile azure: that of the resource, or of its API.",
    "AZURE_OPENAI_API_KEY": "The key of the profile azure.",
    "COMPATIBLE_BASE_URL": "The address of the profile compatible.",
    "COMPATIBLE_API_KEY": "The key of the profile compatible.",
    "OPENAI_ORG_ID": "The organization that requests are made for.",
    "OPENAI_ORGANIZATION": "The same, for the profile openai-legacy.",
    "OPENAI_PROJECT_ID": "The service's project that requests are made for.",
    "OPENAI_IDENTITY_PROVIDER_ID": "A job's own identity signs, instead of a key. See [keyless.md](keyless.md).",
    "OPENAI_SERVICE_ACCOUNT_ID": "The service account of that identity.",
    "OPENAI_IDENTITY_AUDIENCE": "The audience of that identity.",
    "OPENAI_WEBHOOK_SECRET": "The secret that signs the webhooks of `serve --webhook`.",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "Set by GitHub: where a job gets its identity.",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "Set by GitHub: with it a job asks for its identity.",
    "GITHUB_OUTPUT": "Set by GitHub: the file of outputs (`--format github`).",
    "GITHUB_STEP_SUMMARY": "Set by GitHub: the file of the job's summary (`--format github`).",
    "CI": "Where it is set, datasets that git does not track are refused, and no progress is drawn.",
    "XDG_CONFIG_HOME": "The directory under which reconciler/profiles.yaml is looked for, else ~/.config.",
    "XDG_STATE_HOME": "The directory under which our own files are kept, where RECONCILER_HOME is not set.",
    "APPDATA": "Where profiles of one's own are looked for on Windows, as reconciler/profiles.yaml.",
    "LOCALAPPDATA": "The same on Windows.",
    "NO_COLOR": "Text has no colour.",
    "FORCE_COLOR": "Text has colour, also where no terminal is.",
    "CLICOLOR": "`0`: text has no colour.",
    "CLICOLOR_FORCE": "As FORCE_COLOR.",
    "TERM": "`dumb`: text has no colour.",
    "COLUMNS": "The width of tables.",
}
_A_NAME = re.compile(
    r"(?:RECONCILER|OPENAI|COMPATIBLE|GITHUB|ACTIONS|AZURE|XDG)_[A-Z_]+|CLICOLOR(?:_FORCE)?|(?:NO|FORCE)_COLOR|COLUMNS|CI|TERM"
    r"|(?:LOCAL)?APPDATA"
)
_NOT_VARIABLES = frozenset({"OPENAI_LEGACY"})


def page() -> str:
    """Return the text of the page."""
    commands = [section(f"reconciler {name}", command) for name, command in all_commands()]
    variables = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in sorted(VARIABLES.items()))
    codes = EPILOG.removeprefix("Exit codes: ").removesuffix(".")
    listed = "".join(f"| {code} | {meaning} |\n" for code, meaning in re.findall(r"(\d+) ([^;]+)(?:;|$)", codes))
    return "\n".join(
        [
            TITLE,
            "## Flags of every command\n",
            rows(root_command()),
            *commands,
            "## Exit codes\n\n| code | means |\n|---|---|\n" + listed,
            "## Variables\n\n| variable | means |\n|---|---|\n" + variables,
        ]
    )


def all_commands() -> Iterator[tuple[str, Any]]:
    for name, entry in COMMANDS.items():
        command = load_command(name, entry)
        if entry.module:
            yield name, command
        else:
            yield from ((f"{name} {each}", load_command(each, inner)) for each, inner in command.table.items())


def root_command() -> Any:
    import typer

    return typer.main.get_command(app)


def section(title: str, command: Any) -> str:
    first = " ".join((command.help or "").split("\n\n")[0].split())
    return f"## {title}\n\n{first}\n\n{rows(command)}"


def rows(command: Any) -> str:
    """Return the table of a command's parameters."""
    found = [row(each) for each in command.params if not getattr(each, "hidden", False)]
    return "| flag | means |\n|---|---|\n" + "".join(found)


def row(parameter: Any) -> str:
    metavar = parameter.metavar or ""
    choices = getattr(parameter.type, "choices", ())
    if parameter.param_type_name == "argument":
        name = f"`{metavar or parameter.name.upper()}`"
    else:
        value = "" if parameter.is_flag else " " + (metavar or ("VALUE" if not choices else "WORD"))
        name = ", ".join(f"`{each}{value}`" for each in sorted(parameter.opts, key=len, reverse=True))
    notes = [parameter.help or ""]
    notes += [f"One of {', '.join(f'`{each}`' for each in choices)}."] if choices else []
    notes += [f"Variable: `{parameter.envvar}`."] if parameter.envvar else []
    text = " ".join(" ".join(notes).split()).replace("|", "\\|")
    return f"| {name.replace('|', chr(92) + '|')} | {text} |\n"


def test_the_page_is_made_from_the_commands() -> None:
    if os.environ.get("REFRESH_GOLDEN"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_command_and_flag_of_the_help_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, command in all_commands():
        assert f"## reconciler {name}\n" in text
        for parameter in command.params:
            for word in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{word}" in text, f"{name} {word}"


def test_every_variable_that_the_program_reads_is_on_the_page_and_no_other() -> None:
    found = {
        word
        for path in (HERE / "reconciler").rglob("*.py")
        for word in re.findall(r'"([A-Z_]+)"', path.read_text(encoding="utf-8"))
        if _A_NAME.fullmatch(word)
    }
    assert found - _NOT_VARIABLES == set(VARIABLES)


def test_the_docs_name_no_variable_and_no_flag_that_there_is_not() -> None:
    """Flags of other programs stand in commands that begin with another word."""
    flags = {word for _, command in all_commands() for each in command.params for word in each.opts}
    flags |= {word for each in root_command().params for word in each.opts} | {"--help", "-h"}
    for path in (HERE / "README.md", *(HERE / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for variable in set(re.findall(r"\bRECONCILER_[A-Z_]+", text)) - {"RECONCILER_VERSION"}:
            assert variable in VARIABLES, f"{path.name}: {variable}"
        for command in re.findall(r"^(?:\$ )?reconciler (.*)$|`reconciler ([^`]*)`", text, re.MULTILINE):
            for word in re.findall(r"(?<![\w-])--[a-z][a-z-]*", "".join(command).partition("#")[0]):
                assert word in flags, f"{path.name}: {word}"
