"""What the author of a dataset expects of its rows, one look for each kind of expectation."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from reconciler.dataset.dataset_checks.example import Example
from reconciler.dataset.dataset_checks.look import Look
from reconciler.dataset.dataset_checks.row_keys import Keys
from reconciler.dataset.places import Places
from reconciler.dataset.tokens import Tokens
from reconciler.domain.errors import Place, Problem
from reconciler.domain.expectations import Expectation, Matches, MaxRatio, MaxRows, MaxTokens, MinRows, OneOf, Unique
from reconciler.foundation.suggest import did_you_mean, list_words

_SHOWN = 60


def look_for(expectation: Expectation, tokens: Tokens) -> Look:
    """Return the look that an expectation asks for."""
    wanted = expectation.wanted
    match wanted:
        case MinRows():
            return _Count(expectation, lambda rows: rows >= wanted.rows, f"at least {wanted.rows}")
        case MaxRows():
            return _Count(expectation, lambda rows: rows <= wanted.rows, f"at most {wanted.rows}")
        case Unique():
            return _Repeats(expectation, wanted.field)
        case MaxRatio():
            return _Share(expectation, wanted.field, wanted.ratio)
        case Matches():
            pattern = re.compile(wanted.pattern)
            return _Each(expectation, lambda example: _unlike(example.field(wanted.field), wanted.field, pattern))
        case OneOf():
            return _Each(expectation, lambda example: _foreign(example.field(wanted.field), wanted))
        case MaxTokens():
            return _Each(expectation, lambda example: _too_long(example, wanted.tokens, tokens))


@dataclass(slots=True)
class _Each:
    """Asks every row; the answer is what is wrong, and a hint."""

    expectation: Expectation
    fault: Callable[[Example], tuple[str, str] | None]

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        found = self.fault(example)
        if found:
            yield _problem(self.expectation, places[example.number], *found)

    def end(self, places: Places) -> Iterator[Problem]:
        return iter(())


@dataclass(slots=True)
class _Count:
    """Asks how many rows there are."""

    expectation: Expectation
    holds: Callable[[int], bool]
    wanted: str

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        return iter(())

    def end(self, places: Places) -> Iterator[Problem]:
        if not self.holds(places.rows):
            rows = "1 row" if places.rows == 1 else f"{places.rows} rows"
            yield _of_spec(self.expectation, f"there should be {self.wanted} rows, and there are {rows}")


class _Texts:
    """Notes what each row says in one field."""

    def __init__(self, expectation: Expectation, name: str) -> None:
        self.expectation = expectation
        self.name = name
        self.keys = Keys()

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        found = example.field(self.name)
        self.keys.add(0 if found is None else xxh3_64_intdigest(found.encode(errors="surrogatepass")))
        return iter(())


class _Repeats(_Texts):
    """Asks whether two rows say the same."""

    def end(self, places: Places) -> Iterator[Problem]:
        pairs = list(self.keys.pairs())
        if pairs:
            rows = "1 row says" if len(pairs) == 1 else f"{len(pairs)} rows say"
            what = f"{rows} in `{self.name}` what an earlier one says; this one the same as {places[pairs[0][1]]}"
            yield _problem(self.expectation, places[pairs[0][0]], what, "keep one of them")


class _Share(_Texts):
    """Asks whether most rows say the same."""

    def __init__(self, expectation: Expectation, name: str, ratio: float) -> None:
        super().__init__(expectation, name)
        self.ratio = ratio

    def end(self, places: Places) -> Iterator[Problem]:
        found = self.keys.commonest()
        if found and found.rows > self.ratio * places.rows:
            percent, most = 100 * found.rows / places.rows, 100 * self.ratio
            what = (
                f"{found.rows} of {places.rows} rows ({percent:.3g} %) say the same in `{self.name}`, the first here;"
                f" at most {most:.3g} % should"
            )
            yield _problem(
                self.expectation, places[found.first], what, "add rows of other kinds, or drop some of these"
            )


def _unlike(found: str | None, name: str, pattern: re.Pattern[str]) -> tuple[str, str] | None:
    if found is None:
        return f"there is no `{name}`", ""
    if pattern.fullmatch(found):
        return None
    return f"`{name}` is {_shown(found)}, which does not match {pattern.pattern[:_SHOWN]}", ""


def _foreign(found: str | None, wanted: OneOf) -> tuple[str, str] | None:
    if found is None:
        return f"there is no `{wanted.field}`", ""
    if found in wanted.values:
        return None
    hint = did_you_mean(found, wanted.values) or f"one of {list_words(wanted.values)}"
    return f"`{wanted.field}` is {_shown(found)}", hint


def _too_long(example: Example, most: int, tokens: Tokens) -> tuple[str, str] | None:
    found = sum(tokens(text) for _, text in example.texts)
    if found <= most:
        return None
    return f"about {found} tokens; at most {most} are expected", "shorten or split it: services cut long rows off"


def _shown(text: str) -> str:
    return f"`{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}`"


def _problem(expectation: Expectation, where: Place, what: str, hint: str) -> Problem:
    because = f"{hint}; " if hint else ""
    return Problem(
        where=where,
        what=what,
        hint=f"{because}{expectation.place} expects it",
        rule="expect.rows",
        severity=expectation.severity,
    )


def _of_spec(expectation: Expectation, what: str) -> Problem:
    return Problem(
        where=expectation.place, path=expectation.path, what=what, rule="expect.count", severity=expectation.severity
    )
