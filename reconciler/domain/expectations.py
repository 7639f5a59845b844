"""What an author expects of rows, checks beyond the rules, and allows: as data."""

from enum import StrEnum

import msgspec

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.identity import PartiallyCompared, Tagged


class OptionalCheck(StrEnum):
    """An optional check of a whole dataset. The first two also run on small datasets without a request."""

    ALIKE = "alike"
    SECRETS = "secrets"
    NEAR_DUPLICATES = "near-duplicates"
    PERSONAL_DATA = "personal-data"


class MinRows(Tagged, frozen=True):
    """There are at least so many rows."""

    rows: int


class MaxRows(Tagged, frozen=True):
    """There are at most so many rows."""

    rows: int


class Unique(Tagged, frozen=True):
    """No two rows say the same in a field."""

    field: str


class Matches(Tagged, frozen=True):
    """The whole value of a field matches a regular expression."""

    field: str
    pattern: str


class OneOf(Tagged, frozen=True):
    """A field has one of some texts."""

    field: str
    values: tuple[str, ...]


class MaxRatio(Tagged, frozen=True):
    """No one text of a field is more than this part of all rows."""

    field: str
    ratio: float


class MaxTokens(Tagged, frozen=True):
    """No row has more tokens."""

    tokens: int


Requirement = MinRows | MaxRows | Unique | Matches | OneOf | MaxRatio | MaxTokens


class Expectation(PartiallyCompared, frozen=True, kw_only=True, eq=False):
    """One item of a dataset's `expect` list: what is wanted, how much it matters, and where that is written.

    Shape:  `path` is the field within the document, such as `expect[2].unique`
    """

    wanted: Requirement
    severity: Severity = Severity.ERROR
    place: Place
    path: str = "expect"

    def comparison_key(self) -> object:
        return (self.wanted, self.severity)


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one rule that the author has accepted.

    Shape:  `lines` are the lines of the files; empty for all
    """

    rule: str
    reason: str
    lines: tuple[int, ...] = ()

    def covers(self, problem: Problem) -> bool:
        """Return whether this allows a problem."""
        return self.rule == problem.rule and (not self.lines or problem.where.line in self.lines)
