"""How often the rows of a source are used: the whole part repeats all, the fraction keeps some, chosen by content."""

from collections.abc import Iterator

from reconciler.dataset.row import Row
from reconciler.dataset.steps.cells import HASH_RANGE, hash_value
from reconciler.domain.spec import Terms


def repeat_rows(rows: Iterator[Row], terms: Terms) -> Iterator[Row]:
    """Yield each row as often as its source weighs, copies side by side."""
    whole = int(terms.weight)
    bound = (terms.weight - whole) * HASH_RANGE
    for row in rows:
        again = bound > 0 and hash_value(row.value, "weight", terms.seed) < bound
        for _ in range(whole + again):
            yield row
