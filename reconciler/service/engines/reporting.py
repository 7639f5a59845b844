"""The reports of a job: the columns of its result file, and its progress as one JSON object a line. Knows no engine.

`step_metrics.csv` is the current API's, `compiled_results.csv` that of its first generation. A cell for what was not
measured is empty.
"""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TextIO

import msgspec

from reconciler.service.engines.port import Classes, DataError, Metrics, TrainingJob

CLASSIFICATION_PREFIX = "classification/"

Cell = Callable[[Metrics], float | None]


class ResultTable(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of result file, with its columns."""

    filename: str
    columns: tuple[tuple[str, Cell], ...]

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def row(self, metrics: Metrics) -> tuple[float | str, ...]:
        """Return one measurement as a row."""
        cells = (cell(metrics) for _, cell in self.columns)
        return tuple("" if value is None else value for value in cells)

    def open(self, out: Path) -> TextIO:
        """Create the file of a job."""
        return (out / self.filename).open("w", encoding="utf-8", newline="")


STEP_METRICS = ResultTable(
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


def result_table(job: TrainingJob) -> ResultTable:
    """Return the kind of result file that a job asks for."""
    if not job.compiled:
        return STEP_METRICS
    columns = _TRAINING + (_VALIDATION if job.validation else ())
    figures = figure_names(job.classes) if job.classes else ()
    return ResultTable(
        filename=COMPILED_RESULTS, columns=columns + tuple((name, _figure_cell(name)) for name in figures)
    )


def _figure_cell(name: str) -> Cell:
    return lambda at: at.classification.get(name)


class LineReport:
    """Writes the progress as lines, and the steps into the result file."""

    def __init__(self, lines: IO[str], results: TextIO, sheet: ResultTable = STEP_METRICS) -> None:
        self._lines = lines
        self._results = results
        self._sheet = sheet
        self._table = csv.writer(results, lineterminator="\n")
        self._table.writerow(sheet.header)

    def start(self, hyperparameters: Mapping[str, float]) -> None:
        """Write the hyperparameters with which training begins."""
        self._write("validated", hyperparameters=dict(hyperparameters))

    def note(self, message: str) -> None:
        """Write something that the owner of the job should know."""
        self._write("note", message=message)

    def step(self, metrics: Metrics) -> None:
        """Write the measurements after a step."""
        self._table.writerow(self._sheet.row(metrics))
        self._results.flush()
        self._write(
            "metrics", message=_step_message(metrics), data={**api_metrics(metrics), "total_steps": metrics.total_steps}
        )

    def checkpoint(self, metrics: Metrics, folder: str) -> None:
        """Write that weights were saved."""
        self._write("checkpoint", step=metrics.step, folder=folder, metrics=api_metrics(metrics))

    def finish(self, tokens: int) -> None:
        """Write that training ended."""
        self._write("trained", tokens=tokens)

    def refuse(self, error: DataError) -> None:
        """Write that the rows cannot be learned."""
        self._write("refused", code=error.code, param=error.param, message=str(error))

    def _write(self, kind: str, **facts: object) -> None:
        self._lines.write(json.dumps({"kind": kind, **facts}) + "\n")
        self._lines.flush()


def api_metrics(metrics: Metrics) -> dict[str, float]:
    """Return the measurements under the API's names, without those that were not made."""
    found = {
        "step": metrics.step,
        "train_loss": metrics.train_loss,
        "train_mean_token_accuracy": metrics.train_accuracy,
        "full_valid_loss": metrics.valid_loss,
        "full_valid_mean_token_accuracy": metrics.valid_accuracy,
    }
    return {name: value for name, value in found.items() if value is not None}


def read_report_line(line: bytes) -> dict[str, object]:
    """Read one line of a report.

    Raises: ValueError when it is not one
    """
    report = json.loads(line)
    if not isinstance(report, dict) or not isinstance(report.get("kind"), str):
        raise ValueError("not a line of a report")
    return report


def _step_message(metrics: Metrics) -> str:
    loss = f"Step {metrics.step}/{metrics.total_steps}: training loss={metrics.train_loss:.4f}"
    return loss if metrics.valid_loss is None else f"{loss}, full validation loss={metrics.valid_loss:.4f}"


def figure_names(classes: Classes) -> tuple[str, ...]:
    """Return the names of the figures, in the order of the result file."""
    if classes.positive is None:
        return (CLASSIFICATION_PREFIX + "accuracy", CLASSIFICATION_PREFIX + "weighted_f1_score")
    fixed = ("accuracy", "precision", "recall", "auroc", "auprc")
    return tuple(CLASSIFICATION_PREFIX + name for name in (*fixed, *(f"f{beta}" for beta in classes.betas)))
