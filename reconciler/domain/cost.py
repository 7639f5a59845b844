"""What training costs, as far as anybody can say before it. What is not known is None, and is never zero."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

import msgspec

_CENT = Decimal("0.01")


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens one pass over a file has.

    Shape:  three times the same number where they were counted (`exact`), else a guess with its error bar
    """

    low: int
    expected: int
    high: int
    exact: bool = False

    @classmethod
    def counted(cls, tokens: int) -> "Tokens":
        """Return a number that was counted, not guessed."""
        return cls(low=tokens, expected=tokens, high=tokens, exact=True)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What something costs: between low and high, and most likely the expected.

    Shape:  each None where nobody can say, and then `unknown` says why; `source` is where the price was read and
            `dated` when; all zero with a source is free
    Units:  USD
    """

    low: Decimal | None = None
    expected: Decimal | None = None
    high: Decimal | None = None
    source: str = ""
    dated: str = ""
    unknown: str = ""

    @property
    def is_free(self) -> bool:
        return self.high == 0

    def __str__(self) -> str:
        if self.high is None:
            return "unknown" if not self.low else f"at least {_usd(self.low, ROUND_FLOOR)} USD"
        if self.is_free:
            return "free"
        low, high = _usd(self.low or Decimal(), ROUND_FLOOR), _usd(self.high, ROUND_CEILING)
        return f"{high} USD" if low == high else f"{low}–{high} USD"

    @property
    def expected_text(self) -> str:
        """The expected cost to the cent; empty where it is unknown."""
        return "" if self.expected is None else f"{_usd(self.expected, ROUND_HALF_UP)} USD"


NOTHING = Cost(low=Decimal(), expected=Decimal(), high=Decimal())


def total(costs: Iterable[Cost]) -> Cost:
    """Add costs up. One that is unknown leaves the sum without an upper end; its lower end is what is known."""
    each = tuple(costs)
    if not each:
        return NOTHING
    lows = [cost.low for cost in each if cost.low is not None]
    return Cost(
        low=sum(lows, Decimal()) if lows else None,
        expected=_sum([cost.expected for cost in each]),
        high=_sum([cost.high for cost in each]),
        source=_joined(cost.source for cost in each),
        dated=_joined(cost.dated for cost in each),
        unknown=_joined(cost.unknown for cost in each),
    )


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What one job will have to read, how often, and what that costs.

    Shape:  `epochs` None where the service chooses and nobody knows how; `is_stated`: the spec says the number, so
            that it is none of the service's choosing
    """

    tokens: Tokens
    epochs: int | None
    is_stated: bool
    cost: Cost


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if len(known) == len(amounts) else None


def _joined(words: Iterable[str]) -> str:
    return "; ".join(sorted({word for word in words if word}))


def _usd(amount: Decimal, rounding: str) -> str:
    return f"{amount.quantize(_CENT, rounding=rounding):,}"
