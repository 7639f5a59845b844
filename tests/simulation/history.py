"""One history: a service, a scenario and a decider, played to the end, and then checked against every promise."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as replace_turn
from typing import cast

import httpx
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.event import Finished, Outcome
from reconciler.domain.lock import Lock
from reconciler.domain.observed import CANCELLED, ClaimedJob
from reconciler.domain.plan import Cancel, KeepReason, Options, Plan
from reconciler.domain.ports import Intent, Journal, Provider
from reconciler.executor import RunContext, clear_finished_intents, execute
from reconciler.planner import make_plan
from reconciler.providers import open_provider
from reconciler.render import clean, event_json
from reconciler.testing import MemoryProvider
from tests.factories import desired
from tests.simulation.boundary import Boundary
from tests.simulation.carriers import ALTERATIONS, NAME_ALTERATIONS
from tests.simulation.faults import Decider, Knobs, Planned
from tests.simulation.invariants import Invariants, RunRecord
from tests.simulation.journal import SharedJournal, SharedNotes
from tests.simulation.port import FaultyPort
from tests.simulation.sandbox import lines_of
from tests.simulation.scenarios import Scenario, Turn
from tests.simulation.scheduler import Actor, Chooser, Scheduler
from tests.simulation.services import PROFILE_OF, ServiceVariant, SideBySide, capabilities_of
from tests.simulation.state import (
    HttpState,
    Lag,
    LaggingLegacyService,
    LaggingService,
    MemoryState,
    ServiceState,
    TrueJob,
)
from tests.simulation.wire import ADDRESS, KEY, FaultyTransport, translate

RUNS_UNTIL_QUIET = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How one run ended; no code means that it was killed."""

    run: str
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = ()
    code: int | None = None
    calls: int = 0


