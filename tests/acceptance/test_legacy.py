"""The same spec on a server of 2021 to 2023: a process of its own, reached over the API that it had then."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository
from tests.service.service_fixtures import dismiss

pytestmark = pytest.mark.loopback

ROOT = "specs/quickstart"
TRAIN = f"{ROOT}/data/train.csv"
SPEC = f"{ROOT}/support-triage.yaml"
OLD = ("--provider", "openai-legacy")
KEY = "key-of-a-story"


@contextmanager
def serving(repository: Repository, store: Path) -> Iterator[str]:
    """The built-in service on a port, with the old names for its bases; return its base URL."""
    options = ("--port", "0", "--store", str(store), "--api-key", KEY, "--legacy-bases")
    server = repository.start("serve", *options)
    assert server.stdout
    try:
        said = server.stdout.readline()
        assert said.startswith("export OPENAI_BASE_URL="), server.communicate(timeout=10)
        yield said.strip().partition("=")[2]
    finally:
        server.terminate()
        try:
            server.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()
        dismiss(store)


@pytest.fixture
def old(quickstart: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The quickstart, with a server of the old generation that the environment names."""
    with serving(quickstart, tmp_path / "old-store") as url:
        monkeypatch.setenv("OPENAI_API_BASE", url)
        # This server shows a job in the moment in which it makes it; a test need not wait for a slower one.
        monkeypatch.setenv("RECONCILER_BOUNDS", "list_lag=0s")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield quickstart


def jobs(repository: Repository) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(repository.run("jobs", "--specs", ROOT, *OLD, "--json").out)
    return listed


def test_the_quickstart_from_plan_to_answer_and_back(old: Repository) -> None:
    old.write(SPEC, old.read(SPEC).replace("base: tfidf-logreg", "base: ada"))
    planned = old.run("plan", ROOT, *OLD)
    assert (planned.code, "1 to train" in planned.out) == (0, True), planned.err

    applied = old.run("apply", ROOT, *OLD, "--auto-approve")
    assert applied.code == 0, applied.err
    first = old.run("output", "support-triage", *OLD).out.strip()
    assert first.startswith("ada:ft-")
    assert ":support-triage-" in first

    followed = old.run("follow", "support-triage", *OLD)
    assert followed.code == 0, followed.err
    assert "Fine-tune succeeded" in followed.err

    again = old.run("plan", ROOT, *OLD, "--detailed-exitcode")
    assert (again.code, "No changes." in again.out) == (0, True), again.out
    asked = old.run("run", "support-triage", *OLD, "-p", "my card has not arrived yet")
    assert asked.out == "card_arrival\n", asked.err

    before = old.read(TRAIN)
    old.write(TRAIN, before.replace("How do I locate my card?", "Where on earth is my card?"))
    assert old.run("apply", ROOT, *OLD, "--auto-approve").code == 0
    assert old.run("output", "support-triage", *OLD).out.strip() != first

    old.write(TRAIN, before)
    shown = old.run("plan", ROOT, *OLD)
    assert "1 to promote, 0 to upload, 0 to train" in shown.out
    assert old.run("apply", ROOT, *OLD, "--auto-approve").code == 0
    assert old.run("output", "support-triage", *OLD).out.strip() == first
    assert len(jobs(old)) == 2


def test_a_job_that_fails_exits_six_and_is_not_paid_again(old: Repository) -> None:
    """With the very spec that is trained here through the API of today."""
    rows = "".join(f"question {n},a long answer about thing number {n}\n" for n in range(30))
    old.write(TRAIN, "prompt,completion\n" + rows)
    assert old.run("apply", ROOT, *OLD, "--auto-approve").code == 6
    assert old.run("follow", "support-triage", *OLD).code == 6
    held = old.run("apply", ROOT, *OLD, "--auto-approve")
    assert held.code == 6
    assert "--retry support-triage" in held.out
    assert len(jobs(old)) == 1


def test_a_running_job_is_waited_for_and_not_created_beside(old: Repository) -> None:
    """Another process knows the job before there is a model whose name could tell."""
    slow = old.read(SPEC).replace("base: tfidf-logreg", "base: davinci") + "hyperparameters:\n  n_epochs: 50\n"
    old.write(SPEC, slow)
    assert old.run("apply", ROOT, *OLD, "--auto-approve", "--no-wait").code == 0
    planned = old.run("plan", ROOT, *OLD, "--detailed-exitcode")
    assert planned.code == 0, planned.out
    assert [job["address"] for job in jobs(old)] == ["model/support-triage"]
    assert old.run("cancel", "support-triage", *OLD, "--auto-approve").code == 0
    assert "--retry support-triage" in old.run("plan", ROOT, *OLD).out
    assert len(jobs(old)) == 1


def test_what_that_api_has_no_field_for_is_refused_with_its_name(old: Repository) -> None:
    old.write(SPEC, old.read(SPEC).replace("base: tfidf-logreg", "base: ada") + "seed: 42\n")
    said = old.run("apply", ROOT, *OLD, "--auto-approve")
    assert said.code == 8
    assert "no field for seed" in said.err
    assert "remove seed" in said.err
    assert jobs(old) == []


def test_without_an_address_it_says_which_variable_to_set(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    said = quickstart.run("plan", ROOT, *OLD)
    assert said.code == 64
    assert "OPENAI_API_BASE" in said.err
