"""Lets each kind of event into the log at once, and then at most once a minute, with a count."""

import logging
import time
import traceback
from collections.abc import Callable
from types import TracebackType

QUIET_SECONDS = 60.0
MOST_KINDS = 256
"""Beyond so many kinds, the others are one kind."""

SERVER_LOGS = ("uvicorn.error", "asyncio", "reconciler.service", "python_multipart.multipart")

Kind = tuple[str, object, object]


class OncePerKind(logging.Filter):
    """A filter of log records. Two records are of one kind when one line of code wrote both.

    Callers decide how often a connection fails, so that no failure of theirs may fill the disk. What they sent may
    stand in a traceback, and is written without control characters.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[Kind, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written; its text then says how many were not."""
        kind = _kind(record)
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = ("", None, None)
        last, left_out = self._kinds.get(kind, (-QUIET_SECONDS, 0))
        now = self._clock()
        if now - last < QUIET_SECONDS:
            self._kinds[kind] = (last, left_out + 1)
            return False
        self._kinds[kind] = (now, 0)
        text = record.getMessage().rstrip()
        if left_out:
            text += f" ({left_out} more of this kind since the last line)"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        record.msg, record.args, record.exc_info = _without_controls(text), None, None
        return True


def quiet_logs(clock: Callable[[], float] = time.monotonic) -> None:
    """Let the server's own logs have one line for each kind of event."""
    for name in SERVER_LOGS:
        logger = logging.getLogger(name)
        for each in tuple(logger.filters):
            if isinstance(each, OncePerKind):
                logger.removeFilter(each)
        logger.addFilter(OncePerKind(clock))


def _kind(record: logging.LogRecord) -> Kind:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.name, record.pathname, record.lineno
    return type(error).__name__, *_last_line(error.__traceback__)


def _last_line(at: TracebackType | None) -> tuple[object, object]:
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return (None, None) if at is None else (at.tb_frame.f_code.co_filename, at.tb_lineno)


def _without_controls(text: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}" for letter in text)
