"""The apply protocol: create a job at most once. Read it from top to bottom.

No service of this family takes an idempotency key, so a create without a clear answer may still take effect, now or
later. The protocol never sends twice in one run. It records its intent before it sends, and looks for the job instead.

    intent   record what is about to be created, where every other run can see it
    yield    another run's intent is there: watch for its job; take over when that intent means nothing any more
    look     if a job of this stamp is there already, adopt it
    send     once: no retries, no redirects, a connection of its own, a deadline
    done     record the job's id; keep the intent until every list shows the job; cancel ours if there is an older twin
    refused  provably nothing was created: remove the intent, and report why
    unknown  look until no effect can show any more; adopt what shows; otherwise leave the intent, and report that

At most one job for each stamp is created while these limits of the service hold: a run that has looked sends within
`fresh_seconds` and gives up after `send_seconds`; what it sent takes effect within `effect_seconds` or never; what
took effect is in every list within `list_lag_seconds`. When a limit is exceeded, twins are possible. Then each run
cancels only the job that it has just created, and the next plan shows the rest.
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
"""How often an intent is recorded again, when the look after it took too long."""

WHOLE_SECOND = 1.0
"""Seconds: services give the time at which a job was created in whole seconds."""

ProgressCallback = Callable[[str], None]


def ignore_progress(message: str) -> None:
    """Do nothing with a message."""


class Created(msgspec.Struct, frozen=True):
    """The job of the wanted model; `adopted` if this run did not create it."""

    job: RemoteJob
    adopted: bool


class WrittenIntent(msgspec.Struct, frozen=True):
    """Our own intent as the journal holds it, and when it was written by our clock, which only measures spans."""

    intent: Intent
    written: float


def create(train: Train, context: RunContext, tell: ProgressCallback = ignore_progress) -> Created:
    """Return the job of the wanted model: an existing one if there is one, else a new one, sent once.

    Raises: ProviderError when the service refused, JournalError when no intent could be recorded, OutcomeUnknownError
            when the outcome is unknown, StoppedError when a stop was requested before anything was sent
    """
    for _ in range(TRIES):
        held = acquire_intent(train, context, tell)
        if isinstance(held, RemoteJob):
            return Created(held, adopted=True)
        created = check_then_create(train, held, context, tell)
        if created:
            return created
    raise StepFailedError(
        f"listing the jobs takes longer than {context.provider.capabilities.fresh_seconds / 2:g} seconds, too long to"
        " create a job safely; nothing was created",
        "run again when the service is faster, or allow more time with --bound fresh=SECONDS",
    )


def acquire_intent(train: Train, context: RunContext, tell: ProgressCallback) -> RemoteJob | WrittenIntent:
    """Record what is to be created. Return our intent, or the job that showed while another run's intent was there."""
    theirs: Intent | None = None
    seen, is_over, has_run_out = context.clock(), False, False
    while True:
        mine = WrittenIntent(_intent(train, context), written=context.clock())
        current = context.journal.put(mine.intent, instead_of=theirs if has_run_out else None)
        if current == mine.intent:
            return mine
        over = context.journal.is_abandoned(current) or is_old(current, context)
        if (current, over) != (theirs, is_over):
            # Another intent, or another state of it: the quiet time before it does not count for this one.
            theirs, is_over, seen = current, over, context.clock()
        found = find_job_of_intent(current, train, context)
        if found:
            return found
        if context.stopping():
            raise StoppedError(
                "stopped before anything was created: an earlier run has recorded that it creates this job"
            )
        has_run_out = current.owner == context.run or context.clock() - seen >= quiet_period_seconds(over, context)
        if not has_run_out:
            tell("another run is creating this job, or was interrupted while it did; watching for the job")
            context.sleep(context.provider.capabilities.poll_seconds)


def _intent(train: Train, context: RunContext) -> Intent:
    at = context.provider.service_time()
    return Intent(stamp=train.model.stamp, owner=context.run, at=at, excluded_jobs=train.excluded_jobs)


def quiet_period_seconds(is_over: bool, context: RunContext) -> float:
    """Return how long no job must have shown before the intent of another run is taken over.

    Of a writer that sends no more, only what is under way can still show. Any other writer may be about to send.
    """
    capabilities = context.provider.capabilities
    return capabilities.settle_seconds if is_over else capabilities.intent_seconds


def is_old(intent: Intent, context: RunContext) -> bool:
    """Return whether an intent is too old to count, by the service's clock. False when the service gives no time."""
    now = context.provider.service_time()
    if now is None or intent.at is None:
        return False
    return now - intent.at >= context.provider.capabilities.intent_seconds


def is_fresh(note: WrittenIntent, context: RunContext) -> bool:
    """Return whether our intent is young enough to send: half of its time is left for the network."""
    allowed = context.provider.capabilities.fresh_seconds / 2
    now, at = context.provider.service_time(), note.intent.at
    # A machine that was suspended does not see that on its own clock.
    by_service = now - at if now is not None and at is not None else 0.0
    return max(context.clock() - note.written, by_service) <= allowed


