"""What a commit brings is never our own state: no journal, no store, no applied plan and no measure from a checkout."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.domain.errors import UnusablePlaceError
from reconciler.foundation.private import NotPrivateError, check_private
from reconciler.service.store import open_store
from reconciler.workflow.home import check_home, find_home, is_home_private, make_home
from tests.acceptance.conftest import Repository, quickstart, repository
from tests.service.service_fixtures import dismiss

__all__ = ["quickstart", "repository"]

ROOT = "specs/quickstart"


@pytest.fixture
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the person who runs a plan."""
    path = tmp_path_factory.mktemp("victim") / "thesis.txt"
    path.write_text("mine\n", encoding="utf-8")
    return path


def plant_store(place: Path, victim: Path) -> None:
    """Make a store whose expired file has the path of another file as its id."""
    store = open_store(place)
    with closing(sqlite3.connect(store.database)) as db, db:
        db.execute(
            "INSERT INTO files (id, filename, purpose, size_bytes, created_at, expires_at)"
            f" VALUES ('{victim}', 'f', 'fine-tune', 5, 1, 2)"
        )


@pytest.mark.parametrize("command", [["plan", ROOT], ["status", "--specs", ROOT], ["apply", ROOT, "--auto-approve"]])
def test_a_committed_store_is_not_opened(quickstart: Repository, victim: Path, command: list[str]) -> None:
    plant_store(quickstart.root / ".reconciler" / "local", victim)
    result = quickstart.run(*command)
    assert victim.read_text(encoding="utf-8") == "mine\n"
    assert result.code == 74
    assert "State in a checkout is no longer believed" in result.err
    assert not quickstart.store.exists()


@pytest.mark.parametrize("linked", [".reconciler", ".reconciler/local", ".reconciler/journal", ".reconciler/cache"])
def test_a_committed_link_leads_nowhere(quickstart: Repository, victim: Path, linked: str) -> None:
    target = victim.parent / "notes"
    target.mkdir()
    (target / "thesis.json").write_text("mine\n", encoding="utf-8")
    (target / "thesis.jsonl").write_text("mine\n", encoding="utf-8")
    (quickstart.root / linked).parent.mkdir(exist_ok=True)
    (quickstart.root / linked).symlink_to(target)
    quickstart.run("plan", ROOT)
    quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    assert sorted(path.name for path in target.iterdir()) == ["thesis.json", "thesis.jsonl"]


def list_ids(repository: Repository) -> list[str]:
    return [each["id"] for each in json.loads(repository.run("jobs", "--specs", ROOT, "--json").out)]


def test_the_state_of_a_machine_is_used_whatever_a_commit_brings_later(quickstart: Repository, victim: Path) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve", "--no-wait").code == 0
    before = list_ids(quickstart)
    plant_store(quickstart.root / ".reconciler" / "local", victim)
    # The job goes on meanwhile, so its state is not compared.
    assert list_ids(quickstart) == before
    assert victim.exists()


@pytest.fixture
def old_checkout(quickstart: Repository) -> Repository:
    """A checkout whose state an earlier version of the program kept inside of it."""
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    dismiss(quickstart.store)
    old = quickstart.root / ".reconciler"
    shutil.move(quickstart.home, old)
    (old / "journal" / "local-0a1b2c3d" / "quickstart" / "notes").mkdir(parents=True)
    return quickstart


def test_the_message_about_state_in_a_checkout_names_a_command_that_moves_it(old_checkout: Repository) -> None:
    refused = old_checkout.run("plan", ROOT)
    assert refused.code == 74
    command = refused.err.partition("when nothing runs: ")[2].partition("  If it is not")[0]

    subprocess.run(command, shell=True, check=True)

    assert "No changes." in old_checkout.run("plan", ROOT).out
    dismiss(old_checkout.store)


def test_the_message_about_state_in_a_checkout_names_a_command_that_removes_it(old_checkout: Repository) -> None:
    command = old_checkout.run("plan", ROOT).err.partition("If it is not, remove it: ")[2].strip()
    subprocess.run(command, shell=True, check=True)
    assert not (old_checkout.root / ".reconciler").exists()
    assert old_checkout.run("plan", ROOT).code == 0


