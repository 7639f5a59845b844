"""The room of notes: where it is written down what is about to be created. Hands names on, and does nothing."""

from reconciler.journal.opening import JournalKind, check_journal, open_journal

__all__ = ["JournalKind", "check_journal", "open_journal"]
