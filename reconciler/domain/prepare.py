"""What is to be done to rows before they are mapped: one small class for each operation, as data. Does nothing."""

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.domain.errors import Place

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Rename:
    """Give columns other names; `names` are pairs of the old and the new."""

    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DropColumns:
    """Leave columns out."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepColumns:
    """Leave all other columns out."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetColumns:
    """Write one value into a column of every row."""

    values: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class FillTemplate:
    """Make columns out of others; pairs of a column and a template, all filled from the row as it was."""

    templates: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LowerCase:
    """Write the texts of columns in lower case."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """Cut white space from both ends of the texts of columns."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddPrefix:
    """Put a text before the texts of a column."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class AddSuffix:
    """Put a text after the texts of a column."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class RemovePrefix:
    """Cut a text from the start of the texts that begin with it, once."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class RemoveSuffix:
    """Cut a text from the end of the texts that end with it, once."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class EnsureLeadingSpace:
    """Put one space before the texts that do not begin with one."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropEmpty:
    """Drop the rows in which one of the columns is empty; without columns, any column of the row."""

    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deduplicate:
    """Keep the first of the rows that agree in the columns; without columns, in everything."""

    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLong:
    """Drop the rows whose texts are longer than a bound; without columns, all texts of the row count."""

    characters: int | None = None
    tokens: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Keep the rows whose cell passes every condition that is not None."""

    column: str
    equals: str | None = None
    not_equals: str | None = None
    is_in: tuple[str, ...] | None = None
    matches: str | None = None
    least: float | None = None
    most: float | None = None
    present: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Keep some rows, chosen by their content; `rows` of them, or about the `share` of all (a part of 1)."""

    rows: int | None = None
    share: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """Keep the first rows, and read no further."""

    rows: int


@dataclass(frozen=True, slots=True)
class JoinMessages:
    """Make one turn of neighbouring turns of one role."""

    separator: str = "\n\n"


class Form(StrEnum):
    """A form that conversations are published in."""

    ALPACA = "alpaca"
    ANTHROPIC = "anthropic"
    CHAT = "chat"
    PROMPT_COMPLETION = "prompt_completion"
    SHAREGPT = "sharegpt"
    VERTEX = "vertex"


class Target(StrEnum):
    """A form that rows can be converted to."""

    CHAT = "chat"
    COMPLETION = "completion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert:
    """Write rows of another form in the API's own."""

    source: Form
    target: Target = Target.CHAT


Operation = (
    Rename
    | DropColumns
    | KeepColumns
    | SetColumns
    | FillTemplate
    | LowerCase
    | Strip
    | AddPrefix
    | AddSuffix
    | RemovePrefix
    | RemoveSuffix
    | EnsureLeadingSpace
    | DropEmpty
    | Deduplicate
    | DropLong
    | Filter
    | Sample
    | Limit
    | JoinMessages
    | Convert
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """One item of a dataset's `prepare` list: what to do, and where that is written.

    Shape:  `path` is the field within the document, such as `prepare[2].drop_empty`
    """

    operation: Operation
    place: Place = field(compare=False)
    path: str = field(compare=False, default="prepare")
