"""What an author expects of rows, looks for beyond the rules, and allows: as data. Does nothing."""

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.domain.errors import Place, Severity


class Look(StrEnum):
    """What is looked for in the rows of a whole dataset; small datasets are searched for the first two anyway."""

    ALIKE = "alike"
    SECRETS = "secrets"
    NEAR_DUPLICATES = "near-duplicates"
    PERSONAL_DATA = "personal-data"


@dataclass(frozen=True, slots=True)
class MinRows:
    """There are at least so many rows."""

    rows: int


@dataclass(frozen=True, slots=True)
class MaxRows:
    """There are at most so many rows."""

    rows: int


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows say the same in a field."""

    field: str


@dataclass(frozen=True, slots=True)
class Matches:
    """A field is, as a whole, what a regular expression describes."""

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field says one of some texts."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MaxRatio:
    """No one text of a field is more than this part of all rows."""

    field: str
    ratio: float


@dataclass(frozen=True, slots=True)
class MaxTokens:
    """No row has more tokens."""

    tokens: int


Wanted = MinRows | MaxRows | Unique | Matches | OneOf | MaxRatio | MaxTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One item of a dataset's `expect` list: what is wanted, how much it matters, and where that is written.

    Shape:  `path` is the field within the document, such as `expect[2].unique`
    """

    wanted: Wanted
    severity: Severity = Severity.ERROR
    place: Place = field(compare=False)
    path: str = field(compare=False, default="expect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Findings of one rule that are known and meant.

    Shape:  `lines` are those of the files that it is about; empty for all
    """

    rule: str
    reason: str
    lines: tuple[int, ...] = ()
