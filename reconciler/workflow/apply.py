"""Applies a plan: runs its steps, waits for the jobs, and records in the lock file which models serve now."""

import math
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce

from reconciler.dataset import open_lines
from reconciler.domain.errors import InputError, PolicyError, ProviderError, TemporaryError
from reconciler.domain.event import Event, Finished, Interrupted, JobMoved, Outcome
from reconciler.domain.identity import Address
from reconciler.domain.lock import Lock, LockEntry, merge_locks
from reconciler.domain.observed import CANCELLED, SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Cancel, KeepReason, Options, Plan, Promote
from reconciler.domain.ports import Journal, Provider
from reconciler.domain.renames import NameMap
from reconciler.executor import MemoryJournal, RunContext, beside, clear_finished_intents, execute, watch
from reconciler.foundation.stop import Stop
from reconciler.journal import JournalKind, JournalScope, open_directory, open_journal
from reconciler.planner import join_following
from reconciler.specfile import check_lock_writable, update_lock
from reconciler.workflow.home import require_home
from reconciler.workflow.journal import account_of, journal_scope
from reconciler.workflow.lock import (
    add_serving,
    make_entry,
    next_lock,
    read_claimed_lock,
    read_mentions,
    read_other_locks,
)
from reconciler.workflow.plan import PreparedPlan, prepare_plan
from reconciler.workflow.service_check import check_bases

MAX_THREADS = 64


@dataclass
class RunTally:
    """The result of a run, gathered from its events."""

    outcomes: list[Outcome] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    lock: Lock | None = None
    jobs: dict[JobId, RemoteJob] = field(default_factory=dict)
    cancelled: list[JobId] = field(default_factory=list)
    interrupted: bool = False
    failure: str = ""
    following: list[Plan] = field(default_factory=list)

    def plan_of(self, plan: Plan) -> Plan:
        """Return a plan with what was planned later, for models that had to wait."""
        return reduce(join_following, self.following, plan)

    def count(self, event: Event) -> None:
        """Add an event."""
        match event:
            case Finished(step=step, outcome=outcome, job=job):
                self.outcomes.append(outcome)
                self.finished.append(event)
                if job and isinstance(step.action, Cancel) and job.status != SUCCEEDED:
                    self.cancelled += [job.id] if job.status == CANCELLED else []
                elif job:
                    # A job that succeeded before the cancel came is a success like any other.
                    self.jobs[job.id] = job
            case JobMoved(job=job):
                self.jobs[job.id] = job
            case Interrupted():
                self.interrupted = True
            case _:
                pass


def do_nothing() -> None:
    """Do nothing."""


def run_plan(
    prepared: PreparedPlan,
    context: RunContext,
    tally: RunTally,
    show: Callable[[Event], None],
    *,
    wait: bool,
    tick: Callable[[], None] = do_nothing,
) -> None:
    """Run the steps of a plan, wait for its jobs if asked, and record the serving models, whatever happens.

    A model that waits for the job of an older version is planned again when that job has ended, and begun. Nothing else
    is in that plan, and the guards and policies judge it anew.

    When the time of the run is up, nothing more is begun, and jobs continue on the service.

    Shape:  every event is counted in the `tally` and then shown; `tick` is called after each sleep between two looks
            at the jobs
    Raises: InputError before anything is sent, when a model is to be trained on a base that the service does not have;
            ProviderError when the service refuses, and the tally then counts a failure; PolicyError when what had to
            wait is refused
    """
    names = {train.model.name for train in prepared.plan.trains}
    names |= {keep.address.name for keep in prepared.plan.kept if wait and keep.why is KeepReason.BUSY}
    if unknown := tuple(check_bases(prepared.setting, prepared.checked.specs, names)):
        raise InputError(unknown)

    def receive(event: Event) -> None:
        tally.count(event)
        show(event)

    try:
        current: PreparedPlan | None = prepared
        while current:
            for event in execute(current.plan, context):
                receive(event)
            if not wait or tally.interrupted:
                break
            # What is awaited and never answers is still running, as far as is known.
            for job in current.observed.jobs:
                if job.id in current.plan.awaited:
                    tally.jobs.setdefault(job.id, job)
            active = sorted(job for job, seen in tally.jobs.items() if seen.status.is_active)
            for event in watch(active, call_after_sleep(context, tick)):
                receive(event)
            current = None if context.is_out_of_time else _plan_following(current, context, tally)
        if wait:
            # After the wait, what was in flight has shown for long enough.
            clear_finished_intents(context)
    except ProviderError as error:
        if context.is_out_of_time and isinstance(error, TemporaryError):
            tally.outcomes.append(Outcome.STOPPED)
            return
        tally.failure = str(error)
        tally.outcomes.append(Outcome.FAILED)
        raise
    finally:
        tally.lock = record_lock(prepared, tally, tuple(tally.cancelled))


