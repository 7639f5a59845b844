"""Compares two versions of a dataset row by row. Explains what changed; decides nothing.

The first pass reads both versions, and keeps a hash and a place of every row. Rows that differ are read again by place.
"""

from reconciler.dataset.row_diff.compare import compare_versions
from reconciler.dataset.row_diff.file_cache import FileCache
from reconciler.dataset.row_diff.version import (
    DatasetVersion,
    find_reformatted,
    find_source_paths,
    open_dataset_version,
    open_file_version,
    open_uploaded_version,
    open_without_checks,
    spool_version,
)

__all__ = [
    "DatasetVersion",
    "FileCache",
    "compare_versions",
    "find_reformatted",
    "find_source_paths",
    "open_dataset_version",
    "open_file_version",
    "open_uploaded_version",
    "open_without_checks",
    "spool_version",
]
