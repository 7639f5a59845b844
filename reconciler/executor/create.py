"""The apply protocol: how a job is created at most once. Read it from top to bottom.

No service of this family takes an idempotency key, so a create that got no clear answer may still have been done,
now or in a moment. The protocol never sends twice in one run; it leaves word before it sends, and looks instead.

    intent   write down what is about to be created, where every other run can see it
    yield    somebody else's note lies there: watch what becomes of it; take over only when it says nothing any more
    look     is a job of this stamp there already? then it is ours: adopt it
    send     once: no retries, no redirects, a connection of its own, a deadline
    done     note the answer; hold the note until every list shows the job; should there be an older twin, cancel ours
    refused  provably nothing was created: take the note back and say why
    unknown  look until nothing can show any more; adopt what turns up; else leave the note and say so

At most one job a stamp is made while these hold, and they are what the bounds of a service say: whoever looks sends
within `fresh_seconds`, gives up after `send_seconds`, what he sent takes effect within `effect_seconds` or never, and
what took effect is in every list within `list_lag_seconds`. Where one of them breaks, twins may come to be, and then
each run cancels only what it has just made, and the next plan shows the rest.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import JournalError, NotFoundError, ProviderError
from reconciler.domain.observed import SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Train
from reconciler.domain.ports import Done, Intent, Refused, Unknown
from reconciler.executor.context import Bench
from reconciler.executor.errors import OutcomeUnknownError, StepFailedError, StoppedError

TRIES = 3
"""How often a note is written anew when the look after it took too long to send on."""

WHOLE_SECOND = 1.0
"""Services tell when a job was made in whole seconds."""

Tell = Callable[[str], None]


def unheard(message: str) -> None:
    """Tell nobody."""


class Created(msgspec.Struct, frozen=True):
    """The job that stands for the wanted model now; `adopted` if this run did not make it."""

    job: RemoteJob
    adopted: bool


class Note(msgspec.Struct, frozen=True):
    """Our own word as it lies in the journal, and when it was written by our clock, which only measures spans."""

    intent: Intent
    written: float


def create(train: Train, bench: Bench, tell: Tell = unheard) -> Created:
    """Return the wanted model its job: an existing one if there is one, else a new one, sent once.

    Raises: ProviderError when the service refused, JournalError when no word could be left, OutcomeUnknownError when
            nobody can say what became of it, StoppedError when asked to stop before anything was sent
    """
    for _ in range(TRIES):
        held = intend(train, bench, tell)
        if isinstance(held, RemoteJob):
            return Created(held, adopted=True)
        created = look_and_send(train, held, bench, tell)
        if created:
            return created
    raise StepFailedError(
        f"a look at the jobs takes longer than {bench.provider.capabilities.fresh_seconds / 2:g} seconds, too long to"
        " create a job on; nothing was created",
        "run again when the service is quicker, or allow it more with --bound fresh=SECONDS",
    )


def intend(train: Train, bench: Bench, tell: Tell) -> RemoteJob | Note:
    """Leave word of what is to be created; or give the job that turned up while somebody else's word lay there."""
    theirs: Intent | None = None
    seen, is_over, has_run_out = bench.clock(), False, False
    while True:
        mine = Note(_intent(train, bench), written=bench.clock())
        lies = bench.journal.put(mine.intent, instead_of=theirs if has_run_out else None)
        if lies == mine.intent:
            return mine
        over = bench.journal.is_abandoned(lies) or is_old(lies, bench)
        if (lies, over) != (theirs, is_over):
            # Another note, or another state of it: the quiet before it says nothing of this one.
            theirs, is_over, seen = lies, over, bench.clock()
        found = look_for(lies, train, bench)
        if found:
            return found
        if bench.stopping():
            raise StoppedError("stopped before anything was created: a run before this one said that it creates it")
        has_run_out = lies.owner == bench.run or bench.clock() - seen >= quiet_seconds(over, bench)
        if not has_run_out:
            tell("another run creates this job, or was cut off while it did; watching for the job")
            bench.sleep(bench.provider.capabilities.poll_seconds)


