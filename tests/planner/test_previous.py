"""The version of a dataset before this one is what its models last learned from; else the newest that is there."""

from msgspec.structs import replace

from reconciler.domain.identity import Address, Kind
from reconciler.domain.observed import FileId, Observed, RemoteFile, RemoteJob
from reconciler.planner import files_before
from tests.factories import LONG_AGO, a_dataset, a_file, a_job, a_model

USERS = {Address(Kind.MODEL, "triage")}
VERSIONS = {rows: a_dataset(rows=rows) for rows in ("first", "second", "third")}


def file(rows: str, age: int = 0, status: str = "processed") -> RemoteFile:
    """A file with one version of the rows."""
    return replace(a_file(VERSIONS[rows], id=f"file-{rows}", status=status), created_at=LONG_AGO - age)


def job(rows: str, status: str = "succeeded", age: int = 0, validation: str | None = None) -> RemoteJob:
    """A job that learned from one version of the rows."""
    made = a_job(a_model(training=VERSIONS[rows]), status, id=f"ftjob-{rows}", age=age)
    held_back = FileId(validation) if validation else None
    return replace(made, training_file=FileId(f"file-{rows}"), validation_file=held_back)


def before(*things: RemoteFile | RemoteJob, current: str = "third") -> list[str]:
    files = tuple(each for each in things if isinstance(each, RemoteFile))
    jobs = tuple(each for each in things if isinstance(each, RemoteJob))
    observed = Observed(service="here", files=files, jobs=jobs)
    return [str(each.id) for each in files_before("tickets", USERS, observed, [VERSIONS[current].stamp])]


def test_the_newest_job_that_succeeded_says_what_came_before() -> None:
    files = (file("first"), file("second"))

    assert before(*files, job("first", age=9), job("second", age=5)) == ["file-second"]
    assert before(*files, job("first", age=9), job("second", "failed")) == ["file-first"]
    assert before(*files, job("second", "failed")) == ["file-second"]


def test_what_is_wanted_now_is_no_version_before() -> None:
    assert before(file("first"), file("third"), job("first", age=9), job("third")) == ["file-first"]
    assert before(file("third"), job("third")) == []


def test_without_a_job_the_newest_file_counts() -> None:
    assert before(file("first", age=9), file("second")) == ["file-second"]
    assert before(file("first", age=9), file("second", status="error")) == ["file-first"]


def test_a_job_whose_file_is_gone_says_nothing() -> None:
    assert before(file("first"), job("first", age=9), job("second")) == ["file-first"]


def test_jobs_and_files_of_others_are_not_looked_at() -> None:
    others = a_job(a_model("other", training=VERSIONS["second"]), id="ftjob-second")
    letters = replace(a_file(a_dataset("letters")), id=FileId("file-letters"))

    assert before(file("first"), letters, job("first", age=9), others) == ["file-first"]


def test_both_sides_of_a_split_come_together_training_first() -> None:
    held_back = replace(VERSIONS["first"].stamp, address=Address(Kind.DATASET, "tickets.validation"))
    validation = replace(file("first"), id=FileId("file-v"), filename=held_back.filename, stamp=held_back)

    used = job("first", validation="file-v")

    assert before(validation, file("first"), used) == ["file-first", "file-v"]
    assert before(validation, file("first")) == ["file-first", "file-v"]
