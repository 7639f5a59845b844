"""What the service of the specs does not take is found before anything is sent, at the field that says it."""

from pathlib import Path

import pytest

from reconciler.domain.errors import InputError, Severity
from reconciler.workflow import CheckedSpecs, check_specs, locate_setting

DATASET = "kind: Dataset\nname: letters\nsource: letters.csv\n"
MODEL = "kind: Model\nname: triage\ntraining: letters\n"
ROWS = "".join(
    f"{word} number {n},{kind}\n" for n in range(6) for word, kind in (("apple", "fruit"), ("stone", "rock"))
)


def check(root: Path, *documents: str, provider: str | None = None, **environ: str) -> CheckedSpecs:
    specs = root / "specs"
    specs.mkdir()
    (root / ".git").mkdir()
    (specs / "letters.csv").write_text("prompt,completion\n" + ROWS)
    (specs / "all.yaml").write_text("---\n".join((DATASET, *documents)))
    variables = {"RECONCILER_HOME": str(root / "home"), **environ}
    return check_specs(locate_setting(specs, variables, provider=provider))


def find_problems(root: Path, *documents: str, provider: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        check(root, *documents, provider=provider)
    return [f"{each} ({each.hint}) {each.rule}" for each in caught.value.problems]


def test_a_misspelled_base_of_the_built_in_service_is_an_error_with_the_right_name(tmp_path: Path) -> None:
    (problem,) = find_problems(tmp_path, f"{MODEL}base: tfidf-logregg\nprovider: local\n")
    assert problem == (
        "specs/all.yaml:8:7  base: the service local has no base model `tfidf-logregg`"
        " (did you mean `tfidf-logreg`?) service.base"
    )


@pytest.mark.parametrize("base", ["gpt-4.1-mini-2025-04-14", "ft:tfidf-logreg:local:triage:abc"])
def test_a_base_of_another_service_is_an_error_where_the_built_in_one_is_named(tmp_path: Path, base: str) -> None:
    project = f"kind: Project\nname: acme\nprovider: local\ndefaults: {{base: '{base}'}}\n"
    (problem,) = find_problems(tmp_path, project, MODEL)
    assert "specs/all.yaml:8:18  defaults.base: the service local has no base model" in problem
    assert "name a service that has this base, such as 'provider: openai'" in problem


def test_a_base_is_judged_by_the_service_that_the_operator_names(tmp_path: Path) -> None:
    hosted = f"{MODEL}base: gpt-4.1-mini-2025-04-14\nprovider: openai\n"
    (problem,) = find_problems(tmp_path, hosted, provider="local")
    assert "has no base model" in problem


def test_where_no_service_is_named_an_unknown_base_is_a_warning(tmp_path: Path) -> None:
    (warning,) = check(tmp_path, f"{MODEL}base: gpt-4.1-mini-2025-04-14\n").warnings
    assert (warning.rule, warning.severity) == ("service.base", Severity.WARNING)


def test_a_served_copy_of_the_built_in_service_may_have_other_bases(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8000/v1"
    assert not check(tmp_path, f"{MODEL}base: babbage\nprovider: local\n", RECONCILER_LOCAL_URL=url).warnings


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ("seed: 7\n", "10:7  seed: openai-legacy has no field for seed (7)"),
        ("method: dpo\n", "10:9  method: openai-legacy has no field for method (dpo)"),
        (f"suffix: {'a' * 41}\n", "10:9  suffix: the suffix has 41 characters, and openai-legacy takes 40"),
        ("extra: {integrations: []}\n", "10:23  extra.integrations: openai-legacy has no field"),
    ],
)
def test_a_field_that_a_service_does_not_have_is_an_error_at_its_place(tmp_path: Path, fields: str, place: str) -> None:
    problems = find_problems(tmp_path, f"{MODEL}base: ada\nprovider: openai-legacy\n{fields}")
    assert any(place in problem for problem in problems), problems


def test_a_default_of_the_project_is_named_at_its_own_place(tmp_path: Path) -> None:
    project = "kind: Project\nname: acme\nprovider: openai-legacy\ndefaults:\n  base: ada\n  seed: 7\n"
    (problem,) = find_problems(tmp_path, project, MODEL)
    assert "specs/all.yaml:10:9  defaults.seed" in problem


def test_rows_that_a_service_does_not_train_on_are_an_error(tmp_path: Path) -> None:
    mapped = DATASET.replace("letters\ns", "talks\ns") + 'prompt: "{prompt}"\ncompletion: "{completion}"\n'
    model = MODEL.replace("g: letters", "g: talks") + "base: ada\nprovider: openai-legacy\n"
    (problem,) = find_problems(tmp_path, mapped, model)
    assert "its rows are conversations, and openai-legacy trains on prompts and completions" in problem
    assert "format: completion" in problem