def _intent(train: Train, bench: Bench) -> Intent:
    at = bench.provider.service_time()
    return Intent(stamp=train.model.stamp, owner=bench.run, at=at, despite=train.despite)


def quiet_seconds(is_over: bool, bench: Bench) -> float:
    """Return how long nothing must have shown before somebody else's note is taken over.

    From a writer who sends no more, only what is under way can still show; any other may be about to send.
    """
    capabilities = bench.provider.capabilities
    return capabilities.settle_seconds if is_over else capabilities.intent_seconds


def is_old(intent: Intent, bench: Bench) -> bool:
    """Return whether a note is over its age, by the service's own clock; not when the service never tells the time."""
    now = bench.provider.service_time()
    if now is None or intent.at is None:
        return False
    return now - intent.at >= bench.provider.capabilities.intent_seconds


def is_fresh(note: Note, bench: Bench) -> bool:
    """Return whether our own note is young enough to send on it: half its time is left for the road."""
    allowed = bench.provider.capabilities.fresh_seconds / 2
    now, at = bench.provider.service_time(), note.intent.at
    # A machine that was suspended does not see it on its own clock.
    by_service = now - at if now is not None and at is not None else 0.0
    return max(bench.clock() - note.written, by_service) <= allowed


def look_and_send(train: Train, note: Note, bench: Bench, tell: Tell) -> Created | None:
    """Look once more, then send; None when too much time went by between the two, so that neither counts."""
    try:
        found = look(train, bench)
        if found is None and is_fresh(note, bench):
            return send(train, note.intent, bench, tell)
    except ProviderError:
        let_go(note.intent, bench)
        raise
    if found is None:
        let_go(note.intent, bench)
        return None
    return adopt(found, note.intent, bench)


def look_for(intent: Intent, train: Train, bench: Bench) -> RemoteJob | None:
    """Look for the job that a note of somebody else speaks of: by its id when it says one, else in the list."""
    if intent.job and intent.job not in train.despite:
        try:
            named = bench.provider.job(intent.job)
        except NotFoundError:
            named = None
        if named and named.stamp.agrees(train.model.stamp):
            return named
    return look(train, bench)


def look(train: Train, bench: Bench) -> RemoteJob | None:
    """Find a job of this stamp that the plan did not know; of several, the one that every run would choose.

    One that has failed meanwhile counts as well: the same is not paid for twice without being asked.
    """
    return min(listed_jobs(train, bench), key=first, default=None)


def listed_jobs(train: Train, bench: Bench) -> tuple[RemoteJob, ...]:
    """List the jobs of this stamp that the plan did not know."""
    return tuple(job for job in bench.provider.jobs_of(train.model.stamp) if job.id not in train.despite)


def first(job: RemoteJob) -> tuple[bool, bool, int, JobId]:
    """Order jobs of one stamp so that every run, wherever it is, keeps the same one: those that serve, or may yet."""
    spent = job.status.is_terminal and job.status != SUCCEEDED
    return (spent, job.status != SUCCEEDED, job.created_at, job.id)


def send(train: Train, intent: Intent, bench: Bench, tell: Tell) -> Created:
    """Send the create once, and make sure of what became of it.

    Raises: ProviderError when the service provably did nothing
    """
    files = [bench.file_of(dataset) for dataset in train.model.datasets]
    validation = files[1] if files[1:] else None
    written = bench.provider.train(train.model, files[0], validation, train.supersedes, token_of(train))
    match written:
        case Done(job):
            tell(f"created {job.id}; making sure that every list shows it")
            return audit(train, job, intent, bench)
        case Refused(error):
            raise error
        case Unknown(why):
            tell(f"no clear answer ({why}); looking for the job, and sending nothing again")
            return settle(train, why, intent, bench)


def token_of(train: Train) -> str:
    """Return the word by which a service that takes tokens knows a repeated create for the same one."""
    return hashlib.sha256(" ".join((str(train.model.stamp), *train.despite)).encode()).hexdigest()[:40]


