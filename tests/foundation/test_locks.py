"""Locks between processes: one holder, a wait with an end, and free again when the holder is gone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.foundation.locks import (
    hold_directory_lock,
    hold_lock,
    is_lock_free,
    open_lock_file,
    open_lockable_directory,
    try_lock,
    unlock,
)
from tests.simulation import Clock

HOLDER = """
import sys
from pathlib import Path
from reconciler.foundation.locks import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_waiting_for_a_held_lock_ends_with_an_error(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "lock"
    with hold_lock(path), pytest.raises(TimeoutError, match="for 5 seconds"), hold_lock(path, 5, clock, clock.sleep):
        raise AssertionError("both hold it")
    with hold_lock(path, 5, clock, clock.sleep):
        assert not is_lock_free(path)
    assert is_lock_free(path)
    assert is_lock_free(tmp_path / "nothing")


def test_closing_the_file_frees_its_lock(tmp_path: Path) -> None:
    first, second = open_lock_file(tmp_path / "lock"), open_lock_file(tmp_path / "lock")
    assert try_lock(first)
    assert not try_lock(second)
    os.close(first)
    assert try_lock(second)
    unlock(second)
    assert is_lock_free(tmp_path / "lock")
    os.close(second)


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_the_system_frees_the_lock_of_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        assert not is_lock_free(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert is_lock_free(path)


@pytest.mark.parametrize("locks_directories", [True, False])
def test_a_directory_is_locked_by_itself_or_by_a_hidden_file(tmp_path: Path, locks_directories: bool) -> None:
    opener = open_lockable_directory if locks_directories else lambda directory: None
    with hold_directory_lock(tmp_path, "models.lock.yaml", open_directory=opener):
        with (
            pytest.raises(TimeoutError),
            hold_directory_lock(tmp_path, "models.lock.yaml", wait_seconds=0, open_directory=opener),
        ):
            pass
        left = [path.name for path in tmp_path.iterdir()]
    assert left == ([] if locks_directories else [".models.lock.yaml.lock"])
    with hold_directory_lock(tmp_path, "models.lock.yaml", wait_seconds=0, open_directory=opener):
        pass
