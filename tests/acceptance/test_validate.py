"""validate: what it finds is in its text and in its JSON alike."""

import json
from typing import Any

from .conftest import Repository

ROWS = "prompt,completion\n" + "".join(f"q{at},a{at}\n" for at in range(12))
TWICE = ROWS + "q3,a3\n"
DATASET = "kind: Dataset\nname: {0}\nsource: {0}.csv\n"


def problems(repository: Repository, *arguments: str) -> list[tuple[str, str, str, str]]:
    """Return file, rule, severity and hint of each finding in JSON."""
    result = repository.run("validate", "--json", *arguments)
    found: list[dict[str, Any]] = json.loads(result.out)["problems"]
    return [(each["file"], each["rule"], each["severity"], each["hint"]) for each in found]


def test_warnings_are_in_json_when_there_is_no_error(repository: Repository) -> None:
    repository.write("specs/a.yaml", DATASET.format("a"))
    repository.write("specs/a.csv", TWICE)
    text = repository.run("validate")
    ((file, rule, severity, hint),) = problems(repository)
    assert (file, rule, severity) == ("specs/a.csv", "rows.duplicate", "warning")
    assert text.code == 0
    assert hint in text.err


def test_an_error_in_one_dataset_hides_no_warning_about_another(repository: Repository) -> None:
    repository.write("specs/a.yaml", DATASET.format("a") + "---\n" + DATASET.format("b"))
    repository.write("specs/a.csv", TWICE)
    repository.write("specs/b.csv", ROWS + "q,\n")
    assert [each[:3] for each in problems(repository)] == [
        ("specs/a.csv", "rows.duplicate", "warning"),
        ("specs/b.csv", "row.empty-cell", "error"),
    ]
    assert "repeats an earlier one" in repository.run("validate").err


def test_an_error_in_one_root_hides_no_warning_about_another(repository: Repository) -> None:
    for root, rows in (("one", TWICE), ("two", ROWS + "q,\n")):
        repository.write(f"specs/{root}/p.yaml", f"kind: Project\nname: {root}\n---\n" + DATASET.format("a"))
        repository.write(f"specs/{root}/a.csv", rows)
    assert {each[:3] for each in problems(repository, "specs")} == {
        ("specs/one/a.csv", "rows.duplicate", "warning"),
        ("specs/two/a.csv", "row.empty-cell", "error"),
    }
