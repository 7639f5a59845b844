"""What doctor says of the marks that our jobs and files were sent with."""

import pytest

from reconciler.cli.doctor import _examine_carriers
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.observed import FileId, JobId, JobStatus, Observed, RemoteFile, RemoteJob
from tests.factories import a_digest

STAMP = Stamp(Address(Kind.MODEL, "triage"), a_digest("triage"))
FILE = RemoteFile(id=FileId("file-1"), filename="t.jsonl", stamp=Stamp(Address(Kind.DATASET, "t"), a_digest("t")))
MARKED = RemoteJob(id=JobId("ftjob-1"), status=JobStatus("succeeded"), stamp=STAMP)
BARE = RemoteJob(id=JobId("ftjob-2"), status=JobStatus("running"), training_file=FileId("file-1"))
DROPPED = ["1 job on files of this project without marks, ftjob-2 for one", "kept, as 1 file of this project show"]


@pytest.mark.parametrize(
    ("observed", "carrier", "lines"),
    [
        (Observed(service="s"), "", []),
        (Observed(service="s"), "metadata", ["in metadata; not shown yet: this project has no job there"]),
        (Observed(service="s", jobs=(MARKED,)), "metadata", ["in metadata; kept, as 1 job of this project show"]),
        (Observed(service="s", files=(FILE,), unmarked=(BARE,)), "metadata", DROPPED),
        (Observed(service="s", jobs=(MARKED,), files=(FILE,), unmarked=(BARE,)), "", DROPPED),
    ],
)
def test_doctor_says_what_is_there_shows_of_our_marks(observed: Observed, carrier: str, lines: list[str]) -> None:
    found = list(_examine_carriers(carrier, observed))
    assert [(each.detail or str(each.error)).partition(": the service")[0] for each in found] == lines
    assert all((each.error is not None) == ("without marks" in line) for each, line in zip(found, lines, strict=True))
