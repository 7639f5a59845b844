"""What every provider promises. Each promise is made to all worlds alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import MalformedError, NotFoundError, RejectedError
from reconciler.domain.observed import FileId, JobId, ModelId, RemoteFile, RemoteJob
from reconciler.domain.ports import Done, Message, Refused, Unknown
from tests.contract.worlds import WORLDS, Keeps, World, dataset_of, rows_of
from tests.factories import a_model

WANTED = a_model(training=dataset_of(rows_of("hello")))


@pytest.fixture(params=WORLDS, ids=lambda world: world.__name__)
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param()
    return made


def uploaded(world: World, word: str = "hello", name: str = "tickets") -> tuple[Dataset, RemoteFile]:
    content = rows_of(word)
    dataset = dataset_of(content, name)
    outcome = world.provider.upload(dataset, iter([content[:50], content[50:]]))
    assert isinstance(outcome, Done)
    return dataset, outcome.value


def trained(world: World, *, epochs: int | None = None) -> RemoteJob:
    """A job that was just created, on a dataset that is there once."""
    dataset = dataset_of(rows_of("hello"))
    file = world.provider.find_file(dataset) or uploaded(world)[1]
    outcome = world.provider.create_job(a_model(training=dataset, epochs=epochs), file.id, None, ())
    assert isinstance(outcome, Done)
    return outcome.value


def test_an_upload_is_found_by_what_it_holds(world: World) -> None:
    dataset, file = uploaded(world)

    assert world.content(file.id) == rows_of("hello")
    assert world.provider.find_file(dataset) == file
    assert world.provider.file(file.id) == file
    assert world.provider.observe().files == (file,)
    assert file.stamp is not None
    assert file.stamp.agrees(dataset.stamp)


def test_a_file_is_read_back_as_it_was_sent(world: World) -> None:
    _, file = uploaded(world)

    assert b"".join(world.provider.content(file.id, file.size_bytes)) == rows_of("hello")
    with pytest.raises(MalformedError, match="longer than the file is said to be"):
        list(world.provider.content(file.id, 10))
    with pytest.raises(NotFoundError):
        list(world.provider.content(FileId("file-gone")))


def test_other_content_under_the_same_name_is_not_found(world: World) -> None:
    uploaded(world, "hello")

    assert world.provider.find_file(dataset_of(rows_of("howdy"))) is None
    assert world.provider.find_file(dataset_of(rows_of("hello"), "letters")) is None


def test_a_broken_file_is_seen_but_not_used(world: World) -> None:
    dataset, file = uploaded(world)
    world.break_file(file.id)

    assert world.provider.find_file(dataset) is None
    assert world.provider.file(file.id).is_broken


def test_of_two_files_alike_the_older_is_taken(world: World) -> None:
    dataset, first = uploaded(world)
    uploaded(world)

    assert world.provider.find_file(dataset) == first


def test_a_broken_source_leaves_nothing_behind(world: World) -> None:
    """What reading the rows raises comes out as it is, and no file is there."""

    def breaking() -> Iterator[bytes]:
        yield rows_of("hello")[:50]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        world.provider.upload(dataset_of(rows_of("hello")), breaking())
    assert world.files_there() == 0


def test_a_job_comes_back_as_it_was_meant(world: World) -> None:
    (rows, training), (checks, validation) = uploaded(world), uploaded(world, "others", "checks")
    model = a_model(epochs=3, training=rows, validation=checks)
    outcome = world.provider.create_job(model, training.id, validation.id, (JobId("ftjob-8"), JobId("ftjob-9")))

    assert isinstance(outcome, Done)
    job = outcome.value
    assert job.stamp == model.stamp
    keeps = Keeps.NOTES in world.keeps
    assert job.facts == (model.displayed_facts if keeps else ())
    assert job.supersedes == (("ftjob-8", "ftjob-9") if keeps else ())
    assert (job.training_file, job.validation_file) == (training.id, validation.id)
    assert job.base == model.recipe.base
    assert job.status.is_active
    assert world.provider.job(job.id) == job
    assert world.provider.jobs_of(model.stamp) == (job,)
    assert world.provider.observe().jobs == (job,)


def test_jobs_are_told_apart_by_their_stamp(world: World) -> None:
    three = trained(world, epochs=3)
    five = [trained(world, epochs=5) for _ in range(5)]

    assert world.provider.jobs_of(three.own_stamp) == (three,)
    assert world.provider.jobs_of(five[0].own_stamp) == tuple(five)
    assert world.provider.jobs_of(a_model(epochs=7).stamp) == ()
    assert world.provider.observe().jobs == (three, *five)


def test_a_job_that_succeeds_has_a_model_that_is_there(world: World) -> None:
    job = trained(world)
    world.move(job.id, "running")
    assert world.provider.job(job.id).status.word == "running"

    model = world.finish(job.id)
    seen = world.provider.job(job.id)
    assert (seen.status.word, seen.model) == ("succeeded", model)
    assert seen.finished_at is not None
    assert world.provider.model(model).id == model
    assert model in world.provider.observe().models


def test_a_job_that_fails_says_why(world: World) -> None:
    job = trained(world)
    world.fail(job.id, "invalid_training_file", "line 3 is no JSON")

    error = world.provider.job(job.id).error
    assert error is not None
    code = "invalid_training_file" if Keeps.CODES in world.keeps else None
    assert (error.code, error.message) == (code, "line 3 is no JSON")
    assert world.provider.observe().jobs[0].error == error


def test_a_job_that_does_not_fail_has_no_error(world: World) -> None:
    assert trained(world).error is None


def test_a_status_that_nobody_knows_is_alive(world: World) -> None:
    job = trained(world)
    world.move(job.id, "pondering")

    status = world.provider.job(job.id).status
    assert status.is_active
    assert not status.is_known


def test_cancelling_ends_a_job_that_lives(world: World) -> None:
    job = trained(world)

    outcome = world.provider.cancel(job.id)
    assert isinstance(outcome, Done)
    assert outcome.value.id == job.id
    assert world.provider.job(job.id).status.word == "cancelled"


def test_cancelling_what_has_ended_is_refused_and_changes_nothing(world: World) -> None:
    job = trained(world)
    world.finish(job.id)

    assert isinstance(world.provider.cancel(job.id), Refused)
    assert world.provider.job(job.id).status.word == "succeeded"


def test_files_of_living_jobs_are_in_use(world: World) -> None:
    job = trained(world)
    file = job.training_file
    assert file in world.provider.observe().files_in_use

    world.finish(job.id)
    assert file not in world.provider.observe().files_in_use


def test_deleting_is_done_once_and_counts_as_done_again(world: World) -> None:
    dataset, file = uploaded(world)
    model = world.finish(trained(world).id)

    for _ in range(2):
        assert world.provider.delete(file.id, is_model=False) == Done(None)
        assert world.provider.delete(model, is_model=True) == Done(None)
    assert world.provider.find_file(dataset) is None
    assert model not in world.provider.observe().models


def test_what_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.provider.job(JobId("ftjob-none"))
    with pytest.raises(NotFoundError):
        world.provider.file(FileId("file-none"))
    with pytest.raises(NotFoundError):
        world.provider.model(ModelId("ft:none:acme::1"))
    with pytest.raises(NotFoundError):
        list(world.provider.answer(ModelId("ft:none:acme::1"), (Message(role="user", content="hello"),)))


def test_a_job_on_a_file_that_is_not_there_is_refused(world: World) -> None:
    outcome = world.provider.create_job(WANTED, FileId("file-none"), None, ())

    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, RejectedError)
    assert outcome.error.param == "training_file"
    assert world.jobs_there() == 0


def test_a_refused_write_has_no_effect(world: World) -> None:
    file = uploaded(world)[1].id
    world.refuse_next("not today")

    outcome = world.provider.create_job(WANTED, file, None, ())
    assert isinstance(outcome, Refused)
    assert "not today" in str(outcome.error)
    assert world.provider.jobs_of(WANTED.stamp) == ()


@pytest.mark.parametrize("effect", [True, False])
def test_a_lost_reply_is_unknown_and_looking_settles_it(world: World, effect: bool) -> None:
    file = uploaded(world)[1].id
    world.lose_next_reply(effect=effect)

    assert isinstance(world.provider.create_job(WANTED, file, None, ()), Unknown)
    assert len(world.provider.jobs_of(WANTED.stamp)) == effect
    assert world.jobs_there() == effect, "a create is never repeated"


@pytest.mark.parametrize("effect", [True, False])
def test_a_lost_upload_is_unknown_and_looking_settles_it(world: World, effect: bool) -> None:
    content = rows_of("hello")
    world.lose_next_reply(effect=effect)

    assert isinstance(world.provider.upload(dataset_of(content), iter([content])), Unknown)
    assert (world.provider.find_file(dataset_of(content)) is not None) == effect
    assert world.files_there() == effect


def test_events_come_oldest_first_and_go_on_where_one_stopped(world: World) -> None:
    job = trained(world).id
    before = world.provider.events(job, None)
    for step in range(1, 6):
        world.log(job, f"Step {step}/5", step=step, train_loss=0.5)

    later = world.provider.events(job, before[-1].id)
    assert [event.message for event in later] == [f"Step {step}/5" for step in range(1, 6)]
    assert dict(later[0].metrics) == ({"step": 1, "train_loss": 0.5} if Keeps.METRICS in world.keeps else {})
    assert world.provider.events(job, later[-1].id) == ()
    assert world.provider.events(job, None) == before + later


def test_checkpoints_come_by_step(world: World) -> None:
    job = trained(world).id
    for step in (10, 20, 30):
        world.save(job, step)

    saved = world.provider.checkpoints(job)
    assert [each.step for each in saved] == ([10, 20, 30] if Keeps.CHECKPOINTS in world.keeps else [])
    assert all(each.model.endswith(f"ckpt-step-{each.step}") for each in saved)


def test_a_model_answers_piece_by_piece(world: World) -> None:
    model = world.finish(trained(world).id)

    pieces = list(world.provider.answer(model, (Message(role="user", content="my card is gone"),)))
    assert "".join(pieces) == "my card is gone"
    assert len(pieces) == 4
    assert "".join(world.provider.complete(model, "my card")) == "my card"


def test_uploads_may_run_side_by_side(world: World) -> None:
    words = [f"word{number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        files = [file for _, file in pool.map(lambda word: uploaded(world, word, word), words)]

    assert len({file.id for file in files}) == len(words)
    assert all(world.content(file.id) == rows_of(word) for file, word in zip(files, words, strict=True))


def test_the_service_says_which_it_is(world: World) -> None:
    assert world.provider.observe().service == world.provider.observe().service != ""
    assert world.provider.observe().list_warnings == ()
    assert world.provider.name
    assert world.provider.capabilities.poll_seconds > 0
