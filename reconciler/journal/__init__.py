"""Journals: they record what is about to be created, so that no other run creates it too."""

from reconciler.journal.factory import JournalKind, check_journal, open_journal

__all__ = ["JournalKind", "check_journal", "open_journal"]
