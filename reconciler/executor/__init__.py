"""Execute a plan and yield what happens. Decides nothing, prints nothing."""

from reconciler.executor.context import RunContext, inline
from reconciler.executor.execute import execute
from reconciler.executor.follow import follow, watch

__all__ = ["RunContext", "execute", "follow", "inline", "watch"]
