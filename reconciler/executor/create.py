"""The apply protocol: create a job at most once. Read it from top to bottom.

No service of this family takes an idempotency key, so a create without a clear answer may still take effect, now or
later. The protocol never sends twice in one run. It records its intent before it sends, and looks for the job instead.

    intent   record what is about to be created, where every other run can see it
    yield    another run's intent is there: watch for its job; take over when that intent means nothing any more
    look     read the journal once more; if a job of this stamp is there already, adopt it
    send     once: no retries, no redirects, a connection of its own, a deadline
    done     record the job's id; keep the intent until every list shows the job; cancel ours if there is an older twin
    doubtful the answer names a job that does not bear what was sent: keep its id, and create nothing more
    refused  provably nothing was created: remove the intent, and report why
    unknown  look until no effect can show any more; adopt what shows; otherwise leave the intent, and report that

At most one job for each stamp is created while these limits of the service hold: a run that has looked sends within
`fresh_seconds` and gives up after `send_seconds`; what it sent takes effect within `effect_seconds` or never; what
took effect is in every list within `list_lag_seconds`. When a limit is exceeded, twins are possible. Then each run
cancels only the job that it has just created, and the next plan shows the rest.
"""

import hashlib
from collections.abc import Callable

import msgspec

from reconciler.domain.errors import JournalError, ProviderError
from reconciler.domain.observed import RemoteJob
from reconciler.domain.plan import Train
from reconciler.domain.ports import Done, Intent, Refused, Unknown
from reconciler.executor.context import OutcomeUnknownError, RunContext, StepFailedError, StepRefusedError
from reconciler.executor.intents import (
    WrittenIntent,
    acquire_intent,
    doubtful_error,
    is_fresh,
    is_still_recorded,
    record_job,
    release_intent,
    release_when_listed,
)
from reconciler.executor.looking import (
    find_job,
    find_unmarked,
    find_unmarked_or_none,
    is_in_every_list,
    keep_order,
    list_new_jobs_or_none,
)

TRIES = 3
"""How often an intent is recorded again, when the look after it took too long."""

ProgressCallback = Callable[[str], None]


def ignore_progress(message: str) -> None:
    """Do nothing with a message."""


class Created(msgspec.Struct, frozen=True):
    """The job of the wanted model; `adopted` if this run did not create it."""

    job: RemoteJob
    adopted: bool


