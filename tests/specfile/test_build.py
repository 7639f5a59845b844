"""The values that valid documents give."""

from pathlib import Path

import pytest

from reconciler.domain.errors import Place
from reconciler.domain.spec import (
    ColumnMapping,
    DatasetSpec,
    Format,
    ModelSpec,
    OnChange,
    Policy,
    ProjectSpec,
    Recipe,
    Specs,
    Turn,
)
from tests.specfile.trees import DATASET, MODEL, specs_of


def dataset(root: Path, text: str) -> DatasetSpec:
    (found,) = specs_of(root, {"specs/d.yaml": f"kind: Dataset\nname: d\nsource: x.csv\n{text}"}).datasets
    return found


def model(root: Path, text: str, project: str = "") -> ModelSpec:
    (found,) = specs_of(root, {"s.yaml": f"{DATASET}---\n{MODEL}{text}---\n{project}"}).models
    return found


def test_a_spec_of_ten_lines_is_complete(tmp_path: Path) -> None:
    assert specs_of(tmp_path, {"specs/all.yaml": f"{DATASET}---\n{MODEL}"}) == Specs(
        root=".",
        project=ProjectSpec(name="default", is_stated=False, place=Place(file=".")),
        datasets=(
            DatasetSpec(
                name="tickets",
                place=Place(file="specs/all.yaml", line=1, column=1),
                sources=("specs/data/tickets.csv",),
                format=Format.CHAT,
                mapping=ColumnMapping(
                    turns=(Turn(role="user", content="{body}"), Turn(role="assistant", content="{category}"))
                ),
            ),
        ),
        models=(
            ModelSpec(
                name="triage",
                place=Place(file="specs/all.yaml", line=7, column=1),
                recipe=Recipe(base="gpt-4.1-mini-2025-04-14"),
                training="tickets",
            ),
        ),
    )


def test_every_field_is_read(tmp_path: Path) -> None:
    text = """\
apiVersion: reconciler/v1
description: Sorts.
labels: {team: support, cost: 3.10}
validation: held-out
method: supervised
hyperparameters: {n_epochs: 3.0, batch_size: auto, learning_rate_multiplier: 1e-1}
suffix: a-b
seed: 0
provider: openai
extra: {integrations: [{type: wandb, wandb: {project: p}}], b: 2.0, a: é}
on_change: supersede
retries: 2
---
kind: Dataset
name: held-out
source: [b.jsonl, "a/*.xlsx"]
format: completion
sheet: One
labels: {x: "1"}
description: Kept apart.
split: {validation: 0.25}
"""
    found = specs_of(tmp_path, {"s.yaml": f"{DATASET}---\n{MODEL}{text}"})
    assert found.models[0] == ModelSpec(
        name="triage",
        place=Place(file="s.yaml", line=7, column=1),
        recipe=Recipe(
            base="gpt-4.1-mini-2025-04-14",
            hyperparameters=(("learning_rate_multiplier", 0.1), ("n_epochs", 3)),
            seed=0,
            suffix="a-b",
            extra='{"a":"é","b":2,"integrations":[{"type":"wandb","wandb":{"project":"p"}}]}',
        ),
        training="tickets",
        validation="held-out",
        provider="openai",
        on_change=OnChange.SUPERSEDE,
        retries=2,
        labels=(("cost", "3.10"), ("team", "support")),
        description="Sorts.",
    )
    assert type(found.models[0].recipe.hyperparameters[1][1]) is int
    assert found.datasets[0] == DatasetSpec(
        name="held-out",
        place=Place(file="s.yaml", line=24, column=1),
        sources=("b.jsonl", "a/*.xlsx"),
        format=Format.COMPLETION,
        sheet="One",
        validation_share=0.25,
        labels=(("x", "1"),),
        description="Kept apart.",
    )


@pytest.mark.parametrize(
    ("text", "format_", "mapping"),
    [
        ("", None, None),
        ("format: chat\n", Format.CHAT, None),
        ("format: completion\n", Format.COMPLETION, None),
        (
            "prompt: '{a}'\ncompletion: ' {b}'\nformat: completion\n",
            Format.COMPLETION,
            ColumnMapping(prompt="{a}", completion=" {b}"),
        ),
        (
            "system: Be {{kind}}.\nprompt: '{a}'\ncompletion: '{b c}'\n",
            Format.CHAT,
            ColumnMapping(
                turns=(
                    Turn(role="system", content="Be {{kind}}."),
                    Turn(role="user", content="{a}"),
                    Turn(role="assistant", content="{b c}"),
                )
            ),
        ),
        (
            "messages:\n- {role: developer, content: x}\n- {role: user, content: '{q}'}\n"
            "- {role: assistant, content: 3.10, weight: 0}\n- {role: assistant, content: '{b}', weight: 1}\n",
            Format.CHAT,
            ColumnMapping(
                turns=(
                    Turn(role="developer", content="x"),
                    Turn(role="user", content="{q}"),
                    Turn(role="assistant", content="3.10", weight=0),
                    Turn(role="assistant", content="{b}", weight=1),
                )
            ),
        ),
    ],
)
def test_columns_become_messages_or_a_pair(
    tmp_path: Path, text: str, format_: Format | None, mapping: ColumnMapping | None
) -> None:
    found = dataset(tmp_path, text)
    assert (found.format, found.mapping) == (format_, mapping)


