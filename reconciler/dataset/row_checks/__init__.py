"""The checks of one row, one module for each thing they are about, and the catalogue of all rules."""

from reconciler.dataset.row_checks.chat import ALIASES, ROLES
from reconciler.dataset.row_checks.content import MAX_IMAGE_BYTES, has_empty_end
from reconciler.dataset.row_checks.finding import JUDGED, RULES, JsonObject, RowFinding, describe_value
from reconciler.dataset.row_checks.row_formats import API_KEYS, MINIMUM_EXAMPLES, check_row

__all__ = [
    "ALIASES",
    "API_KEYS",
    "JUDGED",
    "MAX_IMAGE_BYTES",
    "MINIMUM_EXAMPLES",
    "ROLES",
    "RULES",
    "JsonObject",
    "RowFinding",
    "check_row",
    "describe_value",
    "has_empty_end",
]
