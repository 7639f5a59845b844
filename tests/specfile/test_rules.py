"""What is wrong in one document, and between documents."""

import random
import string
from pathlib import Path

import pytest

from reconciler.domain.errors import InputError
from reconciler.specfile import read_specs
from tests.specfile.trees import DATASET, MODEL, problem_lines, problems_of, write

BOTH = f"{DATASET}---\n{MODEL}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/data/a.csv", "'/data/a.csv' is not relative"),
        ("~/a.csv", "'~/a.csv' is not relative"),
        ("C:/a.csv", "'C:/a.csv' is not relative"),
        ("c:a.csv", "'c:a.csv' is not relative"),
        (r"data\a.csv", r"'data\a.csv' has backslashes"),
        ("../a.csv", "'../a.csv' leads out of the repository"),
        ("a/../../b.csv", "'a/../../b.csv' leads out of the repository"),
        ("..", "'..' leads out of the repository"),
        ("s3://bucket/a.csv", "'s3://bucket/a.csv' is an address and not a file"),
        ('"a\\0.csv"', "'a .csv' contains characters that a path must not contain"),
        ('" a.csv"', "' a.csv' contains characters that a path must not contain"),
        ("''", "must not be empty"),
    ],
)
def test_a_source_is_a_relative_path_inside_the_repository(tmp_path: Path, source: str, expected: str) -> None:
    assert problem_lines(tmp_path, f"kind: Dataset\nname: d\nsource: {source}\n") == [f"3:9  source: {expected}"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{a", "a brace is opened and not closed"),
        ("{a}{{b}", "a brace is closed that was not opened"),
        ("a}", "a brace is closed that was not opened"),
        ("{{a}", "a brace is closed that was not opened"),
        ("{a{b}}", "a brace is opened and not closed"),
        ("x {} y", "these braces name no column"),
        ("{ }", "these braces name no column"),
        ("plain", "this names no column, so every row would be the same"),
        ("{{plain}}", "this names no column, so every row would be the same"),
    ],
)
def test_a_template_names_columns_in_braces(tmp_path: Path, template: str, expected: str) -> None:
    text = f"kind: Dataset\nname: d\nsource: a.csv\nprompt: '{template}'\ncompletion: '{{b}}'\n"
    assert problem_lines(tmp_path, text) == [f"4:9  prompt: {expected}"]


@pytest.mark.parametrize("template", ["{a}", "{{{a}}}", "{a}{b c}", "{{}} {a}", "é {ü.x:y!r}"])
def test_valid_templates_are_accepted(tmp_path: Path, template: str) -> None:
    text = f"kind: Dataset\nname: d\nsource: a.csv\nprompt: '{template}'\ncompletion: '{{b}}'\n"
    assert problem_lines(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prompt: '{a}'\n", "4:1  prompt: needs 'completion' beside it"),
        ("completion: '{a}'\n", "4:1  completion: needs 'prompt' beside it"),
        ("system: x\n", "4:1  system: needs 'prompt' beside it"),
        ("format: completion\nsystem: x\nprompt: '{a}'\ncompletion: '{b}'\n", "5:1  system: is for chat rows"),
        ("format: completion\nmessages: [{role: assistant, content: '{a}'}]\n", "5:1  messages: is for chat rows"),
        ("messages: []\n", "4:11  messages: must not be empty"),
        ("messages: [{role: assistant, content: a}]\n", "4:11  messages: this names no column"),
        ("messages: [{role: tool, content: '{a}'}]\n", "4:19  messages[0].role: must be system, developer, user or"),
        ("split: {validation: 0}\n", "4:21  split.validation: must be a number above 0 and below 1, is 0"),
        ("split: {validation: 1}\n", "4:21  split.validation: must be a number above 0 and below 1, is 1"),
        ("split: {}\n", "4:1  split.validation: this is missing"),
        ("format: dpo\n", "4:9  format: must be chat, completion, preference or reinforcement, is 'dpo'"),
    ],
)
def test_a_mapping_has_to_be_complete(tmp_path: Path, text: str, expected: str) -> None:
    (found,) = problem_lines(tmp_path, f"kind: Dataset\nname: d\nsource: a.csv\n{text}")
    assert found.startswith(expected)


