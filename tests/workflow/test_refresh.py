"""A job that is locked and not listed is asked for by its id: what is there counts, and only what is not is gone."""

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import DeniedError, NotFoundError, ProviderError, TemporaryError
from reconciler.domain.identity import Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import JobId, ModelId, Observed, RemoteJob
from reconciler.domain.plan import Keep, KeepReason, Options
from reconciler.planner import make_plan
from reconciler.testing import MemoryProvider
from reconciler.workflow.refresh import MOST_ASKED, find_unlisted_jobs
from tests.factories import a_job, a_model, desired, observed

HERE = "api.example.test"
WANTED = a_model()
JOB = a_job(WANTED, id="ftjob-1")


class Asked(MemoryProvider):
    """A service whose list shows nothing; jobs are there by their id, or an error is."""

    def __init__(self, *jobs: RemoteJob, error: ProviderError | None = None) -> None:
        super().__init__()
        self.put(*jobs)
        self.error = error
        self.asked: list[JobId] = []

    def job(self, job: JobId) -> RemoteJob:
        self.asked.append(job)
        if self.error:
            raise self.error
        return super().job(job)


def lock_of(*jobs: RemoteJob, service: str = HERE) -> Lock:
    return Lock(entries=tuple(_entry(job, service) for job in jobs))


def _entry(job: RemoteJob, service: str) -> LockEntry:
    return LockEntry(stamp=job.own_stamp, provider="openai", service=service, job=job.id, model=ModelId(f"ft:{job.id}"))


def recalled(
    provider: MemoryProvider, lock: Lock, seen: Observed | None = None, options: Options | None = None
) -> Observed:
    return find_unlisted_jobs(seen or observed(), desired(WANTED), lock, options or Options(), provider)


def test_a_job_that_is_there_counts_as_seen_and_nothing_is_paid_for() -> None:
    provider = Asked(JOB)
    seen = recalled(provider, lock_of(JOB))
    assert (seen.jobs, seen.gone, provider.asked) == ((JOB,), (), [JOB.id])
    plan = make_plan(desired(WANTED), replace(seen, models=frozenset(provider.models)), lock=lock_of(JOB))
    assert plan.trains == ()
    assert [(keep.why, keep.job) for keep in plan.kept if isinstance(keep, Keep)] == [(KeepReason.READY, JOB.id)]


def test_jobs_stay_in_the_order_of_their_making() -> None:
    older, newer = a_job(a_model("b"), id="ftjob-0", age=99), a_job(a_model("c"), id="ftjob-9", age=-99)
    assert recalled(Asked(JOB), lock_of(JOB), observed(newer, older)).jobs == (older, JOB, newer)


def test_a_job_that_is_not_there_is_gone() -> None:
    seen = recalled(Asked(), lock_of(JOB))
    assert (seen.jobs, seen.gone) == ((), (JOB.id,))


@pytest.mark.parametrize("error", [DeniedError("no", status=403), TemporaryError("busy", status=503)])
def test_a_service_that_will_not_say_is_an_error_and_never_gone(error: ProviderError) -> None:
    with pytest.raises(type(error)):
        recalled(Asked(JOB, error=error), lock_of(JOB))


def test_a_job_of_that_id_with_another_stamp_is_not_the_one_that_was_locked() -> None:
    other = replace(JOB, stamp=Stamp(JOB.address, a_model(epochs=9).stamp.digest))
    seen = recalled(Asked(other), lock_of(JOB))
    assert (seen.jobs, seen.gone) == ((), (JOB.id,))


@pytest.mark.parametrize(
    ("lock", "seen", "options"),
    [
        (Lock(), observed(), Options()),
        (lock_of(JOB), observed(JOB), Options()),
        (lock_of(JOB, service="elsewhere"), observed(), Options()),
        (lock_of(a_job(a_model(epochs=9))), observed(), Options()),
        (lock_of(a_job(a_model("nobody-wants"))), observed(), Options()),
        (lock_of(JOB), observed(), Options(target=frozenset({"other"}))),
        (lock_of(JOB), replace(observed(), contradictions=(str(JOB.id),)), Options()),
    ],
    ids=["unlocked", "listed", "elsewhere", "other-version", "unwanted", "untargeted", "contradicted"],
)
def test_nothing_else_is_asked_for(lock: Lock, seen: Observed, options: Options) -> None:
    provider = Asked(JOB)
    assert recalled(provider, lock, seen, options) == seen
    assert provider.asked == []


def test_where_a_list_has_lost_very_many_only_so_many_are_asked_for_and_the_others_count_as_gone() -> None:
    models = [a_model(f"model-{n:03}") for n in range(MOST_ASKED + 5)]
    jobs = [a_job(model, id=f"ftjob-{model.name}") for model in models]
    provider = Asked(error=NotFoundError("no such job", status=404))
    seen = find_unlisted_jobs(observed(), desired(*models), lock_of(*jobs), Options(), provider)
    assert len(provider.asked) == MOST_ASKED
    assert len(seen.gone) == len(jobs)
