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


class Numbers(StrEnum):
    """How numbers are written in cells of text, where not as in JSON: `1,234.5` or `1.234,5`."""

    ENGLISH = "english"
    EUROPEAN = "european"


class Filter(Tagged, frozen=True, kw_only=True):
    """Keep the rows whose cell passes every condition that is not None.

    Shape:  a text is compared as text, a number as a number; `numbers` is how the cells write them, None for as in JSON
    """

    column: str
    equals: str | int | float | None = None
    not_equals: str | int | float | None = None
    is_in: tuple[str | int | float, ...] | None = None
    matches: str | None = None
    least: float | None = None
    most: float | None = None
    present: bool | None = None
    numbers: Numbers | None = None


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


class DropEmptyTurns(Tagged, frozen=True):
    """Leave out the turns of some roles that hold nothing: no text, no call, no image."""

    roles: tuple[str, ...]


class DropTurnKeys(Tagged, frozen=True):
    """Leave keys of turns out."""

    keys: tuple[str, ...]


class TurnWeight(Tagged, frozen=True, kw_only=True):
    """Read from a key of each turn whether it is trained on; when `inverted`, the key says that it is not."""

    key: str
    inverted: bool = False


class MendCalls(Tagged, frozen=True):
    """Write tool calls as the API has them: with a type, an id, and arguments that are the text of one object."""


class MendImages(Tagged, frozen=True):
    """Write the media type of images by its registered name."""


class PlaceImages(Tagged, frozen=True):
    """Put the images of a column into the turns whose texts hold a place for them."""

    column: str


class ChoosePair(Tagged, frozen=True, kw_only=True):
    """Name the better and the worse of two columns `chosen` and `rejected`, as a third says."""

    column: str
    first: str
    second: str


class PairLabels(Tagged, frozen=True, kw_only=True):
    """Make pairs of a desired and an undesired answer to one question; `desired` are the texts of the better label."""

    column: str
    desired: tuple[str, ...]
    answer: str = "completion"


class Form(StrEnum):
    """A form that conversations are published in."""

    ALPACA = "alpaca"
    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    CHAT = "chat"
    COHERE = "cohere"
    DOLLY = "dolly"
    PREFERENCE = "preference"
    PROMPT_COMPLETION = "prompt_completion"
    SHAREGPT = "sharegpt"
    VERTEX = "vertex"


class Target(StrEnum):
    """A form that rows can be converted to; pairs of a better and a worse answer are always preference rows."""

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
    | DropEmptyTurns
    | DropTurnKeys
    | TurnWeight
    | MendCalls
    | MendImages
    | PlaceImages
    | ChoosePair
    | PairLabels
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
