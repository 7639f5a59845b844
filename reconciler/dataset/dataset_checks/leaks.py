"""Rows that are trained on and were meant for judging: the same, nearly the same, or with the same question."""

from collections.abc import Iterable, Iterator

import msgspec

from reconciler.dataset.dataset_checks.example import Example
from reconciler.dataset.dataset_checks.same_text import key_of
from reconciler.dataset.places import Places
from reconciler.domain.errors import Place, Problem, Severity

_WAYS = (
    ("leak.same", "1 row is", "{} rows are", "in {} too"),
    ("leak.alike", "1 row is", "{} rows are", "in {} too but for case, spaces or the spelling of characters"),
    ("leak.prompt", "1 row asks", "{} rows ask", "what {} asks, and with another answer"),
)


class HeldOut(msgspec.Struct, frozen=True):
    """Rows that nothing may be trained on, by what they are compared by, each way with the first place.

    Shape:  `whose` names them for people
    Cost:   about 500 bytes a row
    """

    whose: str
    keys: tuple[dict[int, Place], ...] = msgspec.field(default_factory=lambda: tuple({} for _ in _WAYS))

    def take(self, examples: Iterable[Example], places: Places) -> None:
        """Take rows in."""
        for example in examples:
            for known, key in zip(self.keys, _keys(example), strict=True):
                if key:
                    known.setdefault(key, places[example.number])


class Leaks:
    """Compares the rows of a dataset with those that are held out.

    Shape:  of the ways in which a row may be like one of them, the closest counts
    """

    def __init__(self, held: HeldOut, severity: Severity = Severity.WARNING) -> None:
        self._held = held
        self._severity = severity
        self._counts = [0 for _ in _WAYS]
        self._firsts: list[tuple[int, Place] | None] = [None for _ in _WAYS]

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        for way, (known, key) in enumerate(zip(self._held.keys, _keys(example), strict=True)):
            if key in known:
                self._counts[way] += 1
                self._firsts[way] = self._firsts[way] or (example.number, known[key])
                break
        return iter(())

    def end(self, places: Places) -> Iterator[Problem]:
        for (rule, one, many, how), count, first in zip(_WAYS, self._counts, self._firsts, strict=True):
            if first:
                rows = one if count == 1 else many.format(count)
                what = f"{rows} {how.format(self._held.whose)}; this one as {first[1]}"
                # The same question with another answer may be meant: asked is not learned by heart.
                severity = Severity.WARNING if rule == "leak.prompt" else self._severity
                yield Problem(
                    where=places[first[0]],
                    what=what,
                    hint="what a model is judged by should be new to it: drop the rows here, or there",
                    rule=rule,
                    severity=severity,
                )


def _keys(example: Example) -> tuple[int, ...]:
    asked = example.asked
    return example.key, key_of(example.whole), key_of(asked) if asked.strip() else 0
