"""Rows on disk become canonical lines and digests. Reads files, judges rows; knows no service."""

from reconciler.dataset.measure import measure, open_lines, source_names

__all__ = ["measure", "open_lines", "source_names"]
