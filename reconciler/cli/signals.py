"""Ctrl-C and SIGTERM, from the first line to the last: each ends the command with one sentence and 128 plus its number.

While a command reads and plans, a signal is raised as an exception, so that files and locks are left in order. While it
executes or waits, the first one is a request to stop, and the second one ends the process at once: the journal holds
what was being sent, and the next run looks for it. Little is imported here, since nothing else is loaded before.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType
from typing import NoReturn, Protocol

INTERRUPTED = 130
_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_SENTENCES = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Terminated."}
_AT_ONCE = "Ended at once. What was being sent is noted in the journal: run the same command again."


class StopRequest(Protocol):
    """What a handler asks to stop."""

    def set(self) -> None: ...

    def is_set(self) -> bool: ...


class SignalReceived(BaseException):
    """A signal that ends the command. Not a KeyboardInterrupt, which libraries catch and translate."""


class _Received:
    """The last signal that this process received."""

    number = 0


def run_with_signals(module: str, arguments: Sequence[str]) -> NoReturn:
    """Run the command line of a module with both signals handled, and exit with its code.

    Cost:   the module is imported here: for a short command, that takes most of the time
    """
    for number in _NUMBERS:
        signal.signal(number, _raise_signal)
    # An exception in a destructor or a callback of the collector would be printed, and the signal lost.
    hook, sys.unraisablehook = sys.unraisablehook, _end_if_signalled
    try:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _NUMBERS)
        code = import_module(module).run(arguments)
    except BaseException:
        if not _Received.number:
            raise
        _end(_sentence())
    finally:
        for number in _NUMBERS:
            signal.signal(number, _end_at_once)
        sys.unraisablehook = hook
    sys.exit(code_of(code))


def code_of(code: int) -> int:
    """Return the exit code of a command that ended by itself: 128 plus the number, where it ended by a signal."""
    return 128 + _Received.number if code == INTERRUPTED and _Received.number else code


@contextmanager
def handle_signals(stop: StopRequest) -> Iterator[None]:
    """Turn the first signal into a request to stop; the second one ends the process at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            _end_at_once(number, frame)
        _Received.number = number
        stop.set()

    before = {number: signal.signal(number, handle) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_signal(number: int, frame: FrameType | None) -> None:
    if _Received.number:
        _end_at_once(number, frame)
    _Received.number = number
    raise SignalReceived


def _end_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    is_second = bool(_Received.number)
    _Received.number = _Received.number or number
    _end(_AT_ONCE if is_second else _sentence())


def _end_if_signalled(lost: "sys.UnraisableHookArgs") -> None:
    if isinstance(lost.exc_value, SignalReceived):
        _end(_sentence())
    sys.__unraisablehook__(lost)


def _sentence() -> str:
    return _SENTENCES[signal.Signals(_Received.number)]


def _end(sentence: str) -> NoReturn:
    """Write a sentence and end the process: without waiting for threads, which may be in the middle of a request."""
    with suppress(Exception):
        sys.stdout.flush()
    # The sinks may be in the middle of a write, so they are passed by.
    with suppress(OSError):
        os.write(2, f"{sentence}\n".encode())
    os._exit(128 + _Received.number)
