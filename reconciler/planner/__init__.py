"""What to do about the difference. Pure: same inputs, same plan, and nothing is touched."""

from reconciler.planner.make import make_plan

__all__ = ["make_plan"]
