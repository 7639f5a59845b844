"""What passes between the stages."""

from typing import NamedTuple


class Row(NamedTuple):
    """One row with the place it was read from.

    Shape:  `value` is whatever the source held; a table's rows are dicts of text by column
    """

    file: str
    line: int
    value: object
