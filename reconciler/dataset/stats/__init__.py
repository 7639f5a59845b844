"""The statistics of a dataset, and single rows of it to look at. Reads rows; changes and judges none."""

from reconciler.dataset.stats.figures import compute_spread
from reconciler.dataset.stats.gather import gather_stats
from reconciler.dataset.stats.rows import (
    DatasetTarget,
    find_row,
    is_dataset_name,
    names_file,
    read_file_rows,
    read_spec_rows,
    sample_rows,
    target_file,
)

__all__ = [
    "DatasetTarget",
    "compute_spread",
    "find_row",
    "gather_stats",
    "is_dataset_name",
    "names_file",
    "read_file_rows",
    "read_spec_rows",
    "sample_rows",
    "target_file",
]
