"""Intents: what a run writes into the journal before a create, and how it respects what other runs have written.

How old the intent of another run is, nothing says but our own clock: it counts from the moment at which this run first
saw the intent as it is now. What the service says of the time can make our own intent older, and no other one.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import JournalError, NotFoundError, ProviderError
from reconciler.domain.observed import JobId, RemoteJob, measure_span
from reconciler.domain.plan import Options, Train
from reconciler.domain.ports import Intent
from reconciler.executor.context import RunContext, StepRefusedError, StoppedError
from reconciler.executor.looking import find_job, is_in_every_list

RECORD_TRIES = 3
"""How often the id of a job is written into the journal when that fails: it may be all that names the job."""

Tell = Callable[[str], None]


class WrittenIntent(msgspec.Struct, frozen=True):
    """Our own intent as the journal holds it, and when it was written by our clock, which only measures spans.

    Shape:  `is_takeover` if it took the place of another run's intent
    """

    intent: Intent
    written: float
    is_takeover: bool = False


def acquire_intent(train: Train, context: RunContext, tell: Tell) -> RemoteJob | WrittenIntent:
    """Record what is to be created. Return our intent, or the job that showed while another run's intent was there.

    Raises: StepRefusedError when that intent names a job which does not bear its stamp
    """
    theirs: Intent | None = None
    seen, is_over, has_run_out = context.clock(), False, False
    while True:
        mine = WrittenIntent(_intent(train, context), context.clock(), is_takeover=theirs is not None)
        if theirs and has_run_out and theirs.stamp != mine.intent.stamp:
            context.journal.clear(theirs)
        current = _older_intent(train, context) or context.journal.put(mine.intent, theirs if has_run_out else None)
        if current == mine.intent:
            return mine
        over = context.journal.is_abandoned(current)
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
        is_quiet = context.clock() - seen >= quiet_period_seconds(over, context)
        # A doubtful job that the plan counts out was decided about by a person.
        has_run_out = current.owner == context.run or bool(current.doubt) or is_quiet
        if not has_run_out:
            tell("another run is creating this job, or was interrupted while it did; watching for the job")
            context.sleep(context.provider.capabilities.poll_seconds)


def _older_intent(train: Train, context: RunContext) -> Intent | None:
    """Return an intent of the same model under another stamp: an old name, or the rules of an older program."""
    older = context.names.all_stamps_of(train.model.stamps) - {train.model.stamp}
    return next((each for each in context.journal.open_intents() if each.stamp in older), None) if older else None


def _intent(train: Train, context: RunContext) -> Intent:
    at = context.provider.service_time()
    return Intent(stamp=train.model.stamp, owner=context.run, at=at, excluded_jobs=train.excluded_jobs)


def quiet_period_seconds(is_over: bool, context: RunContext) -> float:
    """Return how long no job must have shown before the intent of another run is taken over.

    Of a writer that sends no more, only what is under way can still show. Any other writer may be about to send.
    """
    capabilities = context.provider.capabilities
    return capabilities.settle_seconds if is_over else capabilities.intent_seconds


def is_fresh(note: WrittenIntent, context: RunContext) -> bool:
    """Return whether our intent is certainly young enough to send: half of its time is left for the network."""
    now, at = context.provider.service_time(), note.intent.at
    by_service = now - at if now is not None and at is not None else None
    span = measure_span(context.clock() - note.written, by_service)
    return span is not None and span <= context.provider.capabilities.fresh_seconds / 2


def is_still_recorded(note: WrittenIntent, context: RunContext) -> bool:
    """Return whether the journal holds our intent now. Another run may have taken it over, or removed it."""
    return note.intent in context.journal.open_intents()


def find_job_of_intent(intent: Intent, train: Train, context: RunContext) -> RemoteJob | None:
    """Return the job that the intent of another run is about: by its id if the intent names one, else from the list.

    Raises: StepRefusedError when the job that it names does not bear the stamp
    """
    is_named = intent.job is not None and intent.job not in train.excluded_jobs
    named = _read_job(intent.job, context) if intent.job and is_named else None
    if named and train.model.bears(named.stamp):
        return named
    found = find_job(train, context)
    if found is None and intent.job and (named or (intent.doubt and is_named)):
        doubt = intent.doubt or "without the marks that were sent"
        record_job(intent, intent.job, context, doubt)
        raise doubtful_error(train, intent.job, doubt, context)
    return found


def _read_job(job: JobId, context: RunContext) -> RemoteJob | None:
    try:
        return context.provider.job(job)
    except NotFoundError:
        return None


def doubtful_error(
    train: Train, job: JobId, doubt: str, context: RunContext, unrecorded: bool = False
) -> StepRefusedError:
    """Return the refusal for a job that a create of ours was answered with, and that cannot be relied on as ours."""
    stamp, scope = train.model.stamp, context.scope
    again = scope.apply(options=Options(replace=frozenset({train.model.name})))
    return StepRefusedError(
        f"the service answered the create with job {job}, {doubt}; so it cannot be recognised as the job of {stamp},"
        " and it may cost money" + ("; the journal could not be written, so note this id" if unrecorded else ""),
        f"nothing is created for this version until you decide. Look at it: {scope.call('jobs', job)}. To take it"
        f' as this model, write in the Model: adopt: {{job: {job}, digest: "{stamp.digest}"}}. To train again'
        f" without it: {again}. If it is none of yours: {scope.call_journal('clear', job)}",
    )


def record_job(intent: Intent, job: JobId, context: RunContext, doubt: str = "") -> Intent:
    """Add the job to the intent, and return the intent as it is now. A failure here does not lose the job."""
    for _ in range(RECORD_TRIES):
        try:
            current = context.journal.put(replace(intent, job=job, doubt=doubt), instead_of=intent)
        except JournalError:
            context.sleep(context.provider.capabilities.poll_seconds)
            continue
        # If it was taken over meanwhile, it is the intent of another run, and not ours to remove.
        return current if current.owner == intent.owner else intent
    return intent


def release_when_listed(intent: Intent, job: RemoteJob, context: RunContext) -> None:
    """Remove the intent when every list must show its job. Until then the intent may be all that names the job."""
    while not is_in_every_list(job, context):
        if context.stopping():
            return
        context.sleep(context.provider.capabilities.poll_seconds)
    release_intent(intent, context)


def release_intent(intent: Intent, context: RunContext) -> None:
    """Remove the intent. One that stays by accident costs a later run some waiting, and never a job."""
    with suppress(JournalError):
        context.journal.clear(intent)


def clear_finished_intents(context: RunContext) -> None:
    """Clear every intent that has ended: its job shows in every list, or no job can show any more.

    An intent or a job that this run has not watched for long enough stays; a later call, or a later run, clears it.
    Cost:   no request while the journal is empty
    """
    with suppress(JournalError):
        for intent in context.journal.open_intents():
            with suppress(ProviderError):
                if _has_ended(intent, context):
                    context.journal.clear(intent)


def _has_ended(intent: Intent, context: RunContext) -> bool:
    watched_seconds = context.clock() - context.see(intent)
    # A job shows under the name that the specs use today, and the intent may have an old one.
    today = context.names.rename_stamp(intent.stamp)
    jobs = [job for job in context.provider.jobs_of(today) if job.id not in intent.excluded_jobs]
    if jobs:
        # Each of them begins to count, so none is left out.
        is_listed = [is_in_every_list(job, context) for job in jobs]
        return any(is_listed)
    is_over = not intent.doubt and intent.owner != context.run and context.journal.is_abandoned(intent)
    return is_over and watched_seconds >= context.provider.capabilities.settle_seconds
