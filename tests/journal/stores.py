"""Every store that the contract holds for: a place, and the runs that share it."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from reconciler.domain.ports import Capabilities, Intent, Journal
from reconciler.executor import MemoryJournal
from reconciler.foundation.git import Git
from reconciler.journal import DirectoryJournal, GitJournal, RemoteJournal
from reconciler.testing import MemoryProvider
from tests.factories import LONG_AGO, a_model
from tests.simulation import Clock

STAMP = a_model().stamp
OTHER = a_model("other").stamp
REF = "refs/reconciler/journal/a-service/acme"

BOUNDS = Capabilities(list_lag_seconds=3.0, keeps_notes=True)

Open = Callable[[], Journal]
"""Gives the journal as one more run sees it."""


def note(owner: str, *, at: float = float(LONG_AGO)) -> Intent:
    """Return the note of a run on the stamp that most tests use."""
    return Intent(stamp=STAMP, owner=owner, at=at)


def elsewhere(intent: Intent) -> Intent:
    """Return the same note on another stamp."""
    return replace(intent, stamp=OTHER)


def volatile(_: Path) -> Open:
    shared = MemoryJournal()
    return lambda: shared


def directory(place: Path) -> Open:
    return lambda: DirectoryJournal(place / "journal")


def environ(place: Path) -> Mapping[str, str]:
    """Return an environment without personal settings, with an empty home."""
    return {"PATH": os.environ["PATH"], "HOME": str(place), "GIT_CONFIG_NOSYSTEM": "1"}


def git(place: Path, *arguments: str) -> str:
    """Run git as a user would."""
    place.mkdir(parents=True, exist_ok=True)
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main")
    ran = subprocess.run(
        ["git", *who, *arguments], cwd=place, env=environ(place), capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def git_journal(repository: Path, make: type[Git] = Git) -> GitJournal:
    clock = Clock()
    return GitJournal(make(repository, environ(repository)), REF, clock=clock, sleep=clock.sleep)


def local_ref(place: Path) -> Open:
    git(place / "here", "init", "-q")
    return lambda: git_journal(place / "here")


def clone(place: Path, number: int) -> Path:
    """One more clone of the repository at `place`, which is made when it is not there yet."""
    if not (place / "remote").exists():
        git(place / "remote", "init", "-q", "--bare")
    made = place / f"clone-{number}"
    git(made, "init", "-q")
    git(made, "remote", "add", "origin", f"file://{place / 'remote'}")
    return made


def shared_ref(place: Path) -> Open:
    made: list[Path] = []

    def another() -> Journal:
        made.append(clone(place, len(made)))
        return git_journal(made[-1])

    return another


def remote(_: Path, list_lag_seconds: float = 3.0) -> Open:
    clock = Clock()
    service = MemoryProvider(clock=clock, capabilities=BOUNDS, list_lag_seconds=list_lag_seconds)
    return lambda: RemoteJournal(service, "acme", BOUNDS, clock=clock, sleep=clock.sleep)


STORES: Mapping[str, Callable[[Path], Open]] = {
    "volatile": volatile,
    "directory": directory,
    "git ref here": local_ref,
    "git ref on a remote": shared_ref,
    "service": remote,
    "service at once": lambda place: remote(place, 0.0),
}
