"""What one validator of the old tool found: words to say at once, a change that is made, or one that is offered."""

from collections.abc import Callable

import msgspec

from reconciler.prepare_data.compat.table import LegacyTable

Print = Callable[[str], None]
Change = Callable[[LegacyTable, Print], LegacyTable]


class LegacyFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What one validator has to say.

    Shape:  `note` is said in the first pass; `change` of a `necessary` finding is made in the first pass, that of an
            `optional` one in the second and after a yes; an `error` ends the run
    """

    name: str
    note: str = ""
    necessary: str = ""
    optional: str = ""
    error: str = ""
    change: Change | None = None
