"""Processes that share a place: one holds the note at a time, and one that dies is known to be dead."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.journal import DirectoryJournal
from reconciler.journal.directory import this_machine
from tests.journal.contenders import contend
from tests.journal.stores import STORES, note

ROOT = Path(__file__).parent.parent.parent
NAMELESS = pytest.mark.skipif(not this_machine(), reason="this system has no word for itself since it was started")


@pytest.mark.parametrize(("kind", "store", "rounds"), [("directory", "directory", 25), ("git", "git ref here", 3)])
def test_two_processes_never_hold_a_note_at_once(tmp_path: Path, kind: str, store: str, rounds: int) -> None:
    journal = STORES[store](tmp_path)()
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=contend, args=(kind, tmp_path, owner, rounds)) for owner in ("one", "two")]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert [run.exitcode for run in runs] == [0, 0]
    assert journal.open_intents() == ()


@contextmanager
def another_run(place: Path, owner: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process whose note lies there, until it is killed."""
    command = [sys.executable, "-m", "tests.journal.contenders", str(place), owner]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == b"lies\n"
            yield process
        finally:
            process.kill()


@NAMELESS
def test_a_run_that_was_killed_is_known_to_be_gone(tmp_path: Path) -> None:
    journal = DirectoryJournal(tmp_path)
    with another_run(tmp_path, "theirs") as process:
        assert journal.open_intents() == (note("theirs"),)
        assert not journal.is_abandoned(note("theirs")), "it lives"
        process.kill()
        process.wait(10)
        assert journal.is_abandoned(note("theirs"))
    assert not journal.is_abandoned(note("theirs", at=1.0)), "that note is not the one that lies there"
    assert journal.put(note("mine"), instead_of=note("theirs")) == note("mine")
    assert len(os.listdir(tmp_path / "runs")) == 1, "what the dead run held was swept"


@NAMELESS
def test_a_run_on_another_machine_is_never_known_to_be_gone(tmp_path: Path) -> None:
    """A file system may be shared with machines whose locks do not reach here."""
    with another_run(tmp_path, "theirs") as process:
        process.kill()
        process.wait(10)
    assert not DirectoryJournal(tmp_path, machine="another one").is_abandoned(note("theirs"))
    assert not DirectoryJournal(tmp_path, machine="").is_abandoned(note("theirs"))
    assert DirectoryJournal(tmp_path).is_abandoned(note("theirs"))
