"""The mathematics of `tfidf-logreg`, on scikit-learn. Only this module of the service imports scikit-learn.

Weights are kept as numbers and JSON, never as pickled objects: a store may come from elsewhere, and reading weights
must run none of what lies in them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn import metrics as sklearn_metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier

from reconciler.service.engines.port import Classes, Metrics, ModelAnswer, ModelQuestion, TrainingJob, TrainingReport
from reconciler.service.engines.reporting import CLASSIFICATION_PREFIX
from reconciler.service.engines.rows import WORD, TrainingExample, count_words, visible_text

LEARNING_RATE = 2.0
REGULARISATION = 1e-5
MOST_FEATURES = 50_000
"""Of each kind, the most frequent ones; with 500 answers the weights then take about a gigabyte while training."""

ALTERNATIVES = 20
KEPT_CHECKPOINTS = 3

_FORMAT = 1
_FACTS, _NUMBERS = "model.json", "weights.npz"

Floats = NDArray[np.float64]


def _vectorizers(**words_and_letters: dict[str, Any]) -> tuple[Any, Any]:
    shared: dict[str, Any] = {"sublinear_tf": True, "lowercase": True}
    words = {"ngram_range": (1, 2), "token_pattern": WORD, **words_and_letters["words"]}
    letters = {"ngram_range": (2, 4), "analyzer": "char_wb", **words_and_letters["letters"]}
    return TfidfVectorizer(**shared, **words), TfidfVectorizer(**shared, **letters)


def features(vectorizers: tuple[Any, Any], texts: Sequence[str]) -> csr_matrix:
    """Turn texts into rows of features: those of words, then those of letters."""
    return hstack([vectorizer.transform(texts) for vectorizer in vectorizers], format="csr")


class Classifier(msgspec.Struct, frozen=True, kw_only=True):
    """Trained weights: all data that an answer needs, and no code.

    Shape:  `weights` has a row for each answer and a column for each feature, words first
    """

    answers: tuple[str, ...]
    reads_instructions: bool
    vectorizers: tuple[Any, Any]
    weights: Floats
    bias: Floats

    def log_probabilities(self, rows: csr_matrix) -> Floats:
        """Return, for each row of features, the log probability of each answer; they sum to one."""
        scores: Floats = np.asarray(rows @ self.weights.T) + self.bias
        each = -np.logaddexp(0.0, -scores)
        return np.asarray(each - np.logaddexp.reduce(each, axis=1, keepdims=True))

    def write(self, folder: Path) -> None:
        """Save the weights in a new folder."""
        folder.mkdir(mode=0o700)
        words, letters = self.vectorizers
        facts = {
            "format": _FORMAT,
            "answers": self.answers,
            "reads_instructions": self.reads_instructions,
            "words": words.get_feature_names_out().tolist(),
            "letters": letters.get_feature_names_out().tolist(),
        }
        (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        np.savez(
            folder / _NUMBERS,
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            words=words.idf_,
            letters=letters.idf_,
        )

    @classmethod
    def read(cls, folder: Path) -> "Classifier":
        """Load what `write` saved.

        Raises: ValueError when it was saved in another form
        """
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        if facts["format"] != _FORMAT:
            raise ValueError(f"weights of format {facts['format']}, this version reads {_FORMAT}")
        with np.load(folder / _NUMBERS, allow_pickle=False) as numbers:
            words, letters = _vectorizers(
                words={"vocabulary": facts["words"]}, letters={"vocabulary": facts["letters"]}
            )
            words.idf_, letters.idf_ = numbers["words"], numbers["letters"]
            return cls(
                answers=tuple(facts["answers"]),
                reads_instructions=facts["reads_instructions"],
                vectorizers=(words, letters),
                weights=numbers["weights"].astype(np.float64),
                bias=numbers["bias"].astype(np.float64),
            )


class LogregTrainer:
    """Trains a classifier. Each `epoch` uses every row once, in an order that the seed decides."""

    def __init__(self, training: Sequence[TrainingExample], seed: int, learning_rate_multiplier: float) -> None:
        # Instructions that are the same in every row carry no information, and would outweigh the text that differs.
        self.reads_instructions = len({example.question.instructions for example in training}) > 1
        self.answers = tuple(sorted({example.answer for example in training}))
        limits = {"max_features": MOST_FEATURES}
        self.vectorizers = _vectorizers(words=limits, letters=limits)
        texts = [self.seen_text(example.question) for example in training]
        self._features = hstack([vectorizer.fit_transform(texts) for vectorizer in self.vectorizers], format="csr")
        self._numbers = indices(self.answers, training)
        self._regression = SGDClassifier(
            loss="log_loss",
            alpha=REGULARISATION,
            learning_rate="constant",
            eta0=LEARNING_RATE * learning_rate_multiplier,
            average=True,
            # One random source for all epochs: each epoch has its own order, and the same seed gives the same model.
            random_state=np.random.RandomState(seed),
        )

    def seen_text(self, question: ModelQuestion) -> str:
        """Return the text of a question that this model reads."""
        return visible_text(question, reads_instructions=self.reads_instructions)

    def epoch(self) -> Classifier:
        """Train on every row once, and return the model after that."""
        self._regression.partial_fit(self._features, self._numbers, classes=np.arange(len(self.answers)))
        weights, bias = self._regression.coef_, self._regression.intercept_
        if len(self.answers) == 2:
            # Of two answers scikit-learn keeps only the second; the first is its opposite.
            weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
        return Classifier(
            answers=self.answers,
            reads_instructions=self.reads_instructions,
            vectorizers=self.vectorizers,
            weights=weights.copy(),
            bias=bias.copy(),
        )


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One validation row: the class it has, the one the model gave, and the probability of the positive class."""

    actual: str
    given: str
    positive: float


