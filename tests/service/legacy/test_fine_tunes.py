"""Fine-tunes by the old API: created, listed, shown, cancelled, deleted, and the fields of their requests."""

from pathlib import Path

import pytest

from tests.service.legacy.old import LegacyService, messages, old_rows, waiting_rows
from tests.service.service_fixtures import NOW, Json, error_of

REFUSED: list[tuple[Json, int, str | None]] = [
    ({"model": "davinci"}, 404, "model"),
    ({"training_file": None}, 400, "training_file"),
    ({"training_file": "file-none"}, 400, "training_file"),
    ({"validation_file": "file-none"}, 400, "validation_file"),
    ({"n_epochs": 0}, 400, "n_epochs"),
    ({"n_epochs": "many"}, 400, "n_epochs"),
    ({"batch_size": 8}, 400, "batch_size"),
    ({"prompt_loss_weight": 0.1}, 400, "prompt_loss_weight"),
    ({"prompt_loss_weight": "low"}, 400, "prompt_loss_weight"),
    ({"suffix": "x" * 41}, 400, "suffix"),
    ({"suffix": ""}, 400, "suffix"),
    ({"suffix": "!?"}, 400, "suffix"),
    ({"seed": 1}, 400, "seed"),
    ({"classification_n_classes": 2}, 400, "classification_n_classes"),
    ({"compute_classification_metrics": True}, 400, "compute_classification_metrics"),
]


def test_a_fine_tune_that_was_just_created_is_pending(old: LegacyService) -> None:
    job = old.train(n_epochs=None, batch_size=None, suffix=None, validation_file=None)

    assert job["id"].startswith("ft-")
    assert (job["object"], job["model"], job["status"]) == ("fine-tune", "ada", "pending")
    assert (job["created_at"], job["updated_at"], job["fine_tuned_model"]) == (NOW, NOW, None)
    assert job["hyperparams"] == {
        "n_epochs": 4,
        "batch_size": None,
        "prompt_loss_weight": 0.01,
        "learning_rate_multiplier": None,
    }
    (file,) = job["training_files"]
    assert (file["object"], file["purpose"], file["filename"]) == ("file", "fine-tune", "rows.jsonl")
    assert (job["validation_files"], job["result_files"]) == ([], [])


def test_a_fine_tune_that_succeeded_has_its_model_and_its_results(old: LegacyService) -> None:
    job = old.done(old.train(suffix="My Cool_Model!!", n_epochs=2))

    assert job["status"] == "succeeded"
    stem, _, date = job["fine_tuned_model"].partition("-model-")
    assert stem == "ada:ft-local:my-cool"
    assert [len(part) for part in date.split("-")] == [4, 2, 2, 2, 2, 2]
    (result,) = job["result_files"]
    assert (result["filename"], result["purpose"]) == ("compiled_results.csv", "fine-tune-results")
    table = old.service.client.get(f"/files/{result['id']}/content").text.splitlines()
    assert table == [
        "step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy",
        "1,,,1.0,,1.0",
        "2,,,0.5,,1.0",
    ]


def test_two_models_of_one_second_have_two_names(old: LegacyService) -> None:
    jobs = [old.train(suffix="twin"), old.train(suffix="twin")]

    assert len({old.done(job)["fine_tuned_model"] for job in jobs}) == 2


def test_the_default_base_is_curie(old: LegacyService) -> None:
    assert old.train(model=None)["model"] == "curie"


def test_an_engine_can_be_requested_by_its_own_name(old: LegacyService) -> None:
    job = old.done(old.train(model="test-echo"))

    assert job["fine_tuned_model"].startswith("test-echo:ft-local-")
    assert messages(job)[0] == f"Created fine-tune: {job['id']} (engine: test-echo)"


@pytest.mark.parametrize(("asked", "status", "param"), REFUSED)
def test_a_request_that_cannot_be_carried_out_is_refused(
    old: LegacyService, asked: Json, status: int, param: str | None
) -> None:
    file = old.service.upload(old_rows())["id"]

    response = old.service.client.post("/fine-tunes", json={"model": "ada", "training_file": file, **asked})

    assert (error_of(response)[0], error_of(response)[1]["param"]) == (status, param)
    assert old.service.get("/fine-tunes")["data"] == []


@pytest.mark.parametrize("weight", [0, 0.01])
def test_a_prompt_loss_weight_that_changes_nothing_is_accepted(old: LegacyService, weight: float) -> None:
    assert old.train(prompt_loss_weight=weight)["hyperparams"]["prompt_loss_weight"] == weight


def test_the_list_has_every_fine_tune_oldest_first_without_events(old: LegacyService) -> None:
    jobs = [old.train()["id"] for _ in range(3)]
    old.service.train()

    listed = old.service.get("/fine-tunes")["data"]

    assert [job["id"] for job in listed] == jobs
    assert all("events" not in job for job in listed)


def test_the_current_api_shows_the_same_job_under_its_true_base(old: LegacyService) -> None:
    job = old.train()

    found = old.service.done(job)

    assert (found["id"], found["model"], found["status"]) == (job["id"], "test-echo", "succeeded")
    assert found["fine_tuned_model"] == old.job(job)["fine_tuned_model"]


def test_a_job_of_the_current_api_is_not_listed_by_the_old_one(old: LegacyService) -> None:
    job = old.service.train()

    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")):
        response = old.service.client.request(method, f"/fine-tunes/{job['id']}{path}")
        assert error_of(response)[0] == 404


def test_a_running_fine_tune_is_cancelled(old: LegacyService, tmp_path: Path) -> None:
    job = old.train(waiting_rows(tmp_path / "gate"))
    old.wait_for_message(job, "Fine-tune started")

    cancelled = old.service.post(f"/fine-tunes/{job['id']}/cancel")

    assert (cancelled["status"], messages(cancelled)[-1]) == ("cancelled", "Fine-tune cancelled")
    again = old.service.client.post(f"/fine-tunes/{job['id']}/cancel")
    assert error_of(again)[0] == 400


def test_rows_that_cannot_be_learned_fail_the_fine_tune(old: LegacyService) -> None:
    job = old.done(old.train(old_rows(count=2)))

    assert (job["status"], job["fine_tuned_model"], job["result_files"]) == ("failed", None, [])
    assert job["events"][-1]["level"] == "error"


def test_a_fine_tune_is_deleted_without_its_model(old: LegacyService) -> None:
    job = old.done(old.train())

    assert old.service.client.delete(f"/fine-tunes/{job['id']}").json() == {
        "id": job["id"],
        "object": "fine-tune",
        "deleted": True,
    }

    assert old.service.client.get(f"/fine-tunes/{job['id']}").status_code == 404
    assert old.service.get("/fine-tunes")["data"] == []
    assert old.service.get(f"/models/{job['fine_tuned_model']}")["parent"] == "ada"


def test_a_fine_tune_that_runs_is_not_deleted(old: LegacyService, tmp_path: Path) -> None:
    job = old.train(waiting_rows(tmp_path / "gate"))

    assert error_of(old.service.client.delete(f"/fine-tunes/{job['id']}"))[0] == 400


def test_a_training_file_that_was_deleted_is_shown_as_deleted(old: LegacyService) -> None:
    job = old.done(old.train())

    old.service.client.delete(f"/files/{job['training_files'][0]['id']}")

    assert [file["status"] for file in old.job(job)["training_files"]] == ["deleted"]