def test_one_mistake_about_a_mapping_is_one_problem(tmp_path: Path) -> None:
    """A prompt beside messages is a mistake; its missing completion is not reported as another one."""
    text = "messages: [{role: assistant, content: '{a}'}]\nprompt: '{b}'\n"
    found = problem_lines(tmp_path, f"kind: Dataset\nname: d\nsource: a.csv\n{text}")
    assert found == ["5:1  prompt: cannot be used together with 'messages'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hyperparameters: {n_epochs: 0}", "n_epochs: must be a whole number from 1 to 50 or auto, is 0"),
        ("hyperparameters: {n_epochs: 51}", "n_epochs: must be a whole number from 1 to 50 or auto, is 51"),
        ("hyperparameters: {n_epochs: 1.5}", "n_epochs: must be a whole number from 1 to 50 or auto, is 1.5"),
        ("hyperparameters: {n_epochs: true}", "n_epochs: must be a whole number from 1 to 50 or auto, is true"),
        ("hyperparameters: {batch_size: 257}", "batch_size: must be a whole number from 1 to 256 or auto, is 257"),
        ("hyperparameters: {learning_rate_multiplier: 0}", "multiplier: must be a number above 0 or auto, is 0"),
        ("hyperparameters: {beta: 1}", "beta: unknown field"),
        ("hyperparameters: {seed: 1}", "seed: unknown field"),
        ("hyperparameters:", "hyperparameters: must be a mapping of fields, is empty"),
        ("seed: 2147483648", "seed: must be a whole number from 0 to 2147483647, is 2147483648"),
        ("seed: 1.5", "seed: must be a whole number from 0 to 2147483647, is 1.5"),
        ("suffix: ''", "suffix: must be 1 to 64 lowercase letters, digits and dashes, is ''"),
        (f"suffix: {'a' * 65}", f"suffix: must be 1 to 64 lowercase letters, digits and dashes, is '{'a' * 48}…'"),
        ('suffix: "ab\\n"', "suffix: must be 1 to 64 lowercase letters, digits and dashes, is 'ab '"),
        ("retries: 6", "retries: must be a whole number from 0 to 5, is 6"),
        ("method: sft", "method: must be supervised, dpo or reinforcement, is 'sft'"),
        ("extra: {training_file: x}", "extra.training_file: cannot be passed through: the reconciler sends it itself"),
        ("labels: {a: [b]}", "labels.a: must be text, is a list"),
        ("description:", "description: must be text, is empty"),
    ],
)
def test_a_model_stays_within_the_limits_of_the_api(tmp_path: Path, text: str, expected: str) -> None:
    (found,) = problem_lines(tmp_path, f"{BOTH}{text}\n")
    assert found.endswith(expected)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Support", "it has capital letters: call it 'support'"),
        ("my model", "it has spaces: call it 'my-model'"),
        ("my_model", "it has underscores: call it 'my-model'"),
        ("-a-", "it has a dash at an end: call it 'a'"),
        ("a/b.c", "it has '.' and '/': call it 'a-b-c'"),
        ("ä-B", "it has capital letters and 'ä': call it 'b'"),
        ("a" * 64, f"it has 64 characters: call it '{'a' * 63}'"),
        ('"a\\n"', "it has ' ': call it 'a'"),
        ("üü", "The name of the object. Keep it: another name is another object. For example: name: support-triage"),
    ],
)
def test_an_invalid_name_is_reported_with_a_reason_and_a_suggestion(tmp_path: Path, name: str, hint: str) -> None:
    (found,) = problems_of(tmp_path, {"s.yaml": f"kind: Dataset\nname: {name}\nsource: a.csv\n"})
    assert (found.path, found.where.line, found.hint) == ("name", 2, hint)


@pytest.mark.parametrize(
    "field", ["api_key", "apiKey", "OPENAI_API_KEY", "token", "base_url", "url", "headers", "proxy", "organization"]
)
@pytest.mark.parametrize("where", ["", "extra: ", "hyperparameters: ", "nowhere: "])
def test_a_spec_never_says_where_credentials_go(tmp_path: Path, field: str, where: str) -> None:
    text = f"{where}{{{field}: x}}" if where else f"{field}: x"
    found = problems_of(tmp_path, {"s.yaml": f"{BOTH}{text}\n"})
    told_of = [problem for problem in found if problem.rule == "spec.credential"]
    assert [problem.path for problem in told_of] == [f"{where.removesuffix(': ')}.{field}".lstrip(".")]
    assert "environment" in told_of[0].hint
    assert len(found) == (2 if where == "nowhere: " else 1)


