"""What a plan rests on: a digest of every input, and the objects in it, so that a stale plan can show what changed."""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.domain.identity import Digest, digest_of

Facts = tuple[tuple[str, str], ...]
"""Objects, and a fact about each, sorted."""

MAX_SHOWN = 5
"""How many changed objects of one input are named. The rest are counted."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """Every input of a plan as one text: a digest, or the input itself where it is short.

    Shape:  `prices` covers the costs of the plan's own jobs, so that other prices make no plan stale
    """

    specs: str
    service: str
    options: str
    version: str
    prices: str = ""
    rows: str = ""
    lock: str = ""
    provider: str = ""
    environment: str = ""

    @property
    def digest(self) -> Digest:
        """The digest of all inputs together, which `apply --expect-basis` takes."""
        return digest_of(msgspec.structs.asdict(self))

    def changed_inputs(self, other: "Basis") -> tuple[str, ...]:
        """Return the inputs that differ, and of a cause and its effects only the cause.

        Another service holds other objects, and other jobs have other prices: those are only effects.
        """
        for names in _CAUSES:
            if moved := tuple(name for name in names if getattr(self, name) != getattr(other, name)):
                return moved
        return ()


_CAUSES = (
    ("environment", "provider"),
    ("version", "specs", "rows", "lock", "service", "options"),
    ("prices",),
)
_TITLES = {"version": "the program", "lock": "the lock file"}


class PlanInputs(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="Grounds"):
    """The same inputs with the objects in them.

    Shape:  for each input, objects by name with a digest or a word; never a row, never a secret
    """

    environment: str = ""
    provider: str = ""
    version: str = ""
    specs: Facts = ()
    rows: Facts = ()
    lock: Facts = ()
    service: Facts = ()
    options: Facts = ()
    prices: str = ""

    @property
    def basis(self) -> Basis:
        """Each input as one text."""
        fields = msgspec.structs.asdict(self).items()
        return Basis(**{name: value if isinstance(value, str) else _digest(value) for name, value in fields})

    def describe_changes(self, moved: tuple[str, ...], now: "PlanInputs") -> str:
        """Return a sentence about the inputs that changed, and the objects in them."""
        return "; ".join(
            f"{_TITLES.get(name, f'the {name}')} moved{_detail(getattr(self, name), getattr(now, name))}"
            for name in moved
        )


NO_INPUTS = PlanInputs()
"""For plans that are never compared."""


def _digest(facts: Facts) -> str:
    return str(digest_of({"facts": facts}))


def _detail(before: str | Facts, after: str | Facts) -> str:
    if isinstance(before, str) or isinstance(after, str):
        return "" if Digest.parse(str(after)) else f": {before or 'none'} before, {after or 'none'} now"
    things = list(_things(dict(before), dict(after)))
    more = f" and {len(things) - MAX_SHOWN} more" if len(things) > MAX_SHOWN else ""
    return f": {', '.join(things[:MAX_SHOWN])}{more}"


def _things(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for thing in sorted(before.keys() | after.keys()):
        was, now = before.get(thing), after.get(thing)
        if was is None:
            yield f"{thing} is new"
        elif now is None:
            yield f"{thing} is gone"
        elif was != now:
            # A digest shows only that it differs.
            yield f"{thing} changed" if Digest.parse(now) else f"{thing} was {was} and is {now}"