class EvaluationRows:
    """Rows on which models are measured; their features are computed once."""

    def __init__(self, trainer: LogregTrainer, examples: Sequence[TrainingExample]) -> None:
        self._numbers = indices(trainer.answers, examples)
        self._actual = tuple(example.answer for example in examples)
        texts = [trainer.seen_text(example.question) for example in examples]
        self._features = features(trainer.vectorizers, texts) if texts else None

    def measure(self, model: Classifier) -> tuple[float | None, float]:
        """Return mean loss over the rows whose answer the model knows, and accuracy over all rows."""
        assert self._features is not None
        logs = model.log_probabilities(self._features)
        known = np.flatnonzero(self._numbers >= 0)
        loss = float(-logs[known, self._numbers[known]].mean()) if len(known) else None
        return loss, float((logs.argmax(axis=1) == self._numbers).mean())

    def predict(self, model: Classifier, positive: str | None) -> tuple[Prediction, ...]:
        """Return the answer of a model to each row, with the probability of the positive answer, 0 if it is unknown."""
        assert self._features is not None
        logs = model.log_probabilities(self._features)
        column = model.answers.index(positive) if positive in model.answers else None
        return tuple(
            Prediction(
                actual=actual,
                given=model.answers[row.argmax()],
                positive=0.0 if column is None else float(np.exp(row[column])),
            )
            for actual, row in zip(self._actual, logs, strict=True)
        )


def indices(answers: Sequence[str], examples: Sequence[TrainingExample]) -> NDArray[np.int64]:
    """Return the position of each example's answer, -1 for one that is not among them."""
    position = {answer: number for number, answer in enumerate(answers)}
    return np.array([position.get(example.answer, -1) for example in examples], dtype=np.int64)


class LogregModel(msgspec.Struct, frozen=True):
    """A loaded model. It always returns the most probable answer: the same question gives the same answer."""

    model: Classifier

    def answer(self, question: ModelQuestion) -> ModelAnswer:
        """Answer one question."""
        text = visible_text(question, reads_instructions=self.model.reads_instructions)
        logs = self.model.log_probabilities(features(self.model.vectorizers, [text]))[0]
        best = np.argsort(-logs, kind="stable")[:ALTERNATIVES]
        return ModelAnswer(
            tokens=(self.model.answers[best[0]],),
            logprobs=(float(logs[best[0]]),),
            alternatives=tuple((self.model.answers[number], float(logs[number])) for number in best),
            prompt_tokens=count_words(text),
        )


