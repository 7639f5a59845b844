"""Where the text of a command goes: results to stdout, messages to stderr, both through the sanitising sink."""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

from reconciler.cli.redaction import find_secrets
from reconciler.domain.errors import InputError, ProviderError, ReconcilerError
from reconciler.domain.plan import DIRECTORY_VARIABLE
from reconciler.render import Sink, clean, colour_wanted, problems_text

_WIDEST = 100_000
_WIDEST_DIGITS = 6
SILENT_SECONDS = 10.0
"""After so long a person learns that the service has not answered."""

LONG_PAUSE_SECONDS = 3.0
"""A wait before a request that a person learns of at once."""

_PROGRESS_BYTES = 8_000_000


class _LastPause:
    """When the wait that was reported last ends."""

    until = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The two streams of a command.

    Shape:  `width` is that of the terminal behind stdout; None where lines may have any length; `secrets` are removed
            from everything that is written; `last_pause` is the wait that was reported last; a service that gives no
            answer for `silent_seconds` is reported
    """

    out: Sink
    err: Sink
    colour: bool
    colour_err: bool
    can_ask: bool
    is_terminal: bool
    width: int | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    last_pause: _LastPause = field(default_factory=_LastPause, repr=False)
    silent_seconds: float = SILENT_SECONDS

    def redirect(self, stream: TextIO) -> Sink:
        """Return a sink into another stream that removes the same credentials."""
        return Sink(stream, self.secrets)

    def show_error(self, error: ReconcilerError) -> None:
        """Write what went wrong, with the next step; the problems of an input error each on a line of its own."""
        if isinstance(error, InputError):
            self.err.write(problems_text(error.problems, error.unshown, "nothing was sent", colour=self.colour_err))
            return
        self.err.line(f"Error: {clean(str(error))}")
        if isinstance(error, ProviderError):
            details = {"status": error.status, "code": error.code, "param": error.param, "request": error.request_id}
            shown = ", ".join(f"{name} {clean(str(value))}" for name, value in details.items() if value is not None)
            if shown:
                self.err.line(f"  ({shown})")
        hint = getattr(error, "hint", "")
        if hint:
            self.err.line(f"  hint: {clean(hint)}")

    def note(self, text: str) -> None:
        """Write a line to stderr, with control characters made visible."""
        self.err.line(clean(text))

    def ask_approval(self) -> bool:
        """Ask the operator; only the word yes approves."""
        self.err.line("Do you want to perform these steps? Type 'yes' to approve.")
        self.err.write("  Enter a value: ")
        try:
            return input() == "yes"
        except EOFError:
            return False

    def pause(self, seconds: float) -> None:
        """Wait before a request is sent or repeated; one line says of a long wait until when, and why."""
        until = time.monotonic() + seconds
        if seconds >= LONG_PAUSE_SECONDS and until > self.last_pause.until + 1:
            # Requests side by side wait for the same moment.
            self.last_pause.until = until
            at = datetime.fromtimestamp(time.time() + seconds).astimezone()
            self.err.line(
                f"The service asked for a pause, or refuses for now; asking again in {seconds:.0f} seconds, at"
                f" {at:%H:%M:%S}. To stop: Ctrl-C."
            )
            self.err.flush()
        # A signal ends a command in the middle of a pause too, so nothing has to look in between.
        time.sleep(seconds)

    @contextmanager
    def notice_silence(self) -> Iterator[None]:
        """Write a line when a look at the service takes so long, and again whenever twice the time has passed."""
        ended = threading.Event()

        def watch() -> None:
            passed, wait = 0.0, self.silent_seconds
            while not ended.wait(wait):
                passed += wait
                wait = passed
                self.err.line(
                    f"The service has not given all answers for {passed:g} seconds; asking on, as long as its limits"
                    " allow. To stop: Ctrl-C."
                )
                self.err.flush()

        threading.Thread(target=watch, name="silence", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    @contextmanager
    def show_progress(self) -> Iterator[Callable[[str, int], None]]:
        """Yield a function that receives the name of a dataset and the bytes read so far.

        Shape:  long readings are shown on a terminal, on one line that is removed at the end
        """
        shown: dict[str, int] = {}

        def show(name: str, size_bytes: int) -> None:
            if self.is_terminal and size_bytes - shown.get(name, 0) >= _PROGRESS_BYTES:
                shown[name] = size_bytes
                self.err.write(f"\rReading {name}: {size_bytes // 1_000_000} MB ")
                self.err.flush()

        try:
            yield show
        finally:
            if shown:
                self.err.write("\r\x1b[K")


def change_directory(chosen: Path | None) -> None:
    """Work in the directory of `-C`, and note it: the commands that messages print are run where this one was typed."""
    os.environ.pop(DIRECTORY_VARIABLE, None)
    if chosen is None:
        return
    if not chosen.samefile(os.curdir):
        os.environ[DIRECTORY_VARIABLE] = str(chosen)
    os.chdir(chosen)


def open_console(environ: Mapping[str, str], *, no_colour: bool = False) -> Console:
    """Open both streams; every credential of the environment is removed from both."""
    secrets = find_secrets(environ)
    flag = False if no_colour else None
    out = Sink(sys.stdout, secrets)
    return Console(
        out=out,
        err=Sink(sys.stderr, secrets),
        colour=colour_wanted(environ, sys.stdout.isatty(), flag),
        colour_err=colour_wanted(environ, sys.stderr.isatty(), flag),
        can_ask=sys.stdin.isatty() and sys.stderr.isatty(),
        is_terminal=sys.stderr.isatty() and not environ.get("CI"),
        width=_find_width(environ, out),
        secrets=secrets,
    )


def _find_width(environ: Mapping[str, str], out: Sink) -> int | None:
    stated = environ.get("COLUMNS", "")
    if stated.isdecimal() and stated.isascii() and len(stated) <= _WIDEST_DIGITS and 0 < int(stated) < _WIDEST:
        return int(stated)
    return out.columns if sys.stdout.isatty() else None
