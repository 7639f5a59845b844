"""Reads what the operator says of a service's bounds: `--bound NAME=TIME`, and RECONCILER_BOUNDS before it."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.cli.options import read_duration
from reconciler.domain.errors import UsageError
from reconciler.journal import JournalKind
from reconciler.workflow.engine import Setting

VARIABLE = "RECONCILER_BOUNDS"


def read_bounds(said: Iterable[str], environ: Mapping[str, str]) -> Mapping[str, float]:
    """Return the bounds to use instead of the profile's, in seconds by name; a flag counts before the variable.

    Raises: UsageError for what is no bound, naming where it was said
    """
    stated = [(VARIABLE, each) for each in environ.get(VARIABLE, "").split(",") if each.strip()]
    return dict(_read(where, text) for where, text in (*stated, *(("--bound", each) for each in said)))


def applying(setting: Setting, journal: JournalKind, said: Iterable[str]) -> Setting:
    """Return the setting of a run that may create: where it leaves word, and with which bounds."""
    return replace(setting, journal=journal, bounds=read_bounds(said, setting.environ))


def _read(where: str, text: str) -> tuple[str, float]:
    name, sign, time = (part.strip() for part in text.partition("="))
    if not (name and sign):
        raise UsageError(f"{where} {text}: write NAME=TIME, as in list_lag=1m")
    return name.replace("-", "_"), read_duration(time, f"{where} {name}=")
