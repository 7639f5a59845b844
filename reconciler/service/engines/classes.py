"""How well classes are told apart, by the figures that the first fine-tuning API put into its result files.

Two classes, one of them the positive one: accuracy, precision, recall, the areas under both curves, and an F-score for
each beta. More than two: accuracy and the F1 score weighted by class. A class is a whole completion, compared exactly,
its leading space included. Nothing is estimated: the figures are scikit-learn's, over the predictions of a model.
"""

from collections.abc import Mapping, Sequence

import msgspec

from reconciler.service.engines.port import Classes, DataError

PREFIX = "classification/"


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One validation row: the class it has, the one the model gave, and the probability of the positive class."""

    actual: str
    given: str
    positive: float


def check_classes(classes: Classes, training: Sequence[str], validation: Sequence[str]) -> None:
    """Return when the rows have the classes that the job says they have.

    Raises: DataError
    """
    if classes.positive is not None and classes.positive not in validation:
        what = f"The specified positive class '{classes.positive}' is not among the classes of the validation file"
        raise _refusal(f"{what}: {_list_classes(set(validation))}")
    # A class that only one of the files has is a class all the same, so the two are counted together.
    found = {*training, *validation}
    if len(found) != classes.count:
        what = (
            "The number of classes in the files does not match the number of classes specified in the hyperparameters"
        )
        raise _refusal(f"{what}: {len(found)} found, {classes.count} specified; they are {_list_classes(found)}")


def figure_names(classes: Classes) -> tuple[str, ...]:
    """Name the figures, in the order of the result file."""
    if classes.positive is None:
        return (PREFIX + "accuracy", PREFIX + "weighted_f1_score")
    fixed = ("accuracy", "precision", "recall", "auroc", "auprc")
    return tuple(PREFIX + name for name in (*fixed, *(f"f{beta}" for beta in classes.betas)))


def compute_figures(classes: Classes, predicted: Sequence[Prediction]) -> Mapping[str, float]:
    """Compute the figures; one that the rows do not define, such as an area over a single class, is left out.

    Cost:   imports scikit-learn
    """
    from sklearn import metrics

    actual, given = [row.actual for row in predicted], [row.given for row in predicted]
    found = {"accuracy": metrics.accuracy_score(actual, given)}
    if classes.positive is None:
        found["weighted_f1_score"] = metrics.f1_score(actual, given, average="weighted", zero_division=0)
        return _with_prefix(found)
    truth, said = _is(classes.positive, actual), _is(classes.positive, given)
    found["precision"] = metrics.precision_score(truth, said, zero_division=0)
    found["recall"] = metrics.recall_score(truth, said, zero_division=0)
    if len(set(truth)) == 2:
        scores = [row.positive for row in predicted]
        found["auroc"] = metrics.roc_auc_score(truth, scores)
        found["auprc"] = metrics.average_precision_score(truth, scores)
    for beta in classes.betas:
        found[f"f{beta}"] = metrics.fbeta_score(truth, said, beta=beta, zero_division=0)
    return _with_prefix(found)


def _with_prefix(found: Mapping[str, float]) -> dict[str, float]:
    return {PREFIX + name: float(value) for name, value in found.items()}


def _is(positive: str, labels: Sequence[str]) -> list[int]:
    return [int(label == positive) for label in labels]


def _refusal(message: str) -> DataError:
    return DataError("invalid_validation_file", "validation_file", message)


def _list_classes(classes: set[str]) -> str:
    first = ", ".join(repr(each) for each in sorted(classes)[:5])
    return f"{first} and {len(classes) - 5} more" if len(classes) > 5 else first
