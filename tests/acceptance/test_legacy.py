"""The same spec on a server of 2021 to 2023: a separate process with the API of that time."""

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
KEY = "key-of-a-test"


@contextmanager
def serve_old_api(repository: Repository, store: Path) -> Iterator[str]:
    """The built-in service on a port, with the old names for its bases; return its base URL."""
    options = ("--port", "0", "--store", str(store), "--api-key", KEY, "--legacy-bases")
    server = repository.start("serve", *options)
    assert server.stdout
    try:
        first_line = server.stdout.readline()
        assert first_line.startswith("export OPENAI_BASE_URL="), server.communicate(timeout=10)
        yield first_line.strip().partition("=")[2]
    finally:
        server.terminate()
        try:
            server.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()
        dismiss(store)


@pytest.fixture
def old_server(quickstart: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The quickstart, with a server of the old generation that the environment names."""
    with serve_old_api(quickstart, tmp_path / "old-store") as url:
        monkeypatch.setenv("OPENAI_API_BASE", url)
        # This server lists a job as soon as it is created, so the test need not wait for the list.
        monkeypatch.setenv("RECONCILER_BOUNDS", "list_lag=0s")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield quickstart


def read_jobs(repository: Repository) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(repository.run("jobs", "--specs", ROOT, *OLD, "--json").out)
    return listed


def test_the_quickstart_is_planned_applied_and_rolled_back(old_server: Repository) -> None:
    old_server.write(SPEC, old_server.read(SPEC).replace("base: tfidf-logreg", "base: ada"))
    planned = old_server.run("plan", ROOT, *OLD)
    assert (planned.code, "1 to train" in planned.out) == (0, True), planned.err

    applied = old_server.run("apply", ROOT, *OLD, "--auto-approve")
    assert applied.code == 0, applied.err
    first = old_server.run("output", "support-triage", *OLD).out.strip()
    assert first.startswith("ada:ft-")
    assert ":support-triage-" in first

    followed = old_server.run("follow", "support-triage", *OLD)
    assert followed.code == 0, followed.err
    assert "Fine-tune succeeded" in followed.err

    again = old_server.run("plan", ROOT, *OLD, "--detailed-exitcode")
    assert (again.code, "No changes." in again.out) == (0, True), again.out
    asked = old_server.run("run", "support-triage", *OLD, "-p", "my card has not arrived yet")
    assert asked.out == "card_arrival\n", asked.err

    before = old_server.read(TRAIN)
    old_server.write(TRAIN, before.replace("How do I locate my card?", "Where on earth is my card?"))
    assert old_server.run("apply", ROOT, *OLD, "--auto-approve").code == 0
    assert old_server.run("output", "support-triage", *OLD).out.strip() != first

    old_server.write(TRAIN, before)
    shown = old_server.run("plan", ROOT, *OLD)
    assert "1 to promote, 0 to upload, 0 to train" in shown.out
    assert old_server.run("apply", ROOT, *OLD, "--auto-approve").code == 0
    assert old_server.run("output", "support-triage", *OLD).out.strip() == first
    assert len(read_jobs(old_server)) == 2


def test_a_job_that_fails_exits_six_and_is_not_paid_again(old_server: Repository) -> None:
    """The spec is the one that the tests of today's API train."""
    rows = "".join(f"question {n},a long answer about thing number {n}\n" for n in range(30))
    old_server.write(TRAIN, "prompt,completion\n" + rows)
    assert old_server.run("apply", ROOT, *OLD, "--auto-approve").code == 6
    assert old_server.run("follow", "support-triage", *OLD).code == 6
    held = old_server.run("apply", ROOT, *OLD, "--auto-approve")
    assert held.code == 6
    assert "--retry support-triage" in held.out
    assert len(read_jobs(old_server)) == 1


def test_a_running_job_is_waited_for_and_not_created_twice(old_server: Repository) -> None:
    """Another process recognises the job before it has a model with a name."""
    slow = old_server.read(SPEC).replace("base: tfidf-logreg", "base: davinci") + "hyperparameters:\n  n_epochs: 50\n"
    old_server.write(SPEC, slow)
    assert old_server.run("apply", ROOT, *OLD, "--auto-approve", "--no-wait").code == 0
    planned = old_server.run("plan", ROOT, *OLD, "--detailed-exitcode")
    assert planned.code == 0, planned.out
    assert [job["address"] for job in read_jobs(old_server)] == ["model/support-triage"]
    assert old_server.run("cancel", "support-triage", *OLD, "--auto-approve").code == 0
    assert "--retry support-triage" in old_server.run("plan", ROOT, *OLD).out
    assert len(read_jobs(old_server)) == 1


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("seed: 42\n", ("9:7 seed:", "no field for seed", "remove seed")),
        (f"suffix: {'a' * 41}\n", ("9:9 suffix:", "the suffix has 41 characters", "shorten the suffix")),
        ("extra: {integrations: []}\n", ("9:23 extra.integrations:", "no field for extra.integrations")),
    ],
    ids=["seed", "suffix", "extra"],
)
def test_a_field_that_the_old_api_lacks_is_refused_before_anything_is_sent_or_cancelled(
    old_server: Repository, command: list[str], fields: str, words: tuple[str, ...]
) -> None:
    spec = old_server.read(SPEC).replace("base: tfidf-logreg", "base: ada")
    old_server.write(SPEC, spec + fields)
    result = old_server.run(*command, ROOT, *OLD)
    assert result.code == 3
    found = " ".join(result.err.split())
    assert all(each in found for each in words), found
    assert read_jobs(old_server) == []


def test_rows_that_the_old_api_does_not_take_are_refused_before_anything_is_sent(old_server: Repository) -> None:
    mapping = 'source: data/train.csv\nprompt: "{prompt}"\ncompletion: "{completion}"\n'
    spec = old_server.read(SPEC).replace("base: tfidf-logreg", "base: ada")
    old_server.write(SPEC, spec.replace("source: data/train.csv\n", mapping))
    result = old_server.run("plan", ROOT, *OLD)
    assert (result.code, "its rows are conversations" in result.err) == (3, True), result.err


def test_without_an_address_the_error_names_the_variable_to_set(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    result = quickstart.run("plan", ROOT, *OLD)
    assert result.code == 64
    assert "OPENAI_API_BASE" in result.err
