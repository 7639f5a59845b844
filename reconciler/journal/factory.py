"""Open the journal that the operator chose, for one project on one service."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Journal, Notes, Provider
from reconciler.foundation.private import check_private, is_plain_name
from reconciler.journal.directory import DirectoryJournal
from reconciler.journal.gitref import GitJournal, open_git
from reconciler.journal.note import JournalAccount
from reconciler.journal.remote import RemoteJournal, settle_seconds


class JournalKind(StrEnum):
    """The place of the notes. Runs that share the place see each other's notes; other runs do not."""

    DIRECTORY = "directory"
    GIT = "git"
    REMOTE = "remote"


class JournalScope(msgspec.Struct, frozen=True, kw_only=True):
    """One project in one account, and where this machine keeps its files.

    The address of the service is no part of it: two addresses of one service would make two journals, and two jobs.

    Shape:  `account` as the service states it; `home` is our own directory for all checkouts, which `make_home` makes;
            `older_homes` may hold notes of earlier versions; `workspace` is the repository of the specs
    """

    account: JournalAccount
    project: str
    home: Path
    older_homes: tuple[Path, ...] = ()
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
    match kind:
        case JournalKind.DIRECTORY:
            with open_directory(scope) as directory:
                yield directory
        case JournalKind.GIT:
            yield open_ref(scope, clock=clock, sleep=sleep)
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
            f"--journal remote: the profile {provider.name} has no files that expire by themselves; set --journal, or"
            " RECONCILER_JOURNAL, to directory, or to git where several machines apply"
        )
    if settle_seconds(bounds) >= bounds.fresh_seconds / 2:
        raise UsageError(
            f"--journal remote: a note counts {settle_seconds(bounds):g} seconds after it was written, and a create"
            f" must be sent within {bounds.fresh_seconds / 2:g}; allow more time with --bound fresh=TIME,"
            " or in RECONCILER_BOUNDS"
        )
    return provider


def open_directory(scope: JournalScope) -> DirectoryJournal:
    """Return the journal of a project in our own directory."""
    older = [place for home in scope.older_homes for place in _older_places(home / "journal", scope.project)]
    directory = scope.home / "intents" / scope.project
    return DirectoryJournal(directory, scope.make_home, account=scope.account, older=older)


def open_ref(
    scope: JournalScope, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
) -> GitJournal:
    """Return the journal of a project behind a git ref.

    Raises: UsageError when there is no git program
    """
    git = open_git(scope.workspace, scope.environ)
    ref, older = f"refs/reconciler/intents/{scope.project}", f"refs/reconciler/journal/*/{scope.project}"
    return GitJournal(git, ref, clock=clock, sleep=sleep, account=scope.account, older=older)


def _older_places(journal: Path, project: str) -> Iterator[Path]:
    """Yield where earlier versions kept the notes of a project: once for each address of a service."""
    try:
        services = sorted(journal.iterdir()) if check_private(journal) else []
    except OSError:
        return
    for service in services:
        if is_plain_name(service.name):
            yield service / project
