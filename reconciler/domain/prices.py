"""Prices, as data with a date. Which price holds for a job is decided in the planner."""

from decimal import Decimal
from enum import StrEnum

import msgspec


class Per(StrEnum):
    """What a price is a price of."""

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


class AutoEpochs(msgspec.Struct, frozen=True, kw_only=True):
    """How a service chooses the number of epochs where the spec leaves it to it.

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
