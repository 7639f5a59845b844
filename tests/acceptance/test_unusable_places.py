"""Directories, ports and hosts that this machine does not give: one sentence, exit code 74, and nothing is paid."""

import errno
import socket

import pytest

from tests.acceptance.conftest import CommandResult, Repository

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
