"""Where rows stand: the file and the line of each, by its number, in a few bytes."""

from array import array
from bisect import bisect_right

from reconciler.dataset.batch import Run
from reconciler.domain.errors import Place

_LINE_BITS = 40


class Places:
    """Where each row stands, by its number.

    Cost:   16 bytes for each stretch of rows that stand line after line
    """

    def __init__(self) -> None:
        self.rows = 0
        self._files: list[str] = []
        self._starts = array("Q")
        self._packed = array("Q")
        self._next = -1

    def note(self, run: Run) -> None:
        """Remember the rows of a run."""
        if not self._files or self._files[-1] != run.file:
            self._files.append(run.file)
        place = len(self._files) - 1 << _LINE_BITS | run.line
        if place != self._next:
            self._starts.append(self.rows)
            self._packed.append(place)
        self._next = place + len(run.keys)
        self.rows += len(run.keys)

    def __getitem__(self, number: int) -> Place:
        at = bisect_right(self._starts, number) - 1
        packed = self._packed[at] + number - self._starts[at]
        return Place(file=self._files[packed >> _LINE_BITS], line=packed & (1 << _LINE_BITS) - 1)
