"""The apply protocol: how a job is created at most once. Read it from top to bottom.

No service of this family takes an idempotency key, so a create that got no clear answer may still have been done,
now or in a moment. The protocol never sends twice in one run; it looks instead.

    intent   write down what is about to be created
    look     is a job of this stamp there already? then it is ours: adopt it
    send     once: no retries, no redirects, a connection of its own
    done     look for an older twin; if there is one, cancel the job just created, never the other
    refused  provably nothing was created: take the intent back and say why
    unknown  look until the service's effect bound has passed; adopt what turns up; else leave the intent and say so
"""

from dataclasses import dataclass

from reconciler.domain.errors import ProviderError
from reconciler.domain.observed import SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Train
from reconciler.domain.ports import Done, Intent, Refused, Unknown
from reconciler.executor.bench import Bench
from reconciler.executor.ends import OutcomeUnknownError, StepFailedError


@dataclass(frozen=True, slots=True)
class Created:
    """The job that stands for the wanted model now; `adopted` if this run did not make it."""

    job: RemoteJob
    adopted: bool


def create(train: Train, bench: Bench) -> Created:
    """Give the wanted model its job: an existing one if there is one, else a new one, sent once.

    Raises: ProviderError when the service refused, OutcomeUnknownError when nobody can say
    """
    bench.journal.write(Intent(stamp=train.model.stamp, despite=train.despite))
    try:
        found = look(train, bench)
        created = Created(found, adopted=True) if found else send(train, bench)
    except ProviderError:
        bench.journal.clear(train.model.stamp)
        raise
    bench.journal.clear(train.model.stamp)
    return created


def look(train: Train, bench: Bench) -> RemoteJob | None:
    """Find a job of this stamp that the plan did not know; of several, the one that every run would choose.

    One that has failed meanwhile counts as well: the same is not paid for twice without being asked.
    """
    found = [job for job in bench.provider.jobs_of(train.model.stamp) if job.id not in train.despite]
    return min(found, key=first, default=None)


def first(job: RemoteJob) -> tuple[bool, bool, int, JobId]:
    """Order jobs of one stamp so that every run, wherever it is, keeps the same one: those that serve, or may yet."""
    spent = job.status.is_terminal and job.status != SUCCEEDED
    return (spent, job.status != SUCCEEDED, job.created_at, job.id)


def send(train: Train, bench: Bench) -> Created:
    """Send the create once, and make sure of what became of it."""
    files = [bench.file_of(dataset) for dataset in train.model.datasets]
    written = bench.provider.train(train.model, files[0], files[1] if files[1:] else None, train.supersedes)
    match written:
        case Done(job):
            return audit(train, job, bench)
        case Refused(error):
            raise error
        case Unknown(why):
            return settle(train, why, bench)


def audit(train: Train, job: RemoteJob, bench: Bench) -> Created:
    """Make way for an older twin, should another run have created one at the same time."""
    if not job.stamp.agrees(train.model.stamp):
        raise StepFailedError(
            f"the service answered with job {job.id}, which does not bear the stamp that was sent",
            "look at this job before anything else; nothing was adopted",
        )
    kept = look_through_trouble(train, bench)
    if kept is None or kept.id == job.id:
        return Created(job, adopted=False)
    bench.provider.cancel(job.id)
    return Created(kept, adopted=True)


def settle(train: Train, why: str, bench: Bench) -> Created:
    """Look until the effect of an unanswered create would have shown."""
    capabilities = bench.provider.capabilities
    deadline = bench.clock() + capabilities.effect_seconds
    while True:
        found = look_through_trouble(train, bench)
        if found:
            return Created(found, adopted=True)
        if bench.clock() >= deadline or bench.stopping():
            raise OutcomeUnknownError(
                f"it is not known whether a job was created: {why}",
                f"nothing is sent twice; run again after {capabilities.effect_seconds:.0f} seconds,"
                " and a job that was created will be found",
            )
        bench.sleep(capabilities.poll_seconds)


def look_through_trouble(train: Train, bench: Bench) -> RemoteJob | None:
    """Look, taking trouble for not having seen anything yet."""
    try:
        return look(train, bench)
    except ProviderError:
        return None
