"""The fast path: plain rows of JSON Lines, read by their types alone, with the same result as the general path."""

from reconciler.dataset.fast_path.decode import can_be_plain, plain_values
from reconciler.dataset.fast_path.file import read_plain_file

__all__ = ["can_be_plain", "plain_values", "read_plain_file"]