def draw_key(prefix: str, length: int = 48) -> str:
    """Return a text of the shape of a key, made here so that none stands in a file."""
    draw = random.Random(prefix)
    return prefix + "".join(draw.choice(string.ascii_letters + string.digits) for _ in range(length))


@pytest.mark.parametrize("prefix", ["sk-" + "proj-", "sk-" + "svcacct-", "gsk_"])
@pytest.mark.parametrize("where", ["extra: {note: KEY}", "extra: {a: [{b: 'use KEY for it'}]}"])
def test_a_key_below_extra_is_refused_by_its_shape_and_never_shown(tmp_path: Path, prefix: str, where: str) -> None:
    key = draw_key(prefix)
    (found,) = problems_of(tmp_path, {"s.yaml": f"{BOTH}{where.replace('KEY', key)}\n"})
    assert found.rule == "spec.credential"
    assert found.path.startswith("extra.")
    assert key[8:] not in f"{found} {found.hint}"
    assert "environment" in found.hint


@pytest.mark.parametrize(
    "text", ["extra: {note: sk-your-key-here}", "extra: {prompt_loss_weight: 0.1}", "description: a key"]
)
def test_words_about_keys_are_no_keys(tmp_path: Path, text: str) -> None:
    assert problem_lines(tmp_path, f"{BOTH}{text}\n") == []


def test_a_label_may_name_an_organization_but_hold_no_key(tmp_path: Path) -> None:
    found = problem_lines(tmp_path, f"{BOTH}labels: {{organization: acme, url: here, max_tokens: '3', password: x}}\n")
    assert found == ["11:58  labels.password: a spec must not say where credentials go"]


def test_a_reference_has_to_name_a_dataset(tmp_path: Path) -> None:
    found = problems_of(tmp_path, {"s.yaml": f"{DATASET}---\n{MODEL}validation: triage\n"})
    assert [str(each) for each in found] == ["s.yaml:11:13  validation: there is no Dataset named 'triage'"]
    assert found[0].hint == "the Datasets here are tickets"
    assert problem_lines(tmp_path / "b", MODEL) == ["4:11  training: there is no Dataset named 'tickets'"]


@pytest.mark.parametrize(
    "broken", ["kind: Dataset\nname: tickets\nsource: [a\n", "kind: Dataset\nname: 'tickets'\n a: b: c\n"]
)
def test_a_reference_to_an_unreadable_document_is_not_a_second_mistake(tmp_path: Path, broken: str) -> None:
    (found,) = problems_of(tmp_path, {"a.yaml": broken, "m.yaml": MODEL})
    assert found.rule == "yaml.syntax"


def test_a_reference_to_a_document_with_a_mistake_is_not_a_second_mistake(tmp_path: Path) -> None:
    assert problem_lines(tmp_path, DATASET.replace("source", "sauce"), MODEL) == [
        "3:1  sauce: unknown field, did you mean 'source'?",
    ]


def test_validating_with_the_training_rows_needs_a_split(tmp_path: Path) -> None:
    model = f"{MODEL}validation: tickets\n"
    assert problem_lines(tmp_path / "a", DATASET, model) == [
        "11:13  validation: 'tickets' is what the model learns from, and it has no validation rows"
    ]
    assert problem_lines(tmp_path / "b", f"{DATASET}split: {{validation: 0.1}}\n", model) == []


def test_duplicate_names_are_reported_with_the_place_of_the_other(tmp_path: Path) -> None:
    found = problems_of(tmp_path, {"a.yaml": BOTH, "b/c.yaml": f"{MODEL}---\n{DATASET}"})
    assert [str(each) for each in found] == [
        "b/c.yaml:2:7  name: there is another Model named 'triage' at a.yaml:8:7",
        "b/c.yaml:7:7  name: there is another Dataset named 'tickets' at a.yaml:2:7",
    ]


def test_a_dataset_and_a_model_may_share_a_name(tmp_path: Path) -> None:
    assert problem_lines(tmp_path, DATASET, MODEL.replace("name: triage", "name: tickets")) == []


def test_a_root_has_one_project(tmp_path: Path) -> None:
    found = problem_lines(tmp_path, "kind: Project\nname: a\n", "kind: Project\nname: b\n")
    assert found == ["4:7  kind: a root holds one Project, and there is another at s.yaml:1:1"]


