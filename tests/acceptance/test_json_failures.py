"""A command with --json writes an object to stdout however it fails, and an apply writes its result line."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.cli.app import COMMANDS, DATA_COMMANDS, JOURNAL_COMMANDS, CommandEntry, load_command
from reconciler.cli.failures import report_failure
from reconciler.cli.formats import check_writable, read_formats
from reconciler.domain.errors import TemporaryError

from .conftest import HERE, Repository

LINES = {"apply", "follow", "wait"}


def list_json_commands() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that has --json."""
    groups: dict[tuple[str, ...], dict[str, CommandEntry]] = {
        (): COMMANDS,
        ("data",): DATA_COMMANDS,
        ("journal",): JOURNAL_COMMANDS,
    }
    for before, table in groups.items():
        for name, entry in table.items():
            if entry.module and any("--json" in each.opts for each in load_command(name, entry).params):
                yield (*before, name)


JSON_COMMANDS = tuple(list_json_commands())


def _fail(number: int, frame: FrameType | None) -> None:
    raise AssertionError("it waits")


def check_schema(name: str, document: Any) -> None:
    schema = json.loads((HERE / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)


def check_failure(words: tuple[str, ...], text: str, code: int) -> dict[str, Any]:
    """Return what a command wrote about its failure, which has the shape of a schema."""
    found: dict[str, Any] = json.loads(text)
    assert found["exit_code"] == code
    if words[0] in LINES:
        assert text.count("\n") == 1
        assert found["type"] == ("result" if words == ("apply",) else "error")
        check_schema("event", found)
    else:
        check_schema("error", found)
    return found


def test_the_commands_with_json_are_those_of_the_reference() -> None:
    assert {("apply",), ("plan",), ("data", "show"), ("wait",), ("status",), ("prepare",)} <= set(JSON_COMMANDS)


@pytest.mark.parametrize("words", JSON_COMMANDS, ids=" ".join)
@pytest.mark.parametrize("wrong", ["--bogus", "--help=x"])
def test_a_wrong_command_line_has_an_object(repository: Repository, words: tuple[str, ...], wrong: str) -> None:
    result = repository.run(*words, "--json", wrong)
    assert result.code == 64
    found = check_failure(words, result.out, 64)
    assert found["error"].startswith("Wrong usage: ")
    assert "Error: " in result.err


@pytest.mark.parametrize("words", JSON_COMMANDS, ids=" ".join)
def test_a_directory_that_is_not_there_has_an_object(
    repository: Repository, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    result = repository.run("-C", "nowhere", *words, "--json")
    assert result.code == 64
    assert "no such directory" in check_failure(words, result.out, 64)["error"]


@pytest.mark.parametrize("name", ["plan", "status", "jobs", "files", "models", "wait", "apply", "follow"])
@pytest.mark.parametrize("flag", ["--provider=nope", "--env=nowhere", "--env="])
def test_a_place_that_does_not_exist_has_an_object(quickstart: Repository, name: str, flag: str) -> None:
    root = ["specs/quickstart"] if name in {"plan", "apply"} else ["--specs", "specs/quickstart"]
    what = ["support-triage"] if name == "follow" else []
    result = quickstart.run(name, *what, *root, "--json", flag, *(["--auto-approve"] if name == "apply" else []))
    if flag == "--provider=nope" and result.code == 3:
        check_schema("problems", json.loads(result.out))
        return
    assert result.code == 64, result.err
    check_failure((name,), result.out, 64)


@pytest.mark.parametrize(
    "flags",
    [
        ("--format", "nope"),
        ("--format", "json", "--format", "nope"),
        ("--format", "json=nowhere/x"),
        ("--format", "html"),
        ("--timeout", "later"),
        ("--bound", "x"),
        ("--allow", "nothing"),
        ("--expect-basis", "x"),
        ("--parallelism", "0"),
        ("--journal", "nope"),
        ("--target",),
        ("--prices", "nowhere.json"),
    ],
    ids=" ".join,
)
def test_an_apply_with_a_wrong_value_has_its_result_line(quickstart: Repository, flags: tuple[str, ...]) -> None:
    result = quickstart.run("apply", "specs/quickstart", "--auto-approve", "--json", *flags)
    line = result.out.splitlines()[-1]
    found = json.loads(line)
    check_schema("event", found)
    assert (found["type"], found["exit_code"]) == ("result", result.code)
    assert result.code in {3, 64}
    assert found["remaining"] is None


def test_a_saved_plan_that_cannot_be_read_has_a_result_line(quickstart: Repository) -> None:
    quickstart.write("night.plan", "{")
    found = json.loads(quickstart.run("apply", "night.plan", "--json").out)
    assert (found["type"], found["exit_code"]) == ("result", 64)


def test_a_file_that_no_file_can_be_written_beside_is_in_the_result_line(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickstart.write("home", "a file")
    monkeypatch.setenv("RECONCILER_HOME", str(quickstart.root / "home"))
    result = quickstart.run("apply", "specs/quickstart", "--auto-approve", "--json")
    found = json.loads(result.out.splitlines()[-1])
    assert (found["type"], found["exit_code"], result.code) == ("result", 74, 74)


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr
)
def test_a_condition_of_the_machine_has_an_object(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    code = report_failure(error, ["plan", "--json"])
    assert code is not None
    check_failure(("plan",), capsys.readouterr().out, code)


def test_a_bug_has_an_object_and_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(KeyError("x"), ["status", "--json"]) is None
    found = check_failure(("status",), capsys.readouterr().out, 1)
    assert found["error"] == "A fault of this program: KeyError: 'x'"


def test_the_answer_of_a_service_is_in_the_object_as_it_is_in_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    error = TemporaryError("busy", status=503, code="overloaded", request_id="req_1", hint="wait")
    assert report_failure(error, ["jobs", "--json"]) == 1
    written = capsys.readouterr()
    found = check_failure(("jobs",), written.out, 1)
    assert found["service"] == {"status": 503, "code": "overloaded", "request_id": "req_1"}
    assert found["error"] == "The service failed: busy (wait)"
    assert all(str(value) in written.err for value in found["service"].values())


@pytest.mark.parametrize("arguments", [["output", "--format", "json"], ["run", "m", "--", "--json"], ["plan"]])
def test_a_command_that_was_not_asked_for_json_writes_none(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # The keys of `output --format json` are names of models, so an error among them would be read as a model.
    assert report_failure(TemporaryError("busy"), arguments) == 1
    assert capsys.readouterr().out == ""


def test_reports_that_cannot_be_written_do_not_change_how_an_apply_ended(quickstart: Repository) -> None:
    result = quickstart.run(
        "apply", "specs/quickstart", "--auto-approve", "--json", "--format", "html=/dev/full", "--format", "junit=j.xml"
    )
    assert result.code == 0, result.err
    found = json.loads(result.out.splitlines()[-1])
    check_schema("event", found)
    assert found["exit_code"] == 0
    assert found["unwritten"] == "/dev/full cannot be written: No space left on device"
    assert found["models"]
    assert "Warning: /dev/full cannot be written: No space left on device. The exit code" in result.err
    assert (quickstart.root / "j.xml").is_file()


@pytest.mark.parametrize("form", ["json", "text", "markdown", "html", "sarif", "junit", "review"])
def test_an_apply_whose_report_cannot_be_written_ends_as_the_apply(quickstart: Repository, form: str) -> None:
    result = quickstart.run("apply", "specs/quickstart", "--auto-approve", "--format", f"{form}=/dev/full")
    assert result.code == 0, result.err
    assert result.err.count("/dev/full cannot be written") == 1


def test_a_plan_whose_report_cannot_be_written_writes_the_others(quickstart: Repository) -> None:
    result = quickstart.run("plan", "specs/quickstart", "--format", "json=/dev/full", "--format", "markdown=p.md")
    assert result.code == 74, result.err
    assert (quickstart.root / "p.md").is_file()


def test_a_report_that_cannot_be_written_does_not_hide_the_failure(quickstart: Repository) -> None:
    result = quickstart.run("plan", "nowhere", "--format", "json=/dev/full", "--format", "markdown=p.md")
    assert result.code == 3
    assert "Warning: /dev/full cannot be written" in result.err
    assert "there is no such directory" in (quickstart.root / "p.md").read_text(encoding="utf-8")


def test_a_pipe_with_a_name_is_opened_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Opened for a look, it would wait for a reader, who then takes the close for the end.
    before = signal.signal(signal.SIGALRM, _fail)
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        check_writable(read_formats([f"json={pipe}"]), {})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert pipe.is_fifo()
