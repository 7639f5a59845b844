"""Directories, ports and hosts that this machine does not give: one sentence, exit code 74, and nothing is paid."""

import errno
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.cli.failures import report_failure
from tests.acceptance.conftest import CommandResult, Repository
from tests.service.service_fixtures import dismiss

ROOT = "specs/quickstart"


def check_unusable(result: CommandResult, *words: str) -> None:
    assert result.code == 74, result.err
    assert len(result.err.splitlines()) == 1
    assert [word for word in words if word not in result.err] == []


def test_a_port_in_use_is_named_with_the_flag_that_takes_a_free_one(repository: Repository) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = repository.run("serve", "--port", str(port))
    check_unusable(result, f"127.0.0.1, port {port} (Address already in use)", "--port 0 takes a free one")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "2001:db8::1", "a" * 70])
def test_a_host_that_is_not_this_machine_is_named(repository: Repository, host: str) -> None:
    result = repository.run("serve", "--port", "0", "--host", host, "--api-key", "k")
    assert result.code == 74
    warning, sentence = result.err.splitlines()
    assert warning.startswith("Warning: ")
    assert f"cannot listen on {host}, port 0 (" in sentence
    assert "--host" in sentence


@pytest.mark.parametrize("store", ["taken", "taken/below"])
def test_a_store_that_is_a_file_is_named(repository: Repository, store: str) -> None:
    repository.write("taken", "mine\n")
    check_unusable(repository.run("serve", "--port", "0", "--store", store), store, "--store")
    assert repository.read("taken") == "mine\n"


