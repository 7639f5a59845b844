"""What the in-memory provider offers to tests, beyond the port."""

from msgspec.structs import replace

from reconciler.domain.errors import DeniedError
from reconciler.domain.observed import JobId
from reconciler.domain.ports import Done, Refused, Unknown
from reconciler.testing import MemoryProvider
from tests.factories import a_dataset, a_file, a_job, a_model
from tests.providers.fakes import Clock

MODEL = a_model()


def with_file(memory: MemoryProvider) -> MemoryProvider:
    memory.put(a_file(MODEL.training))
    return memory


def train(memory: MemoryProvider) -> object:
    return memory.create_job(MODEL, a_file().id, None, ())


def test_lists_may_lag() -> None:
    clock = Clock()
    memory = with_file(MemoryProvider(clock=clock, list_lag_seconds=5))
    train(memory)
    assert memory.jobs_of(MODEL.stamp) == ()
    assert memory.job(JobId("ftjob-1")).stamp == MODEL.stamp
    clock.now += 5
    assert len(memory.jobs_of(MODEL.stamp)) == 1


def test_an_effect_may_come_late() -> None:
    clock = Clock()
    memory = with_file(MemoryProvider(clock=clock))
    memory.lose_next_reply(effect=True, late_seconds=3)
    assert isinstance(train(memory), Unknown)
    assert memory.jobs_of(MODEL.stamp) == ()
    clock.now += 3
    assert len(memory.jobs_of(MODEL.stamp)) == 1


def test_a_failure_may_be_set_for_one_call() -> None:
    memory = with_file(MemoryProvider())
    memory.refuse_next(DeniedError("no"), of="train")
    dataset = a_dataset()
    assert isinstance(memory.upload(dataset, iter([b"x"])), Done)
    assert isinstance(train(memory), Refused)
    assert isinstance(train(memory), Done)


def test_writes_are_counted_whatever_their_outcome() -> None:
    memory = with_file(MemoryProvider())
    memory.lose_next_reply(effect=False)
    train(memory)
    train(memory)
    memory.cancel(JobId("ftjob-1"))
    assert memory.writes == {"train": 2, "cancel": 1}
    assert len(memory.jobs) == 1


def test_a_cancel_may_take_its_time() -> None:
    memory = with_file(MemoryProvider(cancels_at_once=False))
    train(memory)
    outcome = memory.cancel(JobId("ftjob-1"))
    assert isinstance(outcome, Done)
    assert outcome.value.status.is_active
    memory.move(JobId("ftjob-1"), "cancelled")
    assert memory.job(JobId("ftjob-1")).status.is_terminal


def test_files_may_need_processing_and_objects_may_disappear() -> None:
    memory = MemoryProvider(files_are_ready=False)
    dataset = replace(a_dataset(), measure=replace(a_dataset().measure, size_bytes=1))
    memory.upload(dataset, iter([b"x"]))
    file = memory.find_file(dataset)
    assert file is not None
    assert not file.is_ready
    memory.mark_file(file.id, "processed")
    assert memory.file(file.id).is_ready
    memory.forget(file.id)
    assert memory.find_file(dataset) is None


def test_an_object_that_a_test_adds_is_listed() -> None:
    memory = MemoryProvider()
    job = a_job(MODEL)
    memory.put(job)
    assert memory.observe().jobs == (job,)
    assert memory.observe().models == {job.model}


def test_jobs_of_one_second_keep_their_order() -> None:
    memory = with_file(MemoryProvider(clock=Clock()))
    for _ in range(12):
        train(memory)
    assert [job.id for job in memory.jobs_of(MODEL.stamp)] == [f"ftjob-{number}" for number in range(1, 13)]
