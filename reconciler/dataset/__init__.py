"""Rows on disk become canonical lines and digests. Reads files, judges rows; knows no service."""

from reconciler.dataset.measure import find_source_names, measure, open_lines

__all__ = ["find_source_names", "measure", "open_lines"]
