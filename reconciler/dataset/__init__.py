"""Rows on disk become canonical lines and digests. Reads files and checks rows; does not use the service."""

from reconciler.dataset.cache import MeasureCache
from reconciler.dataset.measure import measure, open_lines
from reconciler.dataset.sources import SourceIndex

__all__ = ["MeasureCache", "SourceIndex", "measure", "open_lines"]
