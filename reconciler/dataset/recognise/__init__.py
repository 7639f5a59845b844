"""The form of rows: recognised by keys, names and values, with the steps that make the API's form of it."""

from reconciler.dataset.hints import COHERE_ANSWERS, has_meaning, which_side, write_step, write_steps_inline
from reconciler.dataset.recognise.advice import Recognition, recognise_rows, suggest_mapping
from reconciler.dataset.recognise.forms import RowForm, recognise_format, recognise_row
from reconciler.dataset.transcripts import WRITE_TURNS, find_turn_marks

__all__ = [
    "COHERE_ANSWERS",
    "WRITE_TURNS",
    "Recognition",
    "RowForm",
    "find_turn_marks",
    "has_meaning",
    "recognise_format",
    "recognise_row",
    "recognise_rows",
    "suggest_mapping",
    "which_side",
    "write_step",
    "write_steps_inline",
]
