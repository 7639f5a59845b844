"""A look at the service that takes long is not silent."""

import io
import threading
from dataclasses import replace

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


def test_a_quick_look_says_nothing() -> None:
    stream = Waiting(1)
    console = replace(open_console({}), err=Sink(stream, ()))
    with console.notice_silence():
        pass
    assert stream.getvalue() == ""
