"""The journal that an operator chooses: an intent is written before each create, and none is left afterwards."""

import json

import pytest

from tests.acceptance.conftest import Repository
from tests.journal.stores import git

ROOT = "specs/quickstart"


def notes(repository: Repository) -> list[str]:
    left = (repository.home.parent.parent / "intents").rglob("*.json")
    return [path.name for path in left]


@pytest.mark.parametrize("kind", ["directory", "git", "remote"])
def test_an_apply_leaves_one_job_and_an_empty_journal(
    quickstart: Repository, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(quickstart.root, "init", "-q")
    monkeypatch.setenv("RECONCILER_JOURNAL", kind)
    assert quickstart.run("apply", ROOT, "--auto-approve", "--no-wait").code == 0
    assert len(json.loads(quickstart.run("jobs", "--specs", ROOT, "--json").out)) == 1
    assert notes(quickstart) == []
    assert git(quickstart.root, "for-each-ref", "refs/reconciler") == ""
    assert "reconciler-note" not in quickstart.run("files", "--specs", ROOT, "--json").out
    assert (quickstart.home.parent.parent / "intents").exists() == (kind == "directory")


def test_a_journal_setting_that_cannot_be_used_is_refused_before_any_request(quickstart: Repository) -> None:
    result = quickstart.run("apply", ROOT, "--auto-approve", "--journal", "remote", "--bound", "list_lag=1m")
    assert (result.code, result.out) == (64, "")
    assert "--bound fresh=TIME" in result.err
    result = quickstart.run("apply", ROOT, "--auto-approve", "--bound", "patience=1m")
    assert (result.code, result.out) == (64, "")
    assert "no bound 'patience'; there are fresh, send, effect, list_lag, ready, cancel" in result.err
    result = quickstart.run("apply", ROOT, "--auto-approve", "--journal", "git")
    assert result.code == 64
    assert "no repository" in result.err
    assert json.loads(quickstart.run("jobs", "--specs", ROOT, "--json").out) == []
