"""Old names and adopted jobs in specs, and every way in which two statements contradict each other."""

from pathlib import Path

import pytest

from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import JobId, ModelId, RemoteJob
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import Adoption
from tests.specfile.trees import DATASET, MODEL, problem_lines, specs_of

OTHER = MODEL.replace("triage", "other")
DIGEST = "v1:" + "ab" * 32


def test_old_names_suspension_and_adoption_are_read(tmp_path: Path) -> None:
    adopt = f"adopt:\n  job: ftjob-1\n  digest: {DIGEST}\n"
    files: dict[str, str | bytes] = {
        "a.yaml": f"{DATASET}moved: letters\n---\n{MODEL}moved: [sorter, queues]\nsuspend: true\n{adopt}---\n{OTHER}"
    }
    specs = specs_of(tmp_path, files)
    other, triage = specs.models
    assert specs.datasets[0].moved == ("letters",)
    assert (triage.moved, triage.suspend) == (("sorter", "queues"), True)
    assert triage.adopt == Adoption(job=JobId("ftjob-1"), digest=Digest("v1", "ab" * 32))
    assert (other.moved, other.suspend, other.adopt) == ((), False, None)

    claims = NameMap.of(specs)
    assert {str(old): str(new) for old, new in claims.moved.items()} == {
        "dataset/letters": "dataset/tickets",
        "dataset/letters.validation": "dataset/tickets.validation",
        "model/queues": "model/triage",
        "model/sorter": "model/triage",
    }
    assert [(job, str(stamp.address)) for job, stamp in claims.adopted.items()] == [("ftjob-1", "model/triage")]
    assert Address(Kind.MODEL, "triage") not in claims.moved


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ((DATASET, f"{MODEL}moved: triage\n"), ["11:8  moved: 'triage' is its name now"]),
        ((DATASET, OTHER, f"{MODEL}moved: other\n"), ["there is still a Model named 'other', at s.yaml:8:7"]),
        ((DATASET, f"{MODEL}moved: old\n", f"{OTHER}moved: [old]\n"), ["listed twice, first at s.yaml:11:8"]),
        ((DATASET, f"{MODEL}moved: [old, old]\n"), ["the old name 'old' is listed twice"]),
        ((DATASET, f"{MODEL}moved: other\n", f"{OTHER}moved: triage\n"), ["there is still", "there is still"]),
        ((f"{DATASET}moved: tickets\n",), ["'tickets' is its name now"]),
        ((DATASET, f"{MODEL}moved: tickets\n"), []),
        ((DATASET, f"{MODEL}moved: Old Name\n"), ["must be a name, or a list of names, is 'Old Name'"]),
        ((DATASET, f"{MODEL}moved: []\n"), ["must not be empty"]),
        ((DATASET, f"{MODEL}suspend: yes\n"), ["must be true or false, is 'yes'"]),
        ((DATASET, f"{MODEL}adopt: ftjob-1\n"), ["must be a mapping of fields"]),
        ((DATASET, f"{MODEL}adopt: {{job: ftjob-1}}\n"), ["adopt.digest: this is missing"]),
        ((DATASET, f"{MODEL}adopt: {{job: ftjob-1, digest: 'v1:12'}}\n"), ["must be a digest"]),
        (
            (DATASET, *(f"{each}adopt: {{job: ftjob-1, digest: '{DIGEST}'}}\n" for each in (MODEL, OTHER))),
            ["job 'ftjob-1' is adopted twice, first at"],
        ),
    ],
)
def test_contradictions_are_reported_with_their_place(
    tmp_path: Path, documents: tuple[str, ...], expected: list[str]
) -> None:
    found = problem_lines(tmp_path, *documents)
    assert len(found) == len(expected), found
    for says, part in zip(found, expected, strict=True):
        assert part in says


def test_old_names_suspension_and_adoption_are_not_part_of_a_digest(tmp_path: Path) -> None:
    """So a rename, a suspension or an adoption trains nothing."""
    plain = specs_of(tmp_path / "a", {"a.yaml": f"{DATASET}---\n{MODEL}"}).models[0]
    more = f"moved: old\nsuspend: true\nadopt: {{job: ftjob-1, digest: '{DIGEST}'}}\n"
    full = specs_of(tmp_path / "b", {"a.yaml": f"{DATASET}---\n{MODEL}{more}"}).models[0]
    assert plain.recipe == full.recipe


def test_a_lock_file_remembers_the_name_of_a_job_after_moved_has_left_the_spec(tmp_path: Path) -> None:
    specs = specs_of(tmp_path, {"a.yaml": f"{DATASET}---\n{MODEL}"})
    stamp = Stamp(Address(Kind.MODEL, "triage"), Digest("v1", "ab" * 32))
    entry = LockEntry(stamp=stamp, provider="openai", service="api", job=JobId("ftjob-1"), model=ModelId("ft:1"))
    names = NameMap.of(specs, (Lock(entries=(entry,)),))

    def rename(name: str, digest: str = "ab" * 32, job: str = "ftjob-1") -> str:
        written = Stamp(Address(Kind.MODEL, name), Digest("v1", digest))
        return names.rename_job(RemoteJob(id=JobId(job), stamp=written)).address.name

    assert rename("older-name") == "triage"
    assert rename("older-name", digest="cd" * 32) == "older-name", "another version is not what the entry names"
    assert rename("older-name", job="ftjob-2") == "older-name"
    assert NameMap.of(specs).rename_job(RemoteJob(id=JobId("ftjob-1"), stamp=None)).stamp is None


def test_a_lock_file_takes_no_job_from_a_name_that_the_specs_declare(tmp_path: Path) -> None:
    specs = specs_of(tmp_path, {"a.yaml": f"{DATASET}---\n{MODEL}---\n{OTHER}"})
    stamp = Stamp(Address(Kind.MODEL, "triage"), Digest("v1", "ab" * 32))
    entry = LockEntry(stamp=stamp, provider="openai", service="api", job=JobId("ftjob-1"), model=ModelId("ft:1"))
    others = Stamp(Address(Kind.MODEL, "other"), stamp.digest)
    job = RemoteJob(id=JobId("ftjob-1"), stamp=others)
    assert NameMap.of(specs, (Lock(entries=(entry,)),)).rename_job(job) == job
