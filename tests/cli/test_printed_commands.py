"""A printed command can be copied: the shell and the command line read back exactly what was meant."""

import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.cli.app import COMMANDS, load_command
from reconciler.domain.plan import CommandScope, Options
from reconciler.journal import JournalKind
from reconciler.render.text import wrap
from reconciler.workflow import Setting

SCOPE = CommandScope(
    root="my specs/it's",
    environment="staging",
    provider="openai",
    prices="our prices.json",
    apply_flags=("--bound", "list_lag=60"),
)
OPTIONS = Options(
    prune=True,
    target=frozenset({"a", "b"}),
    retry=frozenset({"c"}),
    replace=frozenset({"d"}),
    allow=frozenset({"empty-specs", "amnesia"}),
)


def read_command(text: str) -> dict[str, Any]:
    """Return the values that the command line reads from a printed command."""
    program, name, *words = shlex.split(text)
    assert program == "reconciler"
    command = load_command(name, COMMANDS[name])
    values = dict(command.make_context(name, words).params)
    paths = ("root", "what", "specs", "prices")
    return values | {key: Path(values[key]) for key in paths if values.get(key) is not None}


@pytest.mark.parametrize("name", ["plan", "apply"])
def test_plan_and_apply_are_printed_with_the_place_and_all_options(name: str) -> None:
    text = SCOPE.plan(options=OPTIONS) if name == "plan" else SCOPE.apply(options=OPTIONS)
    values = read_command(text)
    assert values["root" if name == "plan" else "what"] == Path(SCOPE.root)
    assert (values["environment"], values["provider"]) == ("staging", "openai")
    assert (values["prices"], values["prune"]) == (Path("our prices.json"), True)
    lists = {key: sorted(values[key]) for key in ("target", "retry", "replace", "allow")}
    assert lists == {"target": ["a", "b"], "retry": ["c"], "replace": ["d"], "allow": ["amnesia", "empty-specs"]}
    assert values.get("bound") == (("list_lag=60",) if name == "apply" else None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wait", ()),
        ("status", ()),
        ("jobs", ("ftjob-1",)),
        ("files", ()),
        ("follow", ("triage",)),
        ("cancel", ("ftjob-1",)),
    ],
)
def test_commands_with_specs_are_printed_with_the_place(name: str, words: tuple[str, ...]) -> None:
    where = read_command(SCOPE.call(name, *words))
    assert (where["specs"], where["environment"], where["provider"]) == (Path(SCOPE.root), "staging", "openai")


def test_an_id_from_the_service_cannot_add_a_shell_command() -> None:
    assert shlex.split(SCOPE.call("jobs", "x; rm -rf /"))[2] == "x; rm -rf /"


def test_a_root_that_begins_with_a_dash_is_no_flag() -> None:
    assert read_command(CommandScope(root="-x").plan())["root"] == Path("./-x")


def test_a_saved_plan_is_applied_with_the_same_prices() -> None:
    values = read_command(SCOPE.apply_saved("to night.plan"))
    assert (values["what"], values["prices"]) == (Path("to night.plan"), Path("our prices.json"))


def make_setting(environ: dict[str, str], **changes: Any) -> Setting:
    return Setting(root=Path("specs"), workspace=Path(), home=Path(".reconciler"), environ=environ, **changes)


@pytest.mark.parametrize(
    ("environ", "changes", "flags"),
    [
        ({}, {}, ""),
        ({}, {"journal": JournalKind.GIT}, " --journal git"),
        ({"RECONCILER_JOURNAL": "git"}, {"journal": JournalKind.GIT}, ""),
        ({"RECONCILER_JOURNAL": "git"}, {"journal": JournalKind.DIRECTORY}, " --journal directory"),
        ({}, {"bounds": {"list_lag": 60.0, "x": 0.25}}, " --bound list_lag=60 --bound x=0.25"),
        ({"RECONCILER_BOUNDS": "list-lag=1m"}, {"bounds": {"list_lag": 60.0}}, ""),
        ({}, {"environment": "prod"}, " --env prod"),
    ],
)
def test_the_flags_of_a_setting_are_written_where_no_variable_says_the_same(
    environ: dict[str, str], changes: dict[str, Any], flags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make_setting(environ, **changes).scope.apply() == f"reconciler apply specs{flags}"


def test_a_command_without_environment_removes_the_variable_that_names_one() -> None:
    scope = make_setting({"RECONCILER_ENV": "staging"}, environment=None).scope
    assert scope.apply() == "env -u RECONCILER_ENV reconciler apply specs"
    assert scope.call("forget", "a") == "env -u RECONCILER_ENV reconciler forget a --specs specs"


@pytest.mark.parametrize("place", [{}, {"directory": "my project"}, {"environment": ""}])
def test_a_command_is_not_broken_over_two_lines(place: dict[str, str]) -> None:
    command = msgspec.structs.replace(SCOPE, **place).plan(options=OPTIONS)
    lines = wrap(
        f"hint: check the path and then the account; if this is intended: {command}; or ask", 60, rest="      "
    )
    assert sum(command in line for line in lines) == 1


def test_every_command_is_printed_with_the_directory_of_the_flag() -> None:
    scope = CommandScope(directory="my project", root="specs", environment="")
    printed = (scope.plan(), scope.apply(), scope.apply_saved("a.plan"), scope.call("wait"), scope.call("journal list"))
    assert [shlex.split(each)[:6] for each in printed] == [
        ["env", "-u", "RECONCILER_ENV", "reconciler", "-C", "my project"]
    ] * len(printed)


@pytest.mark.parametrize(
    ("environ", "journal", "flags"),
    [
        ({}, JournalKind.DIRECTORY, []),
        ({}, JournalKind.GIT, ["--journal", "git"]),
        ({"RECONCILER_JOURNAL": "git"}, JournalKind.GIT, []),
        ({"RECONCILER_JOURNAL": "git"}, JournalKind.DIRECTORY, ["--journal", "directory"]),
    ],
)
def test_a_printed_command_opens_the_journal_of_the_run_that_prints_it(
    environ: dict[str, str], journal: JournalKind, flags: list[str]
) -> None:
    scope = make_setting(environ, journal=journal).scope
    assert shlex.split(scope.apply()) == ["reconciler", "apply", "specs", *flags]
    assert shlex.split(scope.call_journal("clear", "ftjob-1")) == (
        ["reconciler", "journal", "clear", "ftjob-1", *flags, "--specs", "specs"]
    )