def compute_figures(classes: Classes, predicted: Sequence[Prediction]) -> Mapping[str, float]:
    """Compute the figures that the first fine-tuning API wrote into its result files.

    Two classes, one of them positive: accuracy, precision, recall, the areas under both curves, and an F-score for each
    beta. More than two: accuracy and the F1 score weighted by class. A class is a whole completion, compared exactly,
    with its leading space. A figure that the rows do not define, such as an area over a single class, is left out.
    """
    actual, given = [row.actual for row in predicted], [row.given for row in predicted]
    found = {"accuracy": sklearn_metrics.accuracy_score(actual, given)}
    if classes.positive is None:
        found["weighted_f1_score"] = sklearn_metrics.f1_score(actual, given, average="weighted", zero_division=0)
        return _with_prefix(found)
    truth, given_class = _is(classes.positive, actual), _is(classes.positive, given)
    found["precision"] = sklearn_metrics.precision_score(truth, given_class, zero_division=0)
    found["recall"] = sklearn_metrics.recall_score(truth, given_class, zero_division=0)
    if len(set(truth)) == 2:
        scores = [row.positive for row in predicted]
        found["auroc"] = sklearn_metrics.roc_auc_score(truth, scores)
        found["auprc"] = sklearn_metrics.average_precision_score(truth, scores)
    for beta in classes.betas:
        found[f"f{beta}"] = sklearn_metrics.fbeta_score(truth, given_class, beta=beta, zero_division=0)
    return _with_prefix(found)


def _with_prefix(found: Mapping[str, float]) -> dict[str, float]:
    return {CLASSIFICATION_PREFIX + name: float(value) for name, value in found.items()}


def _is(positive: str, labels: Sequence[str]) -> list[int]:
    return [int(label == positive) for label in labels]


def train(
    job: TrainingJob,
    training: Sequence[TrainingExample],
    validation: Sequence[TrainingExample],
    chosen: dict[str, float],
    report: TrainingReport,
) -> None:
    """Train epoch by epoch, report each epoch, and keep the last ones as checkpoints."""
    trainer = LogregTrainer(training, job.seed, chosen["learning_rate_multiplier"])
    seen, unseen = EvaluationRows(trainer, training), EvaluationRows(trainer, validation)
    epochs = int(chosen["n_epochs"])
    tokens = sum(count_words(trainer.seen_text(each.question)) + 1 for each in training)
    for epoch in range(1, epochs + 1):
        model = trainer.epoch()
        train_loss, train_accuracy = seen.measure(model)
        valid_loss, valid_accuracy = unseen.measure(model) if validation else (None, None)
        metrics = Metrics(
            step=epoch * len(training),
            total_steps=epochs * len(training),
            train_loss=train_loss or 0.0,
            train_accuracy=train_accuracy,
            valid_loss=valid_loss,
            valid_accuracy=valid_accuracy,
            train_sequence_accuracy=train_accuracy,
            valid_sequence_accuracy=valid_accuracy,
            elapsed_tokens=epoch * tokens,
            elapsed_examples=epoch * len(training),
            classification=compute_figures(job.classes, unseen.predict(model, job.classes.positive))
            if job.classes
            else {},
        )
        report.step(metrics)
        if epoch > epochs - KEPT_CHECKPOINTS:
            _keep(model, metrics, job, report)
    report.finish(epochs * tokens)


def _keep(model: Classifier, metrics: Metrics, job: TrainingJob, report: TrainingReport) -> None:
    folder = f"step-{metrics.step}"
    model.write(job.out / folder)
    report.checkpoint(metrics, folder)
