"""`apply` against a service with faults: one job, whatever happens to the answers."""

from pathlib import Path

import httpx
import pytest

from reconciler.cli.app import run
from tests.service.faults.serving import KEY, Served, serving
from tests.service.service_fixtures import jsonl, wait_until

pytestmark = pytest.mark.loopback

SPEC = """
kind: Dataset
name: numbers
source: rows.jsonl
---
kind: Model
name: parity
base: tfidf-logreg
training: numbers
"""


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a model that takes a moment to train."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "all.yaml").write_text(SPEC)
    rows = [{"prompt": f"question {number}", "completion": "even" if number % 2 else "odd"} for number in range(20)]
    (tmp_path / "specs" / "rows.jsonl").write_bytes(jsonl(rows))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def apply(served: Served, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `reconciler apply` against a service; return its exit code."""
    monkeypatch.setenv("RECONCILER_LOCAL_URL", served.url)
    monkeypatch.setenv("RECONCILER_LOCAL_KEY", KEY)
    return run(["apply", "--auto-approve", "--no-wait"])


def jobs(served: Served) -> list[str]:
    """The ids of all jobs that the service lists."""
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.get(f"{served.url}/fine_tuning/jobs", headers=headers, trust_env=False)
    return [job["id"] for job in answer.json()["data"]]


@pytest.mark.parametrize(
    "faults",
    [
        ("lost=after,method=POST,path=/fine_tuning/jobs,nth=1",),
        ("gateway=504,when=after,method=POST,path=/fine_tuning/jobs,nth=1",),
        (
            "too-many=rate_limit_exceeded,retry-after=1,method=GET,path=/fine_tuning/jobs,nth=1",
            "list-lag=1.5,path=/fine_tuning/jobs",
            "lost=after,method=POST,path=/files,nth=1",
            "lost=after,method=POST,path=/fine_tuning/jobs,nth=1",
            "slow-files=1",
        ),
    ],
    ids=["lost", "gateway", "everything"],
)
def test_apply_converges_to_one_job(
    specs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    with serving(tmp_path / "store", *faults) as served:
        assert apply(served, monkeypatch) == 0
        assert apply(served, monkeypatch) == 0
        wait_until(lambda: jobs(served) != [])
        assert len(jobs(served)) == 1


def test_a_job_that_is_listed_late_is_not_created_twice(
    specs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The lists lag longer than the service promises: the outcome is unknown, and the next run adopts the job."""
    faults = ("lost=after,method=POST,path=/fine_tuning/jobs,nth=1", "list-lag=6,path=/fine_tuning/jobs")
    with serving(tmp_path / "store", *faults) as served:
        assert apply(served, monkeypatch) == 9
        wait_until(lambda: jobs(served) != [])
        assert apply(served, monkeypatch) == 0
        assert len(jobs(served)) == 1
