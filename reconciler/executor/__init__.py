"""Execute a plan and yield what happens. Decides nothing, prints nothing."""

from reconciler.executor.context import MemoryJournal, OutcomeUnknownError, RunContext, StepFailedError, inline
from reconciler.executor.create import create
from reconciler.executor.execute import execute
from reconciler.executor.follow import follow, watch

__all__ = [
    "MemoryJournal",
    "OutcomeUnknownError",
    "RunContext",
    "StepFailedError",
    "create",
    "execute",
    "follow",
    "inline",
    "watch",
]
