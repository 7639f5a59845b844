"""Quantiles of one number of every row, exact, from how often each value was seen.

Memory goes by different values, not by rows: n different lengths add up to n²/2 bytes of rows at least, so that a file
of a GiB has fewer than fifty thousand.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from reconciler.domain.stats import Bin, Spread

_BINS = 10
_STEPS = (1, 2, 5)


def compute_spread(seen: Counter[int], like: Spread | None = None) -> Spread:
    """Return the spread of values, each with how often it was seen; all zero when none was.

    Shape:  the bins end where those of `like` do, so that both may be compared
    """
    values = sorted(seen)
    if not values:
        return Spread(total=0, least=0, median=0, p95=0, most=0, bins=())
    p95 = _quantile(seen, values, 95)
    return Spread(
        total=sum(value * seen[value] for value in values),
        least=values[0],
        median=_quantile(seen, values, 50),
        p95=p95,
        most=values[-1],
        bins=tuple(_bins(seen, values, *(_choose_bins(p95) if like is None or not like.bins else _bins_of(like)))),
    )


def _quantile(seen: Counter[int], values: list[int], percent: int) -> int:
    sums = accumulate(seen[value] for value in values)
    wanted = percent * seen.total()
    return next(value for value, rows in zip(values, sums, strict=True) if 100 * rows >= wanted)


def _choose_bins(p95: int) -> tuple[int, int]:
    # As wide as shows most rows well; what a few long rows are beyond is one bin.
    width = _round_up(-(-p95 // _BINS) or 1)
    return width, -(-p95 // width) or 1


def _bins_of(like: Spread) -> tuple[int, int]:
    ends = [each.most for each in like.bins if each.most is not None]
    return ends[0], len(ends)


def _bins(seen: Counter[int], values: list[int], width: int, last: int) -> Iterator[Bin]:
    rows = Counter[int]()
    for value in values:
        rows[min(-(-value // width) or 1, last + 1)] += seen[value]
    yield from (Bin(most=at * width, rows=rows[at]) for at in range(1, last + 1))
    if rows[last + 1]:
        yield Bin(most=None, rows=rows[last + 1])


def _round_up(width: int) -> int:
    ten = 1
    while True:
        for step in _STEPS:
            if step * ten >= width:
                return step * ten
        ten *= 10
