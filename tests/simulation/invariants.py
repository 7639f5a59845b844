"""Watches every effect in the moment it happens, and holds it against what was promised. Writes down, mends nothing."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.domain.desired import Model
from reconciler.domain.plan import Cancel, Delete, Plan
from tests.simulation.state import Ground, Lag, TrueFile, TrueJob

T = TypeVar("T")

LABEL = "reconciler."
"""How the names of our notes begin on a service whose jobs have no room for them; they come and go with their jobs."""


@dataclass
class RunBook:
    """What one run may do, and what it has done.

    Shape:  `may_stop` and `may_delete` are ids that its approved plan names; `showed` are the files that its
            last look at the files cannot but have shown; `made` is what its requests made
    """

    name: str
    trains: frozenset[str] = frozenset()
    may_stop: frozenset[str] = frozenset()
    may_delete: frozenset[str] = frozenset()
    made: set[str] = field(default_factory=set)
    showed: frozenset[str] = frozenset()
    sent: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Sent:
    """One write on its way, and what the last look of its run at the files showed."""

    book: RunBook
    verb: str
    target: str
    showed: frozenset[str]


class Ledger:
    """The oracles that are held at every write.

    Shape:  `within_bounds` False holds the weaker promises only; `effects` are the writes that took effect, in order;
            `boundaries` are all calls by key, each with its kind: a `write`, a `read`, or a word with the `journal`
    """

    def __init__(self, ground: Ground, lag: Lag, *, within_bounds: bool) -> None:
        self.ground, self.lag, self.within_bounds = ground, lag, within_bounds
        # A job of the old dialect that ended without a model and without a label of its own is nobody's to know.
        self.forgets_failures = False
        self.violations: list[str] = []
        self.effects: list[tuple[str, str]] = []
        self.calls = 0
        self.keys: list[str] = []
        self.boundaries: dict[str, str] = {}
        self._wanted: dict[str, Model] = {}
        self._asked: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        self._excused: Counter[str] = Counter()
        self._labels: set[str] = set()
        self._ever: Counter[str] = Counter()

    def approve(self, book: RunBook, plan: Plan) -> None:
        """Take note of what a run was allowed."""
        for train in plan.trains:
            self._asked[str(train.model.stamp)].add(train.excluded_jobs)
            self._wanted[str(train.model.stamp)] = train.model
        actions = [step.action for step in plan.steps]
        book.trains = frozenset(str(train.model.stamp) for train in plan.trains)
        book.may_stop = frozenset(action.job.id for action in actions if isinstance(action, Cancel))
        book.may_delete = frozenset(action.thing for action in actions if isinstance(action, Delete))

    def excuse(self, stamp: str) -> None:
        """Somebody has taken the record of a job away: no look can show it any more, so another one may be made."""
        self._excused[stamp] += 1

    def is_excused(self, stamp: str) -> bool:
        """Return whether somebody has taken a job of a stamp away."""
        return self._excused[stamp] > 0

    def sending(self, book: RunBook, verb: str, target: str) -> Sent:
        """Look at a request on its way, whether or not it arrives."""
        if verb == "train":
            book.sent[target] += 1
            if book.sent[target] > 1:
                self.fault(f"{book.name} sent a create twice for {target}")
        if verb == "cancel" and target not in book.may_stop | book.made:
            self.fault(f"{book.name} cancels {target}, which no plan of its names and which it has not made")
        if verb == "delete" and target not in book.may_delete | book.made | self._labels:
            self.fault(f"{book.name} deletes {target}, which no plan of its names and which it has not made")
        return Sent(book, verb, target, book.showed)

    def looking(self, book: RunBook) -> None:
        """A run is being shown the files now."""
        now = self.lag.time.now
        book.showed = frozenset(file.id for file in self.ground.files() if self.lag.listed_at(file.id) <= now)

    def effect(self, sent: Sent, do: Callable[[], T]) -> T:
        """Let a write take effect, and look at what it did."""
        jobs = {job.id for job in self.ground.jobs()} if sent.verb == "train" else set()
        files = {file.id: file for file in self.ground.files()} if sent.verb == "upload" else {}
        done = do()
        if sent.verb == "train":
            for job in self.ground.jobs():
                if job.id not in jobs:
                    self._made_job(sent.book, job)
        elif sent.verb == "upload":
            for file in self.ground.files():
                if file.id not in files:
                    self._made_file(sent, file, tuple(files.values()))
        else:
            self.effects.append((sent.verb, sent.target))
        return done

    def _made_job(self, book: RunBook, job: TrueJob) -> None:
        self.lag.made.setdefault(job.id, self.lag.time.now)
        book.made.add(job.id)
        self.effects.append(("train", str(job.stamp)))
        if job.stamp is None or job.stamp not in book.trains:
            self.fault(f"{book.name} made {job.id} of {job.stamp}, which its plan does not name")
            return
        self._ever[job.stamp] += 1
        live = [each.id for each in self.ground.jobs() if each.stamp == job.stamp and not each.is_spent]
        allowed = len(self._asked[job.stamp]) + self._excused[job.stamp]
        if self.forgets_failures:
            allowed += sum(each.stamp == job.stamp and each.is_spent for each in self.ground.jobs())
        if self.within_bounds and len(live) > 1:
            self.fault(f"{job.stamp} has the live jobs {', '.join(live)}")
        if self.within_bounds and self._ever[job.stamp] > allowed:
            self.fault(f"{self._ever[job.stamp]} jobs were made of {job.stamp}, and {allowed} asked for")
        self._check_data(job)

    def _check_data(self, job: TrueJob) -> None:
        contents = {file.id: file.content for file in self.ground.files()}
        wanted = [dataset.measure.digest.hex for dataset in self._wanted[str(job.stamp)].datasets]
        given = [hashlib.sha256(contents[file]).hexdigest() for file in job.files]
        if given != wanted:
            self.fault(f"{job.id} trains on other rows than the spec's")

    def _made_file(self, sent: Sent, file: TrueFile, before: tuple[TrueFile, ...]) -> None:
        self.lag.made.setdefault(file.id, self.lag.time.now)
        sent.book.made.add(file.id)
        if file.filename.startswith(LABEL):
            self._labels.add(file.id)
            return
        self.effects.append(("upload", file.filename))
        same = [each for each in before if (each.filename, each.content) == (file.filename, file.content)]
        if any(each.id in sent.showed for each in same):
            self.fault(f"{sent.book.name} sent {file.filename} although its look showed it whole")

    def stale(self, book: RunBook) -> None:
        """A create leaves longer after its note than anybody reckons with."""
        if self.within_bounds:
            self.fault(f"{book.name} sends a create too long after its note")

    def fault(self, what: str) -> None:
        self.violations.append(what)
