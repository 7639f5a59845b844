"""The published schemas: valid by their standard, useful in editors, and in agreement with the loader."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.domain.errors import UsageError
from reconciler.domain.identity import NAME_PATTERN
from reconciler.specfile import find_violation, schema_names, schema_text
from tests.specfile.trees import DATASET, MODEL, problems_of

OURS = ("spec", "lock", "prices")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_text(name))
    return found


def properties(part: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every described field of a schema, without those that it only forbids."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"if", "then", "dependentSchemas", "examples"}:
                continue
            if key == "properties":
                yield from ((f"{path}.{name}", found) for name, found in value.items())
            yield from properties(value, f"{path}.{key}")
    if isinstance(part, list):
        for index, value in enumerate(part):
            yield from properties(value, f"{path}[{index}]")


def test_the_schemas_are_the_files_of_the_folder() -> None:
    folder = Path(__file__).parents[2] / "schemas"
    assert set(OURS) <= set(schema_names())
    assert schema_names() == tuple(sorted(path.name.removesuffix(".schema.json") for path in folder.iterdir()))
    assert schema_text("spec") == (folder / "spec.schema.json").read_text()


def test_an_unknown_schema_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"there is no schema '\.\./spec'; there are .*spec"):
        schema_text("../spec")


@pytest.mark.parametrize("name", OURS)
def test_a_schema_is_valid_and_has_a_stable_name(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == f"urn:finetune-reconciler:schema:v1:{name}"
    assert schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", OURS)
def test_every_field_is_described_with_examples_that_fit(name: str) -> None:
    whole = schema(name)
    fields = list(properties(whole))
    assert len(fields) > 8
    for path, field in fields:
        found = {**whole["$defs"][field["$ref"].rpartition("/")[2]], **field} if "$ref" in field else field
        if path.endswith(".models"):
            continue
        assert found.get("description"), path
        examples = found.get("examples") or found.get("items", {}).get("examples")
        assert examples, path
        for example in found.get("examples", ()):
            Draft202012Validator({**found, "$defs": whole.get("$defs", {})}).validate(example)


def test_names_match_the_patterns_of_the_domain() -> None:
    assert schema("spec")["$defs"]["name"]["pattern"] == f"^{NAME_PATTERN}$"
    assert NAME_PATTERN in schema("lock")["properties"]["models"]["items"]["properties"]["address"]["pattern"]


def test_the_examples_of_a_document_are_valid_documents() -> None:
    for example in schema("spec")["examples"]:
        Draft202012Validator(schema("spec")).validate(example)


GOOD: list[str] = [
    DATASET,
    MODEL,
    "kind: Project\nname: a\n",
    "kind: Dataset\nname: a\nsource: [a, b]\nmessages: [{role: assistant, content: '{a}'}]\n",
    f"apiVersion: reconciler/v1\n{MODEL}hyperparameters: {{n_epochs: auto}}\nextra: {{a: [1, null]}}\n",
]
BAD: list[str] = [
    "name: a\n",
    "kind: Alias\nname: a\n",
    "kind: Project\n",
    f"{MODEL}epochs: 3\n",
    f"{MODEL}hyperparameters: {{n_epochs: 51}}\n",
    f"{MODEL}extra: {{seed: 1}}\n",
    f"{MODEL}suffix: A\n",
    f"{MODEL}seed: true\n",
    f"apiVersion: v2\n{MODEL}",
    f"{DATASET}split: {{}}\n",
    f"{DATASET}messages: [{{role: user, content: a}}]\n",
    f"{DATASET}system: a\nformat: completion\n",
    "kind: Dataset\nname: a\nsource: []\n",
    "kind: Dataset\nname: a\nsource: a\nprompt: '{a}'\n",
]


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_an_editor_and_the_loader_agree(tmp_path: Path, text: str) -> None:
    """The loader refuses exactly what an editor marks with the complete schema."""
    from reconciler.specfile.schema import validate_document
    from reconciler.specfile.yaml import read_yaml

    (document,) = read_yaml(text.encode(), "s.yaml").documents
    by_schema = Draft202012Validator(schema("spec")).is_valid(document.data)
    assert by_schema is (text in GOOD)
    assert (not validate_document(document, "spec")[1]) is by_schema
    by_loader = [found.rule for found in problems_of(tmp_path, {"s.yaml": text}) if found.rule != "spec.reference"]
    assert (not by_loader) is by_schema


def test_no_text_of_the_validator_reaches_the_author(tmp_path: Path) -> None:
    foreign = re.compile(
        r"is not of type|is a required property|were unexpected|does not match|is not one of|under any"
    )
    for number, text in enumerate(BAD):
        for problem in problems_of(tmp_path / str(number), {"s.yaml": text}):
            assert not foreign.search(f"{problem.what} {problem.hint}"), problem


def test_a_value_is_checked_against_a_schema_by_name() -> None:
    """A plan of the program is valid; a missing or wrong member is reported with its place."""
    golden = Path(__file__).parents[1] / "golden" / "render" / "first-apply.json"
    plan = json.loads(golden.read_text(encoding="utf-8"))
    assert find_violation(plan, "plan") == ""
    plan["steps"][1]["retrain"] = "maybe"
    assert find_violation(plan, "plan") == "steps[1].retrain breaks its schema: type"
    plan["steps"][1]["action"] = "burn"
    assert find_violation(plan, "plan") == "steps[1] breaks its schema: oneOf"
    assert find_violation({}, "plan") == "the whole breaks its schema: required"
