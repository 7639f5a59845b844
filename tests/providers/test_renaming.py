"""A service with the names of the specs: old names become today's, and adopted jobs count as ours."""

from typing import cast

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model, Part
from reconciler.domain.errors import NotFoundError
from reconciler.domain.identity import Address, Kind
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import SUCCEEDED, FileId, JobId, JobStatus, ModelId, RemoteJob
from reconciler.domain.ports import Done, Notes, Provider, Refused
from reconciler.domain.renames import NameMap
from reconciler.providers import with_renames
from reconciler.testing import MemoryProvider
from tests.factories import a_dataset, a_file, a_job, a_model, observed

OLD, NEW = a_model("sorter", training=a_dataset("letters")), a_model("triage", training=a_dataset("tickets"))
CLAIMS = NameMap(
    moved={
        Address(Kind.MODEL, "sorter"): Address(Kind.MODEL, "triage"),
        Address(Kind.DATASET, "letters"): Address(Kind.DATASET, "tickets"),
    }
)
THEIRS = JobId("ftjob-theirs")
ADOPTING = NameMap(adopted={THEIRS: NEW.stamp})


def theirs(status: str = "succeeded") -> RemoteJob:
    model = ModelId("ft:theirs") if status == "succeeded" else None
    return RemoteJob(id=THEIRS, status=JobStatus(status), created_at=5, base="gpt", model=model)


def provider_with(*, job: RemoteJob | None = None) -> MemoryProvider:
    provider = MemoryProvider()
    provider.foreign += [job] if job else []
    return provider


def trained(provider: MemoryProvider, model: Model = OLD) -> JobId:
    """Upload a dataset and train a model on it with success."""
    file = provider.upload(model.training, iter([b"x" * model.training.measure.size_bytes]))
    assert isinstance(file, Done)
    job = provider.create_job(model, file.value.id, None, ())
    assert isinstance(job, Done)
    provider.finish(job.value.id)
    return job.value.id


def test_without_claims_the_provider_is_returned_unchanged() -> None:
    provider = cast(Provider, MemoryProvider())
    assert with_renames(provider, NameMap()) is provider


def test_objects_with_an_old_name_are_found_under_todays_name() -> None:
    provider = MemoryProvider()
    made = trained(provider)
    view = with_renames(provider, CLAIMS)

    (job,) = view.observe().jobs
    assert (job.id, job.stamp, job.moved_from) == (made, NEW.stamp, OLD.address)
    assert (view.job(made), view.jobs_of(NEW.stamp)) == (job, (job,))
    (file,) = view.observe().files
    assert file.filename == NEW.training.stamp.filename
    assert file.stamp
    assert file.stamp.agrees(NEW.training.stamp)
    assert view.find_file(NEW.training) == file == view.file(file.id)


def test_jobs_under_the_new_and_the_old_name_are_both_found() -> None:
    provider = MemoryProvider(clock=lambda: 1000)
    first, second = trained(provider), trained(provider, NEW)
    assert {job.id for job in with_renames(provider, CLAIMS).jobs_of(NEW.stamp)} == {first, second}
    assert [job.id for job in provider.jobs_of(NEW.stamp)] == [second]


def test_a_rename_applies_to_the_same_content_only() -> None:
    provider = MemoryProvider()
    trained(provider)
    view = with_renames(provider, CLAIMS)
    assert view.jobs_of(a_model("triage", epochs=4).stamp) == ()
    assert view.find_file(a_dataset("tickets", rows="others")) is None


def test_cancelling_under_todays_name_cancels_the_job_of_the_old_one() -> None:
    provider = MemoryProvider()
    provider.put(a_job(OLD, "running", id="ftjob-7"))
    written = with_renames(provider, CLAIMS).cancel(JobId("ftjob-7"))
    assert isinstance(written, Done)
    assert (written.value.stamp, str(written.value.status)) == (NEW.stamp, "cancelled")


