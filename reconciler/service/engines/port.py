"""The interface of an engine: how models are trained and loaded. Imports no engine.

A job is a directory:

    job.json       what to train: seed and hyperparameters        train.jsonl, valid.jsonl    the rows
    out/           the result: a folder of weights for each checkpoint, and the result file

An engine reports only what it measured. It refuses rows that it cannot learn before it trains.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from reconciler.domain.errors import ReconcilerError

AUTO = "auto"


class DataError(ReconcilerError):
    """Rows that cannot be learned: fix the lines that the message names.

    Shape:  `code` and `param` as in the API's failed jobs: `invalid_training_file`, `training_file`
    """

    def __init__(self, code: str, param: str, message: str) -> None:
        self.code = code
        self.param = param
        super().__init__(message)


class Hyperparameter(msgspec.Struct, frozen=True, kw_only=True):
    """A number that an engine uses, with its bounds. `note` explains narrow bounds."""

    name: str
    low: float
    high: float
    whole: bool = False
    note: str = ""


class Classes(msgspec.Struct, frozen=True, kw_only=True):
    """The classification figures that a job asks for, measured on the validation file.

    Shape:  with two classes `positive` is one of them, a whole completion; with more it is None, and so no `betas`
    """

    count: int
    positive: str | None = None
    betas: tuple[float, ...] = ()


class TrainingJob(msgspec.Struct, frozen=True, kw_only=True):
    """An opened job directory. The engine chooses the hyperparameters that `hyperparameters` does not name.

    Shape:  `compiled` asks for the result file of the first API generation; `classes` are asked only of an engine that
            `classifies`, and only together with validation rows
    """

    directory: Path
    seed: int
    hyperparameters: Mapping[str, float]
    compiled: bool = False
    classes: Classes | None = None

    @property
    def training(self) -> Path:
        return self.directory / "train.jsonl"

    @property
    def validation(self) -> Path | None:
        path = self.directory / "valid.jsonl"
        return path if path.exists() else None

    @property
    def out(self) -> Path:
        return self.directory / "out"


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """The measurements after a step. The validation figures are those of the whole validation file.

    Shape:  accuracies are those of tokens, and sequence accuracies those of whole answers
    """

    step: int
    total_steps: int
    train_loss: float
    train_accuracy: float
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    train_sequence_accuracy: float | None = None
    valid_sequence_accuracy: float | None = None
    elapsed_tokens: int | None = None
    elapsed_examples: int | None = None
    classification: Mapping[str, float] = msgspec.field(default_factory=dict)


class TrainingReport(Protocol):
    """Receives the progress of an engine."""

    def start(self, hyperparameters: Mapping[str, float]) -> None:
        """Report that the rows can be learned, and that training begins with these hyperparameters."""

    def note(self, message: str) -> None:
        """Report something that the owner of the job should know and that does not stop the job."""

    def step(self, metrics: Metrics) -> None:
        """Report the measurements after a step."""

    def checkpoint(self, metrics: Metrics, folder: str) -> None:
        """Report that the model after this step is saved in a folder of `out/`, ready to be loaded."""

    def finish(self, tokens: int) -> None:
        """Report the end: the last checkpoint is the model, and training read this many tokens."""


class ModelQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question to a model, or of a training row: the instructions, and the text that differs from row to row."""

    text: str
    instructions: str = ""


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a model.

    Shape:  `tokens` join to the whole text; `alternatives` are the likeliest first tokens, best first, with their
            log probabilities, and `logprobs` those of `tokens`
    """

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...]
    alternatives: tuple[tuple[str, float], ...]
    prompt_tokens: int


class LoadedModel(Protocol):
    """Trained weights, loaded."""

    def answer(self, question: ModelQuestion) -> ModelAnswer: ...


class Engine(Protocol):
    """One base model that can be fine-tuned here.

    Shape:  `base` is the name that jobs give as `model`; `requires` are the packages without which it does not run;
            one that `classifies` computes classification figures, where a job asks for them
    """

    @property
    def base(self) -> str: ...

    @property
    def created(self) -> int: ...

    @property
    def requires(self) -> tuple[str, ...]: ...

    @property
    def methods(self) -> frozenset[str]: ...

    @property
    def classifies(self) -> bool: ...

    @property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]: ...

    def train(self, job: TrainingJob, report: TrainingReport) -> None:
        """Check the rows, train, and leave weights in `out/`.

        Raises: DataError, before anything is trained, when the rows cannot be learned
        """

    def load(self, folder: Path) -> LoadedModel:
        """Load the weights of one checkpoint. Runs no code from its folder."""
