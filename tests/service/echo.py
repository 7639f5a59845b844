"""An engine for tests: it memorises its rows and repeats unknown prompts. Its first row is one of these commands.

wait for PATH      trains until a file of that name exists          leave a child PATH    starts a process and waits
die                is killed                                        fail                  raises an error
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from reconciler.service.engines import Hyperparameter, Metrics, ModelAnswer, ModelQuestion, TrainingJob, TrainingReport
from reconciler.service.engines.rows import read_training, read_validation

EPOCHS = 3


@dataclass(frozen=True, slots=True)
class Echo:
    """The engine."""

    base: str = "test-echo"
    created: int = 1_790_000_000
    requires: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset({"supervised"})
    classifies: bool = False
    hyperparameters: tuple[Hyperparameter, ...] = (Hyperparameter(name="n_epochs", low=1, high=50, whole=True),)

    def train(self, job: TrainingJob, report: TrainingReport) -> None:
        """Remember every row."""
        rows = read_training(job.training)
        if job.validation:
            read_validation(job.validation)
        epochs = int(job.hyperparameters.get("n_epochs", EPOCHS))
        report.start({"n_epochs": epochs})
        for step in range(1, epochs + 1):
            metrics = Metrics(step=step, total_steps=epochs, train_loss=1 / step, train_accuracy=1.0)
            report.step(metrics)
            folder = job.out / f"step-{step}"
            folder.mkdir()
            (folder / "rows.json").write_text(json.dumps({row.question.text: row.answer for row in rows}))
            report.checkpoint(metrics, folder.name)
            _obey(rows[0].question.text)
        report.finish(epochs * len(rows))

    def load(self, folder: Path) -> "EchoAnswerer":
        """Recall every row."""
        return EchoAnswerer(json.loads((folder / "rows.json").read_text()))


@dataclass(frozen=True, slots=True)
class EchoAnswerer:
    """The memorised rows."""

    rows: dict[str, str]

    def answer(self, question: ModelQuestion) -> ModelAnswer:
        """Answer word by word, as a generative model does."""
        words = self.rows.get(question.text, question.text).split(" ")
        tokens = (words[0], *(f" {word}" for word in words[1:]))
        logprobs = tuple(-0.5 for _ in tokens)
        return ModelAnswer(
            tokens=tokens,
            logprobs=logprobs,
            alternatives=((tokens[0], -0.5), ("else", -1.5)),
            prompt_tokens=len(question.text.split(" ")),
        )


ENGINE = Echo()


def _obey(order: str) -> None:
    if order.startswith("wait for "):
        _wait_for(Path(order.removeprefix("wait for ")))
    elif order.startswith("leave a child "):
        path = order.removeprefix("leave a child ")
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        Path(path).write_text(str(child.pid))
        child.wait()
    elif order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "fail":
        raise RuntimeError("told to fail")


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)
