"""Looks at a file as the old tool did, and says what to do about it as steps that a spec can hold. Asks nobody."""

from reconciler.prepare_data.suggest.examine import Examination, examine
from reconciler.prepare_data.suggest.finding import FileFinding, Remedy
from reconciler.prepare_data.suggest.output import name_prepared_files, write_dataset, write_prepared_files, write_steps

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
