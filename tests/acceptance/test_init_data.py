"""`reconciler init --data FILE`: the first specs for a file of examples."""

import json
import re

import pytest

from tests.acceptance.conftest import Repository
from tests.acceptance.test_json_of_texts import read_document

TALKS = [(f"Where is parcel {number}?", "on its way" if number % 2 else "delivered") for number in range(12)]


def write_lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


FILES = {
    "chat.jsonl": write_lines(
        [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in TALKS]
    ),
    "pairs.csv": "prompt,completion\n" + "".join(f"{q},{a}\n" for q, a in TALKS),
    "alpaca.jsonl": write_lines([{"instruction": q, "input": "", "output": a} for q, a in TALKS]),
    "sharegpt.jsonl": write_lines(
        [{"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]} for q, a in TALKS]
    ),
}
PREFERENCE = write_lines([{"prompt": q, "chosen": a, "rejected": "ask again"} for q, a in TALKS])


def take_comment_signs(text: str) -> str:
    """Return a file of specs whose Model is no comment."""
    return re.sub("^# (?=(?:kind|name|base|method|training): )", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_the_first_specs_are_valid_keep_all_rows_and_train_when_the_model_is_no_comment(
    repository: Repository, name: str
) -> None:
    repository.write(f"data/{name}", FILES[name])
    assert repository.run("init", "--data", f"data/{name}").code == 0
    valid = repository.run("validate")
    assert (valid.code, valid.out) == (0, "Valid: 0 models, 1 dataset, 12 rows.\n")
    repository.write("specs/models.yaml", take_comment_signs(repository.read("specs/models.yaml")))
    assert repository.run("apply", "--auto-approve").code == 0
    assert "1 model" in repository.run("validate").out


def test_preference_rows_get_their_method_and_a_service_that_has_it(repository: Repository) -> None:
    repository.write("judged.jsonl", PREFERENCE)
    assert repository.run("init", "--data", "judged.jsonl", "first").code == 0
    assert 'source: "../judged.jsonl"' in repository.read("first/datasets.yaml")
    repository.write("first/models.yaml", take_comment_signs(repository.read("first/models.yaml")))
    valid = repository.run("validate", "first")
    assert (valid.code, valid.out) == (0, "Valid: 1 model, 1 dataset, 12 rows.\n")


@pytest.mark.parametrize("name", ["odd.csv", "notes.txt", "missing.csv"])
def test_what_a_spec_cannot_read_is_refused_and_nothing_is_written(repository: Repository, name: str) -> None:
    repository.write("odd.csv", "foo,bar\n" + "".join(f"{q},{a}\n" for q, a in TALKS))
    repository.write("notes.txt", "One line.\nAnother line.\n")
    result = repository.run("init", "--data", name)
    assert result.code != 0
    assert name in result.err
    assert not (repository.root / "specs").exists()


def test_rows_of_no_known_form_are_refused_with_a_form_to_fill_in(repository: Repository) -> None:
    repository.write("odd.csv", "foo,bar\n" + "".join(f"{q},{a}\n" for q, a in TALKS))
    said = " ".join(repository.run("init", "--data", "odd.csv").err.split())
    assert 'prompt: "{COLUMN}"' in said
    assert 'foo ("Where is parcel 0?")' in said


def test_what_was_found_in_the_rows_is_told_and_in_the_json(repository: Repository) -> None:
    repository.write("pairs.csv", FILES["pairs.csv"] + "Where?,\n")
    told = repository.run("init", "--data", "pairs.csv", "one").err
    assert "1 row without `prompt` or `completion`: line 14" in " ".join(told.split())
    document = read_document("init", repository.run("init", "--data", "pairs.csv", "two", "--json").out)
    assert [14] in [each["lines"] for each in document["findings"]]
    assert document["files"][0] == "two/project.yaml"
