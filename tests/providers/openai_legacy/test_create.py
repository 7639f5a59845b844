"""What is sent, and what is refused before anything is."""

from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.errors import RejectedError
from reconciler.domain.observed import FileId
from reconciler.domain.ports import Done, Refused
from reconciler.domain.spec import Format
from reconciler.providers.openai_legacy.create import refusal_of, write_tune
from tests.factories import a_dataset
from tests.providers.openai_legacy.factories import opened, sent, wanted
from tests.providers.openai_legacy.fake import OldService


def recipe(**more: Any) -> Model:
    model = wanted()
    return replace(model, recipe=replace(model.recipe, **more))


def test_the_body_is_flat_and_carries_the_stamp_in_its_suffix() -> None:
    model = recipe(
        hyperparameters=(("batch_size", "auto"), ("learning_rate_multiplier", 0.1), ("n_epochs", 4)),
        extra='{"prompt_loss_weight":0.05,"model":"davinci","suffix":"x","compute_classification_metrics":true}',
    )
    body, request = write_tune(model, FileId("file-1"), FileId("file-2"), 40)
    assert body == {
        "model": "curie",
        "training_file": "file-1",
        "validation_file": "file-2",
        "learning_rate_multiplier": 0.1,
        "n_epochs": 4,
        "prompt_loss_weight": 0.05,
        "compute_classification_metrics": True,
        "suffix": f"triage-{model.stamp.digest.short}",
    }
    assert request.has_our_suffix
    assert request.text[:2] == f"{0b11101:02x}"


def test_a_suffix_that_the_recipe_states_is_kept() -> None:
    body, request = write_tune(recipe(suffix="my-own"), FileId("file-1"), None, 40)
    assert body["suffix"] == "my-own"
    assert not request.has_our_suffix


def test_a_server_that_takes_no_suffix_gets_none() -> None:
    body, request = write_tune(recipe(), FileId("file-1"), None, 0)
    assert "suffix" not in body
    assert not request.has_our_suffix


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"seed": 42}, "seed"),
        ({"seed": 0}, "seed"),
        ({"method": "dpo"}, "method"),
        ({"hyperparameters": (("beta", 0.1),)}, "hyperparameters.beta"),
        ({"extra": '{"metadata":{}}'}, "extra.metadata"),
        ({"extra": '{"method":null}'}, "extra.method"),
        ({"suffix": "a" * 41}, "suffix"),
    ],
)
def test_a_setting_that_the_api_cannot_take_is_refused_before_anything_is_sent(
    more: dict[str, Any], field: str
) -> None:
    service = OldService()
    file = sent(service, wanted())
    service.requests.clear()

    outcome = opened(service).create_job(recipe(**more), file, None, ())
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, RejectedError)
    assert outcome.error.param == field
    assert field in str(outcome.error)
    assert outcome.error.hint
    assert service.requests == []


def test_hyperparameters_that_the_service_chooses_are_not_sent() -> None:
    assert refusal_of(recipe(hyperparameters=(("beta", "auto"),)), 40) is None


def test_conversations_are_refused_before_they_are_sent() -> None:
    service = OldService()
    outcome = opened(service).upload(a_dataset(format=Format.CHAT), iter([b"x" * 20_000]))
    assert isinstance(outcome, Refused)
    assert "format: completion" in outcome.error.hint
    assert isinstance(
        opened(service).create_job(replace(wanted(), training=a_dataset()), FileId("file-1"), None, ()), Refused
    )
    assert service.requests == []


def test_extra_settings_of_the_recipe_are_sent() -> None:
    service = OldService()
    model = recipe(extra='{"prompt_loss_weight":0.5,"classification_positive_class":" yes"}')
    outcome = opened(service).create_job(model, sent(service, model), None, ())
    assert isinstance(outcome, Done)
    assert service.jobs[outcome.value.id]["hyperparams"]["prompt_loss_weight"] == 0.5
    assert [job.stamp for job in opened(service).jobs_of(model.stamp)] == [model.stamp]
