"""Graders: read in every form of the API, run where this needs no model and no foreign code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.evaluation import FormulaError, read_formula, text_similarity
from tests.service.service_fixtures import Json, Service, error_of

EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
CLOSE = {
    "type": "text_similarity",
    "name": "close",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "fuzzy_match",
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "close": CLOSE},
    "calculate_output": "0.5 * exact + 0.5 * close ^ 2",
}
PYTHON = {"type": "python", "name": "code", "source": "def grade(sample, item):\n    return 1.0"}
MODEL = {"type": "score_model", "name": "judge", "model": "gpt", "input": [{"role": "user", "content": "?"}]}
LABEL = {
    "type": "label_model",
    "name": "labels",
    "model": "gpt",
    "input": [{"role": "user", "content": "?"}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}


def run(service: Service, grader: Json, sample: str, **item: object) -> Json:
    return service.post("/fine_tuning/alpha/graders/run", {"grader": grader, "model_sample": sample, "item": item})


@pytest.mark.parametrize(
    ("operation", "sample", "reward"),
    [
        ("eq", "Berlin", 1.0),
        ("eq", "berlin", 0.0),
        ("ne", "berlin", 1.0),
        ("neq", "Berlin", 0.0),
        ("like", "It is Berlin.", 1.0),
        ("like", "It is berlin.", 0.0),
        ("ilike", "It is BERLIN.", 1.0),
    ],
)
def test_texts_are_checked(service: Service, operation: str, sample: str, reward: float) -> None:
    found = run(service, {**EXACT, "operation": operation}, sample, answer="Berlin")

    assert found["reward"] == reward
    assert found["metadata"]["scores"] == {"exact": reward}
    assert not any(found["metadata"]["errors"].values())


def test_similarity_is_measured_and_a_formula_combines_the_scores(service: Service) -> None:
    """`abcd` and `abxd` share three letters in order, of eight."""
    found = run(service, BOTH, "abcd", answer="abxd")

    assert found["sub_rewards"] == {"exact": 0.0, "close": 0.75}
    assert found["reward"] == pytest.approx(0.5 * 0.75**2)
    assert (found["metadata"]["type"], found["metadata"]["name"]) == ("multi", "both")


def test_members_of_json_samples_can_be_used(service: Service) -> None:
    grader = {**EXACT, "input": "{{sample.output_json.city.0}}"}

    assert run(service, grader, '{"city": ["Berlin"]}', answer="Berlin")["reward"] == 1.0


@pytest.mark.parametrize(
    ("grader", "sample", "error"),
    [
        ({**EXACT, "reference": "{{item.other}}"}, "x", "invalid_variable_error"),
        ({**EXACT, "input": "{{sample.output_json.a}}"}, "no json", "sample_parse_error"),
        ({**BOTH, "calculate_output": "1 / exact"}, "x", "formula_parse_error"),
    ],
)
def test_a_failure_is_reported_and_gives_no_score(service: Service, grader: Json, sample: str, error: str) -> None:
    found = run(service, grader, sample, answer="Berlin")

    assert found["reward"] == 0.0
    assert [name for name, is_so in found["metadata"]["errors"].items() if is_so] == [error]


@pytest.mark.parametrize("grader", [EXACT, CLOSE, BOTH, PYTHON, MODEL, LABEL, {**BOTH, "graders": EXACT}])
def test_a_grader_of_any_kind_is_validated(service: Service, grader: Json) -> None:
    grader = {**grader, "calculate_output": "exact"} if grader.get("graders") is EXACT else grader

    assert service.post("/fine_tuning/alpha/graders/validate", {"grader": grader}) == {"grader": grader}


@pytest.mark.parametrize("grader", [PYTHON, MODEL, LABEL, {**CLOSE, "evaluation_metric": "bleu"}])
def test_graders_that_need_a_model_or_a_sandbox_are_not_run(service: Service, grader: Json) -> None:
    asked = {"grader": grader, "model_sample": "x", "item": {"answer": "y"}}

    status, error = error_of(service.client.post("/fine_tuning/alpha/graders/run", json=asked))

    assert (status, error["code"]) == (400, "unsupported_parameter")


@pytest.mark.parametrize(
    ("grader", "param"),
    [
        ({**EXACT, "type": None}, "grader.type"),
        ({**EXACT, "type": "vibes"}, "grader.type"),
        ({**EXACT, "name": None}, "grader.name"),
        ({**EXACT, "operation": "same"}, "grader.operation"),
        ({**EXACT, "reference": 1}, "grader.reference"),
        ({**BOTH, "graders": {"inner": BOTH}}, "grader.graders.inner.type"),
        ({**BOTH, "calculate_output": "exact + nobody"}, "grader.calculate_output"),
        ({**BOTH, "graders": {}}, "grader.graders"),
        ({**LABEL, "passing_labels": ["other"]}, "grader.passing_labels"),
        ({**MODEL, "input": "text"}, "grader.input"),
    ],
)
def test_a_malformed_grader_is_refused(service: Service, grader: Json, param: str) -> None:
    status, error = error_of(service.client.post("/fine_tuning/alpha/graders/validate", json={"grader": grader}))

    assert (status, error["param"]) == (400, param)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 + 2 * 3", 7.0), ("max(a, b, 3)", 3.0), ("-a ^ 2", -1.0), ("sqrt(4) + floor(1.5)", 3.0), ("min(a)", 1.0)],
)
def test_formulas_are_computed(text: str, value: float) -> None:
    assert read_formula(text, {"a", "b"}).value({"a": 1.0, "b": 2.0}) == value


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a.b", "a if b else 1", "[a]", "a and b", "'a'", "a**2", "log(a, b)", "", "(" * 500]
)
def test_only_arithmetic_is_a_formula(text: str) -> None:
    with pytest.raises(FormulaError):
        read_formula(text, {"a", "b"})


@pytest.mark.parametrize("text", ["9 ^ 9 ^ 9", "exp(10000)", "log(0)", "1 / 0", "(0 - 1) ^ 0.5"])
def test_a_formula_without_a_value_is_reported(text: str) -> None:
    with pytest.raises(FormulaError):
        read_formula(text, set()).value({})


def by_table(left: str, right: str) -> float:
    rows = [0] * (len(right) + 1)
    for letter in left:
        before = list(rows)
        for place, other in enumerate(right, start=1):
            rows[place] = before[place - 1] + 1 if letter == other else max(before[place], rows[place - 1])
    return 2 * rows[-1] / (len(left) + len(right)) if left or right else 1.0


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_similarity_agrees_with_the_published_table(left: str, right: str) -> None:
    assert text_similarity(left, right) == by_table(left, right)
