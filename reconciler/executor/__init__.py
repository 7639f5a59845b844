"""Execute a plan and yield what happens. Decides nothing, prints nothing."""

from reconciler.executor.context import (
    MemoryJournal,
    OutcomeUnknownError,
    RunContext,
    StepFailedError,
    StepRefusedError,
    beside,
    inline,
)
from reconciler.executor.create import create
from reconciler.executor.execute import execute
from reconciler.executor.follow import follow, watch
from reconciler.executor.intents import clear_finished_intents

__all__ = [
    "MemoryJournal",
    "OutcomeUnknownError",
    "RunContext",
    "StepFailedError",
    "StepRefusedError",
    "beside",
    "clear_finished_intents",
    "create",
    "execute",
    "follow",
    "inline",
    "watch",
]
