"""A look at the service that takes long is not silent."""

import ast
import io
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand

from reconciler.cli import console as console_module
from reconciler.cli.console import open_console
from reconciler.cli.execution import WaitOptions
from reconciler.cli.inventory import files, jobs, models
from reconciler.cli.jobs import cancel, follow, wait
from reconciler.cli.models import output, run, snippet
from reconciler.cli.options import SpecsOptions
from reconciler.domain.errors import ReconcilerError
from reconciler.render.sink import Sink
from tests.acceptance.test_time_is_up import serving


class Waiting(io.StringIO):
    """A stream that says when so many lines with some words have come."""

    def __init__(self, lines: int, words: str = "") -> None:
        super().__init__()
        self.lines, self.words, self.has_come = lines, words, threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if sum(self.words in line for line in self.getvalue().split("\n")[:-1]) >= self.lines:
            self.has_come.set()
        return written


def test_a_look_that_takes_long_is_reported_and_then_more_seldom() -> None:
    stream = Waiting(2)
    console = replace(open_console({}), err=Sink(stream, ()), silent_seconds=0.01)
    with console.notice_silence():
        assert stream.has_come.wait(5)
    first, second, *_ = stream.getvalue().splitlines()
    assert "has not given all answers for 0.01 seconds" in first
    assert "for 0.02 seconds" in second
    assert "Ctrl-C" in first


def test_a_long_pause_before_a_request_says_until_when_and_once_for_requests_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    stream = io.StringIO()
    console = replace(open_console({}), err=Sink(stream, ()))
    for seconds in (0.5, 59.0, 58.5, 2.0):
        console.pause(seconds)
    (line,) = stream.getvalue().splitlines()
    assert re.search(r"asked for a pause.*asking again in 59 seconds, at \d\d:\d\d:\d\d", line)


def test_every_command_that_asks_a_service_reports_its_pauses() -> None:
    for path in Path(console_module.__file__).parent.glob("*.py"):
        for call in re.findall(r"with open_service\(.*?\) as ", path.read_text(encoding="utf-8"), re.DOTALL):
            assert "sleep=console.pause" in call, f"{path.name}: {call}"


WHERE = SpecsOptions(provider="openai")
JOB, MODEL = "ftjob-1", "ft:base:acme:name:1"
ASKING: dict[str, Callable[[typer.Context], int]] = {
    "files": lambda context: files(context, WHERE),
    "files ID": lambda context: files(context, WHERE, "file-1"),
    "jobs": lambda context: jobs(context, WHERE),
    "jobs ID": lambda context: jobs(context, WHERE, JOB),
    "models": lambda context: models(context, WHERE),
    "models ID": lambda context: models(context, WHERE, MODEL),
    "output": lambda context: output(context, WHERE, [JOB]),
    "run": lambda context: run(context, MODEL, WHERE, prompt="hello"),
    "snippet": lambda context: snippet(context, JOB, WHERE),
    "follow": lambda context: follow(context, JOB, WHERE, WaitOptions()),
    "wait": lambda context: wait(context, WHERE, WaitOptions(), [JOB]),
    "cancel": lambda context: cancel(context, JOB, WHERE, auto_approve=True),
}


@pytest.mark.loopback
@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_command_says_that_the_service_is_silent(
    ask: Callable[[typer.Context], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Waiting(1, "has not given all answers")
    console = replace(open_console({}), err=Sink(stream, ()), silent_seconds=0.01)

    def refuse_later(connection: socket.socket, _: threading.Event) -> None:
        stream.has_come.wait(10)
        connection.sendall(b"HTTP/1.1 401 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    monkeypatch.chdir(tmp_path)
    with serving(refuse_later) as port, suppress(ReconcilerError):
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
        ask(typer.Context(TyperCommand("asking"), obj=console))
    assert stream.has_come.is_set()


def test_every_function_that_asks_a_service_reports_its_silence() -> None:
    for path in Path(console_module.__file__).parent.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and function.name != "_open_provider":
                text = ast.unparse(function)
                asks = re.search(r"\b_?open_(service|provider)\(", text)
                assert not asks or "console.notice_silence()" in text, f"{path.name}: {function.name}"


def test_a_quick_look_says_nothing() -> None:
    stream = Waiting(1)
    console = replace(open_console({}), err=Sink(stream, ()))
    with console.notice_silence():
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize("columns", ["9" * 5000, "0", "-1", "٣"])
def test_a_width_that_no_terminal_has_is_left_out(columns: str) -> None:
    assert open_console({"COLUMNS": columns}).width is None