def create(train: Train, context: RunContext, tell: ProgressCallback = ignore_progress) -> Created:
    """Return the job of the wanted model: an existing one if there is one, else a new one, sent once.

    Raises: ProviderError when the service refused, JournalError when no intent could be recorded, OutcomeUnknownError
            when the outcome is unknown, StepRefusedError when a person has to decide about a job first, StoppedError
            when a stop was requested before anything was sent
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


def check_then_create(train: Train, note: WrittenIntent, context: RunContext, tell: ProgressCallback) -> Created | None:
    """Look once more, then send. Return None when too much time passed since the intent, or another run replaced it."""
    try:
        # The look comes last: its answer also says whether this machine stood still meanwhile.
        is_ours = is_still_recorded(note, context)
        unmarked = find_unmarked(train, context) if note.is_takeover else None
        found = find_job(train, context)
        may_send = is_ours and is_fresh(note, context)
    except (ProviderError, JournalError):
        release_intent(note.intent, context)
        raise
    if found:
        return adopt_job(found, note.intent, context)
    if unmarked:
        raise refuse_unmarked(train, unmarked, note.intent, context)
    if not may_send:
        release_intent(note.intent, context)
        return None
    return send_create(train, note.intent, context, tell)


def refuse_unmarked(train: Train, job: RemoteJob, intent: Intent, context: RunContext) -> StepRefusedError:
    """Record a job that may have lost its marks, and return the refusal to create another one beside it."""
    doubt = "which trains on the same file and bears no marks"
    noted = record_job(intent, job.id, context, doubt)
    return doubtful_error(train, job.id, doubt, context, unrecorded=noted == intent)


def send_create(train: Train, intent: Intent, context: RunContext, tell: ProgressCallback) -> Created:
    """Send the create once, and find out its outcome.

    Raises: ProviderError when the service provably did nothing
    """
    files = [context.file_of(dataset) for dataset in train.model.datasets]
    validation = files[1] if files[1:] else None
    written = context.provider.create_job(train.model, files[0], validation, train.supersedes, token_of(train))
    match written:
        case Done(job, doubts):
            tell(f"created {job.id}; making sure that every list shows it")
            return confirm_created(train, job, doubts, intent, context)
        case Refused(error):
            release_intent(intent, context)
            raise error
        case Unknown(why):
            tell(f"no clear answer ({why}); looking for the job, sending nothing again")
            return resolve_unknown(train, why, intent, context)


def token_of(train: Train) -> str:
    """Return the token by which a service that takes one recognises a repeated create."""
    return hashlib.sha256(" ".join((str(train.model.stamp), *train.excluded_jobs)).encode()).hexdigest()[:40]


def confirm_created(
    train: Train, job: RemoteJob, doubts: tuple[str, ...], intent: Intent, context: RunContext
) -> Created:
    """Hold the note until a list shows the job, and make way for an older twin, should another run have made one.

    Raises: StepRefusedError when the job does not bear what was sent
    """
    is_ours = job.is_of(train.model.stamp)
    # First of all: from here on this run may end at any time, and a run that finds the intent finds the job by its id.
    doubt = "" if is_ours else ", ".join(doubts) or "which does not bear the stamp that was sent"
    noted = record_job(intent, job.id, context, doubt)
    if doubt:
        return resolve_doubtful(train, job, doubt, noted, context, unrecorded=noted == intent)
    listed = wait_until_listed(train, job, context)
    if not listed:
        check_marks_kept(train, job, noted, context)
    kept = min((job, *listed), key=keep_order)
    if kept.id != job.id:
        context.provider.cancel(job.id)
    if listed:
        release_when_listed(noted, kept, context)
    if doubts and kept.id == job.id:
        raise StepRefusedError(
            f"job {job.id} was created, but the service says that it has {', '.join(doubts)}; it costs money",
            f"if that is not what you want, cancel it now: {context.scope.call('cancel', job.id)}. Otherwise"
            " nothing is to be done: the next plan takes it as the job of this version",
            job=job,
        )
    return Created(kept, adopted=kept.id != job.id)


def resolve_doubtful(
    train: Train, job: RemoteJob, doubt: str, intent: Intent, context: RunContext, *, unrecorded: bool
) -> Created:
    """Look whether the service kept what its answer did not show.

    Raises: StepRefusedError when it did not; the intent, which names the job, stays
    """
    deadline = context.clock() + context.provider.capabilities.settle_seconds
    while True:
        found = min(list_new_jobs_or_none(train, context), key=keep_order, default=None)
        if found:
            release_when_listed(intent, found, context)
            return Created(found, adopted=found.id != job.id)
        if context.clock() >= deadline or context.stopping():
            raise doubtful_error(train, job.id, doubt, context, unrecorded)
        context.sleep(context.provider.capabilities.poll_seconds)


def check_marks_kept(train: Train, job: RemoteJob, intent: Intent, context: RunContext) -> None:
    """Check that a job which no list shows bears its stamp. Its answer may have repeated what the service dropped.

    Raises: StepRefusedError
    """
    try:
        seen = context.provider.job(job.id)
    except ProviderError:
        return
    if not train.model.bears(seen.stamp):
        doubt = "whose marks the service did not keep"
        record_job(intent, job.id, context, doubt)
        raise doubtful_error(train, job.id, doubt, context)


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
    noted = intent if is_in_every_list(job, context) else record_job(intent, job.id, context)
    release_when_listed(noted, job, context)
    return Created(job, adopted=True)


def resolve_unknown(train: Train, why: str, intent: Intent, context: RunContext) -> Created:
    """Look until the effect of an unanswered create would have shown. Leave the intent in place if it has not."""
    capabilities = context.provider.capabilities
    deadline = context.clock() + capabilities.settle_seconds
    while True:
        found = min(list_new_jobs_or_none(train, context), key=keep_order, default=None)
        if found:
            return adopt_job(found, intent, context)
        if context.clock() >= deadline or context.stopping():
            unmarked = find_unmarked_or_none(train, context)
            if unmarked:
                raise refuse_unmarked(train, unmarked, intent, context)
            raise OutcomeUnknownError(
                f"it is not known whether a job was created: {why}",
                "nothing is sent twice; run again: a job that was created is found, and another one is created only"
                f" after {capabilities.intent_seconds:.0f} seconds without it",
            )
        context.sleep(capabilities.poll_seconds)
