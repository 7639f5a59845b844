"""A person sees and mends what is in the way: the notes of the journal, and a lock file that is damaged."""

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import PolicyError, UsageError
from reconciler.domain.identity import Digest, Stamp
from reconciler.domain.observed import JobId
from reconciler.domain.ports import Intent
from reconciler.journal import DirectoryJournal, JournalAccount
from reconciler.workflow.mending import clear_notes, list_notes, select_notes
from tests.acceptance.conftest import Repository
from tests.factories import a_model
from tests.service.service_fixtures import dismiss

ROOT = "specs/quickstart"
WHERE = ("--specs", ROOT)
STAMP = Stamp(a_model("support-triage").address, Digest("v1", "ab" * 32))
INTENT = Intent(stamp=STAMP, owner="run-1", at=1_790_000_000.0, job=JobId("ftjob-lost"))


def journal(repository: Repository, account: JournalAccount = JournalAccount()) -> DirectoryJournal:  # noqa: B008
    return DirectoryJournal(repository.home.parent.parent / "intents" / "quickstart", account=account)


def leave_note(repository: Repository, intent: Intent = INTENT, organization: str = "org-one") -> None:
    """Leave a note as a run does that is killed after it."""
    repository.run("plan", ROOT)
    with journal(repository, JournalAccount(organization=organization)) as opened:
        assert opened.put(intent) == intent


def test_the_notes_of_interrupted_runs_are_listed(quickstart: Repository) -> None:
    assert "is empty" in quickstart.run("journal", "list", *WHERE).out
    assert json.loads(quickstart.run("journal", "list", *WHERE, "--json").out) == []
    leave_note(quickstart)
    (line,) = quickstart.run("journal", "list", *WHERE).out.splitlines()
    for word in ("model/support-triage", "job ftjob-lost", "2026-09-21 14:13:20 UTC", "run run-1", "account org-one"):
        assert word in line
    (note,) = json.loads(quickstart.run("journal", "list", *WHERE, "--json").out)
    assert (note["address"], note["job"], note["run"]) == ("model/support-triage", "ftjob-lost", "run-1")
    assert (note["organization"], note["is_active"]) == ("org-one", False)


@pytest.mark.parametrize("at", [1e300, -1e12])
def test_a_note_of_a_time_that_is_no_date_is_listed(quickstart: Repository, at: float) -> None:
    leave_note(quickstart, replace(INTENT, at=at))
    assert "job ftjob-lost, written" in quickstart.run("journal", "list", *WHERE).out


def test_a_doubt_about_a_job_is_listed(quickstart: Repository) -> None:
    doubted = replace(INTENT, doubt="without the metadata that was sent")
    leave_note(quickstart, doubted)
    assert "in doubt: answered without the metadata that was sent" in quickstart.run("journal", "list", *WHERE).out
    (note,) = json.loads(quickstart.run("journal", "list", *WHERE, "--json").out)
    assert note["doubt"] == "without the metadata that was sent"


@pytest.mark.parametrize("name", ["ftjob-lost", "support-triage", "model/support-triage", str(STAMP)])
def test_a_note_is_taken_out_by_its_job_its_model_or_its_stamp(quickstart: Repository, name: str) -> None:
    leave_note(quickstart)
    assert quickstart.run("journal", "clear", name, *WHERE).code == 64, "there is no terminal to ask on"
    assert len(journal(quickstart).notes()) == 1
    result = quickstart.run("journal", "clear", name, *WHERE, "--auto-approve")
    assert result.code == 0
    assert "1 note" in result.out
    assert "reconciler jobs" in result.err
    assert journal(quickstart).notes() == ()


def test_a_name_that_no_note_has_is_wrong_usage(quickstart: Repository) -> None:
    leave_note(quickstart)
    result = quickstart.run("journal", "clear", "another", *WHERE, "--auto-approve")
    assert result.code == 64
    assert "there are notes about: support-triage" in result.err


