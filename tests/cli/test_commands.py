"""The table of commands says what the commands themselves say, and help reads the table alone."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.app import COMMANDS, DATA_COMMANDS, CommandEntry, load_command

ROOT = Path(__file__).parent.parent.parent
PROBE = """
import json, sys
from reconciler.cli.app import run
run(sys.argv[1:])
print(json.dumps(sorted(name for name in sys.modules if name.startswith("reconciler."))), file=sys.stderr)
"""


@pytest.mark.parametrize(("name", "entry"), [*COMMANDS.items(), *DATA_COMMANDS.items()])
def test_help_in_the_table_is_the_first_line_of_the_command_s_own(name: str, entry: CommandEntry) -> None:
    command = load_command(name, entry)
    assert command.name == name
    assert inspect.cleandoc(command.help).splitlines()[0] == entry.help


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_of_the_group_loads_no_command(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stderr) == ["reconciler.cli", "reconciler.cli.app"]


def test_completion_of_command_names_loads_no_command() -> None:
    environ = {"_RECONCILER_COMPLETE": "complete_bash", "COMP_WORDS": "reconciler in", "COMP_CWORD": "1"}
    code = "import sys; from reconciler.cli.app import app; app(prog_name='reconciler')"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env=environ,
    )
    assert done.stdout.split() == ["init"]
    assert "reconciler.domain" not in done.stderr


def test_a_mistyped_command_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    from reconciler.cli.app import run

    assert run(["plna"]) == 64
    assert "Did you mean 'plan'?" in capsys.readouterr().err
