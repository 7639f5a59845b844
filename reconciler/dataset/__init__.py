"""Rows on disk become canonical lines and digests. Reads files and checks rows; does not use the service."""

from reconciler.dataset.cache import MeasureCache
from reconciler.dataset.canonical import write_canonical_line
from reconciler.dataset.digest import choose_part
from reconciler.dataset.format_detection import LOOKED_AT, describe_other_row
from reconciler.dataset.left_out import IN_CONVERSION, LeftOut, describe_left_out
from reconciler.dataset.mapping import value_to_text
from reconciler.dataset.measure import measure, open_lines
from reconciler.dataset.pipeline import read_rows
from reconciler.dataset.recognise import Recognition, recognise_format, recognise_rows, suggest_mapping
from reconciler.dataset.report import SHOWN_PER_FILE, RowReport
from reconciler.dataset.sources import Row, Source, SourceIndex
from reconciler.dataset.strict_json import LineError, decode_json, encoding_error
from reconciler.dataset.tokens import (
    INSTALL,
    CountTokens,
    Vocabulary,
    can_count,
    estimate_tokens,
    find_vocabulary,
    vocabulary_name,
)

__all__ = [
    "INSTALL",
    "IN_CONVERSION",
    "LOOKED_AT",
    "SHOWN_PER_FILE",
    "CountTokens",
    "LeftOut",
    "LineError",
    "MeasureCache",
    "Recognition",
    "Row",
    "RowReport",
    "Source",
    "SourceIndex",
    "Vocabulary",
    "can_count",
    "choose_part",
    "decode_json",
    "describe_left_out",
    "describe_other_row",
    "encoding_error",
    "estimate_tokens",
    "find_vocabulary",
    "measure",
    "open_lines",
    "read_rows",
    "recognise_format",
    "recognise_rows",
    "suggest_mapping",
    "value_to_text",
    "vocabulary_name",
    "write_canonical_line",
]
