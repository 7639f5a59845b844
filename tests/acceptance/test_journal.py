"""The journal that an operator chooses: an intent is written before each create, and none is left afterwards."""

import json
import os

import pytest
from msgspec.structs import replace

from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.observed import JobId
from reconciler.domain.ports import Intent
from reconciler.foundation.git import Git
from reconciler.journal import DirectoryJournal, GitJournal
from reconciler.specfile import read_specs
from reconciler.workflow import locate_setting
from reconciler.workflow.plan import open_service
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


def test_a_note_of_an_old_name_counts_in_plan_and_apply_after_a_rename(quickstart: Repository) -> None:
    steps = json.loads(quickstart.run("plan", ROOT, "--json").out)["steps"]
    digest = Digest.parse(next(step["model"]["digest"] for step in steps if step["action"] == "train"))
    assert digest
    stamp = Stamp(Address(Kind.MODEL, "older-name"), digest)
    note = Intent(stamp=stamp, owner="killed", at=None, job=JobId("ftjob-bare"), doubt="without marks")
    with DirectoryJournal(quickstart.home.parent.parent / "intents" / "quickstart", machine="elsewhere") as journal:
        journal.put(replace(note, job=None, doubt=""))
        specs = quickstart.root / ROOT / "support-triage.yaml"
        text = specs.read_text(encoding="utf-8")
        specs.write_text(f"{text.rstrip()}\nmoved: older-name\n", encoding="utf-8")
        planned = quickstart.run("plan", ROOT, "--json")
        assert "as model/older-name" in json.dumps(json.loads(planned.out)["warnings"])
        journal.put(note, instead_of=replace(note, job=None, doubt=""))
    assert quickstart.run("plan", ROOT).code == 5
    refused = quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    assert refused.code == 5
    assert "ftjob-bare" in refused.out + refused.err
    assert json.loads(quickstart.run("jobs", "--specs", ROOT, "--json").out) == []


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


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_plan_reads_the_journal_that_an_apply_writes(
    quickstart: Repository, is_damaged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(quickstart.root, "init", "-q")
    steps = json.loads(quickstart.run("plan", ROOT, "--json").out)["steps"]
    train = next(step for step in steps if step["action"] == "train")
    digest = Digest.parse(train["model"]["digest"])
    assert digest
    stamp = Stamp(Address(Kind.MODEL, "support-triage"), digest)
    ref = "refs/reconciler/intents/quickstart"
    if is_damaged:
        git(quickstart.root, "commit", "--allow-empty", "-q", "-m", "first")
        git(quickstart.root, "update-ref", ref, git(quickstart.root, "hash-object", "-w", "-t", "blob", os.devnull))
    else:
        repository = Git(quickstart.root, os.environ)
        journal = GitJournal(repository, ref, clock=lambda: 0.0, sleep=lambda _: None)
        journal.put(Intent(stamp=stamp, owner="killed", at=None))
    expected = "cannot be used" if is_damaged else "the journal notes a create of this version"
    assert expected not in quickstart.run("plan", ROOT).out
    monkeypatch.setenv("RECONCILER_JOURNAL", "git")
    planned = quickstart.run("plan", ROOT)
    assert planned.code == 0
    assert expected in " ".join((planned.out + planned.err).split())
    assert "--journal directory" not in planned.out
    if is_damaged:
        assert quickstart.run("apply", ROOT, "--auto-approve", "--no-wait").code != 0
        assert json.loads(quickstart.run("jobs", "--specs", ROOT, "--json").out) == []
    monkeypatch.setenv("RECONCILER_JOURNAL", "paper")
    refused = quickstart.run("plan", ROOT)
    assert refused.code == 64
    assert "there are directory, git, remote" in refused.err


def test_a_journal_that_a_service_cannot_keep_ends_no_command_that_writes_no_note(quickstart: Repository) -> None:
    environ = {
        **os.environ,
        "RECONCILER_JOURNAL": "remote",
        "OPENAI_API_KEY": "sk-of-no-account",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }
    setting = locate_setting(quickstart.root / ROOT, environ, provider="openai-legacy")
    with open_service(setting, read_specs(setting.root, setting.workspace)) as provider:
        assert not provider.capabilities.keeps_notes
