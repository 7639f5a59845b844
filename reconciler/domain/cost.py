"""Prices, and what training is expected to cost. An unknown number is None, and never zero."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

_CENT = Decimal("0.01")
_MOST_DIGITS = 21
"""Digits of an amount in dollars. More is no cost, and could not be rounded to cents in 28 digits."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one pass over a file.

    Shape:  three times the same number if they were counted (`exact`), else an estimate with its range
    """

    low: int
    expected: int
    high: int
    exact: bool = False

    @classmethod
    def from_count(cls, tokens: int) -> "Tokens":
        """Return a number that was counted, not estimated."""
        return cls(low=tokens, expected=tokens, high=tokens, exact=True)

    def plus(self, low: int, expected: int, high: int) -> "Tokens":
        """Return more tokens; with a range, the sum is an estimate."""
        return Tokens(
            low=self.low + low,
            expected=self.expected + expected,
            high=self.high + high,
            exact=self.exact and low == high,
        )


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """A cost between low and high, most likely the expected one.

    Shape:  each is None if it is unknown, and then `unknown` says why; `source` is where the price was read, and
            `dated` when; all zero with a source is free
    Units:  USD
    """

    low: Decimal | None = None
    expected: Decimal | None = None
    high: Decimal | None = None
    source: str = ""
    dated: str = ""
    unknown: str = ""

    def __post_init__(self) -> None:
        """Refuse amounts that no table of prices gives: a plan may come from elsewhere.

        Raises: ValueError
        """
        for amount in (self.low, self.expected, self.high):
            if amount and not (amount.is_finite() and amount.adjusted() < _MOST_DIGITS):
                raise ValueError("a cost is no amount of money")

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


NO_COST = Cost(low=Decimal(), expected=Decimal(), high=Decimal())


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs. With an unknown one, the sum has no upper end; its lower end is what is known."""
    each = tuple(costs)
    if not each:
        return NO_COST
    lows = [cost.low for cost in each if cost.low is not None]
    return Cost(
        low=sum(lows, Decimal()) if lows else None,
        expected=_sum([cost.expected for cost in each]),
        high=_sum([cost.high for cost in each]),
        source=_join_words(cost.source for cost in each),
        dated=_join_words(cost.dated for cost in each),
        unknown=_join_words(cost.unknown for cost in each),
    )


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What one job reads, how often, and what that costs.

    Shape:  `epochs` is None if the service chooses by an unknown rule; `is_stated` if the spec states the number
    """

    tokens: Tokens
    epochs: int | None
    is_stated: bool
    cost: Cost


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if len(known) == len(amounts) else None


def _join_words(words: Iterable[str]) -> str:
    return "; ".join(sorted({word for word in words if word}))


def _usd(amount: Decimal, rounding: str) -> str:
    return f"{amount.quantize(_CENT, rounding=rounding):,}"


class Per(StrEnum):
    """The unit of a price."""

    TOKENS = "million-tokens"
    HOUR = "hour"


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What training certain bases by certain methods costs.

    Shape:  `minimum_usd` is what the smallest job costs
    Units:  USD; tokens are billed once for each epoch
    """

    bases: tuple[str, ...]
    methods: tuple[str, ...]
    usd: Decimal
    per: Per
    minimum_usd: Decimal = Decimal()


class ImageRate(msgspec.Struct, frozen=True, kw_only=True):
    """How certain bases bill images: tokens for each, and for each tile of 512 pixels that covers the scaled image."""

    bases: tuple[str, ...]
    tokens: int
    tile_tokens: int


class LengthLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How long a row of certain bases may be in training, and what becomes of a longer one.

    Shape:  `over` says it in a sentence
    Units:  tokens
    """

    bases: tuple[str, ...]
    tokens: int
    over: str


def base_of(name: str) -> str:
    """Return the base that a model was made from, by its name: `ft:BASE:…` today, `BASE:ft-…` until 2023."""
    if name.startswith("ft:"):
        return name.split(":")[1]
    return name.partition(":ft-")[0]


class AutoEpochs(msgspec.Struct, frozen=True, kw_only=True):
    """How a service chooses the number of epochs when the spec states none.

    Shape:  `target` epochs, but so many that at least `least_rows` rows are seen in all, and at most `most_rows`; and
            never fewer than `least` or more than `most`
    """

    target: int
    least_rows: int | None = None
    most_rows: int | None = None
    least: int = 1
    most: int | None = None

    def epochs_for(self, rows: int) -> int:
        """Return the number of epochs for a file of so many rows."""
        epochs, seen = self.target, self.target * rows
        if rows and self.least_rows is not None and seen < self.least_rows:
            epochs = self.least_rows // rows
        elif rows and self.most_rows is not None and seen > self.most_rows:
            epochs = self.most_rows // rows
        return max(self.least, epochs if self.most is None else min(self.most, epochs))


class PriceTable(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of one service, as they were at one date.

    Shape:  `service` is the name of a provider profile; `free` says why nothing is billed there, empty where it is
    """

    service: str
    dated: str
    source: str
    free: str = ""
    auto_epochs: AutoEpochs | None = None
    rates: tuple[Rate, ...] = ()
    images: tuple[ImageRate, ...] = ()
    lengths: tuple[LengthLimit, ...] = ()


def find_length_limit(bases: Iterable[str], tables: Iterable[PriceTable]) -> LengthLimit | None:
    """Return the tightest limit for the rows of one dataset, which several bases train on; None without a limit.

    Shape:  `bases` of the limit are those that have it
    """
    known = tuple(tables)
    found = {
        base: limit
        for base in sorted(bases)
        if (limit := next((each for table in known for each in table.lengths if base_of(base) in each.bases), None))
    }
    if not found:
        return None
    tightest = min(found.values(), key=lambda limit: limit.tokens)
    return replace(tightest, bases=tuple(base for base, limit in found.items() if limit.tokens == tightest.tokens))