def _plan_following(prepared: PreparedPlan, context: RunContext, tally: RunTally) -> PreparedPlan | None:
    """Plan the models that had to wait for an older job which has ended; None when there is nothing to begin.

    Raises: PolicyError when that plan is refused
    """
    busy = [keep for keep in prepared.plan.kept if keep.why is KeepReason.BUSY and keep.job]
    ended = {job for job, seen in tally.jobs.items() if seen.status.is_terminal}
    free = frozenset(keep.address.name for keep in busy if keep.job in ended)
    if tally.interrupted or not free:
        return None
    options = Options(target=free, allow=prepared.options.allow)
    following = prepare_plan(prepared.setting, prepared.checked, options, context.provider)
    if following.plan.refused:
        refusal = following.plan.refused[0]
        raise PolicyError(
            f"{', '.join(sorted(free))} had to wait, and cannot begin now: {refusal.what}; {refusal.hint}"
        )
    context.remember(following.observed, following.desired.datasets)
    tally.following.append(following.plan)
    return following if following.plan.trains else None


@contextmanager
def open_run_context(
    prepared: PreparedPlan, provider: Provider, *, parallelism: int, stop: Stop, ends_at: float = math.inf
) -> Iterator[RunContext]:
    """Yield what the executor works with: the provider, the journal, a pool, clocks and the stop signal.

    Shape:  `ends_at` is when the time of the run is up, by `time.monotonic`
    Raises: UnusablePlaceError when something that the run will have to write cannot be written; nothing was sent
    """
    if prepared.plan.steps or prepared.plan.is_waiting:
        prove_writable(prepared, provider)
    # A step that a worker began is finished before the journal is closed.
    with (
        _open_journal(prepared, provider, stop) as journal,
        ThreadPoolExecutor(max_workers=min(parallelism, MAX_THREADS), thread_name_prefix="step") as pool,
    ):
        context = RunContext(
            provider=provider,
            open_dataset=lambda dataset: open_lines(dataset, prepared.setting.workspace),
            clock=time.monotonic,
            sleep=lambda seconds: stop.wait(min(seconds, max(ends_at - time.monotonic(), 0.0))),
            stopping=lambda: stop.is_set() or time.monotonic() >= ends_at,
            ends_at=ends_at,
            pool=pool.submit,
            look_pool=beside,
            journal=journal,
            run=secrets.token_hex(8),
            names=NameMap.of(prepared.checked.specs),
            scope=prepared.setting.scope,
            find_change=lambda: find_change_of_names(prepared),
        )
        context.remember(prepared.observed, prepared.desired.datasets)
        yield context


def find_change_of_names(prepared: PreparedPlan) -> str:
    """Return what changed, since the plan was made, in the files that name things on the service; empty if nothing did.

    Cost:   the lock files, and where something is pruned the YAML files of the repository, are read again
    """
    setting, specs = prepared.setting, prepared.checked.specs
    try:
        locks = (read_claimed_lock(setting, specs), read_other_locks(setting, specs))
    except InputError:
        return "a lock file cannot be read now"
    if locks != (prepared.lock, prepared.other_locks):
        return "the lock files have changed since the plan was made"
    if read_mentions(setting, specs, prepared.options, prepared.observed) != prepared.mentions:
        return "files of the repository have changed since the plan was made"
    return ""


def prove_writable(prepared: PreparedPlan, provider: Provider) -> None:
    """Write and remove something in each place that a run will have to write, before anything is sent or paid for.

    Raises: UnusablePlaceError
    """
    setting = prepared.setting
    check_lock_writable(setting.lock_path)
    if prepared.plan.trains and setting.journal is JournalKind.DIRECTORY and not provider.capabilities.takes_token:
        require_home(setting.own_home.shared)
        with open_directory(_own_scope(prepared)) as journal:
            journal.prove()


