"""Compare desired and observed state, and make a plan. Pure: the same inputs give the same plan."""

from reconciler.planner.make import make_plan

__all__ = ["make_plan"]
