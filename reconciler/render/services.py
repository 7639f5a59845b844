"""The services that a spec may name: a line for each, or one in full. A dash or null is what the service decides."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import FORMATS_OF
from reconciler.render.json_output import Fields
from reconciler.render.sanitize import clean
from reconciler.render.terminal.table import ABSENT, table
from reconciler.render.text import Style, pad, size_text, width_of

_INSIDE = "in this program"


class ServiceCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile says of one service.

    Shape:  `address` is empty where a variable must give it, and where the service runs in this program
    """

    name: str
    capabilities: Capabilities
    address: str
    in_process: bool
    url_variable: str
    key_variable: str
    dialect: str


def services_table(cards: Sequence[ServiceCard], *, colour: bool = False, width: int | None = None) -> str:
    """Return one line for each service, in the given order."""
    rows = [
        (
            card.name,
            _where(card),
            card.key_variable,
            ", ".join(card.capabilities.methods),
            ", ".join(_list_formats(card.capabilities)),
            card.capabilities.closes_on,
        )
        for card in cards
    ]
    return table(("name", "where", "key", "methods", "rows", "no jobs from"), rows, colour=colour, width=width)


def service_detail(card: ServiceCard, *, colour: bool = False) -> str:
    """Return what is known of one service, a fact a line."""
    facts = [(name, value or ABSENT) for name, value in _facts(card)]
    size, style = max(width_of(name) for name, _ in facts), Style(colour)
    return "".join(f"{style.bold(pad(name, size))}  {clean(value)}\n" for name, value in facts)


def service_card_fields(card: ServiceCard) -> Fields:
    """Return what is known of one service, for programs; an empty list is what the service decides."""
    taken = card.capabilities
    return {
        "name": card.name,
        "address": card.address or None,
        "in_process": card.in_process,
        "url_variable": card.url_variable,
        "key_variable": card.key_variable,
        "dialect": card.dialect,
        "bases": sorted(taken.bases),
        "lists_all_bases": taken.lists_all_bases,
        "methods": list(taken.methods),
        "formats": _list_formats(taken),
        "hyperparameters": list(taken.hyperparameters),
        "missing_fields": list(taken.missing_fields),
        "suffix_length": taken.suffix_length,
        "max_file_bytes": taken.max_file_bytes,
        "keeps_notes": taken.keeps_notes,
        "carrier": taken.carrier or None,
        "closes_on": taken.closes_on or None,
        "retiring": dict(taken.retiring),
        "bounds": {
            "fresh": taken.fresh_seconds,
            "send": taken.send_seconds,
            "effect": taken.effect_seconds,
            "list_lag": taken.list_lag_seconds,
            "ready": taken.ready_seconds,
            "cancel": taken.cancel_seconds,
        },
    }


def _facts(card: ServiceCard) -> Iterator[tuple[str, str]]:
    taken = card.capabilities
    ends = dict(taken.retiring)
    yield "name", card.name
    yield "where", _where(card)
    yield "address from", card.url_variable
    yield "key from", card.key_variable
    yield "methods", _join_or(taken.methods)
    yield "rows", _join_or(_list_formats(taken))
    yield "hyperparameters", _join_or(taken.hyperparameters)
    yield "fields it lacks", _join_or(taken.missing_fields, none="none known")
    yield "suffix", f"{taken.suffix_length} characters" if taken.suffix_length else "none"
    yield "largest file", size_text(taken.max_file_bytes)
    yield "marks of jobs", f"in {taken.carrier}, not proven before the first job" if taken.carrier else "proven"
    yield "journal remote", "works" if taken.keeps_notes else "does not work there"
    yield "no jobs from", taken.closes_on or "no date known"
    for base in sorted({*taken.bases, *ends}):
        yield "base", f"{base}, until {ends[base]}" if base in ends else base
    yield "other bases", "refused" if taken.lists_all_bases else "the service decides"


def _list_formats(taken: Capabilities) -> list[str]:
    """Return the forms of rows that a service takes and that one of its methods learns from."""
    learned = {each for method in taken.methods for each in FORMATS_OF.get(method, ())} or taken.formats
    return sorted(taken.formats & learned)


def _join_or(words: Iterable[str], none: str = "the service decides") -> str:
    return ", ".join(words) or none


def _where(card: ServiceCard) -> str:
    return _INSIDE if card.in_process else card.address or f"${card.url_variable}"
