"""The text that an import writes is read back as intended, whatever the answers of a service hold."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.identity import Digest
from reconciler.domain.observed import JobId, ModelId
from reconciler.specfile import ImportedModel, import_spec_text
from tests.specfile.trees import specs_of

PLAIN = ImportedModel(
    name="triage",
    job=JobId("ftjob-1"),
    model=ModelId("ft:gpt:acme:x:1"),
    base="gpt-4.1-mini-2025-04-14",
    training="rows",
    sources=(("rows", "data/rows.jsonl", ()),),
)


def test_the_spec_of_a_plain_job_is_read_back(tmp_path: Path) -> None:
    full = replace(
        PLAIN,
        validation="more",
        sources=(*PLAIN.sources, ("more", "data/more.jsonl", ())),
        stated=(("batch_size", "8"), ("learning_rate_multiplier", "1.8"), ("n_epochs", "3")),
        seed=7,
        suffix="x",
        provider="openai",
        moved="old",
        digest=Digest("v1", "0" * 64),
    )
    specs = specs_of(tmp_path, {"a.yaml": import_spec_text(full)})
    (model,) = specs.models
    assert (model.name, model.training, model.validation, model.provider) == ("triage", "rows", "more", "openai")
    assert model.recipe.hyperparameters == (("batch_size", 8), ("learning_rate_multiplier", 1.8), ("n_epochs", 3))
    assert (model.recipe.seed, model.recipe.suffix, model.moved) == (7, "x", ("old",))
    assert model.adopt
    assert (model.adopt.job, model.adopt.digest) == ("ftjob-1", full.digest)
    assert [(spec.name, spec.sources) for spec in specs.datasets] == [
        ("more", ("data/more.jsonl",)),
        ("rows", ("data/rows.jsonl",)),
    ]


@pytest.mark.parametrize("odd", ["a: b", "x\nkind: Project", "# no", "\u202e\x1b[31m", '"', "yes", "3.10", "{a", "- x"])
def test_text_of_a_service_cannot_become_yaml(tmp_path: Path, odd: str) -> None:
    """In a field and in a comment it stays one text, and the number of documents is unchanged."""
    hostile = replace(
        PLAIN,
        job=JobId(odd),
        model=ModelId(odd),
        base=odd,
        reported=((odd, odd), ("n_epochs", odd)),
        digest=Digest("v1", "0" * 64),
    )
    specs = specs_of(tmp_path, {"a.yaml": import_spec_text(hostile)})
    assert len(specs.datasets) == len(specs.models) == 1
    assert specs.models[0].recipe.base == odd
    assert specs.models[0].adopt
    assert specs.models[0].adopt.job == odd
    assert specs.models[0].recipe.hyperparameters == ()


def test_settings_that_the_service_may_have_chosen_are_comments() -> None:
    text = import_spec_text(replace(PLAIN, reported=(("n_epochs", "3"), ("seed", "42"))))
    assert "# The job ran with n_epochs 3, seed 42." in text
    assert "hyperparameters:" not in text
