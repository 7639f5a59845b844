"""What the environment says in one word: an id, a key, a token. Shows no value, whatever is wrong with it."""

import re
from collections.abc import Mapping

from reconciler.domain.errors import UsageError

PRINTABLE = re.compile(r"[\x21-\x7e]+")


def read_word(variable: str, environ: Mapping[str, str]) -> str | None:
    """Read a variable that holds an id; None where it is empty, not set, or has no name.

    Raises: UsageError for spaces and characters that no id has
    """
    value = environ.get(variable, "").strip() if variable else ""
    if value and not PRINTABLE.fullmatch(value):
        raise UsageError(f"{variable} holds spaces or characters that no id has; copy it again")
    return value or None
