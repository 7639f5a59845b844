"""What `openai tools fine_tunes.prepare_data` did, byte for byte: its rules, its messages and its odd habits.

New rules belong into `prepare_data/suggest`. People who have files made by the old tool, or a pipeline around it, get
the same files, names, row order, messages and exit code.
"""

from reconciler.prepare_data.compat.prepare import run_legacy_prepare
from reconciler.prepare_data.compat.row_validators import MAX_CHARACTERS
from reconciler.prepare_data.compat.table import TaskKind, guess_task
from reconciler.prepare_data.compat.text_validators import (
    LONG_AFFIX,
    LONG_PREFIX,
    SHORTEST_PREFIX,
    choose_ending,
    choose_separator,
    find_common_prefix,
    find_common_suffix,
    is_mostly_upper,
)
from reconciler.prepare_data.compat.writing import choose_names, shuffle, write_new_files

__all__ = [
    "LONG_AFFIX",
    "LONG_PREFIX",
    "MAX_CHARACTERS",
    "SHORTEST_PREFIX",
    "TaskKind",
    "choose_ending",
    "choose_names",
    "choose_separator",
    "find_common_prefix",
    "find_common_suffix",
    "guess_task",
    "is_mostly_upper",
    "run_legacy_prepare",
    "shuffle",
    "write_new_files",
]
