"""Carries what an engine says from its process to the worker: one JSON object a line. Both ends are here."""

import csv
import json
from collections.abc import Mapping
from typing import IO, TextIO

from reconciler.service.engines.port import DataError, Metrics
from reconciler.service.engines.results import STEP_METRICS, Sheet


class LineReport:
    """A `Report` that writes lines, and the result file as the steps come."""

    def __init__(self, lines: IO[str], results: TextIO, sheet: Sheet = STEP_METRICS) -> None:
        self._lines = lines
        self._results = results
        self._sheet = sheet
        self._table = csv.writer(results, lineterminator="\n")
        self._table.writerow(sheet.header)

    def validated(self, hyperparameters: Mapping[str, float]) -> None:
        """Say with which numbers the training begins."""
        self._tell("validated", hyperparameters=dict(hyperparameters))

    def note(self, message: str) -> None:
        """Say something that the owner of the job should know."""
        self._tell("note", message=message)

    def step(self, metrics: Metrics) -> None:
        """Say what was measured after a step."""
        self._table.writerow(self._sheet.row(metrics))
        self._results.flush()
        self._tell("metrics", message=_said(metrics), data={**named(metrics), "total_steps": metrics.total_steps})

    def checkpoint(self, metrics: Metrics, folder: str) -> None:
        """Say that weights were saved."""
        self._tell("checkpoint", step=metrics.step, folder=folder, metrics=named(metrics))

    def trained(self, tokens: int) -> None:
        """Say that it is done."""
        self._tell("trained", tokens=tokens)

    def refused(self, error: DataError) -> None:
        """Say that the rows cannot be learned."""
        self._tell("refused", code=error.code, param=error.param, message=str(error))

    def _tell(self, kind: str, **facts: object) -> None:
        self._lines.write(json.dumps({"kind": kind, **facts}) + "\n")
        self._lines.flush()


def named(metrics: Metrics) -> dict[str, float]:
    """Return measurements their names in the API, leaving out what was not measured."""
    found = {
        "step": metrics.step,
        "train_loss": metrics.train_loss,
        "train_mean_token_accuracy": metrics.train_accuracy,
        "full_valid_loss": metrics.valid_loss,
        "full_valid_mean_token_accuracy": metrics.valid_accuracy,
    }
    return {name: value for name, value in found.items() if value is not None}


def read_line(line: bytes) -> dict[str, object]:
    """Read one line of a report.

    Raises: ValueError when it is none
    """
    said = json.loads(line)
    if not isinstance(said, dict) or not isinstance(said.get("kind"), str):
        raise ValueError("not a line of a report")
    return said


def _said(metrics: Metrics) -> str:
    loss = f"Step {metrics.step}/{metrics.total_steps}: training loss={metrics.train_loss:.4f}"
    return loss if metrics.valid_loss is None else f"{loss}, full validation loss={metrics.valid_loss:.4f}"
