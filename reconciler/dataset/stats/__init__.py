"""A dataset in figures, and single rows of it to look at. Reads rows; changes and judges none."""

from reconciler.dataset.stats.gather import gather
from reconciler.dataset.stats.rows import row_at, rows_of_file, rows_of_spec, sampled

__all__ = ["gather", "row_at", "rows_of_file", "rows_of_spec", "sampled"]
