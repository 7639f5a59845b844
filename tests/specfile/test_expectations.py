"""Checks, methods and graders in specs: the values that they give, and each mistake with its place."""

from pathlib import Path

import pytest

from reconciler.dataset.row_checks import JUDGED
from reconciler.domain.errors import Severity
from reconciler.domain.expectations import (
    Allowance,
    Matches,
    MaxRatio,
    MaxRows,
    MaxTokens,
    MinRows,
    OneOf,
    OptionalCheck,
    Unique,
)
from reconciler.specfile.expectations import WANTED
from reconciler.specfile.schema import schema
from tests.specfile.trees import problem_lines, specs_of

DATASET = "kind: Dataset\nname: d\nsource: a.jsonl\n"
TEXT = f"""{DATASET}heldout: [judge.jsonl]
checks: [secrets, alike]
expect:
  - min_rows: 10
  - max_rows: 20
    severity: warning
  - unique: prompt
  - matches: {{field: completion, pattern: "[a-z]+"}}
  - one_of: {{field: completion, values: [a, b]}}
  - max_ratio: {{field: completion, ratio: 0.5}}
  - max_tokens: 4096
allow:
  - rule: rows.duplicate
    reason: said twice on purpose
    lines: [3, 4]
"""


def test_the_values_are_built_as_stated(tmp_path: Path) -> None:
    (found,) = specs_of(tmp_path, {"specs/d.yaml": TEXT}).datasets
    assert [each.wanted for each in found.expect] == [
        MinRows(10),
        MaxRows(20),
        Unique("prompt"),
        Matches("completion", "[a-z]+"),
        OneOf("completion", ("a", "b")),
        MaxRatio("completion", 0.5),
        MaxTokens(4096),
    ]
    assert [each.severity for each in found.expect[:2]] == [Severity.ERROR, Severity.WARNING]
    assert (found.expect[1].place.line, found.expect[1].path) == (8, "expect[1].max_rows")
    assert found.heldout == ("specs/judge.jsonl",)
    assert found.checks == (OptionalCheck.ALIKE, OptionalCheck.SECRETS)
    assert found.allow == (Allowance(rule="rows.duplicate", reason="said twice on purpose", lines=(3, 4)),)


def test_the_schema_names_the_checks_and_methods_of_the_code() -> None:
    definitions = schema("spec")["$defs"]
    fields = definitions["Dataset"]["properties"]
    assert set(definitions["expectation"]["properties"]) == {*WANTED, "severity"}
    assert set(fields["checks"]["items"]["enum"]) == set(OptionalCheck)
    assert fields["allow"]["items"]["properties"]["rule"]["enum"] == sorted(JUDGED)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("expect: [{min_rows: 0}]\n", "expect[0].min_rows"),
        ("expect: [{severity: warning}]\n", "expect[0]"),
        ("expect: [{min_rows: 1, max_rows: 2}]\n", "expect[0]"),
        ("expect: [{min_rows: 3}, {max_rows: 2}]\n", "no number of rows is at least 3 and at most 2"),
        ("expect: [{matches: {field: a, pattern: '('}}]\n", "this is not a regular expression"),
        ("expect: [{matches: {field: a, pattern: '(?=a)'}}]\n", "contains a look-ahead, at character 1"),
        ("expect: [{max_ratio: {field: a, ratio: 1}}]\n", "must be a number above 0 and below 1, is 1"),
        ("expect: [{unik: prompt}]\n", "unik: unknown field"),
        ("checks: [secret]\n", "checks[0]"),
        ("allow: [{rule: rows.duplicate}]\n", "allow[0].reason: this is missing"),
        ("allow: [{rule: rows.duplicate, reason: ' '}]\n", "must be a reason in words"),
        ("allow: [{rule: chat.role, reason: because}]\n", "allow[0].rule"),
        ("heldout: [../../x.jsonl]\n", "leads out of the repository"),
        ("heldout: [a.jsonl]\n", "is listed twice"),
        ("format: preference\nprompt: '{a}'\ncompletion: '{b}'\n", "cannot make rows of this format"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, text: str, says: str) -> None:
    assert says in "\n".join(problem_lines(tmp_path, DATASET + text))


MODEL = "---\nkind: Model\nname: m\nbase: b\ntraining: d\n"


@pytest.mark.parametrize(
    ("dataset", "model", "says"),
    [
        ("", "method: reinforcement\n", "method: reinforcement needs a grader"),
        ("", "grader: {type: string_check}\n", "grader: supervised training has no grader"),
        ("", "method: reinforcement\ngrader: {type: a}\nextra: {grader: {type: a}}\n", "the grader is given twice"),
        ("", "method: reinforcement\ngrader: {name: a}\n", "grader.type: this is missing"),
        ("format: preference\n", "", "has the format preference, and supervised learns from chat or completion"),
        ("format: chat\n", "method: dpo\n", "has the format chat, and dpo learns from preference"),
        ("prompt: '{a}'\ncompletion: '{b}'\n", "method: dpo\n", "has the format chat, and dpo learns from preference"),
    ],
)
def test_methods_datasets_and_graders_have_to_agree(tmp_path: Path, dataset: str, model: str, says: str) -> None:
    (found,) = problem_lines(tmp_path, DATASET + dataset + MODEL + model)
    assert says in found


def test_a_grader_is_a_fact_of_the_recipe(tmp_path: Path) -> None:
    text = DATASET + MODEL + "method: reinforcement\ngrader: {type: string_check, name: same}\nextra: {a: 1}\n"
    (model,) = specs_of(tmp_path, {"specs/d.yaml": text}).models
    assert model.recipe.extra == '{"a":1,"grader":{"name":"same","type":"string_check"}}'
    assert model.recipe.method == "reinforcement"
