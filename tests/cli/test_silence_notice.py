"""A look at the service that takes long is not silent."""

import io
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli import console as console_module
from reconciler.cli.console import open_console
from reconciler.render.sink import Sink


class Waiting(io.StringIO):
    """A stream that says when so many lines have come."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.lines, self.has_come = lines, threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.getvalue().count("\n") >= self.lines:
            self.has_come.set()
        return written


def test_a_look_that_takes_long_is_reported_and_then_more_seldom() -> None:
    stream = Waiting(2)
    console = replace(open_console({}), err=Sink(stream, ()))
    with console.notice_silence(0.01):
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


def test_a_quick_look_says_nothing() -> None:
    stream = Waiting(1)
    console = replace(open_console({}), err=Sink(stream, ()))
    with console.notice_silence():
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize("columns", ["9" * 5000, "0", "-1", "٣"])
def test_a_width_that_no_terminal_has_is_left_out(columns: str) -> None:
    assert open_console({"COLUMNS": columns}).width is None