def test_an_adopted_job_has_the_stamp_that_the_spec_gives_it() -> None:
    provider = provider_with(job=theirs())
    view = with_renames(provider, ADOPTING)

    (job,) = view.observe().jobs
    assert (job.id, job.stamp, job.model, job.is_adopted) == (THEIRS, NEW.stamp, "ft:theirs", True)
    assert (view.job(THEIRS), view.jobs_of(NEW.stamp)) == (job, (job,))
    assert view.jobs_of(OLD.stamp) == ()
    assert view.job(THEIRS).as_written().stamp is None, "without the claims it is not ours"


def test_an_adopted_job_is_never_cancelled() -> None:
    provider = provider_with(job=theirs("running"))
    assert isinstance(with_renames(provider, ADOPTING).cancel(THEIRS), Refused)
    assert provider.writes == {}


def test_a_missing_adopted_job_is_absent() -> None:
    view = with_renames(MemoryProvider(), ADOPTING)
    assert (view.observe().jobs, view.jobs_of(NEW.stamp)) == ((), ())
    with pytest.raises(NotFoundError, match=THEIRS):
        view.job(THEIRS)


def test_a_job_of_ours_that_is_adopted_counts_once() -> None:
    """The claim takes precedence over the job's own stamp, so no model has the job twice."""
    provider = MemoryProvider()
    made = trained(provider, a_model("another"))
    view = with_renames(provider, NameMap(adopted={made: NEW.stamp}))
    assert [(job.id, job.stamp) for job in view.observe().jobs] == [(made, NEW.stamp)]
    assert view.jobs_of(a_model("another").stamp) == ()


def test_a_job_without_a_status_is_active() -> None:
    provider = provider_with(job=RemoteJob(id=THEIRS))
    (job,) = with_renames(provider, ADOPTING).observe().jobs
    assert (job.status.is_active, job.status != SUCCEEDED) == (True, True)


class Mute:
    """A service that stores no notes."""


def test_notes_are_written_only_where_the_service_stores_them() -> None:
    assert not isinstance(with_renames(cast(Provider, Mute()), CLAIMS), Notes)
    noting = with_renames(MemoryProvider(), CLAIMS)
    assert isinstance(noting, Notes)
    left = noting.leave_note("a-note", b"{}", 3600)
    assert isinstance(left, Done)
    assert [note.name for note in noting.notes()] == ["a-note"]
    noting.remove_note(left.value.id)
    assert noting.notes() == ()


def test_both_sides_of_a_split_are_renamed_with_their_dataset() -> None:
    def held_out(name: str) -> Dataset:
        return a_dataset(name, part=Part.VALIDATION)

    claims = NameMap(moved={held_out("letters").stamp.address: held_out("tickets").stamp.address})
    renamed = claims.rename_observed(observed(a_file(held_out("letters"), id="file-9")))
    assert [(file.id, file.filename) for file in renamed.files] == [
        (FileId("file-9"), held_out("tickets").stamp.filename)
    ]
    assert claims.all_versions(held_out("tickets"))[1].stamp == held_out("letters").stamp


def test_the_lock_entry_of_todays_name_takes_precedence() -> None:
    old = LockEntry(stamp=OLD.stamp, provider="p", service="s", job=JobId("ftjob-1"), model=ModelId("ft:old"))
    new = replace(old, stamp=NEW.stamp, model=ModelId("ft:new"))
    for entries in ((old, new), (new, old)):
        assert CLAIMS.rename_lock(Lock(entries=entries)).entries == (new,)
    assert CLAIMS.rename_lock(Lock(entries=(old,))).entries == (replace(old, stamp=NEW.stamp),)


def test_a_job_that_only_a_lock_file_names_is_not_asked_for_before_a_create() -> None:
    """It may be of another service, which this one does not know, or answers with an error."""
    stamp = a_model().stamp

    class Strict(MemoryProvider):
        def job(self, job: JobId) -> RemoteJob:
            raise AssertionError(job)

    names = NameMap(recorded={JobId("ftjob-elsewhere"): stamp}, declared=frozenset({stamp.address}))
    assert with_renames(Strict(), names).jobs_of(stamp) == ()