def test_a_note_that_a_run_changes_while_the_person_is_asked_stays(quickstart: Repository) -> None:
    leave_note(quickstart)
    with journal(quickstart) as opened:
        shown = select_notes(list_notes(opened), "support-triage")
        changed = replace(INTENT, job=JobId("ftjob-2"))
        assert opened.put(changed, instead_of=INTENT) == changed
    with journal(quickstart) as opened:
        with pytest.raises(PolicyError, match="nothing was taken out"):
            clear_notes(opened, shown, "support-triage")
        assert opened.open_intents() == (changed,)
        clear_notes(opened, select_notes(list_notes(opened), "support-triage"), "support-triage")
        assert opened.open_intents() == ()
        with pytest.raises(UsageError, match="no note"):
            clear_notes(opened, shown, "support-triage")


def test_the_note_of_a_run_that_is_at_work_stays(quickstart: Repository) -> None:
    quickstart.run("plan", ROOT)
    with journal(quickstart) as theirs:
        theirs.put(INTENT)
        assert "its run is at work" in quickstart.run("journal", "list", *WHERE).out
        result = quickstart.run("journal", "clear", "support-triage", *WHERE, "--auto-approve")
        assert result.code == 5
        assert "still at work" in result.err
        assert len(theirs.notes()) == 1


def test_two_checkouts_of_one_machine_share_the_journal(
    quickstart: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    leave_note(quickstart)
    other = Repository(tmp_path_factory.mktemp("clone"), quickstart.capture)
    shutil.copytree(quickstart.root, other.root, dirs_exist_ok=True)
    assert other.home != quickstart.home
    assert "ftjob-lost" in other.run("journal", "list", *WHERE).out
    dismiss(other.store)


@pytest.mark.parametrize("damage", ["cut", "empty", "conflict"])
def test_a_damaged_lock_is_mended_by_the_command_that_its_message_names(quickstart: Repository, damage: str) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    path = quickstart.root / ROOT / "models.lock.yaml"
    whole = path.read_text(encoding="utf-8")
    conflict = whole.replace("kind: Lock", "<<<<<<< ours\nkind: Lock\n=======\nkind: Lock\n>>>>>>> theirs")
    path.write_text({"cut": whole[:-40], "empty": "", "conflict": conflict}[damage], encoding="utf-8")

    refused = quickstart.run("plan", ROOT)
    assert refused.code == 3
    command = f"reconciler lock rebuild --specs {ROOT}"
    if damage != "conflict":
        assert command in " ".join(refused.err.split())
    result = quickstart.run(*command.split()[1:])

    assert result.code == 0
    assert path.read_text(encoding="utf-8") == whole
    assert "No changes." in quickstart.run("plan", ROOT).out


def test_a_lock_that_is_whole_keeps_what_other_accounts_hold(quickstart: Repository) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    path = quickstart.root / ROOT / "models.lock.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(at for at, line in enumerate(lines) if line.startswith("  - address"))
    entry = "".join(lines[start:-1])
    other = entry.replace("service: local/", "service: zz.example/org-theirs-")
    path.write_text("".join(lines[:-1]) + other + lines[-1], encoding="utf-8")
    found = json.loads(quickstart.run("lock", "rebuild", *WHERE, "--json").out)
    assert (found["kept_of_other_accounts"], found["was_damaged"], found["missing"]) == (1, False, [])
    assert "zz.example/org-theirs-" in path.read_text(encoding="utf-8")


def test_a_model_without_a_finished_job_is_named(quickstart: Repository) -> None:
    result = quickstart.run("lock", "rebuild", *WHERE)
    assert result.code == 0
    assert "model/support-triage: no finished model" in result.out


def test_an_environment_has_its_own_lock_in_the_message(tmp_path: Path, quickstart: Repository) -> None:
    quickstart.write(f"{ROOT}/models.lock.yaml", "# cut")
    (tmp_path / ROOT / "models.lock.yaml").rename(tmp_path / ROOT / "models.staging.lock.yaml")
    text = "environments:\n  staging: {}\n"
    project = next(path for path in (tmp_path / ROOT).rglob("*.yaml") if "kind: Project" in path.read_text())
    project.write_text(project.read_text().replace("kind: Project\n", f"kind: Project\n{text}"), encoding="utf-8")
    refused = quickstart.run("plan", ROOT, "--env", "staging")
    assert f"lock rebuild --specs {ROOT} --env staging" in " ".join(refused.err.split())
