"""Models: the bases on offer, what was made from them, and their deletion."""

from pathlib import Path

import pytest

from reconciler.service.engines import DEFAULT_ENGINES
from tests.service.service_fixtures import House, error_of, open_house


def test_bases_and_finished_models_are_listed(house: House) -> None:
    job = house.done(house.train())

    listed = house.get("/models")

    organization = house.client.get("/models").headers["openai-organization"]
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
    assert [house.get(f"/models/{each['id']}") for each in listed["data"]] == listed["data"]


def test_by_default_the_built_in_base_is_offered_and_no_other(tmp_path: Path) -> None:
    house = open_house(tmp_path / "store", engines=DEFAULT_ENGINES)

    assert [model["id"] for model in house.get("/models")["data"]] == ["tfidf-logreg"]


def test_a_model_without_suffix_has_an_empty_place_for_it(house: House) -> None:
    assert house.done(house.train())["fine_tuned_model"].startswith("ft:test-echo:local::")


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_model_is_found_however_its_colons_are_written(house: House, colon: str) -> None:
    model = house.done(house.train())["fine_tuned_model"]

    assert house.get(f"/models/{model.replace(':', colon)}")["id"] == model


def test_a_deleted_model_is_gone_with_its_checkpoints_and_weights(house: House) -> None:
    job = house.done(house.train())
    model = job["fine_tuned_model"]
    house.post("/completions", {"model": model, "prompt": "hello"})

    assert house.client.delete(f"/models/{model}").json() == {"id": model, "object": "model", "deleted": True}

    for name in (model, f"{model}:ckpt-step-2"):
        asked = house.client.post("/completions", json={"model": name, "prompt": "hello"})
        for response in (house.client.get(f"/models/{name}"), house.client.delete(f"/models/{name}"), asked):
            status, error = error_of(response)
            assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert list((house.root / "models").iterdir()) == []
    assert house.job(job)["fine_tuned_model"] == model


def test_a_base_is_not_deleted(house: House) -> None:
    assert error_of(house.client.delete("/models/test-echo"))[0] == 403


def test_a_checkpoint_goes_only_with_its_model(house: House) -> None:
    model = house.done(house.train())["fine_tuned_model"]

    assert error_of(house.client.delete(f"/models/{model}:ckpt-step-1"))[0] == 400
    assert house.get(f"/models/{model}:ckpt-step-1")["object"] == "model"
