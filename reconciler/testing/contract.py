"""The promises of a provider, as a suite that any service can be held to.

Write a class for your service, and let pytest collect it:

    class TestMyService(ProviderContract):
        def open_service(self) -> ContractService:
            return MyService()

Each test opens a service of its own. What not every service keeps (see `Keeps`) is tested where the service says that
it keeps it, and its absence where it does not.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from reconciler.domain.desired import Dataset, Measure, Model, Part
from reconciler.domain.errors import MalformedError, NotFoundError, Place, RejectedError
from reconciler.domain.identity import Digest
from reconciler.domain.observed import FileId, JobId, ModelId, RemoteFile, RemoteJob
from reconciler.domain.ports import Done, Message, Provider, Refused, Unknown
from reconciler.domain.spec import DatasetSpec, Format, Recipe

_BASE = "gpt-4.1-mini-2025-04-14"
_PLACE = Place(file="specs/models.yaml", line=1, column=1)


class Keeps(StrEnum):
    """What not every service keeps."""

    NOTES = "notes about what a job was made of and superseded"
    CODES = "codes of failures"
    METRICS = "numbers in events"
    CHECKPOINTS = "models from the middle of a job"


class ContractService(Protocol):
    """A provider, and handles on the service behind it.

    Shape:  `move` gives a job a status; `finish` lets it succeed and returns its model; `fail`, `log` and `save` let
            it fail, write an event and save a checkpoint; `refuse_next` refuses the next write; `lose_next_reply`
            leaves the next write without an answer, with or without its effect
    """

    keeps: frozenset[Keeps]

    @property
    def provider(self) -> Provider: ...

    def move(self, job: JobId, status: str) -> None: ...

    def finish(self, job: JobId) -> ModelId: ...

    def fail(self, job: JobId, code: str, message: str) -> None: ...

    def log(self, job: JobId, message: str, **metrics: float) -> None: ...

    def save(self, job: JobId, step: int) -> None: ...

    def break_file(self, file: FileId) -> None: ...

    def content(self, file: FileId) -> bytes: ...

    def refuse_next(self, message: str) -> None: ...

    def lose_next_reply(self, *, effect: bool) -> None: ...

    def jobs_there(self) -> int: ...

    def files_there(self) -> int: ...


class ProviderContract(ABC):
    """What every provider promises."""

    @abstractmethod
    def open_service(self) -> ContractService:
        """Return a service that holds nothing yet."""

    def test_an_upload_is_found_by_what_it_holds(self) -> None:
        service = self.open_service()
        dataset, file = upload(service)

        assert service.content(file.id) == rows_of("hello")
        assert service.provider.find_file(dataset) == file
        assert service.provider.file(file.id) == file
        assert service.provider.observe().files == (file,)
        assert file.stamp is not None
        assert file.stamp.agrees(dataset.stamp)

    def test_a_file_is_read_back_as_it_was_sent(self) -> None:
        service = self.open_service()
        _, file = upload(service)

        assert b"".join(service.provider.content(file.id, file.size_bytes)) == rows_of("hello")
        with expect_error(MalformedError, "longer than the file is said to be"):
            list(service.provider.content(file.id, 10))
        with expect_error(NotFoundError):
            list(service.provider.content(FileId("file-gone")))

    def test_other_content_under_the_same_name_is_not_found(self) -> None:
        service = self.open_service()
        upload(service, "hello")

        assert service.provider.find_file(dataset_of(rows_of("howdy"))) is None
        assert service.provider.find_file(dataset_of(rows_of("hello"), "letters")) is None

    def test_a_broken_file_is_seen_but_not_used(self) -> None:
        service = self.open_service()
        dataset, file = upload(service)
        service.break_file(file.id)

        assert service.provider.find_file(dataset) is None
        assert service.provider.file(file.id).is_broken

    def test_of_two_files_alike_the_older_is_taken(self) -> None:
        service = self.open_service()
        dataset, first = upload(service)
        upload(service)

        assert service.provider.find_file(dataset) == first

    def test_a_broken_source_leaves_nothing_behind(self) -> None:
        """What reading the rows raises comes out as it is, and no file is there."""
        service = self.open_service()

        def breaking() -> Iterator[bytes]:
            yield rows_of("hello")[:50]
            raise OSError("the disk is gone")

        with expect_error(OSError, "the disk is gone"):
            service.provider.upload(dataset_of(rows_of("hello")), breaking())
        assert service.files_there() == 0

    def test_a_job_comes_back_as_it_was_meant(self) -> None:
        service = self.open_service()
        (rows, training), (checks, validation) = upload(service), upload(service, "others", "checks")
        model = model_of(epochs=3, training=rows, validation=checks)
        outcome = service.provider.create_job(model, training.id, validation.id, (JobId("ftjob-8"), JobId("ftjob-9")))

        assert isinstance(outcome, Done)
        job = outcome.value
        assert job.stamp == model.stamp
        keeps = Keeps.NOTES in service.keeps
        assert job.facts == (model.displayed_facts if keeps else ())
        assert job.supersedes == (("ftjob-8", "ftjob-9") if keeps else ())
        assert (job.training_file, job.validation_file) == (training.id, validation.id)
        assert job.base == model.recipe.base
        assert job.status.is_active
        assert service.provider.job(job.id) == job
        assert service.provider.jobs_of(model.stamp) == (job,)
        assert service.provider.observe().jobs == (job,)

    def test_jobs_are_told_apart_by_their_stamp(self) -> None:
        service = self.open_service()
        three = train(service, epochs=3)
        five = [train(service, epochs=5) for _ in range(5)]

        assert service.provider.jobs_of(three.own_stamp) == (three,)
        assert service.provider.jobs_of(five[0].own_stamp) == tuple(five)
        assert service.provider.jobs_of(model_of(epochs=7).stamp) == ()
        assert service.provider.observe().jobs == (three, *five)

    def test_a_job_that_succeeds_has_a_model_that_is_there(self) -> None:
        service = self.open_service()
        job = train(service)
        service.move(job.id, "running")
        assert service.provider.job(job.id).status.word == "running"

        model = service.finish(job.id)
        seen = service.provider.job(job.id)
        assert (seen.status.word, seen.model) == ("succeeded", model)
        assert seen.finished_at is not None
        assert service.provider.model(model).id == model
        assert model in service.provider.observe().models

    def test_a_job_that_fails_says_why(self) -> None:
        service = self.open_service()
        job = train(service)
        service.fail(job.id, "invalid_training_file", "line 3 is no JSON")

        error = service.provider.job(job.id).error
        assert error is not None
        code = "invalid_training_file" if Keeps.CODES in service.keeps else None
        assert (error.code, error.message) == (code, "line 3 is no JSON")
        assert service.provider.observe().jobs[0].error == error

    def test_a_job_that_does_not_fail_has_no_error(self) -> None:
        service = self.open_service()
        assert train(service).error is None

    def test_a_status_that_nobody_knows_is_alive(self) -> None:
        service = self.open_service()
        job = train(service)
        service.move(job.id, "pondering")

        status = service.provider.job(job.id).status
        assert status.is_active
        assert not status.is_known

    def test_cancelling_ends_a_job_that_lives(self) -> None:
        service = self.open_service()
        job = train(service)

        outcome = service.provider.cancel(job.id)
        assert isinstance(outcome, Done)
        assert outcome.value.id == job.id
        assert service.provider.job(job.id).status.word == "cancelled"

    def test_cancelling_what_has_ended_is_refused_and_changes_nothing(self) -> None:
        service = self.open_service()
        job = train(service)
        service.finish(job.id)

        assert isinstance(service.provider.cancel(job.id), Refused)
        assert service.provider.job(job.id).status.word == "succeeded"

    def test_files_of_living_jobs_are_in_use(self) -> None:
        service = self.open_service()
        job = train(service)
        file = job.training_file
        assert file in service.provider.observe().files_in_use

        service.finish(job.id)
        assert file not in service.provider.observe().files_in_use

    def test_deleting_is_done_once_and_counts_as_done_again(self) -> None:
        service = self.open_service()
        dataset, file = upload(service)
        model = service.finish(train(service).id)

        has_deletions = service.provider.capabilities.deletes_models
        for _ in range(2):
            assert service.provider.delete(file.id, is_model=False) == Done(None)
            assert isinstance(service.provider.delete(model, is_model=True), Done if has_deletions else Refused)
        assert service.provider.find_file(dataset) is None
        assert (model in service.provider.observe().models) is not has_deletions

    def test_what_is_not_there_is_not_found(self) -> None:
        service = self.open_service()
        with expect_error(NotFoundError):
            service.provider.job(JobId("ftjob-none"))
        with expect_error(NotFoundError):
            service.provider.file(FileId("file-none"))
        with expect_error(NotFoundError):
            service.provider.model(ModelId("ft:none:acme::1"))
        with expect_error(NotFoundError):
            list(service.provider.answer(ModelId("ft:none:acme::1"), (Message(role="user", content="hello"),)))

    def test_a_job_on_a_file_that_is_not_there_is_refused(self) -> None:
        service = self.open_service()
        outcome = service.provider.create_job(model_of(), FileId("file-none"), None, ())

        assert isinstance(outcome, Refused)
        assert isinstance(outcome.error, RejectedError)
        assert outcome.error.param == "training_file"
        assert service.jobs_there() == 0

    def test_a_refused_write_has_no_effect(self) -> None:
        service = self.open_service()
        file = upload(service)[1].id
        service.refuse_next("not today")

        outcome = service.provider.create_job(model_of(), file, None, ())
        assert isinstance(outcome, Refused)
        assert "not today" in str(outcome.error)
        assert service.provider.jobs_of(model_of().stamp) == ()

    def test_a_lost_reply_is_unknown_and_looking_settles_it(self) -> None:
        for effect in (True, False):
            service = self.open_service()
            file = upload(service)[1].id
            service.lose_next_reply(effect=effect)

            assert isinstance(service.provider.create_job(model_of(), file, None, ()), Unknown)
            assert len(service.provider.jobs_of(model_of().stamp)) == effect
            assert service.jobs_there() == effect, "a create is never repeated"

    def test_a_lost_upload_is_unknown_and_looking_settles_it(self) -> None:
        for effect in (True, False):
            service = self.open_service()
            content = rows_of("hello")
            service.lose_next_reply(effect=effect)

            assert isinstance(service.provider.upload(dataset_of(content), iter([content])), Unknown)
            assert (service.provider.find_file(dataset_of(content)) is not None) == effect
            assert service.files_there() == effect

    def test_events_come_oldest_first_and_go_on_where_one_stopped(self) -> None:
        service = self.open_service()
        job = train(service).id
        before = service.provider.events(job, None).items
        for step in range(1, 6):
            service.log(job, f"Step {step}/5", step=step, train_loss=0.5)

        later = service.provider.events(job, before[-1].id).items
        assert [event.message for event in later] == [f"Step {step}/5" for step in range(1, 6)]
        assert dict(later[0].metrics) == ({"step": 1, "train_loss": 0.5} if Keeps.METRICS in service.keeps else {})
        assert service.provider.events(job, later[-1].id).items == ()
        assert service.provider.events(job, None).items == before + later

    def test_checkpoints_come_by_step(self) -> None:
        service = self.open_service()
        job = train(service).id
        for step in (10, 20, 30):
            service.save(job, step)

        saved = service.provider.checkpoints(job).items
        assert [each.step for each in saved] == ([10, 20, 30] if Keeps.CHECKPOINTS in service.keeps else [])
        assert all(each.model.endswith(f"ckpt-step-{each.step}") for each in saved)

    def test_a_model_answers_piece_by_piece(self) -> None:
        service = self.open_service()
        model = service.finish(train(service).id)

        pieces = list(service.provider.answer(model, (Message(role="user", content="my card is gone"),)))
        assert "".join(pieces) == "my card is gone"
        assert len(pieces) == 4
        assert "".join(service.provider.complete(model, "my card")) == "my card"

    def test_uploads_may_run_side_by_side(self) -> None:
        service = self.open_service()
        words = [f"word{number}" for number in range(8)]
        with ThreadPoolExecutor(4) as pool:
            files = [file for _, file in pool.map(lambda word: upload(service, word, word), words)]

        assert len({file.id for file in files}) == len(words)
        assert all(service.content(file.id) == rows_of(word) for file, word in zip(files, words, strict=True))

    def test_the_service_says_which_it_is(self) -> None:
        service = self.open_service()
        assert service.provider.observe().service == service.provider.observe().service != ""
        assert service.provider.observe().list_warnings == ()
        assert service.provider.name
        assert service.provider.capabilities.poll_seconds > 0


def rows_of(word: str, count: int = 12) -> bytes:
    """Return some rows in the API's form; another word makes other rows."""
    rows = ({"prompt": f"{word} {n} ->", "completion": " yes"} for n in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def dataset_of(content: bytes, name: str = "tickets") -> Dataset:
    """Return a dataset that measures as the content does."""
    return Dataset(
        spec=DatasetSpec(name=name, place=_PLACE, sources=(f"{name}.csv",)),
        part=Part.TRAINING,
        format=Format.COMPLETION,
        measure=Measure(digest=Digest("v1", sha256(content).hexdigest()), rows=200, size_bytes=len(content)),
    )


def model_of(training: Dataset | None = None, *, validation: Dataset | None = None, epochs: int | None = None) -> Model:
    """Return a model of a dataset; `epochs` is the hyperparameter that tells two of them apart."""
    return Model(
        name="triage",
        place=_PLACE,
        recipe=Recipe(base=_BASE, hyperparameters=(("n_epochs", epochs),) if epochs is not None else ()),
        training=training or dataset_of(rows_of("hello")),
        validation=validation,
    )


@contextmanager
def expect_error(kind: type[Exception], words: str = "") -> Iterator[None]:
    """Fail unless an error of a kind is raised whose text holds some words."""
    raised: Exception | None = None
    try:
        yield
    except kind as error:
        raised = error
    assert raised is not None, f"no {kind.__name__} was raised"
    assert words in str(raised), f"{str(raised)!r} does not say {words!r}"


def upload(service: ContractService, word: str = "hello", name: str = "tickets") -> tuple[Dataset, RemoteFile]:
    content = rows_of(word)
    dataset = dataset_of(content, name)
    outcome = service.provider.upload(dataset, iter([content[:50], content[50:]]))
    assert isinstance(outcome, Done)
    return dataset, outcome.value


def train(service: ContractService, *, epochs: int | None = None) -> RemoteJob:
    """Create a job on a dataset that is there once."""
    dataset = dataset_of(rows_of("hello"))
    file = service.provider.find_file(dataset) or upload(service)[1]
    outcome = service.provider.create_job(model_of(training=dataset, epochs=epochs), file.id, None, ())
    assert isinstance(outcome, Done)
    return outcome.value
