"""Prepares rows as a spec says: its steps in their order, and how often each source counts. Rows in, rows out."""

from reconciler.dataset.steps.pipeline import prepare_rows

__all__ = ["prepare_rows"]
