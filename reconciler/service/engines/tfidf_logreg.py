"""The base model `tfidf-logreg`: learns which answer of a closed set belongs to a text. Small, fast, no chat model.

A text becomes TF-IDF weights of its words (one and two in a row) and of the letters within them (two to four in a
row); a logistic regression for each answer is trained on them by stochastic gradient descent, one example at a time,
and the most probable answer is returned. It cannot write text: it never returns an answer that no training row had.

What its numbers mean:

    step       one training example. Metrics are measured after each epoch, over the whole files
    token      of a text, a word. An answer is one token: the model picks it whole, as it was in the rows
    accuracy   the share of rows whose answer is exactly right, which with answers of one token is token accuracy
    loss       mean negative log probability of the right answer
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from reconciler.service.engines.port import (
    DataError,
    Hyperparameter,
    LoadedModel,
    TrainingJob,
    TrainingReport,
)
from reconciler.service.engines.rows import WORD, TrainingExample, check_classes, read_training, read_validation

MOST_ANSWERS = 500
MOST_EPOCHS, LEAST_EPOCHS, ROWS_TO_SEE = 20, 3, 4000
"""The default number of epochs: as many as train on about 4000 rows, within bounds."""


class TfidfLogreg(msgspec.Struct, frozen=True):
    """The engine."""

    base: str = "tfidf-logreg"
    created: int = 1_793_491_200
    requires: tuple[str, ...] = ("sklearn",)
    methods: frozenset[str] = frozenset({"supervised"})
    classifies: bool = True
    hyperparameters: tuple[Hyperparameter, ...] = (
        Hyperparameter(name="n_epochs", low=1, high=50, whole=True),
        Hyperparameter(name="learning_rate_multiplier", low=0.01, high=10.0),
        Hyperparameter(name="batch_size", low=1, high=1, whole=True, note="it learns from one example at a time"),
    )

    def train(self, job: TrainingJob, report: TrainingReport) -> None:
        """Check the rows, train epoch by epoch, keep the last three epochs."""
        training = read_training(job.training)
        validation = read_validation(job.validation) if job.validation else ()
        _refuse_what_is_no_closed_set(training)
        if job.classes:
            check_classes(job.classes, _answers(training), _answers(validation))
        chosen = {
            "n_epochs": int(job.hyperparameters.get("n_epochs", auto_epochs(len(training)))),
            "batch_size": 1,
            "learning_rate_multiplier": job.hyperparameters.get("learning_rate_multiplier", 1.0),
        }
        report.start(chosen)
        _note_unknown_answers(training, validation, report)
        # scikit-learn takes a second to import, and only training and inference need it.
        from reconciler.service.engines.logreg import train

        train(job, training, validation, chosen, report)

    def load(self, folder: Path) -> LoadedModel:
        """Load one checkpoint."""
        # As above: the service lists this engine without importing scikit-learn.
        from reconciler.service.engines.logreg import Classifier, LogregModel

        return LogregModel(Classifier.read(folder))


ENGINE = TfidfLogreg()


def auto_epochs(rows: int) -> int:
    """Choose a number of epochs for a file of so many rows."""
    return max(LEAST_EPOCHS, min(MOST_EPOCHS, ROWS_TO_SEE // rows))


def _answers(examples: Sequence[TrainingExample]) -> tuple[str, ...]:
    return tuple(example.answer for example in examples)


def _refuse_what_is_no_closed_set(training: Sequence[TrainingExample]) -> None:
    answers = {example.answer for example in training}
    why = ""
    if len(answers) < 2:
        why = "every row has the same answer, so there is nothing to tell apart"
    elif len(answers) > len(training) / 2:
        why = f"there are {len(answers)} different answers in {len(training)} rows"
    elif len(answers) > MOST_ANSWERS:
        why = f"there are {len(answers)} different answers, and it takes at most {MOST_ANSWERS}"
    elif not any(re.search(WORD, example.question.text) for example in training):
        why = "no row has a word before its answer"
    if why:
        message = (
            f"Training file: {why}. The base model {ENGINE.base} learns a closed set of answers, each shown in at "
            "least two rows on average, such as labels or fixed replies; it cannot learn to write free text"
        )
        raise DataError("invalid_training_file", "training_file", message)


def _note_unknown_answers(
    training: Iterable[TrainingExample], validation: Sequence[TrainingExample], report: TrainingReport
) -> None:
    known = {example.answer for example in training}
    unknown = sum(example.answer not in known for example in validation)
    if unknown:
        report.note(
            f"{unknown} of {len(validation)} validation rows have an answer that no training row has: "
            "they count as wrong, and have no part in the validation loss"
        )