def test_sources_are_relative_to_their_file_and_stored_relative_to_the_repository(tmp_path: Path) -> None:
    text = DATASET.replace("data/tickets.csv", "[../../data/./a.csv, b/../c.csv, 'data/**/*.jsonl']")
    (found,) = specs_of(tmp_path, {"specs/deep/d.yaml": text}).datasets
    assert found.sources == ("data/a.csv", "specs/deep/c.csv", "specs/deep/data/**/*.jsonl")


PROJECT = """\
kind: Project
name: acme
provider: openai
defaults: {base: other, hyperparameters: {n_epochs: 3, batch_size: 8}, seed: 7, on_change: parallel, retries: 1}
policy: {max_new_jobs: 0, max_change_percent: 100.0, prune: true}
"""


def test_a_project_names_guards_and_profile(tmp_path: Path) -> None:
    found = specs_of(tmp_path, {"p.yaml": PROJECT}).project
    assert found.name == "acme"
    assert found.provider == "openai"
    assert found.policy == Policy(max_new_jobs=0, max_change_percent=100, prune=True)
    assert found.place == Place(file="p.yaml", line=1, column=1)


@pytest.mark.parametrize(
    ("written", "amount"), [("20", "20"), ("20.0", "20"), ("0.1", "0.1"), ("19.99", "19.99"), ("0", "0")]
)
def test_limits_on_costs_are_read_exactly(tmp_path: Path, written: str, amount: str) -> None:
    text = f"kind: Project\nname: a\npolicy: {{max_cost_usd: {written}, max_epochs: 3.0, max_bytes: 5}}\n"
    policy = specs_of(tmp_path, {"p.yaml": text}).project.policy
    assert (str(policy.max_cost_usd), policy.max_epochs, policy.max_bytes) == (amount, 3, 5)


def test_defaults_hold_for_fields_that_a_model_leaves_out(tmp_path: Path) -> None:
    found = model(tmp_path / "a", "", PROJECT)
    assert found.recipe.base == "gpt-4.1-mini-2025-04-14"
    assert found.recipe.hyperparameters == (("batch_size", 8), ("n_epochs", 3))
    assert (found.recipe.seed, found.on_change, found.retries) == (7, OnChange.PARALLEL, 1)
    own = "hyperparameters: {n_epochs: auto, learning_rate_multiplier: 2}\nseed: 0\non_change: wait\nretries: 0\n"
    found = model(tmp_path / "b", own, PROJECT)
    assert found.recipe.hyperparameters == (("batch_size", 8), ("learning_rate_multiplier", 2))
    assert (found.recipe.seed, found.on_change, found.retries) == (0, OnChange.WAIT, 0)
    assert found.provider is None


def test_a_model_may_take_its_base_from_the_project(tmp_path: Path) -> None:
    text = MODEL.replace("base: gpt-4.1-mini-2025-04-14\n", "")
    (found,) = specs_of(tmp_path, {"a.yaml": f"{DATASET}---\n{text}", "z.yaml": PROJECT}).models
    assert found.recipe.base == "other"


def test_specs_are_sorted_by_name_independent_of_their_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "z.yaml": DATASET.replace("tickets\n", "a\n", 1),
        "a/b.yml": DATASET.replace("tickets\n", "c\n", 1),
        "B.YAML": f"{DATASET}---\n{MODEL}---\n{MODEL.replace('triage', 'alpha')}",
    }
    found = specs_of(tmp_path, files)
    assert [spec.name for spec in found.datasets] == ["a", "c", "tickets"]
    assert [spec.name for spec in found.models] == ["alpha", "triage"]


def test_a_root_without_documents_is_not_a_problem(tmp_path: Path) -> None:
    assert specs_of(tmp_path, {"a.yaml": "# nothing yet\n"}) == Specs(
        root=".", project=ProjectSpec(is_stated=False, place=Place(file="."))
    )
