"""What every provider promises of its lists: everything is in them, ours and not ours, and nothing is made up."""

import pytest

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import NotFoundError
from reconciler.domain.observed import (
    FileId,
    JobDetails,
    JobId,
    JobStatus,
    Makers,
    ModelId,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.domain.ports import Done, own_job
from reconciler.testing import dataset_of, rows_of
from tests.contract.services import HttpService, MemoryContractService
from tests.factories import a_model

Inhabited = MemoryContractService | HttpService


@pytest.fixture(params=(MemoryContractService, HttpService), ids=lambda service: service.__name__)
def service(request: pytest.FixtureRequest) -> Inhabited:
    made: Inhabited = request.param()
    return made


def ours(service: Inhabited) -> tuple[Dataset, FileId, RemoteJob]:
    content = rows_of("hello")
    dataset = dataset_of(content)
    uploaded = service.provider.upload(dataset, iter([content]))
    assert isinstance(uploaded, Done)
    created = service.provider.create_job(a_model(training=dataset), uploaded.value.id, None, ())
    assert isinstance(created, Done)
    return dataset, uploaded.value.id, created.value


def others(service: Inhabited) -> tuple[FileId, JobId]:
    """Put a file and a job there that bear nothing of ours."""
    if isinstance(service, HttpService):
        file = service.service.add_file("report.pdf", b"%PDF", purpose="assistants")
        return FileId(file), JobId(service.service.add_job(suffix="theirs", metadata={"team": "red"}))
    theirs = RemoteFile(id=FileId("file-theirs"), filename="report.pdf", purpose="assistants", created_at=1_799_999_998)
    job = RemoteJob(
        id=JobId("ftjob-theirs"),
        status=JobStatus("queued"),
        created_at=1_799_999_999,
        details=JobDetails(suffix="theirs"),
    )
    service.memory.foreign += [theirs, job, RemoteModel(id=ModelId("base"), owner="system")]
    return theirs.id, job.id


def test_lists_hold_ours_and_theirs_newest_first(service: Inhabited) -> None:
    dataset, file, job = ours(service)
    theirs, their_job = others(service)

    files = service.provider.list_files()
    assert ([each.id for each in files.items], files.list_warnings) == ([theirs, file], ())
    assert [each.stamp and each.stamp.agrees(dataset.stamp) for each in files.items] == [None, True]
    jobs = service.provider.list_jobs()
    assert ([each.id for each in jobs.items], jobs.list_warnings) == ([their_job, job.id], ())
    assert [each.stamp for each in jobs.items] == [None, job.stamp]
    assert [file.id for file in service.provider.observe().files] == [file], "looking makes nothing ours"


def test_what_a_file_holds_is_read_to_the_byte(service: Inhabited) -> None:
    _, file, _ = ours(service)
    assert b"".join(service.provider.content(file)) == rows_of("hello")
    with pytest.raises(NotFoundError):
        list(service.provider.content(FileId("file-gone")))


def test_any_object_is_read_by_its_id_in_every_project(service: Inhabited) -> None:
    _, file, job = ours(service)
    theirs, their_job = others(service)

    assert service.provider.file(theirs).filename == "report.pdf"
    assert service.provider.file(file).stamp is not None
    assert service.provider.job(their_job).details.suffix == "theirs"
    assert service.provider.job(job.id).stamp == job.stamp
    with pytest.raises(NotFoundError):
        own_job(service.provider, their_job)
    for missing in (
        lambda: service.provider.file(FileId("file-none")),
        lambda: service.provider.job(JobId("ftjob-none")),
        lambda: service.provider.model(ModelId("ft:none:at:all")),
    ):
        with pytest.raises(NotFoundError):
            missing()


def test_a_model_leads_to_its_job(service: Inhabited) -> None:
    _, _, job = ours(service)
    model = service.finish(job.id)

    assert service.provider.model(model).id == model
    assert [each.id for each in service.provider.list_models().items] == [model]
    makers = Makers.among(service.provider.list_jobs().items)
    assert [found and found.id for found in map(makers.of_model, (model, ModelId(f"{model}:ckpt-step-4")))] == [
        job.id,
        job.id,
    ]
    assert makers.of_model(ModelId("ft:other:acme::1")) is None


def test_the_last_events_are_the_newest_in_their_order(service: Inhabited) -> None:
    _, _, job = ours(service)
    for number in range(5):
        service.log(job.id, f"line {number}")

    assert [event.message for event in service.provider.events(job.id, most=2).items] == ["line 3", "line 4"]
    assert len(service.provider.events(job.id, most=99).items) == 6
