"""Findings: what a command shows as text is in its JSON too, and every finding has one shape there."""

import json
from collections.abc import Iterator
from io import BytesIO

import pytest
from jsonschema import Draft202012Validator
from openpyxl import Workbook

from tests.ci.runner import git

from .conftest import HERE, Repository

FIELDS = {"file", "line", "column", "path", "what", "hint", "rule", "severity"}
ROWS = "prompt,completion\n" + "".join(f"q{at},a{at % 2}\n" for at in range(12)) + "q3,a1\n"
SPECS = (
    "kind: Project\nname: p\nprovider: local\n---\nkind: Dataset\nname: a\nsource: a.csv\n---\n"
    "kind: Model\nname: m\ntraining: a\nbase: tfidf-logreg\n"
)


def find_findings(value: object) -> Iterator[dict[str, object]]:
    """Yield every finding in a document, wherever it stands."""
    if isinstance(value, dict):
        if "severity" in value:
            yield value
        for each in value.values():
            yield from find_findings(each)
    elif isinstance(value, list):
        for each in value:
            yield from find_findings(each)


def read_json(text: str) -> list[object]:
    """Return a document, or the documents of lines."""
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def squeeze(text: object) -> str:
    return "".join(str(text).split())


@pytest.fixture
def warned(repository: Repository) -> Repository:
    """A repository whose dataset has a warning, with a saved plan."""
    repository.write("specs/a.yaml", SPECS)
    repository.write("specs/a.csv", ROWS)
    print(repository.run("plan", "--out", "saved.plan"))
    return repository


COMMANDS = {
    "validate": ("validate",),
    "plan": ("plan",),
    "status": ("status",),
    "show": ("show", "saved.plan"),
    "apply": ("apply", "--auto-approve", "--no-wait"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_findings_of_text_are_in_json(warned: Repository, arguments: tuple[str, ...]) -> None:
    result = warned.run(*arguments, "--json")
    text = warned.run(*arguments)
    print(result, text)
    found = [each for document in read_json(result.out) for each in find_findings(document)]
    assert [each["rule"] for each in found] == ["rows.duplicate"]
    assert set(found[0]) == FIELDS
    assert squeeze(found[0]["what"]) in squeeze(text.err)
    assert squeeze(found[0]["hint"]) in squeeze(text.err)


def test_findings_of_a_diff_are_in_its_json(warned: Repository) -> None:
    (warned.root / ".git").rmdir()
    git("init", "--quiet", str(warned.root))
    for at in range(2):
        warned.write("specs/note.txt", str(at))
        git("-C", str(warned.root), "add", "--all")
        git("-C", str(warned.root), "commit", "--quiet", "--message", f"version {at}")
    result = warned.run("diff", "HEAD~1..HEAD", "--json")
    print(result)
    (found,) = find_findings(json.loads(result.out))
    assert (found["rule"], set(found)) == ("rows.duplicate", FIELDS)


STOPPED = {"validate": ("validate",), "plan": ("plan",), "status": ("status",), "apply": ("apply", "--auto-approve")}


@pytest.mark.parametrize("arguments", STOPPED.values(), ids=STOPPED)
def test_an_error_hides_no_warning(warned: Repository, arguments: tuple[str, ...]) -> None:
    warned.write("specs/a.csv", ROWS + "q,\n")
    result = warned.run(*arguments, "--json")
    found = [each for document in read_json(result.out) for each in find_findings(document)]
    assert sorted(str(each["rule"]) for each in found) == ["row.empty-cell", "rows.duplicate"]
    assert all(set(each) == FIELDS for each in found)


def two_sheets(rows: str = ROWS) -> bytes:
    """Return a workbook of which only the first sheet is read."""
    book, content = Workbook(), BytesIO()
    for row in rows.splitlines():
        book.active.append(row.split(","))
    book.create_sheet("other").append(["x"])
    book.save(content)
    return content.getvalue()


PREPARED = {
    "two sheets": ("a.xlsx", two_sheets()),
    "byte order mark": ("a.csv", ("\ufeff" + ROWS).encode()),
    "remedies": ("a.csv", "prompt,completion,note\n" + "".join(f"q{at},a{at},n\n" for at in range(12)) + "q3,a3,n\n"),
    "wrong extension": ("a.json", '{"prompt":"a ->","completion":" b."}\n{"prompt":"c ->","completion":" d."}\n'),
}


@pytest.mark.parametrize(("name", "content"), PREPARED.values(), ids=PREPARED)
def test_prepare_has_its_findings_in_json(repository: Repository, name: str, content: str | bytes) -> None:
    repository.write(name, content)
    result = repository.run("prepare", name, "--for", "completion", "--json")
    text = repository.run("prepare", name, "--for", "completion")
    print(result.out)
    document = json.loads(result.out)
    schema = json.loads((HERE / "schemas/prepare.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    for each in (*document["warnings"], *document["findings"]):
        assert set(each) >= FIELDS
        assert each["file"] == name
        assert each["rule"]
        assert squeeze(each["what"]) in squeeze(text.out)
        assert squeeze(each["hint"]) in squeeze(text.out)
    shown = [line for line in text.out.partition("Remedies:")[0].splitlines() if line.startswith("  - ")]
    assert len(shown) == len(document["warnings"]) + len(document["findings"])


def test_the_shape_of_problems_is_promised(warned: Repository) -> None:
    schema = json.loads(warned.run("schema", "problems").out)
    Draft202012Validator(schema).validate(json.loads(warned.run("validate", "--json").out))
    warned.write("specs/a.csv", ROWS + "q,\n")
    Draft202012Validator(schema).validate(json.loads(warned.run("plan", "--json").out))


def test_statistics_say_in_json_too_how_tokens_are_counted(repository: Repository) -> None:
    repository.write("a.csv", ROWS)
    text, document = repository.run("data", "stats", "a.csv"), repository.run("data", "stats", "a.csv", "--json")
    hint = json.loads(document.out)["hint"]
    assert "--base" in hint
    assert hint in text.out


def test_an_error_in_prepare_hides_no_warning_about_the_file(repository: Repository) -> None:
    repository.write("a.xlsx", two_sheets("prompt,completion\nq,\nr,\n"))
    found = list(find_findings(json.loads(repository.run("prepare", "a.xlsx", "--json").out)))
    assert [each["severity"] for each in found] == ["warning", "error"]
    assert found[0]["rule"] == "xlsx.sheet"
