"""Earlier states of specs and data, from git and the lock file: revisions, snapshots, offline plans, old rows."""

from reconciler.history.dataset_versions import NamedVersion, compare_named, open_version
from reconciler.history.offline_plan import plan_between, plan_offline
from reconciler.history.revision import Revision, find_commit, open_range, open_revision

__all__ = [
    "NamedVersion",
    "Revision",
    "compare_named",
    "find_commit",
    "open_range",
    "open_revision",
    "open_version",
    "plan_between",
    "plan_offline",
]
