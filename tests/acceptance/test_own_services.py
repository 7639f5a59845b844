"""A service that an operator describes outside of the repository: a spec names it, and no pull request changes it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository
from tests.service.faults.serving import KEY, serving

ROOT = "specs/quickstart"
DOCUMENT = """\
kind: Profile
name: house
url: {url}
key_variable: HOUSE_KEY
bases: [tfidf-logreg]
lists_all_bases: true
missing_fields: [seed]
bounds: {{fresh: 16, send: 30, effect: 2, list_lag: 0}}
"""


@pytest.fixture
def describe_service(
    quickstart: Repository, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Repository]:
    """A repository whose specs name the service `house`, which listens on a port of this machine."""
    outside = tmp_path_factory.mktemp("machine")
    with serving(outside / "store") as served:
        (outside / "profiles.yaml").write_text(DOCUMENT.format(url=served.url), encoding="utf-8")
        monkeypatch.setenv("RECONCILER_PROFILES", str(outside / "profiles.yaml"))
        monkeypatch.setenv("HOUSE_KEY", KEY)
        quickstart.write(f"{ROOT}/project.yaml", "kind: Project\nname: acme\nprovider: house\n")
        yield quickstart


@pytest.mark.loopback
def test_the_whole_way_at_a_service_of_one_s_own(describe_service: Repository) -> None:
    assert describe_service.run("validate", ROOT).code == 0
    plan = describe_service.run("plan", ROOT)
    assert plan.code == 0, plan.err
    assert "the metadata of the job" in plan.out + plan.err
    applied = describe_service.run("apply", ROOT, "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    assert "No changes." in describe_service.run("plan", ROOT).out
    (job,) = json.loads(describe_service.run("jobs", "--specs", ROOT, "--json").out)
    assert job["ours"]
    assert describe_service.run("run", "support-triage", "--specs", ROOT, "-p", "My card is lost").code == 0


@pytest.mark.loopback
def test_what_the_operator_says_that_it_lacks_is_refused_in_the_plan(describe_service: Repository) -> None:
    spec = f"{ROOT}/support-triage.yaml"
    describe_service.write(spec, describe_service.read(spec) + "seed: 7\n")
    refused = describe_service.run("plan", ROOT)
    assert refused.code == 3
    assert "house has no field for seed (7)" in refused.err
    describe_service.write(spec, describe_service.read(spec).replace("seed: 7\n", "").replace("tfidf-logreg", "gpt-9"))
    assert "gpt-9" in describe_service.run("plan", ROOT).err


def test_services_are_listed_and_shown(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-machine"
    outside.mkdir()
    (outside / "profiles.yaml").write_text(DOCUMENT.format(url="https://house.example/v1"), encoding="utf-8")
    monkeypatch.setenv("RECONCILER_PROFILES", str(outside / "profiles.yaml"))
    listed = repository.run("providers")
    assert listed.code == 0
    for word in ("house", "https://house.example/v1", "HOUSE_KEY", "openai-legacy", "2027-01-06"):
        assert word in listed.out
    items = {each["name"]: each for each in json.loads(repository.run("providers", "--json").out)["items"]}
    assert items["house"]["missing_fields"] == ["seed"]
    assert items["local"]["in_process"]
    assert items["openai"]["retiring"]["gpt-4.1-2025-04-14"] == "2027-01-14"
    shown = repository.run("providers", "house").out
    assert "tfidf-logreg" in shown
    assert "seed" in shown
    assert json.loads(repository.run("providers", "house", "--json").out) == items["house"]


def test_a_name_that_nothing_describes_lists_the_services(repository: Repository) -> None:
    result = repository.run("providers", "nix")
    assert result.code == 64
    assert "there are azure, compatible, local" in result.err


def test_a_pull_request_cannot_bring_a_service(quickstart: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file would decide where the key is sent."""
    quickstart.write("profiles.yaml", DOCUMENT.format(url="https://evil.example/v1"))
    quickstart.write(f"{ROOT}/project.yaml", "kind: Project\nname: acme\nprovider: house\n")
    monkeypatch.setenv("HOUSE_KEY", "key-of-a-test")
    monkeypatch.setenv("RECONCILER_PROFILES", str(quickstart.root / "profiles.yaml"))
    for command in (("plan", ROOT), ("apply", ROOT, "--auto-approve"), ("validate", ROOT)):
        result = quickstart.run(*command)
        assert result.code == 64, result.out + result.err
        assert "lies in the repository of the specs" in result.err
