"""Where the text of a command goes: results to stdout, messages to stderr, both through the sanitising sink."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

from reconciler.domain.errors import ProviderError, ReconcilerError
from reconciler.render import Sink, clean, colour_wanted

_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PWD", "PASSPHRASE", "CREDENTIAL", "_AUTH")
_DIRECTORIES = frozenset({"PWD", "OLDPWD"})
_IN_ADDRESS = re.compile(r"(?<=://)[^/@:\s]*:([^/@\s]+)@")
_SHORTEST_SECRET = 8
_WIDEST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """One command's two voices.

    Shape:  `width` is that of the terminal which stdout goes to; None where lines may be as long as they have to be;
            `secrets` are kept out of everything that is written
    """

    out: Sink
    err: Sink
    colour: bool
    colour_err: bool
    can_ask: bool
    is_terminal: bool
    width: int | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redirect(self, stream: TextIO) -> Sink:
        """Return a way into another stream that keeps the same credentials out of it."""
        return Sink(stream, self.secrets)

    def show_error(self, error: ReconcilerError) -> None:
        """Say what went wrong and what to do next."""
        self.err.line(f"Error: {clean(str(error))}")
        if isinstance(error, ProviderError):
            details = {"status": error.status, "code": error.code, "param": error.param, "request": error.request_id}
            said = ", ".join(f"{name} {clean(str(value))}" for name, value in details.items() if value is not None)
            if said:
                self.err.line(f"  ({said})")
        hint = getattr(error, "hint", "")
        if hint:
            self.err.line(f"  hint: {clean(hint)}")


def open_console(environ: Mapping[str, str], *, no_colour: bool = False) -> Console:
    """Open both voices; every credential of the environment is kept out of both."""
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
        width=_width(environ, out),
        secrets=secrets,
    )


def find_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the environment holds that nobody may see: values by their names, and passwords inside addresses."""
    by_name = (value for name, value in environ.items() if _is_secret(name))
    in_address = (found[1] for value in environ.values() for found in _IN_ADDRESS.finditer(value))
    return tuple(secret for secret in (*by_name, *in_address) if len(secret) >= _SHORTEST_SECRET)


def _is_secret(name: str) -> bool:
    upper = name.upper()
    return upper not in _DIRECTORIES and any(word in upper for word in _SECRET_WORDS)


def _width(environ: Mapping[str, str], out: Sink) -> int | None:
    stated = environ.get("COLUMNS", "")
    if stated.isdecimal() and stated.isascii() and 0 < int(stated) < _WIDEST:
        return int(stated)
    return out.columns if sys.stdout.isatty() else None
