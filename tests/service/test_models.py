"""Models: the bases on offer, what was made from them, and their deletion."""

from pathlib import Path

import pytest

from reconciler.service.engines import DEFAULT_ENGINES
from tests.service.service_fixtures import Service, error_of, open_local


def test_bases_and_finished_models_are_listed(service: Service) -> None:
    job = service.done(service.train())

    listed = service.get("/models")

    organization = service.client.get("/models").headers["openai-organization"]
    assert listed == {
        "object": "list",
        "data": [
            {
                "id": "test-echo",
                "object": "model",
                "created": 1_790_000_000,
                "owned_by": "finetune-reconciler",
                "shutdown_date": None,
            },
            {
                "id": job["fine_tuned_model"],
                "object": "model",
                "created": job["finished_at"],
                "owned_by": organization,
                "shutdown_date": None,
            },
        ],
    }
    assert [service.get(f"/models/{each['id']}") for each in listed["data"]] == listed["data"]


def test_by_default_only_the_built_in_base_is_offered(tmp_path: Path) -> None:
    service = open_local(tmp_path / "store", engines=DEFAULT_ENGINES)

    assert [model["id"] for model in service.get("/models")["data"]] == ["tfidf-logreg"]


def test_a_model_without_suffix_has_an_empty_place_for_it(service: Service) -> None:
    assert service.done(service.train())["fine_tuned_model"].startswith("ft:test-echo:local::")


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_model_is_found_however_its_colons_are_written(service: Service, colon: str) -> None:
    model = service.done(service.train())["fine_tuned_model"]

    assert service.get(f"/models/{model.replace(':', colon)}")["id"] == model


def test_a_model_is_deleted_with_its_checkpoints_and_weights(service: Service) -> None:
    job = service.done(service.train())
    model = job["fine_tuned_model"]
    service.post("/completions", {"model": model, "prompt": "hello"})

    assert service.client.delete(f"/models/{model}").json() == {"id": model, "object": "model", "deleted": True}

    for name in (model, f"{model}:ckpt-step-2"):
        asked = service.client.post("/completions", json={"model": name, "prompt": "hello"})
        for response in (service.client.get(f"/models/{name}"), service.client.delete(f"/models/{name}"), asked):
            status, error = error_of(response)
            assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert list((service.root / "models").iterdir()) == []
    assert service.job(job)["fine_tuned_model"] == model


def test_a_base_is_not_deleted(service: Service) -> None:
    assert error_of(service.client.delete("/models/test-echo"))[0] == 403


def test_a_checkpoint_is_deleted_only_with_its_model(service: Service) -> None:
    model = service.done(service.train())["fine_tuned_model"]

    assert error_of(service.client.delete(f"/models/{model}:ckpt-step-1"))[0] == 400
    assert service.get(f"/models/{model}:ckpt-step-1")["object"] == "model"