def call_after_sleep(context: RunContext, tick: Callable[[], None]) -> RunContext:
    """Return a context that calls `tick` after each of its sleeps."""

    def sleep(seconds: float) -> None:
        context.sleep(seconds)
        tick()

    return replace(context, sleep=sleep)


@contextmanager
def _open_journal(prepared: PreparedPlan, provider: Provider, stop: Stop) -> Iterator[Journal]:
    setting = prepared.setting
    if provider.capabilities.takes_token:
        # Two creates with one token give one job, so no run has to know of another.
        yield MemoryJournal()
        return
    scope = _own_scope(prepared)
    with open_journal(setting.journal, provider, scope, sleep=stop.wait, stopping=stop.is_set) as journal:
        yield journal


def _own_scope(prepared: PreparedPlan) -> JournalScope:
    return journal_scope(prepared.setting, prepared.checked.specs.project.name, account_of(prepared.observed))


def record_lock(prepared: PreparedPlan, tally: RunTally, cancelled: tuple[JobId, ...] = ()) -> Lock:
    """Write into the lock file what this run changed, if the file does not say so already; return its content.

    Shape:  `cancelled` are the jobs that an apply cancelled, so that the next plan does not hold their models for it
    """
    # An interrupt may have come before a model was promoted.
    promoted = {each.step.action.address for each in tally.finished if each.outcome is Outcome.DONE}
    left = {step.action.address for step in prepared.plan.steps if isinstance(step.action, Promote)} - promoted
    jobs = select_serving_jobs(prepared, tally)
    serving = _make_entries(prepared, {address: job for address, job in jobs.items() if address not in left})
    return _write_lock(prepared, next_lock(prepared.lock, prepared.desired, prepared.observed, serving, cancelled))


def record_watched(prepared: PreparedPlan, tally: RunTally) -> tuple[Address, ...]:
    """Write into the lock file what has succeeded, and nothing that an apply decides; return what is left to it.

    An apply goes back to an older model, promotes what another environment trains or may train, and takes out what no
    spec names any more. The jobs of the `tally` were only watched, so that has no approval.
    """
    serving, recorded = select_serving_jobs(prepared, tally), prepared.lock.of(prepared.observed.service)
    known = {(entry.address, entry.job) for entry in recorded}
    ended = {entry.address: entry.finished_at or 0 for entry in recorded}
    left = {
        address
        for address, job in serving.items()
        if (address, job.id) not in known
        and ((job.finished_at or 0) < ended.get(address, 0) or not prepared.desired.project.has_made(job.environment))
    }
    entries = _make_entries(prepared, {address: job for address, job in serving.items() if address not in left})
    _write_lock(prepared, add_serving(prepared.lock, prepared.observed, entries))
    return tuple(sorted(left))


def _make_entries(prepared: PreparedPlan, jobs: Mapping[Address, RemoteJob]) -> list[LockEntry]:
    named = {model.address: model for model in prepared.desired.models}
    return [
        make_entry(job, prepared.plan.provider, prepared.observed.service, named[address].datasets)
        for address, job in jobs.items()
        if job.model
    ]


def _write_lock(prepared: PreparedPlan, mine: Lock) -> Lock:
    # Other runs may have written since the plan was made, and under older names.
    names = NameMap.of(prepared.checked.specs)
    return update_lock(prepared.setting.lock_path, lambda now: merge_locks(prepared.lock, mine, names.rename_lock(now)))


def select_serving_jobs(prepared: PreparedPlan, tally: RunTally) -> Mapping[Address, RemoteJob]:
    """Return the succeeded job of each wanted model: those that were kept, and those that succeeded now."""
    ready = {keep.job for keep in prepared.plan.kept if keep.why is KeepReason.READY}
    wanted = {model.address: model for model in prepared.desired.models}
    kept = {job.address: job for job in prepared.observed.jobs if job.id in ready and job.address in wanted}
    ended = [job for job in tally.jobs.values() if job.status == SUCCEEDED and job.address in wanted]
    return {job.address: job for job in ended if wanted[job.address].bears(job.stamp)} | kept
