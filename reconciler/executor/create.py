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
from reconciler.domain.ports import Done, Intent, Refused, Unknown, own_job
from reconciler.executor.context import OutcomeUnknownError, RunContext, StepFailedError, StoppedError

TRIES = 3
"""How often a note is written anew when the look after it took too long to send on."""

WHOLE_SECOND = 1.0
"""Services tell when a job was made in whole seconds."""

ProgressCallback = Callable[[str], None]


def ignore_progress(message: str) -> None:
    """Tell nobody."""


class Created(msgspec.Struct, frozen=True):
    """The job that stands for the wanted model now; `adopted` if this run did not make it."""

    job: RemoteJob
    adopted: bool


class WrittenIntent(msgspec.Struct, frozen=True):
    """Our own word as it lies in the journal, and when it was written by our clock, which only measures spans."""

    intent: Intent
    written: float


def create(train: Train, context: RunContext, tell: ProgressCallback = ignore_progress) -> Created:
    """Return the wanted model its job: an existing one if there is one, else a new one, sent once.

    Raises: ProviderError when the service refused, JournalError when no word could be left, OutcomeUnknownError when
            nobody can say what became of it, StoppedError when asked to stop before anything was sent
    """
    for _ in range(TRIES):
        held = acquire_intent(train, context, tell)
        if isinstance(held, RemoteJob):
            return Created(held, adopted=True)
        created = check_then_create(train, held, context, tell)
        if created:
            return created
    raise StepFailedError(
        f"a look at the jobs takes longer than {context.provider.capabilities.fresh_seconds / 2:g} seconds, too long to"
        " create a job on; nothing was created",
        "run again when the service is quicker, or allow it more with --bound fresh=SECONDS",
    )


def acquire_intent(train: Train, context: RunContext, tell: ProgressCallback) -> RemoteJob | WrittenIntent:
    """Leave word of what is to be created; or give the job that turned up while somebody else's word lay there."""
    theirs: Intent | None = None
    seen, is_over, has_run_out = context.clock(), False, False
    while True:
        mine = WrittenIntent(_intent(train, context), written=context.clock())
        lies = context.journal.put(mine.intent, instead_of=theirs if has_run_out else None)
        if lies == mine.intent:
            return mine
        over = context.journal.is_abandoned(lies) or is_old(lies, context)
        if (lies, over) != (theirs, is_over):
            # Another note, or another state of it: the quiet before it says nothing of this one.
            theirs, is_over, seen = lies, over, context.clock()
        found = find_job_of_intent(lies, train, context)
        if found:
            return found
        if context.stopping():
            raise StoppedError("stopped before anything was created: a run before this one said that it creates it")
        has_run_out = lies.owner == context.run or context.clock() - seen >= quiet_period_seconds(over, context)
        if not has_run_out:
            tell("another run creates this job, or was cut off while it did; watching for the job")
            context.sleep(context.provider.capabilities.poll_seconds)


def _intent(train: Train, context: RunContext) -> Intent:
    at = context.provider.service_time()
    return Intent(stamp=train.model.stamp, owner=context.run, at=at, excluded_jobs=train.excluded_jobs)


def quiet_period_seconds(is_over: bool, context: RunContext) -> float:
    """Return how long nothing must have shown before somebody else's note is taken over.

    From a writer who sends no more, only what is under way can still show; any other may be about to send.
    """
    capabilities = context.provider.capabilities
    return capabilities.settle_seconds if is_over else capabilities.intent_seconds


def is_old(intent: Intent, context: RunContext) -> bool:
    """Return whether a note is over its age, by the service's own clock; not when the service never tells the time."""
    now = context.provider.service_time()
    if now is None or intent.at is None:
        return False
    return now - intent.at >= context.provider.capabilities.intent_seconds


def is_fresh(note: WrittenIntent, context: RunContext) -> bool:
    """Return whether our own note is young enough to send on it: half its time is left for the road."""
    allowed = context.provider.capabilities.fresh_seconds / 2
    now, at = context.provider.service_time(), note.intent.at
    # A machine that was suspended does not see it on its own clock.
    by_service = now - at if now is not None and at is not None else 0.0
    return max(context.clock() - note.written, by_service) <= allowed


def check_then_create(train: Train, note: WrittenIntent, context: RunContext, tell: ProgressCallback) -> Created | None:
    """Look once more, then send; None when too much time went by between the two, so that neither counts."""
    try:
        found = find_job(train, context)
        if found is None and is_fresh(note, context):
            return send_create(train, note.intent, context, tell)
    except ProviderError:
        release_intent(note.intent, context)
        raise
    if found is None:
        release_intent(note.intent, context)
        return None
    return adopt_job(found, note.intent, context)


def find_job_of_intent(intent: Intent, train: Train, context: RunContext) -> RemoteJob | None:
    """Look for the job that a note of somebody else speaks of: by its id when it says one, else in the list."""
    if intent.job and intent.job not in train.excluded_jobs:
        try:
            named = own_job(context.provider, intent.job)
        except NotFoundError:
            named = None
        if named and named.is_of(train.model.stamp):
            return named
    return find_job(train, context)


def find_job(train: Train, context: RunContext) -> RemoteJob | None:
    """Find a job of this stamp that the plan did not know; of several, the one that every run would choose.

    One that has failed meanwhile counts as well: the same is not paid for twice without being asked.
    """
    return min(list_new_jobs(train, context), key=keep_order, default=None)


def list_new_jobs(train: Train, context: RunContext) -> tuple[RemoteJob, ...]:
    """List the jobs of this stamp that the plan did not know."""
    return tuple(job for job in context.provider.jobs_of(train.model.stamp) if job.id not in train.excluded_jobs)


