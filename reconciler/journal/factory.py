"""Open the journal that the operator chose, for one project on one service."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Journal, Notes, Provider
from reconciler.journal.directory import DirectoryJournal
from reconciler.journal.gitref import GitJournal, open_git
from reconciler.journal.remote import RemoteJournal, settle_seconds


class JournalKind(StrEnum):
    """The place of the notes. Runs that share the place see each other's notes; other runs do not."""

    DIRECTORY = "directory"
    GIT = "git"
    REMOTE = "remote"


class JournalScope(msgspec.Struct, frozen=True, kw_only=True):
    """One project on one service, and where this machine keeps its files.

    Shape:  `service` as in Observed; `home` is our own directory, which `make_home` makes; `workspace` is the
            repository of the specs
    """

    service: str
    project: str
    home: Path
    make_home: Callable[[], None]
    workspace: Path
    environ: Mapping[str, str]


@contextmanager
def open_journal(
    kind: JournalKind,
    provider: Provider,
    scope: JournalScope,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Journal]:
    """Yield the journal of a project on a service, and close it at the end.

    Raises: UsageError when this kind cannot be used here
    """
    name = f"journal/{service_slug(scope.service)}/{scope.project}"
    match kind:
        case JournalKind.DIRECTORY:
            with DirectoryJournal(scope.home / name, scope.make_home) as directory:
                yield directory
        case JournalKind.GIT:
            git = open_git(scope.workspace, scope.environ)
            yield GitJournal(git, f"refs/reconciler/{name}", clock=clock, sleep=sleep)
        case JournalKind.REMOTE:
            bounds = provider.capabilities
            yield RemoteJournal(_notes(provider), scope.project, bounds, clock=clock, sleep=sleep, stopping=stopping)


def check_journal(kind: JournalKind, provider: Provider) -> None:
    """Check that this kind of journal can be used with a service. Sends no request.

    Raises: UsageError
    """
    if kind is JournalKind.REMOTE:
        _notes(provider)


def _notes(provider: Provider) -> Notes:
    bounds = provider.capabilities
    if not (bounds.keeps_notes and isinstance(provider, Notes)):
        raise UsageError(
            f"--journal remote: the profile {provider.name} has no files that expire by themselves; use"
            " --journal directory, or --journal git where several machines apply"
        )
    if settle_seconds(bounds) >= bounds.fresh_seconds / 2:
        raise UsageError(
            f"--journal remote: a note counts {settle_seconds(bounds):g} seconds after it was written, and a create"
            f" must be sent within {bounds.fresh_seconds / 2:g}; allow more time with --bound fresh=TIME"
        )
    return provider


def service_slug(service: str) -> str:
    """Return a name of a service that fits a directory and a ref. No two services get the same name."""
    plain = re.sub(r"[^a-z0-9]+", "-", service.lower()).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(service.encode()).hexdigest()[:8]}".lstrip("-")
