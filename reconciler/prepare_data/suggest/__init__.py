"""Examines a file by the rules of the old tool, and suggests what to do about it as steps for a spec."""

from reconciler.prepare_data.suggest.examine import Examination, examine
from reconciler.prepare_data.suggest.finding import FileFinding, Remedy
from reconciler.prepare_data.suggest.output import (
    name_prepared_files,
    write_dataset,
    write_prepared_files,
    write_steps,
)

__all__ = [
    "Examination",
    "FileFinding",
    "Remedy",
    "examine",
    "name_prepared_files",
    "write_dataset",
    "write_prepared_files",
    "write_steps",
]
