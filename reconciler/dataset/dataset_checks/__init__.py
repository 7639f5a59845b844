"""The checks across rows and within their texts.

They read canonical lines, so that every way of reading a row gives the same result, and they never change a row.
"""

from reconciler.dataset.dataset_checks.expectations import check_methods
from reconciler.dataset.dataset_checks.runner import CheckRunner, prepare_checks
from reconciler.dataset.sources import held_out_datasets

__all__ = ["CheckRunner", "check_methods", "held_out_datasets", "prepare_checks"]
