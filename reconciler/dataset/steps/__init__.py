"""The steps of a spec's `prepare` list, in their order, and the weights of sources. Rows in, rows out."""

from reconciler.dataset.steps.cells import is_empty
from reconciler.dataset.steps.conversion import ConversionError
from reconciler.dataset.steps.edits import EditingStep, find_carried, make_edit
from reconciler.dataset.steps.filters import TestingStep, make_test, pair_rows
from reconciler.dataset.steps.pipeline import prepare_rows

__all__ = [
    "ConversionError",
    "EditingStep",
    "TestingStep",
    "find_carried",
    "is_empty",
    "make_edit",
    "make_test",
    "pair_rows",
    "prepare_rows",
]
