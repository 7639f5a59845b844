"""What other processes do in these tests. Started by spawning, so it holds nothing but plain functions."""

import os
import sys
import time
from pathlib import Path

from reconciler.domain.ports import Journal
from reconciler.journal import DirectoryJournal
from tests.journal.stores import git_journal, note


def contend(kind: str, place: Path, owner: str, rounds: int) -> None:
    """Win the note so many times and hold it alone each time; exit 1 when another process held it too."""
    journal: Journal = DirectoryJournal(place / "journal") if kind == "directory" else git_journal(place / "here")
    inside = place / "inside"
    for number in range(rounds):
        mine = note(owner, at=float(number))
        while journal.put(mine) != mine:
            time.sleep(0.001)
        try:
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            sys.exit(1)
        inside.unlink()
        journal.clear(mine)


if __name__ == "__main__":
    # A run that is cut off while its note lies there.
    held = DirectoryJournal(Path(sys.argv[1]))
    held.put(note(sys.argv[2]))
    sys.stdout.write("lies\n")
    sys.stdout.flush()
    sys.stdin.read()