def keep_order(job: RemoteJob) -> tuple[bool, bool, int, str]:
    """Order jobs of one stamp so that every run, wherever it is, keeps the same one: those that serve, or may yet."""
    spent = job.status.is_terminal and job.status != SUCCEEDED
    return (spent, job.status != SUCCEEDED, *job.age_key)


def send_create(train: Train, intent: Intent, context: RunContext, tell: ProgressCallback) -> Created:
    """Send the create once, and make sure of what became of it.

    Raises: ProviderError when the service provably did nothing
    """
    files = [context.file_of(dataset) for dataset in train.model.datasets]
    validation = files[1] if files[1:] else None
    written = context.provider.create_job(train.model, files[0], validation, train.supersedes, token_of(train))
    match written:
        case Done(job):
            tell(f"created {job.id}; making sure that every list shows it")
            return confirm_created(train, job, intent, context)
        case Refused(error):
            raise error
        case Unknown(why):
            tell(f"no clear answer ({why}); looking for the job, and sending nothing again")
            return resolve_unknown(train, why, intent, context)


def token_of(train: Train) -> str:
    """Return the word by which a service that takes tokens knows a repeated create for the same one."""
    return hashlib.sha256(" ".join((str(train.model.stamp), *train.excluded_jobs)).encode()).hexdigest()[:40]


def confirm_created(train: Train, job: RemoteJob, intent: Intent, context: RunContext) -> Created:
    """Hold the note until a list shows the job, and make way for an older twin, should another run have made one."""
    if not job.is_of(train.model.stamp):
        raise StepFailedError(
            f"the service answered with job {job.id}, which does not bear the stamp that was sent",
            "look at this job before anything else; nothing was adopted",
        )
    # From here on our own end costs nothing: whoever finds the note finds the job by its id.
    noted = add_job_to_intent(intent, job.id, context)
    listed = wait_until_listed(train, job, context)
    kept = min((job, *listed), key=keep_order)
    if kept.id != job.id:
        context.provider.cancel(job.id)
    if listed:
        release_when_listed(noted, kept, context)
    return Created(kept, adopted=kept.id != job.id)


def wait_until_listed(train: Train, job: RemoteJob, context: RunContext) -> tuple[RemoteJob, ...]:
    """Look until the list shows our job; gives what it shows then, or nothing when it has not within its bound."""
    deadline = context.clock() + context.provider.capabilities.list_lag_seconds
    while True:
        listed = list_new_jobs_or_none(train, context)
        if any(each.id == job.id for each in listed):
            return listed
        if context.clock() >= deadline or context.stopping():
            return ()
        context.sleep(context.provider.capabilities.poll_seconds)


def adopt_job(job: RemoteJob, intent: Intent, context: RunContext) -> Created:
    """Take a job that was found for ours."""
    noted = intent if is_in_every_list(job, context) else add_job_to_intent(intent, job.id, context)
    release_when_listed(noted, job, context)
    return Created(job, adopted=True)


def release_when_listed(intent: Intent, job: RemoteJob, context: RunContext) -> None:
    """Take the note back when no list can miss its job any more: until then it may be all that speaks of the job."""
    deadline = context.clock() + context.provider.capabilities.list_lag_seconds + WHOLE_SECOND
    while not is_in_every_list(job, context) and context.clock() < deadline:
        if context.stopping():
            return
        context.sleep(context.provider.capabilities.poll_seconds)
    release_intent(intent, context)


def is_in_every_list(job: RemoteJob, context: RunContext) -> bool:
    """Return whether a job is so old that every list shows it; a list that showed it may still leave it out again."""
    lag, now = context.provider.capabilities.list_lag_seconds, context.provider.service_time()
    return lag == 0 or (now is not None and now - (job.created_at or 0) >= lag + WHOLE_SECOND)


def resolve_unknown(train: Train, why: str, intent: Intent, context: RunContext) -> Created:
    """Look until the effect of an unanswered create would have shown; leave the note when it has not."""
    capabilities = context.provider.capabilities
    deadline = context.clock() + capabilities.settle_seconds
    while True:
        found = min(list_new_jobs_or_none(train, context), key=keep_order, default=None)
        if found:
            return adopt_job(found, intent, context)
        if context.clock() >= deadline or context.stopping():
            raise OutcomeUnknownError(
                f"it is not known whether a job was created: {why}",
                "nothing is sent twice; run again: a job that was created is found, and another one is created only"
                f" after {capabilities.intent_seconds:.0f} seconds without it",
            )
        context.sleep(capabilities.poll_seconds)


def list_new_jobs_or_none(train: Train, context: RunContext) -> tuple[RemoteJob, ...]:
    """List the jobs of this stamp that the plan did not know, taking trouble for not having seen anything yet."""
    try:
        return list_new_jobs(train, context)
    except ProviderError:
        return ()


def add_job_to_intent(intent: Intent, job: JobId, context: RunContext) -> Intent:
    """Add the answer to the note; gives the note that lies there now. A job that exists is not lost over its note."""
    try:
        lies = context.journal.put(replace(intent, job=job), instead_of=intent)
    except JournalError:
        return intent
    # Taken over meanwhile, it is somebody else's word that lies there, and not ours to take back.
    return lies if lies.owner == intent.owner else intent


def release_intent(intent: Intent, context: RunContext) -> None:
    """Take the note back. One that stays by mishap costs a later run some patience, and nobody a job."""
    with suppress(JournalError):
        context.journal.clear(intent)
