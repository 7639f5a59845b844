"""The notes of a project's journal, for a person who looks at them or takes one out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from reconciler.domain.errors import PolicyError, UsageError
from reconciler.domain.ports import Intent
from reconciler.domain.spec import Specs
from reconciler.journal import (
    DirectoryJournal,
    GitJournal,
    JournalAccount,
    JournalKind,
    JournalNote,
    RemoteJournal,
    open_directory,
    open_journal,
    open_ref,
)
from reconciler.workflow.home import check_home
from reconciler.workflow.journal import journal_scope
from reconciler.workflow.plan import open_service
from reconciler.workflow.settings import Setting

OpenedJournal = DirectoryJournal | GitJournal | RemoteJournal


class ListedNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note, and whether the run that wrote it still works; None where that is not known."""

    note: JournalNote
    is_active: bool | None = None

    @property
    def intent(self) -> Intent:
        return self.note.intent


@contextmanager
def open_notes(setting: Setting, specs: Specs) -> Iterator[OpenedJournal]:
    """Yield the journal of a project, whatever the account. Only notes on the service itself call the service.

    Raises: UsageError when this kind cannot be used here
    """
    check_home(setting.own_home, setting.workspace, setting.environ)
    # Without an account every note counts.
    scope = journal_scope(setting, specs.project.name, JournalAccount())
    match setting.journal:
        case JournalKind.DIRECTORY:
            with open_directory(scope) as directory:
                yield directory
        case JournalKind.GIT:
            yield open_ref(scope)
        case JournalKind.REMOTE:
            with open_service(setting, specs) as provider, open_journal(setting.journal, provider, scope) as journal:
                assert isinstance(journal, RemoteJournal)
                yield journal


def list_notes(journal: OpenedJournal) -> tuple[ListedNote, ...]:
    """Return every note of a project, sorted by what it is about."""
    if isinstance(journal, RemoteJournal):
        notes = tuple(JournalNote(intent) for intent in journal.open_intents())
    else:
        notes = journal.notes()
    listed = (ListedNote(note=note, is_active=_is_active(journal, note)) for note in notes)
    return tuple(sorted(listed, key=lambda each: (str(each.intent.stamp), each.intent.owner)))


def _is_active(journal: OpenedJournal, note: JournalNote) -> bool | None:
    return journal.is_active(note) if isinstance(journal, DirectoryJournal) else None


def select_notes(listed: Sequence[ListedNote], text: str) -> tuple[ListedNote, ...]:
    """Return the notes that a text names: by the id of a job, the name of a model, its address, or a stamp.

    Raises: UsageError when it names none, PolicyError when the run of one of them still works
    """
    found = tuple(each for each in listed if text in _names(each.intent))
    if not found:
        known = ", ".join(sorted({each.intent.stamp.address.name for each in listed})) or "none"
        raise UsageError(f"no note in the journal is about {text}; there are notes about: {known}")
    active = [each for each in found if each.is_active]
    if active:
        raise PolicyError(
            f"the run that wrote the note about {active[0].intent.stamp} is still at work on this machine: wait until"
            " it ends, or stop it, and run this command again"
        )
    return found


def clear_notes(journal: OpenedJournal, chosen: Sequence[ListedNote], text: str) -> None:
    """Take notes out that a text names and a person has seen.

    Raises: UsageError when the text names none any more, PolicyError when it names others by now: a run wrote them
            while the person was asked
    """
    now = select_notes(list_notes(journal), text)
    if {each.intent for each in now} != {each.intent for each in chosen}:
        raise PolicyError(
            f"the notes about {text} are not those that were shown any more: a run has changed them meanwhile; nothing"
            " was taken out. Run this command again to see them"
        )
    for each in chosen:
        journal.clear(each.intent)


def _names(intent: Intent) -> tuple[str, ...]:
    stamp = intent.stamp
    named = (str(stamp), str(stamp.address), stamp.address.name, str(stamp.digest))
    return (*named, str(intent.job)) if intent.job else named
