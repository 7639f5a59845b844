"""The steps that prepare rows before they are mapped: one small class for each operation, as data."""

from enum import StrEnum

from reconciler.domain.errors import Place
from reconciler.domain.identity import PartiallyCompared, Tagged

Scalar = str | int | float | bool


class Rename(Tagged, frozen=True):
    """Rename columns; `names` are pairs of the old and the new."""

    names: tuple[tuple[str, str], ...]


class DropColumns(Tagged, frozen=True):
    """Leave columns out."""

    columns: tuple[str, ...]


class KeepColumns(Tagged, frozen=True):
    """Leave all other columns out."""

    columns: tuple[str, ...]


class SetColumns(Tagged, frozen=True):
    """Write one value into a column of every row."""

    values: tuple[tuple[str, Scalar], ...]


class FillTemplate(Tagged, frozen=True):
    """Make columns out of others; pairs of a column and a template, all filled from the row as it was."""

    templates: tuple[tuple[str, str], ...]


class LowerCase(Tagged, frozen=True):
    """Write the texts of columns in lower case."""

    columns: tuple[str, ...]


class Strip(Tagged, frozen=True):
    """Cut white space from both ends of the texts of columns."""

    columns: tuple[str, ...]


class AddPrefix(Tagged, frozen=True):
    """Put a text before the texts of a column."""

    column: str
    text: str


class AddSuffix(Tagged, frozen=True):
    """Put a text after the texts of a column."""

    column: str
    text: str


class RemovePrefix(Tagged, frozen=True):
    """Cut a text from the start of the texts that begin with it, once."""

    column: str
    text: str


class RemoveSuffix(Tagged, frozen=True):
    """Cut a text from the end of the texts that end with it, once."""

    column: str
    text: str


class EnsureLeadingSpace(Tagged, frozen=True):
    """Put one space before the texts that do not begin with one."""

    columns: tuple[str, ...]


class DropEmpty(Tagged, frozen=True):
    """Drop the rows in which one of the columns is empty; without columns, any column of the row."""

    columns: tuple[str, ...] = ()


class Deduplicate(Tagged, frozen=True):
    """Keep the first of the rows that agree in the columns; without columns, in everything."""

    columns: tuple[str, ...] = ()


class DropLong(Tagged, frozen=True, kw_only=True):
    """Drop the rows whose texts are longer than a bound; without columns, all texts of the row count."""

    characters: int | None = None
    tokens: int | None = None
    columns: tuple[str, ...] = ()


class Filter(Tagged, frozen=True, kw_only=True):
    """Keep the rows whose cell passes every condition that is not None."""

    column: str
    equals: str | None = None
    not_equals: str | None = None
    is_in: tuple[str, ...] | None = None
    matches: str | None = None
    least: float | None = None
    most: float | None = None
    present: bool | None = None


class Sample(Tagged, frozen=True, kw_only=True):
    """Keep some rows, chosen by their content; `rows` of them, or about the `share` of all (a part of 1)."""

    rows: int | None = None
    share: float | None = None
    seed: int = 0


class Limit(Tagged, frozen=True):
    """Keep the first rows, and read no further."""

    rows: int


class JoinMessages(Tagged, frozen=True):
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


class Convert(Tagged, frozen=True, kw_only=True):
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


class Preparation(PartiallyCompared, frozen=True, kw_only=True, eq=False):
    """One item of a dataset's `prepare` list: what to do, and where that is written.

    Shape:  `path` is the field within the document, such as `prepare[2].drop_empty`
    """

    operation: Operation
    place: Place
    path: str = "prepare"

    def comparison_key(self) -> object:
        return self.operation
