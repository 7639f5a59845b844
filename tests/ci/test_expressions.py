"""The expressions of the workflows have the same values here as on GitHub."""

import pytest

from tests.ci.expressions import Value, evaluate, fill_text, holds

CONTEXTS = {
    "github": {"event_name": "push", "event": {"pull_request": None}, "repository": "acme/models"},
    "steps": {"run": {"outputs": {"review": "", "count": "2"}}},
    "inputs": {"expect-basis": "x"},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event_name == 'PUSH'", True),
        ("github.event.pull_request.head.repo.full_name", None),
        ("github.event.pull_request.head.repo.full_name != github.repository", True),
        ("steps.run.outputs.review != ''", False),
        ("steps.run.outputs.absent != ''", False),
        ("steps.run.outputs.review || 'none'", "none"),
        ("github.event_name == 'pull_request' && github.repository != 'acme/models'", False),
        ("!(true && false) && 'it''s'", "it's"),
        ("inputs.expect-basis", "x"),
    ],
)
def test_an_expression_has_its_value(text: str, value: Value) -> None:
    assert evaluate(text, CONTEXTS) == value


@pytest.mark.parametrize(
    ("condition", "status", "runs"),
    [
        (None, "success", True),
        (None, "failure", False),
        ("steps.run.outputs.count == '2'", "failure", False),
        ("always() && steps.run.outputs.count == '2'", "failure", True),
        ("failure()", "success", False),
    ],
)
def test_a_step_runs_only_after_success_unless_its_condition_names_the_status(
    condition: str | None, status: str, runs: bool
) -> None:
    assert holds(condition, CONTEXTS, status) is runs


def test_expressions_in_a_text_are_replaced() -> None:
    assert fill_text("${{ github.event_name }}-${{ github.event_name == 'push' }}", CONTEXTS) == "push-true"


@pytest.mark.parametrize(
    "text", ["github.event_name =~ 'x'", "fromJSON('{}')", "github.event_name 'x'", "nobody.knows"]
)
def test_an_unknown_expression_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        evaluate(text, CONTEXTS)
