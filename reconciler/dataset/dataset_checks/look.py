"""What every look is: it sees the examples one by one, and says at the end what it found."""

from collections.abc import Iterator
from typing import Protocol

from reconciler.dataset.dataset_checks.example import Example
from reconciler.dataset.places import Places
from reconciler.domain.errors import Problem


class Look(Protocol):
    """One thing that is looked for."""

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        """Take an example in; gives what is wrong with it alone."""

    def end(self, places: Places) -> Iterator[Problem]:
        """Return what is wrong with all of them together."""
