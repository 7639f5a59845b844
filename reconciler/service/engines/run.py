"""Runs one job in its own process: `python -m reconciler.service.engines.run JOBDIR --engine MODULE`.

What the engine reports goes to standard output, a JSON object a line; anything else that the process prints goes to
standard error. When standard input closes, the process ends: so it ends with its worker, however the worker ends.
"""

import argparse
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.service.engines.port import AUTO, Classes, DataError, TrainingJob
from reconciler.service.engines.registry import load_engines
from reconciler.service.engines.reporting import LineReport, result_table

NICENESS = 10


def main(arguments: list[str] | None = None) -> int:
    """Train one job; the exit code is 0 when it was trained or its rows were refused."""
    parser = argparse.ArgumentParser(prog="python -m reconciler.service.engines.run")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--engine", required=True, help="the module of the engine")
    parser.add_argument("--check", action="store_true", help="check the rows only")
    options = parser.parse_args(arguments)
    os.nice(NICENESS)
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    descriptor = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    (engine,) = load_engines((options.engine,)).engines
    job = open_job(options.directory)
    job.out.mkdir(mode=0o700, exist_ok=True)
    sheet = result_table(job)
    with os.fdopen(descriptor, "w", encoding="utf-8") as lines, sheet.open(job.out) as results:
        report = (CheckReport if options.check else LineReport)(lines, results, sheet)
        try:
            engine.train(job, report)
        except DataError as error:
            report.refuse(error)
    return 0


class CheckReport(LineReport):
    """A report that ends the process when the rows can be learned, before anything is trained."""

    def start(self, hyperparameters: Mapping[str, float]) -> None:
        """Write the hyperparameters, and end."""
        super().start(hyperparameters)
        sys.exit(0)


def open_job(directory: Path) -> TrainingJob:
    """Read a job directory."""
    facts = json.loads((directory / "job.json").read_text(encoding="utf-8"))
    stated = {name: value for name, value in facts["hyperparameters"].items() if value != AUTO}
    return TrainingJob(
        directory=directory,
        seed=facts["seed"],
        hyperparameters=stated,
        compiled=facts["compiled"],
        classes=_classes(facts["classes"]),
    )


def _classes(facts: dict[str, Any] | None) -> Classes | None:
    return Classes(**{**facts, "betas": tuple(facts["betas"])}) if facts else None


def _end_with_the_worker() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
