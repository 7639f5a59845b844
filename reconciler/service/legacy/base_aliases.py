"""The names of the bases of 2021 to 2023, given by the operator to what really answers here, and never by default.

A name stands for an engine, and can then be fine-tuned; or for a model that was trained here, and can then be asked, as
one could ask the bases of that time. Nothing that is served under such a name hides what it is.
"""

import re

from reconciler.domain.errors import UsageError

OPTION = "--legacy-bases"
NAMES = ("ada", "babbage", "curie", "davinci")
DEFAULT_ENGINE = "tfidf-logreg"

ALL_LEGACY_BASES = ",".join(f"{name}={DEFAULT_ENGINE}" for name in NAMES)
"""What the option means when nothing is said with it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def read_bases(said: str) -> dict[str, str]:
    """Read `NAME=BASE,NAME=BASE`.

    Raises: UsageError
    """
    found: dict[str, str] = {}
    for pair in said.split(","):
        name, _, target = (part.strip() for part in pair.partition("="))
        if not _NAME.fullmatch(name) or not target:
            raise UsageError(f"{OPTION}: expected NAME=BASE, got '{pair}': for example ada={DEFAULT_ENGINE}")
        if found.setdefault(name, target) != target:
            raise UsageError(f"{OPTION}: {name} is given twice")
    return found
