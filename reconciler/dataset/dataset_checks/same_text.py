"""Rows that differ only where it does not count, rows that contradict each other, and sides of a split that overlap."""

from collections.abc import Iterator

from xxhash import xxh3_64_intdigest

from reconciler.dataset.dataset_checks.example import Example, normalised
from reconciler.dataset.dataset_checks.row_keys import Keys
from reconciler.dataset.places import Places
from reconciler.dataset.split import part_of
from reconciler.domain.desired import Part
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Format


def key_of(text: str) -> int:
    """Return the key of a text without the differences that do not count."""
    return xxh3_64_intdigest(normalised(text).encode(errors="surrogatepass"))


class Alike:
    """Compares the rows of one dataset with each other.

    Cost:   24 bytes a row, and more for those that repeat
    """

    def __init__(self, validation_share: float = 0.0) -> None:
        self._share = validation_share
        self._exact = Keys()
        self._normal = Keys()
        self._asked = Keys()

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        asked = example.asked
        self._exact.add(example.key)
        self._normal.add(key_of(example.whole))
        self._asked.add(key_of(asked) if asked.strip() and example.format is not Format.PREFERENCE else 0)
        return iter(())

    def end(self, places: Places) -> Iterator[Problem]:
        pair = next(self._normal.pairs(self._exact), None)
        if pair:
            count = self._exact.different() - self._normal.different()
            rows = "1 row differs" if count == 1 else f"{count} rows differ"
            what = f"{rows} from earlier ones only in case, spaces or the spelling of characters; this one from {{}}"
            yield _problem("rows.alike", what, "keep one, unless the difference is to be learned", pair, places)
        pair = next(self._asked.pairs(self._normal), None)
        if pair:
            count = sum(1 for _ in self._asked.pairs(self._normal))
            rows = "1 row asks" if count == 1 else f"{count} rows ask"
            what = f"{rows} what an earlier one asks, with another answer; this one the same as {{}}"
            yield _problem(
                "rows.contradiction",
                what,
                "keep the answer that is right; where several are, `allow` can say so",
                pair,
                places,
            )
        yield from self._overlap(places)

    def _overlap(self, places: Places) -> Iterator[Problem]:
        pairs = [pair for pair in self._asked.pairs() if self._side(pair[0]) is not self._side(pair[1])]
        if pairs:
            rows = "1 row asks" if len(pairs) == 1 else f"{len(pairs)} rows ask"
            what = f"{rows} what a row on the other side of the split asks; this one the same as {{}}"
            hint = "what is validated with should be new to the model: drop repeated prompts, or split by hand"
            yield _problem("leak.split", what, hint, pairs[0], places)

    def _side(self, number: int) -> Part:
        return part_of(self._exact[number], self._share)


def _problem(rule: str, what: str, hint: str, pair: tuple[int, int], places: Places) -> Problem:
    later, earlier = places[pair[0]], places[pair[1]]
    return Problem(where=later, what=what.format(earlier), hint=hint, rule=rule, severity=Severity.WARNING)
