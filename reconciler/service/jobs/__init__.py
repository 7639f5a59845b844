"""How jobs run: starting the worker, the worker itself, and what it does with one job."""

from reconciler.service.jobs.keeper import keep_worker
from reconciler.service.jobs.launcher import ensure_worker
from reconciler.service.jobs.updates import JobUpdates, fail_job

__all__ = ["JobUpdates", "ensure_worker", "fail_job", "keep_worker"]
