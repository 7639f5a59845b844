"""A held-out file says how it is read, as a source does."""

from pathlib import Path

import pytest
import yaml

from reconciler.dataset import measure
from reconciler.domain.errors import InputError, Problem
from reconciler.specfile import read_specs
from tests.dataset.workbooks import a_workbook

ROWS = [(f"Grüße {at}", f"schön {at}") for at in range(12)]


def find(tmp_path: Path, name: str, content: bytes, held: object) -> tuple[Problem, ...]:
    trained = "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)
    (tmp_path / "t.csv").write_text(trained, encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    fields = {"kind": "Dataset", "name": "d", "source": "t.csv", "prompt": "{text}", "completion": "{label}"}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump({**fields, "heldout": [held]}, sort_keys=False), encoding="utf-8")
    try:
        return measure(read_specs(tmp_path, tmp_path).datasets[0], tmp_path).warnings
    except InputError as error:
        return error.problems


@pytest.mark.parametrize(
    ("name", "content", "terms"),
    [
        ("h.csv", "text,label\nGrüße 3,schön 3\n".encode("cp1252"), {"encoding": "windows-1252"}),
        ("h.csv", "text;label\nGrüße 3;schön 3\n".encode(), {"delimiter": ";"}),
        ("h.csv", "Grüße 3,schön 3\nother,row\n".encode(), {"header": False, "columns": ["text", "label"]}),
        ("h.tsv", 'text\tlabel\n"Grüße" 3\tx\nGrüße 3\tschön 3\n'.encode(), {"quote": "none"}),
        ("h.xlsx", a_workbook(("text", "label"), ("a", "b"), sheets=("One", "Two")), {"sheet": "One"}),
    ],
    ids=["encoding", "delimiter", "header", "quote", "sheet"],
)
def test_a_held_out_file_is_read_by_its_own_terms(
    tmp_path: Path, name: str, content: bytes, terms: dict[str, object]
) -> None:
    found = find(tmp_path, name, content, {"path": name, **terms})
    leaks = [each for each in found if each.rule == "leak.same"]
    assert [each.rule for each in found if each not in leaks] == []
    assert len(leaks) == (0 if name.endswith("xlsx") else 1)


def test_a_wrong_term_of_a_held_out_file_is_shown_where_it_stands(tmp_path: Path) -> None:
    held = {"path": "h.xlsx", "sheet": "Oen"}
    found = find(tmp_path, "h.xlsx", a_workbook(("text", "label"), ("a", "b"), sheets=("One",)), held)
    assert [(str(each.where), each.path, each.hint) for each in found] == [
        ("s.yaml:8:10", "heldout[0].sheet", "did you mean `One`?")
    ]


@pytest.mark.parametrize(
    ("held", "what"),
    [
        ({"path": "h.csv", "sheet": "One"}, "only XLSX files have sheets"),
        ({"path": "h.csv", "header": False}, "without a header, the columns have no names"),
        ({"path": "h.csv", "weight": 2}, "weight"),
        ({"encoding": "utf-16"}, "path"),
    ],
    ids=["sheet", "header", "weight", "no path"],
)
def test_terms_that_do_not_fit_are_refused(tmp_path: Path, held: dict[str, object], what: str) -> None:
    found = find(tmp_path, "h.csv", b"text,label\na,b\n", held)
    assert any(what in f"{each.path} {each.what}" for each in found), found
    assert all(each.path.startswith("heldout[0]") for each in found), found