@pytest.mark.parametrize("home", ["taken", "taken/below"])
def test_an_own_directory_that_is_a_file_stops_every_command_before_it_pays(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    quickstart.write("taken", "mine\n")
    assert quickstart.run("plan", ROOT, "--out", "saved.plan").code == 0
    monkeypatch.setenv("RECONCILER_HOME", home)
    for command in (
        ["plan", ROOT],
        ["apply", ROOT, "--auto-approve"],
        ["apply", "saved.plan"],
        ["status", "--specs", ROOT],
        ["jobs", "--specs", ROOT],
        ["serve", "--port", "0"],
    ):
        check_unusable(quickstart.run(*command), home, "RECONCILER_HOME", "nothing was sent")
    assert quickstart.run("validate", ROOT).code == 0
    assert quickstart.read("taken") == "mine\n"


def test_a_store_inside_an_own_directory_that_is_a_file_is_named(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickstart.write("home/local", "mine\n")
    monkeypatch.setenv("RECONCILER_HOME", "home")
    check_unusable(quickstart.run("plan", ROOT), "home/local", "RECONCILER_HOME")


def test_a_download_that_cannot_be_kept_names_the_directory(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    monkeypatch.setattr("reconciler.history.dataset_versions.fetch_file", fetch)
    result = quickstart.run("data", "diff", "service:banking-questions", "banking-questions", "--specs", ROOT)
    check_unusable(result, "No space left on device", "RECONCILER_HOME")


def jobs_of(repository: Repository) -> list[object]:
    jobs: list[object] = json.loads(repository.run("jobs", "--specs", ROOT, "--json").out)
    return jobs


def files_of(repository: Repository) -> list[object]:
    files: list[object] = json.loads(repository.run("files", "--specs", ROOT, "--json").out)
    return files


@pytest.fixture
def read_only(quickstart: Repository) -> Iterator[Callable[[Path], None]]:
    """Make a directory or file read-only, also for the administrator, who may write everywhere else."""
    changed: list[Path] = []

    def protect(path: Path) -> None:
        path.chmod(0o500 if path.is_dir() else 0o400)
        changed.append(path)
        if os.geteuid() == 0:
            done = subprocess.run(["chattr", "+i", str(path)], capture_output=True, check=False)
            if done.returncode:
                pytest.skip("this file system cannot protect a directory from the administrator")

    yield protect
    for path in changed:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", str(path)], capture_output=True, check=False)
        path.chmod(0o700 if path.is_dir() else 0o600)


def test_a_spec_root_that_cannot_be_written_is_found_before_anything_is_sent(
    quickstart: Repository, read_only: Callable[[Path], None]
) -> None:
    """The lock file would be written there after the job was paid for."""
    read_only(quickstart.root / ROOT)
    result = quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    assert result.code == 74, result.err
    assert "models.lock.yaml cannot be written" in result.err
    assert (jobs_of(quickstart), files_of(quickstart)) == ([], [])


@pytest.mark.parametrize("form", ["html=/proc/self/status/x.html", "html=taken/x.html", "json=/dev/full/x", "github"])
def test_a_file_that_the_result_goes_to_is_found_before_anything_is_sent(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    quickstart.write("taken/x.html/in-the-way", "")
    monkeypatch.setenv("GITHUB_OUTPUT", "/proc/self/no-such-directory/output")
    result = quickstart.run("apply", ROOT, "--auto-approve", "--no-wait", "--format", form)
    assert result.code in {64, 74}, result.err
    assert (jobs_of(quickstart), files_of(quickstart)) == ([], [])


def test_a_plan_that_cannot_be_shown_is_not_applied(quickstart: Repository) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "reconciler", "apply", ROOT, "--auto-approve", "--no-wait"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 74
    assert "the output cannot be written (No space left on device), and nothing was sent" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert (jobs_of(quickstart), files_of(quickstart)) == ([], [])


def test_a_lock_file_that_is_a_directory_is_found_before_anything_is_sent(quickstart: Repository) -> None:
    (quickstart.root / ROOT / "models.lock.yaml").mkdir()
    assert quickstart.run("apply", ROOT, "--auto-approve", "--no-wait").code == 3
    (quickstart.root / ROOT / "models.lock.yaml").rmdir()
    assert (jobs_of(quickstart), files_of(quickstart)) == ([], [])


@pytest.mark.parametrize("taken", ["intents", "intents/quickstart", "intents/quickstart/notes"])
def test_a_journal_that_cannot_be_written_is_found_before_anything_is_sent(quickstart: Repository, taken: str) -> None:
    quickstart.run("plan", ROOT)
    place = quickstart.home.parent.parent / taken
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("in the way", encoding="utf-8")
    result = quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    assert result.code == 74, result.err
    assert f"{taken}: it is not a directory" in result.err
    place.unlink()
    assert (jobs_of(quickstart), files_of(quickstart)) == ([], [])


def test_a_store_that_cannot_be_written_is_named(quickstart: Repository, read_only: Callable[[Path], None]) -> None:
    quickstart.run("plan", ROOT)
    read_only(quickstart.store / "service.db")
    check_unusable(quickstart.run("apply", ROOT, "--auto-approve"), "service.db: Permission denied", "--store")


@pytest.mark.parametrize("damage", ["empty", "scrambled", "missing"])
def test_a_damaged_store_is_one_sentence_for_every_command(quickstart: Repository, damage: str) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve", "--no-wait").code == 0
    dismiss(quickstart.store)
    database = quickstart.store / "service.db"
    content = database.read_bytes()
    for side in quickstart.store.glob("service.db-*"):
        side.unlink()
    if damage == "missing":
        database.unlink()
    else:
        database.write_bytes(b"" if damage == "empty" else content[:4096] + bytes(len(content) - 4096))
    for command in (
        ["plan", ROOT],
        ["apply", ROOT, "--auto-approve"],
        ["jobs", "--specs", ROOT],
        ["output", "support-triage", "--specs", ROOT],
        ["serve", "--port", "0"],
    ):
        check_unusable(quickstart.run(*command), "service.db", "from a backup")


def test_files_that_are_not_there_are_named(quickstart: Repository) -> None:
    check_unusable(quickstart.run("serve", "--port", "0", "--faults", "nofile"), "the faults in nofile cannot be read")
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    run = quickstart.run("run", "support-triage", "-f", "nofile", "--specs", ROOT)
    check_unusable(run, "nofile cannot be read (No such file or directory)")


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "/a/place"),
        OSError(errno.EIO, "Input/output error", "/a/place"),
        sqlite3.DatabaseError("database disk image is malformed in /a/place"),
    ],
)
def test_a_condition_of_this_machine_never_shows_a_traceback(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, []) == 74
    written = capsys.readouterr().err
    assert "/a/place" in written
    assert len(written.splitlines()) == 1


def test_a_bug_keeps_its_traceback() -> None:
    assert report_failure(KeyError("a bug"), []) is None
