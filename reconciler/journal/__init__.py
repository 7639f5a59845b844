"""Journals: they record what is about to be created, so that no other run creates it too."""

from reconciler.journal.applied_plans import check_unapplied, mark_applied
from reconciler.journal.directory import DirectoryJournal
from reconciler.journal.factory import JournalKind, JournalScope, check_journal, open_directory, open_journal, open_ref
from reconciler.journal.gitref import GitJournal
from reconciler.journal.note import JournalAccount, JournalNote
from reconciler.journal.remote import RemoteJournal

__all__ = [
    "DirectoryJournal",
    "GitJournal",
    "JournalAccount",
    "JournalKind",
    "JournalNote",
    "JournalScope",
    "RemoteJournal",
    "check_journal",
    "check_unapplied",
    "mark_applied",
    "open_directory",
    "open_journal",
    "open_ref",
]