@dataclass
class History:
    """Everything that one history is made of.

    Shape:  `pages_of` is how many jobs a page holds at most
    """

    variant: ServiceVariant
    decider: Decider
    within_bounds: bool = True
    choose: Chooser = lambda _count, _same: 0
    knobs: Knobs = field(default_factory=Knobs)
    knows_the_dead: bool = True
    pages_of: int = 2

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.choose)
        # A service whose clock is wrong is wrong by the same all the time.
        self.skew = 1e6 if self.decider.chance("service", "skew") else 0.0
        self.capabilities = capabilities_of(self.variant)
        has_carriers = self.variant not in {ServiceVariant.PORT, ServiceVariant.TOY}
        self.loses_marks = has_carriers and self.decider.chance("service", "carriers")
        lag_seconds = self.capabilities.list_lag_seconds * min(1.0, self.knobs.list_lag)
        self.lag = Lag(self.scheduler.time, self.decider, lag_seconds)
        self.state = self._state()
        self.state.settle_in()
        self.foreign = self._all()
        self.invariants = Invariants(self.state, self.lag, within_bounds=self.within_bounds)
        self.invariants.forgets_failures = self.variant is ServiceVariant.LEGACY
        self.shared = SharedNotes(knows_the_dead=self.knows_the_dead)
        self.lock = Lock()
        self.reports: list[Report] = []
        self.waits = False
        self._runs = 0

    def _state(self) -> ServiceState:
        if self.variant is ServiceVariant.PORT:
            self.memory = MemoryProvider(clock=lambda: self.scheduler.time.now, capabilities=self.capabilities)
            return MemoryState(self.memory)
        service = (
            LaggingLegacyService() if self.variant is ServiceVariant.LEGACY else LaggingService(page=self.pages_of)
        )
        service.time, service.lag, service.decider = self.scheduler.time, self.lag, self.decider
        service.skew = self.skew
        if isinstance(service, LaggingService):
            service.sent_marks = {}
            service.pages = self.variant is not ServiceVariant.NO_PAGES
            service.knows_filters = bool(self.decider.pick("filters", 2))
            if self.loses_marks:
                alterations = tuple(ALTERATIONS.values())
                service.alter = alterations[self.decider.pick("alteration", len(alterations))]
                service.alters_answer = bool(self.decider.pick("altered answer", 2))
        else:
            service.sent_names = {}
            if self.loses_marks:
                names = tuple(NAME_ALTERATIONS.values())
                service.alter_name = names[self.decider.pick("alteration", len(names))]
                service.alters_answer = bool(self.decider.pick("altered answer", 2))
        self.service = service
        return HttpState(service)

    def _all(self) -> dict[str, object]:
        jobs = {job.id: (job.stamp, job.is_active, job.is_spent) for job in self.state.jobs()}
        files = {file.id: file.content for file in self.state.files()}
        return {**jobs, **files, **dict.fromkeys(self.state.models(), "a model")}

    # ---- what is played ---------------------------------------------------------------------------------------

    def play(self, turn: Turn, appliers: int = 1) -> None:
        """Let one applier, or several at once, carry out what is wanted now."""
        parts = [self._part(turn) for _ in range(appliers)]
        self.scheduler.play(*parts)

    def _part(self, turn: Turn) -> tuple[Actor, Callable[[], None]]:
        self._runs += 1
        run = f"run{self._runs}"
        skewed = self.decider.chance(run, "skew")
        actor = self.scheduler.enter(run, ahead=self.decider.span(run, 1e6) - 5e5 if skewed else 0.0)
        self.shared.living.add(run)

        def part() -> None:
            try:
                self.reports.append(self._apply(turn, actor, run))
            finally:
                self.shared.living.discard(run)

        return actor, part

    def _apply(self, turn: Turn, actor: Actor, run: str) -> Report:
        record = RunRecord(run)
        boundary = Boundary(actor, record, self.decider, self.invariants, self.capabilities)
        provider = self._open(boundary)
        wanted = desired(*turn.models)
        if self.loses_marks:
            # Nobody decides here: what is in doubt stays so to the end.
            turn = replace_turn(turn, options=replace(turn.options, replace=frozenset()))
        try:
            observed = replace(provider.observe(), claimed=self._claimed())
            plan = make_plan(
                wanted,
                observed,
                lock=self.lock,
                options=turn.options,
                provider=provider.name,
                capabilities=provider.capabilities,
            )
        except ReconcilerError as error:
            self._check_words(str(error))
            return Report(run=run, code=exit_codes.of_error(error), calls=boundary.calls)
        if plan.refused:
            return Report(run=run, plan=plan, code=exit_codes.of_plan(plan, detailed=False), calls=boundary.calls)
        self.invariants.approve(record, plan)
        context = RunContext(
            provider=provider,
            open_dataset=lines_of,
            clock=actor.clock,
            sleep=actor.doze,
            journal=self._open_journal(boundary, run),
            run=run,
        )
        context.remember(observed, wanted.datasets)
        ended = [event for event in execute(plan, context) if isinstance(event, Finished)]
        if self.waits:
            # As a run that waits for its jobs does.
            actor.doze(self.capabilities.settle_seconds + 2)
            clear_finished_intents(context)
        for event in ended:
            self._check_event(event)
        self._remember_cancelled(ended)
        outcomes = tuple(event.outcome for event in ended)
        statuses = [event.job.status for event in ended if event.job and not isinstance(event.step.action, Cancel)]
        code = exit_codes.of_run(plan, outcomes, statuses, interrupted=False, waited=False)
        report = Report(run=run, plan=plan, outcomes=outcomes, code=code, calls=boundary.calls)
        self._check_code(report, turn)
        return report

    def _claimed(self) -> tuple[ClaimedJob, ...]:
        notes = self.shared.notes.open_intents()
        return tuple(
            ClaimedJob(stamp=note.stamp, job=note.job, doubt=note.doubt) for note in notes if note.job and note.doubt
        )

    def _open(self, boundary: Boundary) -> Provider:
        if self.variant is ServiceVariant.PORT:
            # By delegation: what it does not name is the service's own.
            return cast(Provider, FaultyPort(self.memory, boundary, self.lag))
        environ = {
            **dict.fromkeys(("OPENAI_API_KEY", "TOY_KEY", "AZURE_OPENAI_API_KEY"), KEY),
            "OPENAI_API_BASE": f"{ADDRESS}/v1",
            "AZURE_OPENAI_ENDPOINT": ADDRESS,
        }
        transport: httpx.BaseTransport = FaultyTransport(self.service, boundary, self.skew)
        opened = open_provider(
            PROFILE_OF[self.variant],
            project="acme",
            environ=environ,
            transport=translate(self.variant, transport),
            clock=boundary.actor.clock,
            sleep=boundary.actor.sleep,
        )
        return cast(Provider, SideBySide(opened, boundary.actor))

    def _open_journal(self, boundary: Boundary, _run: str) -> Journal:
        return SharedJournal(self.shared, boundary)

    def _remember_cancelled(self, ended: list[Finished]) -> None:
        # What a run records in the lock file when it ends: the jobs that a plan of ours cancelled.
        gone = {
            event.job.id
            for event in ended
            if event.job and isinstance(event.step.action, Cancel) and event.job.status == CANCELLED
        }
        self.lock = replace(self.lock, cancelled=tuple(sorted({*self.lock.cancelled, *gone})))

    def happen(self, what: str) -> None:
        """Let something happen to what is there, as jobs and people do."""
        for job in self.state.jobs():
            if job.stamp is None:
                continue
            if job.is_active:
                match what:
                    case "succeed":
                        self.state.finish(job.id)
                    case "fail":
                        self.state.fail(job.id, "invalid_training_file")
                    case "break":
                        self.state.fail(job.id, "server_error")
                    case "cancel":
                        self.state.set_status(job.id, "cancelled")
            if what == "lose jobs":
                self.state.remove(job.id)
                self.invariants.excuse(job.stamp)
        if what == "lose models":
            for each in self.state.models():
                if each not in self.foreign:
                    self.state.remove(each)
        if what == "lose files":
            for file in self.state.files():
                if file.id not in self.foreign and not file.filename.startswith("reconciler."):
                    self.state.remove(file.id)
            if self.loses_marks:
                # Without marks and without its file, nothing tells of a job whose answer was lost.
                for job in self.state.jobs():
                    self.invariants.excuse(job.stamp or "")

    # ---- what is promised -------------------------------------------------------------------------------------

    def settle(self, turn: Turn) -> None:
        """No more faults: within three runs the plan is empty, then nothing is written, and no note is left."""
        self._calm()
        self.waits = True
        wanted = replace_turn(turn, options=replace(Options(), prune=turn.options.prune))
        for _ in range(RUNS_UNTIL_QUIET):
            self.play(wanted)
            self.happen("succeed")
            self.scheduler.time.pass_until(self.scheduler.time.now + self.capabilities.settle_seconds)
        # Where the journal cannot know that a writer is gone, its intent stays until its job shows or a run takes over.
        self.scheduler.time.pass_until(self.scheduler.time.now + self.capabilities.intent_seconds)
        before = len(self.invariants.effects)
        self.play(wanted)
        last = self.reports[-1]
        if self.loses_marks:
            self._check_stopped(last, before)
            return
        if last.plan is None or last.plan.refused or last.plan.steps:
            steps = [str(step.id) for step in last.plan.steps] if last.plan else [f"exit {last.code}"]
            refused = [refusal.what for refusal in last.plan.refused] if last.plan else []
            self.invariants.violate(f"not quiet after {RUNS_UNTIL_QUIET} runs without faults: {steps} {refused}")
        if len(self.invariants.effects) != before:
            self.invariants.violate(f"writes after the quiet: {self.invariants.effects[before:]}")
        if notes := [note for note in self.shared.notes.open_intents() if self._should_be_gone(note)]:
            self.invariants.violate(f"notes left when nothing runs: {[str(note.stamp) for note in notes]}")
        self._check_bound(last, turn)
        self._check_rest(wanted)

    def _check_stopped(self, last: Report, before: int) -> None:
        """Check that plans stop at a job that lost its marks, for good; nothing is paid beside it."""
        made = {job.stamp for job in self.state.jobs() if job.stamp}
        wanted = last.plan is not None and any(str(train.model.stamp) in made for train in last.plan.trains)
        if wanted and not (last.plan and last.plan.refused):
            self.invariants.violate(f"{last.run} would create what was created already")
        if [effect for effect in self.invariants.effects[before:] if effect[0] == "train"]:
            self.invariants.violate(f"creates after the quiet: {self.invariants.effects[before:]}")

    def _known_jobs(self) -> list[TrueJob]:
        """Return the jobs that are there, without those that failed where a failed job cannot be known as ours."""
        return [job for job in self.state.jobs() if not (self.invariants.forgets_failures and job.is_spent)]

    def _should_be_gone(self, note: Intent) -> bool:
        """Return whether a note has ended: its job is there, or its writer is known to be gone."""
        made = {job.id for job in self._known_jobs() if job.stamp == str(note.stamp)} - set(note.excluded_jobs)
        return bool(made) or (self.knows_the_dead and not note.doubt)

    def _calm(self) -> None:
        # A person looks at each job in doubt, and takes the note out of the journal where it is not the note's job, or
        # where it failed and nothing will ever show whose it was.
        there = {(job.id, job.stamp) for job in self._known_jobs()}
        for note in self.shared.notes.open_intents():
            if note.doubt and (note.job, str(note.stamp)) not in there:
                self.shared.notes.clear(note)
        self.decider = Planned(share=0.0)
        self.lag.longest = 0.0
        self.lag.decider = self.decider
        if self.variant is not ServiceVariant.PORT:
            self.service.decider = self.decider
        bounds = self.capabilities
        # All that is still under way arrives: the weaker promise is made for what comes after every bound.
        beyond = 0.0 if self.invariants.within_bounds else 12 * bounds.intent_seconds
        self.scheduler.time.pass_until(self.scheduler.time.now + bounds.settle_seconds + beyond)

    def _check_rest(self, turn: Turn) -> None:
        there = self._all()
        touched = [thing for thing, was in self.foreign.items() if there.get(thing) != was]
        if touched:
            self.invariants.violate(f"of others, these were touched: {', '.join(touched)}")
        live = Counter(job.stamp for job in self.state.jobs() if job.stamp and not job.is_spent)
        plan = self.reports[-1].plan
        held = {keep.address for keep in plan.kept if keep.why is not KeepReason.READY} if plan else set()
        for wanted in turn.models:
            if wanted.address not in held and live[str(wanted.stamp)] < 1:
                self.invariants.violate(f"{wanted.stamp} is quiet without a job")
            active = [job for job in self.state.jobs() if job.stamp == str(wanted.stamp) and job.is_active]
            if len(active) > 1:
                self.invariants.violate(f"{wanted.stamp} is quiet with {len(active)} jobs running")

    def _check_bound(self, last: Report, turn: Turn) -> None:
        things = len(self.state.jobs()) + len(self.state.files())
        if last.calls > 4 + 4 * len(turn.models) + 2 * things:
            self.invariants.violate(f"a quiet run made {last.calls} requests for {len(turn.models)} models")

    def _check_event(self, event: Finished) -> None:
        line = event_json(event)
        self._check_words(line.strip())
        if clean(line.strip(), limit=10**6) != line.strip():
            self.invariants.violate(f"a line for programs holds what acts on a terminal: {line!r}")
        if event.outcome in {Outcome.FAILED, Outcome.UNKNOWN} and not event.message:
            self.invariants.violate(f"{event.step.id} ended {event.outcome} without a word")
        if event.outcome is Outcome.UNKNOWN and "run again" not in event.hint:
            self.invariants.violate(f"{event.step.id} does not say how to go on: {event.hint!r}")

    def _check_words(self, words: str) -> None:
        if KEY in words or "Traceback" in words:
            self.invariants.violate(f"words that must not be shown: {words!r}")

    def _check_code(self, report: Report, turn: Turn) -> None:
        """The number says what is true: 9 for an unclear end, and 0 only where everything wanted is there or held."""
        if (report.code == exit_codes.UNKNOWN) != (Outcome.UNKNOWN in report.outcomes):
            self.invariants.violate(f"{report.run} ended with {report.code} after {report.outcomes}")
        if report.code != exit_codes.OK:
            return
        plan = report.plan
        waits = {keep.address for keep in plan.kept if keep.why is KeepReason.BUSY} if plan else set()
        there = {job.stamp for job in self.state.jobs()}
        for wanted in turn.models:
            if wanted.address in waits or self.invariants.is_excused(str(wanted.stamp)):
                continue
            if str(wanted.stamp) not in there:
                self.invariants.violate(f"{report.run} ended well, and {wanted.stamp} has no job")

    @property
    def digest(self) -> str:
        """A digest of everything that happened in this history."""
        lines = [
            *self.invariants.keys,
            *map(str, self.invariants.effects),
            str([(each.run, each.code) for each in self.reports]),
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def played(history: History, scenario: Scenario, appliers: int = 1, runs: int = 1) -> History:
    """Play a scenario from its first turn to the quiet after its last."""
    for turn in scenario:
        for what in turn.before:
            history.happen(what)
        for _ in range(runs):
            history.play(turn, appliers)
    history.settle(scenario[-1])
    return history
