"""Compare desired and observed state, and make a plan. Pure: the same inputs give the same plan."""

from reconciler.planner.make import make_plan
from reconciler.planner.policy import GUARDS, account_mismatches
from reconciler.planner.previous import files_before, users_of
from reconciler.planner.remaining import join_following, remaining_plan
from reconciler.planner.saved_plan import (
    MAX_BYTES,
    SavedPlan,
    check_expected,
    check_fresh,
    check_place,
    read_saved,
    write_saved,
)

__all__ = [
    "GUARDS",
    "MAX_BYTES",
    "SavedPlan",
    "account_mismatches",
    "check_expected",
    "check_fresh",
    "check_place",
    "files_before",
    "join_following",
    "make_plan",
    "read_saved",
    "remaining_plan",
    "users_of",
    "write_saved",
]
