"""Classification metrics: figures from real predictions, and jobs that cannot have them."""

import csv
import io
from pathlib import Path

import pytest

from reconciler.service.engines import Classes, DataError
from reconciler.service.engines.logreg import Prediction, compute_figures
from reconciler.service.engines.reporting import figure_names
from reconciler.service.engines.rows import check_classes
from tests.service.legacy.old import LegacyService, messages, pair
from tests.service.service_fixtures import Json, dismiss, error_of, jsonl, open_local

REAL = ("reconciler.service.engines.tfidf_logreg",)
BINARY = Classes(count=2, positive=" yes", betas=(0.5, 1.0))
MANY = Classes(count=3)


def mood(number: int) -> Json:
    """Return an invented row whose words determine its class."""
    word, answer = (("great", " yes"), ("awful", " no"))[number % 2]
    return pair(f"number {number} is {word} ->", answer)


@pytest.fixture
def real(tmp_path: Path) -> LegacyService:
    """The old API over the engine that is built in, with no worker: for requests that are refused."""
    return LegacyService(open_local(tmp_path / "store", engines=REAL, legacy_bases={"ada": "tfidf-logreg"}))


def read_predictions(rows: str) -> list[Prediction]:
    """Return predictions from words such as `yy0.9`: the true class, the given one, the probability of yes."""
    answers = {"y": " yes", "n": " no", "m": " maybe"}
    return [
        Prediction(actual=answers[row[0]], given=answers[row[1]], positive=float(row[2:] or 0)) for row in rows.split()
    ]


def test_two_classes_are_measured_around_the_positive_one() -> None:
    """Computed by hand: two of three yes are found, and two of three answers yes are right."""
    found = compute_figures(BINARY, read_predictions("yy0.9 yy0.8 yn0.3 nn0.2 nn0.1 ny0.7"))

    assert tuple(found) == figure_names(BINARY)
    assert found["classification/accuracy"] == pytest.approx(4 / 6)
    assert found["classification/precision"] == pytest.approx(2 / 3)
    assert found["classification/recall"] == pytest.approx(2 / 3)
    assert found["classification/auroc"] == pytest.approx(8 / 9)
    assert found["classification/auprc"] == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert found["classification/f0.5"] == pytest.approx(2 / 3)
    assert found["classification/f1.0"] == pytest.approx(2 / 3)


def test_more_classes_are_measured_together() -> None:
    """Weighted by class: yes has F1 2/3, no 0.8, maybe 1, over 2, 2 and 1 rows."""
    found = compute_figures(MANY, read_predictions("yy yn nn nn mm"))

    assert tuple(found) == figure_names(MANY)
    assert found["classification/accuracy"] == pytest.approx(4 / 5)
    assert found["classification/weighted_f1_score"] == pytest.approx((2 * 2 / 3 + 2 * 0.8 + 1) / 5)


def test_the_area_of_a_single_class_is_left_out() -> None:
    found = compute_figures(BINARY, read_predictions("yy0.9 yn0.2"))

    assert "classification/auroc" not in found
    assert "classification/auprc" not in found
    assert found["classification/recall"] == pytest.approx(0.5)


def test_classes_are_whole_completions() -> None:
    with pytest.raises(DataError, match="positive class 'yes' is not among the classes"):
        check_classes(Classes(count=2, positive="yes"), [" yes", " no"], [" yes", " no"])


@pytest.mark.parametrize(
    ("training", "validation"), [([" yes", " no", " maybe"], [" yes"]), ([" yes", " no"], [" yes", " maybe"])]
)
def test_another_number_of_classes_is_refused(training: list[str], validation: list[str]) -> None:
    with pytest.raises(DataError, match="3 found, 2 specified"):
        check_classes(BINARY, training, validation)


def test_a_job_measures_its_classes_after_each_epoch(real: LegacyService) -> None:
    validation = real.service.upload(jsonl(mood(number) for number in range(100, 110)))["id"]
    asked = {"classification_positive_class": " yes", "classification_betas": [0.5, 1]}

    job = real.done(
        real.train(
            jsonl(mood(number) for number in range(20)),
            validation_file=validation,
            compute_classification_metrics=True,
            learning_rate_multiplier=0.5,
            **asked,
        )
    )
    bad = real.done(
        real.train(
            jsonl(mood(number) for number in range(20)),
            validation_file=validation,
            compute_classification_metrics=True,
            classification_positive_class=" never",
        )
    )
    dismiss(real.service.root)

    assert job["status"] == "succeeded", messages(job)
    hyperparams = job["hyperparams"]
    assert (hyperparams["compute_classification_metrics"], hyperparams["classification_n_classes"]) == (True, 2)
    assert (hyperparams["batch_size"], hyperparams["learning_rate_multiplier"]) == (1, 0.5)
    text = real.service.client.get(f"/files/{job['result_files'][0]['id']}/content").text
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["elapsed_examples"] for row in table] == ["20", "40", "60", "80"]
    assert list(table[0])[9:] == list(figure_names(BINARY))
    assert all(float(row["classification/accuracy"]) == 1.0 for row in table)
    assert all(0.99 < float(row["classification/auprc"]) <= 1.0 for row in table)
    assert bad["status"] == "failed"
    assert "The specified positive class ' never' is not among the classes" in messages(bad)[-1]


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"validation_file": None, "classification_n_classes": 3}, "validation_file"),
        ({}, "classification_n_classes"),
        ({"classification_n_classes": 2}, "classification_positive_class"),
        ({"classification_n_classes": 1}, "classification_n_classes"),
        ({"classification_n_classes": 3, "classification_positive_class": " yes"}, "classification_positive_class"),
        ({"classification_n_classes": 3, "classification_betas": [1]}, "classification_betas"),
        ({"classification_positive_class": " yes", "classification_betas": [0]}, "classification_betas"),
        ({"classification_positive_class": " yes", "classification_betas": "1"}, "classification_betas"),
        ({"classification_positive_class": 1}, "classification_positive_class"),
        ({"compute_classification_metrics": "yes"}, "compute_classification_metrics"),
    ],
)
def test_metrics_that_cannot_be_computed_are_refused(real: LegacyService, asked: Json, param: str) -> None:
    file = real.service.upload(jsonl(mood(number) for number in range(10)))["id"]
    body = {"model": "ada", "training_file": file, "validation_file": file, "compute_classification_metrics": True}

    status, error = error_of(real.service.client.post("/fine-tunes", json={**body, **asked}))

    assert (status, error["param"]) == (400, param)
