"""What the executor works with: the doors it knocks on, and what one run learns on its way."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.domain.desired import Dataset
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, Observed, usable_files
from reconciler.domain.ports import Journal, OpenDataset, Provider
from reconciler.executor.journal import VolatileJournal

Pool = Callable[[Callable[[], None]], object]
"""Takes a piece of work and sees that it is done, now or beside other work."""


def inline(work: Callable[[], None]) -> None:
    """A pool that does each piece of work at once, in order."""
    work()


@dataclass(kw_only=True)
class Bench:
    """The executor's bench. It holds what changes during a run, so that the plan need not.

    Shape:  `clock` gives seconds that only grow; `sleep` waits, and returns early when asked to stop;
            `stopping` tells whether somebody asked to stop; `run` is a word that no other run says
    """

    provider: Provider
    open_dataset: OpenDataset
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    stopping: Callable[[], bool] = lambda: False
    pool: Pool = inline
    journal: Journal = field(default_factory=VolatileJournal)
    run: str = "this run"
    files: dict[Stamp, FileId] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, dataset: Dataset, file: FileId) -> None:
        """Remember which file holds a dataset."""
        with self.lock:
            self.files[dataset.stamp] = file

    def remember(self, observed: Observed, datasets: tuple[Dataset, ...]) -> None:
        """Remember the files that were there when the plan was made."""
        there = usable_files(observed.files)
        for dataset in datasets:
            if dataset.file_key in there:
                self.learn(dataset, there[dataset.file_key].id)

    def file_of(self, dataset: Dataset) -> FileId:
        """Return the file of a dataset that this run uploaded or found."""
        return self.files[dataset.stamp]