def test_an_old_directory_that_holds_only_caches_is_passed_over(quickstart: Repository) -> None:
    quickstart.write(".reconciler/cache/measures/x.json", "{}")
    quickstart.write(".reconciler/journal/local/quickstart/lock", "")
    assert quickstart.run("plan", ROOT).code == 0


def git(root: Path, *arguments: str) -> None:
    names = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    subprocess.run(["git", "-C", str(root), *names, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["state", "State"])
def test_a_chosen_directory_that_git_tracks_is_refused(
    quickstart: Repository, victim: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (quickstart.root / ".git").rmdir()
    git(quickstart.root, "init", "--quiet")
    plant_store(quickstart.root / name / "local", victim)
    git(quickstart.root, "add", "--force", "--all")
    if name == "State":
        # On a file system without case both names are one.
        (quickstart.root / name).rename(quickstart.root / "state")
    monkeypatch.setenv("RECONCILER_HOME", "state")
    result = quickstart.run("plan", ROOT)
    assert (result.code, victim.exists()) == (74, True)
    assert "is tracked by git" in result.err
    home = find_home(quickstart.root, os.environ)
    assert not is_home_private(home, quickstart.root, os.environ)


@pytest.mark.parametrize("link", ["build", "build/state"])
def test_a_link_on_the_way_to_a_chosen_directory_in_the_checkout_is_refused(
    tmp_path: Path, victim: Path, link: str
) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / link).parent.mkdir(exist_ok=True)
    (checkout / link).symlink_to(victim.parent)
    environ = {**os.environ, "RECONCILER_HOME": str(checkout / "build" / "state")}
    with pytest.raises(UnusablePlaceError, match="it is a link"):
        check_home(find_home(checkout, environ), checkout, environ)


def test_a_chosen_directory_that_another_repository_tracks_is_refused(tmp_path: Path, victim: Path) -> None:
    """The specs may be in a submodule, or in a clone inside of the repository that brings the directory."""
    git(tmp_path, "init", "--quiet")
    plant_store(tmp_path / "state" / "local", victim)
    git(tmp_path, "add", "--force", "--all")
    inner = tmp_path / "inner"
    (inner / ".git").mkdir(parents=True)
    environ = {**os.environ, "RECONCILER_HOME": str(tmp_path / "state")}
    with pytest.raises(UnusablePlaceError, match="is tracked by git"):
        check_home(find_home(inner, environ), inner, environ)


def test_a_chosen_directory_in_a_checkout_that_git_does_not_track_is_used(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    (quickstart.root / ".git").rmdir()
    git(quickstart.root, "init", "--quiet")
    monkeypatch.setenv("RECONCILER_HOME", str(quickstart.root / "state"))
    assert quickstart.run("plan", ROOT).code == 0
    assert (quickstart.root / "state" / "local" / "service.db").exists()


def test_a_chosen_directory_in_a_checkout_is_refused_where_git_is_missing(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    environ = {"RECONCILER_HOME": str(tmp_path / "state"), "PATH": str(tmp_path)}
    with pytest.raises(UnusablePlaceError, match="without git it cannot be known whether a commit brought it"):
        check_home(find_home(tmp_path, environ), tmp_path, environ)


@pytest.mark.parametrize("name", ["local", "cache", "cache/measures", "cache/files", "journal", "intents", "applied"])
def test_a_link_in_the_place_of_own_files_is_refused(tmp_path: Path, name: str) -> None:
    home = find_home(tmp_path, {"RECONCILER_HOME": str(tmp_path / "home")})
    make_home(home.directory)
    (home.directory / name).parent.mkdir(exist_ok=True)
    (home.directory / name).symlink_to(tmp_path)
    with pytest.raises(OSError, match="it is a link"):
        make_home(home.directory)
    assert not is_home_private(home, tmp_path / "elsewhere", {})


def test_a_link_in_the_place_of_a_small_file_is_not_written_through(tmp_path: Path, victim: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitignore").symlink_to(victim.parent / "new.txt")
    make_home(home)
    assert not (victim.parent / "new.txt").exists()


def test_a_directory_of_another_user_is_not_believed() -> None:
    """Only the administrator may become another user, so others ask about a directory of the administrator."""
    if os.geteuid() != 0:
        with pytest.raises(NotPrivateError, match="another user"):
            check_private(Path("/usr"))
        return
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            check_private(Path("/usr"))
        except NotPrivateError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
