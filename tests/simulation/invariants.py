"""The promises that are checked at every write, in the moment of its effect. A violation is recorded."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.domain.desired import Model
from reconciler.domain.plan import Cancel, CancelReason, Delete, KeepReason, Plan
from tests.simulation.state import Lag, ServiceState, TrueFile, TrueJob

T = TypeVar("T")

LABEL = "reconciler."
"""How the names of our labels begin on a service whose jobs cannot hold a stamp; they come and go with their jobs."""


@dataclass
class RunRecord:
    """What one run may do, and what it has done.

    Shape:  `may_stop` and `may_delete` are ids that its approved plan names; `superseded` are those of them that make
            way for another version, with the names of their models, and `kept` the models that it keeps; `showed` are
            the files that its last look at the files cannot but have shown; `made` is what its requests made
    """

    name: str
    trains: frozenset[str] = frozenset()
    may_stop: frozenset[str] = frozenset()
    may_delete: frozenset[str] = frozenset()
    superseded: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    made: set[str] = field(default_factory=set)
    showed: frozenset[str] = frozenset()
    sent: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Sent:
    """One write on its way, and what the last look of its run at the files showed."""

    record: RunRecord
    verb: str
    target: str
    showed: frozenset[str]


class Invariants:
    """The invariants that are checked at every write.

    Shape:  `within_bounds` False holds the weaker promises only; `effects` are the writes that took effect, in order;
            `boundaries` are all calls by key, each with its kind: a `write`, a `read`, or a word with the `journal`
    """

    def __init__(self, state: ServiceState, lag: Lag, *, within_bounds: bool) -> None:
        self.state, self.lag, self.within_bounds = state, lag, within_bounds
        # A job of the old dialect that ended without a model and without a label of its own cannot be known as ours.
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

    def approve(self, record: RunRecord, plan: Plan) -> None:
        """Record what the approved plan of a run allows."""
        for train in plan.trains:
            self._asked[str(train.model.stamp)].add(train.excluded_jobs)
            self._wanted[str(train.model.stamp)] = train.model
        actions = [step.action for step in plan.steps]
        record.trains = frozenset(str(train.model.stamp) for train in plan.trains)
        record.may_stop = frozenset(action.job.id for action in actions if isinstance(action, Cancel))
        record.superseded = {
            action.job.id: str(action.address)
            for action in actions
            if isinstance(action, Cancel) and action.reason is CancelReason.SUPERSEDED
        }
        record.kept = frozenset(keep.model for keep in plan.kept if keep.model and keep.why is KeepReason.READY)
        record.may_delete = frozenset(action.thing for action in actions if isinstance(action, Delete))

    def excuse(self, stamp: str) -> None:
        """Allow one more job of a stamp: the record of one was removed, and no list can show it any more."""
        self._excused[stamp] += 1

    def is_excused(self, stamp: str) -> bool:
        """Return whether a job of a stamp was removed from outside."""
        return self._excused[stamp] > 0

    def sending(self, record: RunRecord, verb: str, target: str) -> Sent:
        """Check a request that is sent, whether or not it arrives."""
        if verb == "train":
            record.sent[target] += 1
            if record.sent[target] > 1:
                self.violate(f"{record.name} sent a create twice for {target}")
        if verb == "cancel" and target not in record.may_stop | record.made:
            self.violate(f"{record.name} cancels {target}, which no plan of its names and which it has not made")
        if verb == "delete" and target not in record.may_delete | record.made | self._labels:
            self.violate(f"{record.name} deletes {target}, which no plan of its names and which it has not made")
        return Sent(record, verb, target, record.showed)

    def looking(self, record: RunRecord) -> None:
        """Record which files the list shows a run now."""
        now = self.lag.time.now
        record.showed = frozenset(file.id for file in self.state.files() if self.lag.listed_at(file.id) <= now)

    def effect(self, sent: Sent, do: Callable[[], T]) -> T:
        """Let a write take effect, and check what it did."""
        jobs = {job.id for job in self.state.jobs()} if sent.verb == "train" else set()
        files = {file.id: file for file in self.state.files()} if sent.verb == "upload" else {}
        done = do()
        if sent.verb == "train":
            for job in self.state.jobs():
                if job.id not in jobs:
                    self._made_job(sent.record, job)
        elif sent.verb == "upload":
            for file in self.state.files():
                if file.id not in files:
                    self._made_file(sent, file, tuple(files.values()))
        else:
            self.effects.append((sent.verb, sent.target))
            self._check_removal(sent)
        return done

    def _check_removal(self, sent: Sent) -> None:
        """Check that nothing is removed that is kept, and no job cancelled without the one that takes its place."""
        if sent.target in sent.record.kept:
            self.violate(f"{sent.record.name} deleted {sent.target}, which its plan keeps")
        model = sent.record.superseded.get(sent.target)
        gone = next((job for job in self.state.jobs() if job.id == sent.target), None)
        if model is None or gone is None or gone.is_active:
            return
        heirs = [job for job in self.state.jobs() if (job.stamp or "").startswith(f"{model}@") and job.id != gone.id]
        if not any(job.stamp != gone.stamp for job in heirs):
            self.violate(f"{sent.record.name} cancelled {gone.id}, and no job of {model} takes its place")

    def _made_job(self, record: RunRecord, job: TrueJob) -> None:
        self.lag.made.setdefault(job.id, self.lag.time.now)
        record.made.add(job.id)
        self.effects.append(("train", str(job.stamp)))
        if job.stamp is None or job.stamp not in record.trains:
            self.violate(f"{record.name} made {job.id} of {job.stamp}, which its plan does not name")
            return
        self._ever[job.stamp] += 1
        live = [each.id for each in self.state.jobs() if each.stamp == job.stamp and not each.is_spent]
        allowed = len(self._asked[job.stamp]) + self._excused[job.stamp]
        if self.forgets_failures:
            allowed += sum(each.stamp == job.stamp and each.is_spent for each in self.state.jobs())
        if self.within_bounds and len(live) > 1 + self._excused[job.stamp]:
            self.violate(f"{job.stamp} has the live jobs {', '.join(live)}")
        if self.within_bounds and self._ever[job.stamp] > allowed:
            self.violate(f"{self._ever[job.stamp]} jobs were made of {job.stamp}, and {allowed} asked for")
        self._check_data(job)

    def _check_data(self, job: TrueJob) -> None:
        contents = {file.id: file.content for file in self.state.files()}
        wanted = [dataset.measure.digest.hex for dataset in self._wanted[str(job.stamp)].datasets]
        given = [hashlib.sha256(contents[file]).hexdigest() for file in job.files]
        if given != wanted:
            self.violate(f"{job.id} trains on other rows than the spec's")

    def _made_file(self, sent: Sent, file: TrueFile, before: tuple[TrueFile, ...]) -> None:
        self.lag.made.setdefault(file.id, self.lag.time.now)
        sent.record.made.add(file.id)
        if file.filename.startswith(LABEL):
            self._labels.add(file.id)
            return
        self.effects.append(("upload", file.filename))
        alike = (each for each in before if (each.filename, each.content) == (file.filename, file.content))
        same = [each for each in alike if each.is_kept]
        if any(each.id in sent.showed for each in same):
            self.violate(f"{sent.record.name} sent {file.filename} although its look showed it whole")

    def stale(self, record: RunRecord) -> None:
        """Record a create that is sent later after its intent than the bounds allow."""
        if self.within_bounds:
            self.violate(f"{record.name} sends a create too long after its note")

    def violate(self, what: str) -> None:
        self.violations.append(what)
