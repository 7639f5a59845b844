"""What a person uses when something is in the way: the notes of the journal, and a lock file that is written again."""

from reconciler.workflow.mending.notes import ListedNote, clear_notes, list_notes, open_notes, select_notes
from reconciler.workflow.mending.rebuilt_lock import RebuiltLock, rebuild

__all__ = ["ListedNote", "RebuiltLock", "clear_notes", "list_notes", "open_notes", "rebuild", "select_notes"]
