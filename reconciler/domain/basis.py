"""What a plan rests on: every input by content, and object by object, so that a stale plan can say what moved."""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.domain.identity import Digest, digest_of

Facts = tuple[tuple[str, str], ...]
"""Things and what is known of them, sorted."""

MAX_SHOWN = 5
"""Of one input, so many things that moved are named, and the rest are counted."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """Every input of a plan in one word: a digest, or the input itself where it is short.

    Shape:  `prices` covers what the plan's own jobs cost, so that a price that none of them pays makes no plan stale
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
        """All inputs together: what `apply --expect-basis` takes."""
        return digest_of(msgspec.structs.asdict(self))

    def changed_inputs(self, other: "Basis") -> tuple[str, ...]:
        """Name the inputs that differ, the cause before what only follows from it.

        Elsewhere other things are held, and other jobs have other prices: that is no news of its own.
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
_CALLED = {
    "environment": "the environment",
    "provider": "the provider",
    "version": "the program",
    "specs": "the specs",
    "rows": "the rows",
    "lock": "the lock file",
    "service": "the service",
    "options": "the options",
    "prices": "the prices",
}


class PlanInputs(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="Grounds"):
    """The same inputs with the things in them.

    Shape:  of each input, things by name, and a digest or a word of each; never a row, never a secret
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
        """Each input in one word."""
        return Basis(
            environment=self.environment,
            provider=self.provider,
            version=self.version,
            specs=_digest(self.specs),
            rows=_digest(self.rows),
            lock=_digest(self.lock),
            service=_digest(self.service),
            options=_digest(self.options),
            prices=self.prices,
        )

    def describe_changes(self, moved: tuple[str, ...], now: "PlanInputs") -> str:
        """Say of inputs that moved what is different in them now."""
        return "; ".join(f"{_CALLED[name]} moved{_detail(getattr(self, name), getattr(now, name))}" for name in moved)


NO_INPUTS = PlanInputs()
"""Of plans that are never compared."""


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
            # A digest tells nobody anything but that it is another one.
            yield f"{thing} changed" if Digest.parse(now) else f"{thing} was {was} and is {now}"