def audit(train: Train, job: RemoteJob, intent: Intent, bench: Bench) -> Created:
    """Hold the note until a list shows the job, and make way for an older twin, should another run have made one."""
    if not job.stamp.agrees(train.model.stamp):
        raise StepFailedError(
            f"the service answered with job {job.id}, which does not bear the stamp that was sent",
            "look at this job before anything else; nothing was adopted",
        )
    # From here on our own end costs nothing: whoever finds the note finds the job by its id.
    noted = note_job(intent, job.id, bench)
    listed = see_listed(train, job, bench)
    kept = min((job, *listed), key=first)
    if kept.id != job.id:
        bench.provider.cancel(job.id)
    if listed:
        let_go_once_sure(noted, kept, bench)
    return Created(kept, adopted=kept.id != job.id)


def see_listed(train: Train, job: RemoteJob, bench: Bench) -> tuple[RemoteJob, ...]:
    """Look until the list shows our job; gives what it shows then, or nothing when it has not within its bound."""
    deadline = bench.clock() + bench.provider.capabilities.list_lag_seconds
    while True:
        listed = list_through_trouble(train, bench)
        if any(each.id == job.id for each in listed):
            return listed
        if bench.clock() >= deadline or bench.stopping():
            return ()
        bench.sleep(bench.provider.capabilities.poll_seconds)


def adopt(job: RemoteJob, intent: Intent, bench: Bench) -> Created:
    """Take a job that was found for ours."""
    noted = intent if is_everywhere(job, bench) else note_job(intent, job.id, bench)
    let_go_once_sure(noted, job, bench)
    return Created(job, adopted=True)


def let_go_once_sure(intent: Intent, job: RemoteJob, bench: Bench) -> None:
    """Take the note back when no list can miss its job any more: until then it may be all that speaks of the job."""
    deadline = bench.clock() + bench.provider.capabilities.list_lag_seconds + WHOLE_SECOND
    while not is_everywhere(job, bench) and bench.clock() < deadline:
        if bench.stopping():
            return
        bench.sleep(bench.provider.capabilities.poll_seconds)
    let_go(intent, bench)


def is_everywhere(job: RemoteJob, bench: Bench) -> bool:
    """Return whether a job is so old that every list shows it; a list that showed it may still leave it out again."""
    lag, now = bench.provider.capabilities.list_lag_seconds, bench.provider.service_time()
    return lag == 0 or (now is not None and now - job.created_at >= lag + WHOLE_SECOND)


def settle(train: Train, why: str, intent: Intent, bench: Bench) -> Created:
    """Look until the effect of an unanswered create would have shown; leave the note when it has not."""
    capabilities = bench.provider.capabilities
    deadline = bench.clock() + capabilities.settle_seconds
    while True:
        found = min(list_through_trouble(train, bench), key=first, default=None)
        if found:
            return adopt(found, intent, bench)
        if bench.clock() >= deadline or bench.stopping():
            raise OutcomeUnknownError(
                f"it is not known whether a job was created: {why}",
                "nothing is sent twice; run again: a job that was created is found, and another one is created only"
                f" after {capabilities.intent_seconds:.0f} seconds without it",
            )
        bench.sleep(capabilities.poll_seconds)


def list_through_trouble(train: Train, bench: Bench) -> tuple[RemoteJob, ...]:
    """List the jobs of this stamp that the plan did not know, taking trouble for not having seen anything yet."""
    try:
        return listed_jobs(train, bench)
    except ProviderError:
        return ()


def note_job(intent: Intent, job: JobId, bench: Bench) -> Intent:
    """Add the answer to the note; gives the note that lies there now. A job that exists is not lost over its note."""
    try:
        lies = bench.journal.put(replace(intent, job=job), instead_of=intent)
    except JournalError:
        return intent
    # Taken over meanwhile, it is somebody else's word that lies there, and not ours to take back.
    return lies if lies.owner == intent.owner else intent


def let_go(intent: Intent, bench: Bench) -> None:
    """Take the note back. One that stays by mishap costs a later run some patience, and nobody a job."""
    with suppress(JournalError):
        bench.journal.clear(intent)
