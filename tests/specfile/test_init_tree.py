"""The tree that `init` writes: it validates, it trains, it overwrites nothing."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from reconciler.domain.errors import UsageError
from reconciler.domain.spec import Format
from reconciler.specfile import find_workspace, read_specs, schema_text, write_starter
from tests.specfile.trees import write


def test_the_starter_validates_as_it_is(tmp_path: Path) -> None:
    root = write(tmp_path / "My Repo!", {".git/x": ""}) / "specs"
    written = write_starter(root)
    assert all(path.is_file() for path in written)
    assert {path for path in root.rglob("*") if path.is_file()} == set(written)
    specs = read_specs(root, find_workspace(root))
    assert specs.project.name == "my-repo"
    assert specs.project.provider == "local"
    (model,) = specs.models
    (dataset,) = specs.datasets
    assert (model.recipe.base, model.training) == ("tfidf-logreg", dataset.name)
    assert dataset.format is Format.CHAT
    assert (tmp_path / "My Repo!" / dataset.sources[0]).is_file()


def test_its_rows_are_enough_for_training(tmp_path: Path) -> None:
    write_starter(tmp_path / "specs")
    with (tmp_path / "specs" / "data" / "bike-messages.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["message"] for row in rows}) == len(rows) == 30
    assert Counter(row["topic"] for row in rows) == {"booking": 10, "repair": 10, "payment": 10}


def test_its_editor_hints_name_a_schema_that_exists(tmp_path: Path) -> None:
    for path in write_starter(tmp_path / "specs"):
        if path.suffix == ".yaml":
            first = path.read_text().splitlines()[0]
            hint = first.removeprefix("# yaml-language-server: $schema=")
            assert hint != first
            assert (path.parent / hint).read_text() == schema_text("spec")
            assert json.loads((path.parent / hint).read_text())["$id"].endswith(":spec")


def test_its_commented_out_fields_are_valid(tmp_path: Path) -> None:
    """Without the comment marks the specs validate."""
    for path in write_starter(tmp_path / "specs"):
        if path.suffix == ".yaml":
            lines = path.read_text().splitlines()
            bare = [line[2:] if line.startswith(("# ", "#  ")) and _is_yaml(line[2:]) else line for line in lines]
            path.write_text("\n".join(bare) + "\n")
    specs = read_specs(tmp_path / "specs", tmp_path)
    assert specs.models[0].recipe.hyperparameters == (("n_epochs", 3),)
    assert specs.models[0].recipe.seed == 42
    assert specs.datasets[0].validation_share == 0.1


def _is_yaml(line: str) -> bool:
    return line in {"hyperparameters:", "  n_epochs: 3", "seed: 42", "split:", "  validation: 0.1"}


@pytest.mark.parametrize(
    "name", ["project.yaml", "data/bike-messages.csv", ".schemas/spec.schema.json", "deep/other.yml"]
)
def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path, name: str) -> None:
    root = write(tmp_path / "specs", {name: "mine"})
    with pytest.raises(UsageError, match=Path(name).name):
        write_starter(root)
    assert [path.read_text() for path in root.rglob("*") if path.is_file()] == ["mine"]


def test_a_dangling_link_is_not_followed_for_writing(tmp_path: Path) -> None:
    root = write(tmp_path / "specs", {})
    (root / "models.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"models\.yaml"):
        write_starter(root)
    assert not (tmp_path / "elsewhere").exists()


def test_an_impossible_root_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, {"file": "x"})
    with pytest.raises(UsageError, match="is a file"):
        write_starter(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be written"):
        write_starter(tmp_path / "file" / "specs")