@pytest.mark.parametrize(
    ("project", "first", "second", "expected"),
    [
        ("", "", "", []),
        ("", "openai", "openai", []),
        ("openai", "", "openai", []),
        ("openai", "openai", "", []),
        ("", "local", "", []),
        ("", "opnai", "", ["must be azure, compatible, local, openai or openai-legacy"]),
        ("", "openai", "local", ["this model would train on 'local', and others of this root on 'openai'"]),
        ("", "openai", "", ["this model would train on 'local', and others of this root on 'openai'"]),
        ("", "", "openai", ["this model would train on 'local', and others of this root on 'openai'"]),
        ("local", "openai", "", ["this model would train on 'openai', and others of this root on 'local'"]),
    ],
)
def test_one_root_trains_on_one_service(
    tmp_path: Path, project: str, first: str, second: str, expected: list[str]
) -> None:
    def says(provider: str) -> str:
        return f"provider: {provider}\n" if provider else ""

    documents = [f"{MODEL}{says(first)}", f"{MODEL.replace('triage', 'other')}{says(second)}"]
    found = problem_lines(
        tmp_path, f"kind: Project\nname: p\n{says(project)}" if project else "# none\n", DATASET, *documents
    )
    assert [each.partition(": ")[2].partition(", is ")[0] for each in found] == expected


def test_a_missing_kind_is_guessed_from_the_fields(tmp_path: Path) -> None:
    found = problems_of(tmp_path, {"a.yaml": DATASET.replace("kind: Dataset\n", ""), "b.yaml": "knd: Model\n"})
    assert [each.hint for each in found] == [
        "its fields are those of a Dataset: add 'kind: Dataset'",
        "did you mean it where 'knd' is written?",
    ]


def test_a_profile_that_an_environment_names_must_exist(tmp_path: Path) -> None:
    project = "kind: Project\nname: p\nenvironments:\n  prod:\n    provider: opnai\n"
    (problem,) = problems_of(tmp_path, {"a.yaml": project})
    where, _, what = str(problem).partition(": ")
    assert where == "a.yaml:5:15  environments.prod.provider"
    assert what == "must be azure, compatible, local, openai or openai-legacy, is 'opnai', did you mean 'openai'?"
    assert problem.hint.endswith("For example: provider: local")


def test_a_profile_of_an_installed_package_may_be_named(tmp_path: Path) -> None:
    files = {"a.yaml": f"kind: Project\nname: p\nprovider: acme\n---\n{DATASET}---\n{MODEL}"}
    root = write(tmp_path, dict(files))
    assert read_specs(root, root, profiles={"local", "acme"}).project.provider == "acme"
    with pytest.raises(InputError, match="1 problem"):
        read_specs(root, root, profiles={"local", "openai"})


def test_a_text_that_is_no_name_gets_no_hint_about_names(tmp_path: Path) -> None:
    allowed = DATASET + "allow: [{rule: rows.duplicate, reason: x}]\n"
    (problem,) = problems_of(tmp_path, {"a.yaml": allowed})
    assert problem.path == "allow[0].reason"
    assert "call it" not in problem.hint
    assert problem.hint


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("expect: [{min_row: 3}]", "4:11  expect[0].min_row: unknown field, did you mean 'min_rows'?"),
        (
            "prepare: [{drop_lng: {characters: 3}}]",
            "4:12  prepare[0].drop_lng: unknown field, did you mean 'drop_long'?",
        ),
    ],
)
def test_an_unknown_field_is_one_problem_and_what_follows_from_it_is_none(
    tmp_path: Path, wrong: str, line: str
) -> None:
    assert problem_lines(tmp_path, f"kind: Dataset\nname: tickets\nsource: tickets.csv\n{wrong}\n") == [line]


def test_the_example_of_an_item_is_written_in_its_list(tmp_path: Path) -> None:
    document = "kind: Dataset\nname: tickets\nsource: tickets.csv\nexpect: [7]\n"
    (found,) = problems_of(tmp_path, {"s.yaml": document})
    assert "For example: expect: [{max_tokens: 4096, severity: warning}]" in found.hint
    example = found.hint.partition("For example: ")[2]
    assert not problem_lines(tmp_path, f"kind: Dataset\nname: tickets\nsource: tickets.csv\n{example}\n")