def check_then_create(train: Train, note: WrittenIntent, context: RunContext, tell: ProgressCallback) -> Created | None:
    """Look once more, then send. Return None when too much time passed between the intent and the look."""
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
    """Return the job that the intent of another run is about: by its id if the intent names one, else from the list."""
    if intent.job and intent.job not in train.excluded_jobs:
        try:
            named = own_job(context.provider, intent.job)
        except NotFoundError:
            named = None
        if named and train.model.bears(named.stamp):
            return named
    return find_job(train, context)


def find_job(train: Train, context: RunContext) -> RemoteJob | None:
    """Return a job of this stamp that the plan did not know; of several, the one that every run would choose.

    A job that has failed meanwhile counts too: the same training is not paid for twice unless the user asks for it.
    """
    return min(list_new_jobs(train, context), key=keep_order, default=None)


def list_new_jobs(train: Train, context: RunContext) -> tuple[RemoteJob, ...]:
    """Return the jobs of this stamp that the plan did not know."""
    found = {job.id: job for stamp in train.model.stamps for job in context.provider.jobs_of(stamp)}
    return tuple(job for job in found.values() if job.id not in train.excluded_jobs)


def keep_order(job: RemoteJob) -> tuple[bool, bool, int, str]:
    """Return a sort key by which every run keeps the same job of one stamp: first those that serve, or may serve."""
    spent = job.status.is_terminal and job.status != SUCCEEDED
    return (spent, job.status != SUCCEEDED, *job.age_key)


def send_create(train: Train, intent: Intent, context: RunContext, tell: ProgressCallback) -> Created:
    """Send the create once, and find out its outcome.

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
            tell(f"no clear answer ({why}); looking for the job, sending nothing again")
            return resolve_unknown(train, why, intent, context)


def token_of(train: Train) -> str:
    """Return the token by which a service that takes one recognises a repeated create."""
    return hashlib.sha256(" ".join((str(train.model.stamp), *train.excluded_jobs)).encode()).hexdigest()[:40]


def confirm_created(train: Train, job: RemoteJob, intent: Intent, context: RunContext) -> Created:
    """Hold the note until a list shows the job, and make way for an older twin, should another run have made one."""
    if not job.is_of(train.model.stamp):
        raise StepFailedError(
            f"the service answered with job {job.id}, which does not bear the stamp that was sent",
            "look at this job first; nothing was adopted",
        )
    # From here on this run may end at any time: a run that finds the intent finds the job by its id.
    noted = add_job_to_intent(intent, job.id, context)
    listed = wait_until_listed(train, job, context)
    kept = min((job, *listed), key=keep_order)
    if kept.id != job.id:
        context.provider.cancel(job.id)
    if listed:
        release_when_listed(noted, kept, context)
    return Created(kept, adopted=kept.id != job.id)


def wait_until_listed(train: Train, job: RemoteJob, context: RunContext) -> tuple[RemoteJob, ...]:
    """Look until the list shows our job. Return what it shows then, or nothing if it does not within its limit."""
    deadline = context.clock() + context.provider.capabilities.list_lag_seconds
    while True:
        listed = list_new_jobs_or_none(train, context)
        if any(each.id == job.id for each in listed):
            return listed
        if context.clock() >= deadline or context.stopping():
            return ()
        context.sleep(context.provider.capabilities.poll_seconds)


def adopt_job(job: RemoteJob, intent: Intent, context: RunContext) -> Created:
    """Return a job that was found as ours."""
    noted = intent if is_in_every_list(job, context) else add_job_to_intent(intent, job.id, context)
    release_when_listed(noted, job, context)
    return Created(job, adopted=True)


def release_when_listed(intent: Intent, job: RemoteJob, context: RunContext) -> None:
    """Remove the intent when every list must show its job. Until then the intent may be all that names the job."""
    deadline = context.clock() + context.provider.capabilities.list_lag_seconds + WHOLE_SECOND
    while not is_in_every_list(job, context) and context.clock() < deadline:
        if context.stopping():
            return
        context.sleep(context.provider.capabilities.poll_seconds)
    release_intent(intent, context)


def is_in_every_list(job: RemoteJob, context: RunContext) -> bool:
    """Return whether a job is so old that every list shows it. A younger one may be missing from the next list."""
    lag, now = context.provider.capabilities.list_lag_seconds, context.provider.service_time()
    return lag == 0 or (now is not None and now - (job.created_at or 0) >= lag + WHOLE_SECOND)


def resolve_unknown(train: Train, why: str, intent: Intent, context: RunContext) -> Created:
    """Look until the effect of an unanswered create would have shown. Leave the intent in place if it has not."""
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
    """Return the jobs of this stamp that the plan did not know; none when they cannot be listed now."""
    try:
        return list_new_jobs(train, context)
    except ProviderError:
        return ()


def add_job_to_intent(intent: Intent, job: JobId, context: RunContext) -> Intent:
    """Add the job to the intent, and return the intent as it is now. A failure here does not lose the job."""
    try:
        current = context.journal.put(replace(intent, job=job), instead_of=intent)
    except JournalError:
        return intent
    # If it was taken over meanwhile, it is the intent of another run, and not ours to remove.
    return current if current.owner == intent.owner else intent


def release_intent(intent: Intent, context: RunContext) -> None:
    """Remove the intent. One that stays by accident costs a later run some waiting, and never a job."""
    with suppress(JournalError):
        context.journal.clear(intent)
