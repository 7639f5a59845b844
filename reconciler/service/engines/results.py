"""The result file of a job: which columns it has, and what a measurement writes into them. Knows no engine.

`step_metrics.csv` is the current API's, `compiled_results.csv` that of its first generation. A cell for what was not
measured is empty.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import msgspec

from reconciler.service.engines.classes import names
from reconciler.service.engines.port import Job, Metrics

Cell = Callable[[Metrics], float | None]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of result file."""

    filename: str
    columns: tuple[tuple[str, Cell], ...]

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def row(self, metrics: Metrics) -> tuple[float | str, ...]:
        """Write one measurement."""
        cells = (cell(metrics) for _, cell in self.columns)
        return tuple("" if value is None else value for value in cells)

    def open(self, out: Path) -> TextIO:
        """Begin the file of a job."""
        return (out / self.filename).open("w", encoding="utf-8", newline="")


STEP_METRICS = Sheet(
    filename="step_metrics.csv",
    columns=(
        ("step", lambda at: at.step),
        ("train_loss", lambda at: at.train_loss),
        ("train_accuracy", lambda at: at.train_accuracy),
        ("valid_loss", lambda at: at.valid_loss),
        ("valid_mean_token_accuracy", lambda at: at.valid_accuracy),
    ),
)

COMPILED_RESULTS = "compiled_results.csv"

_TRAINING: tuple[tuple[str, Cell], ...] = (
    ("step", lambda at: at.step),
    ("elapsed_tokens", lambda at: at.elapsed_tokens),
    ("elapsed_examples", lambda at: at.elapsed_examples),
    ("training_loss", lambda at: at.train_loss),
    ("training_sequence_accuracy", lambda at: at.train_sequence_accuracy),
    ("training_token_accuracy", lambda at: at.train_accuracy),
)
_VALIDATION: tuple[tuple[str, Cell], ...] = (
    ("validation_loss", lambda at: at.valid_loss),
    ("validation_sequence_accuracy", lambda at: at.valid_sequence_accuracy),
    ("validation_token_accuracy", lambda at: at.valid_accuracy),
)


def sheet_of(job: Job) -> Sheet:
    """Return the kind of result file that a job is to have."""
    if not job.compiled:
        return STEP_METRICS
    columns = _TRAINING + (_VALIDATION if job.validation else ())
    figures = names(job.classes) if job.classes else ()
    return Sheet(filename=COMPILED_RESULTS, columns=columns + tuple((name, _figure(name)) for name in figures))


def _figure(name: str) -> Cell:
    return lambda at: at.classification.get(name)
