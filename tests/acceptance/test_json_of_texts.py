"""What a command says as text about a list, an import or the first specs is in its JSON too."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .conftest import HERE, Repository

ROOT = "specs/quickstart"


def read_document(name: str, text: str) -> Any:
    """Return a document that has the shape of a schema."""
    schema = json.loads((HERE / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    document = json.loads(text)
    Draft202012Validator(schema).validate(document)
    return document


@pytest.fixture(scope="module", params=["files", "jobs", "models"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_list_with_its_summary_holds_what_the_text_says(quickstart: Repository, name: str) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    words = (name, "--specs", ROOT, "--json")
    alone = json.loads(quickstart.run(*words).out)
    whole = read_document("inventory", quickstart.run(*words, "--summary", "--ours").out)
    assert isinstance(alone, list)
    assert all(each in alone for each in whole["items"])
    assert (whole["count"], whole["ours"], whole["warnings"]) == (len(alone), len(whole["items"]), [])
    assert whole["ours"] >= 1


def test_a_summary_is_refused_where_there_is_none(quickstart: Repository, name: str) -> None:
    refused = quickstart.run(name, "--specs", ROOT, "--summary")
    assert (refused.code, "add --json" in refused.err) == (64, True)
    one = quickstart.run(name, "x", "--specs", ROOT, "--json", "--summary")
    assert (one.code, "--summary" in one.err) == (64, True)


def test_the_first_specs_are_listed_with_the_next_command(repository: Repository) -> None:
    result = repository.run("init", "--json")
    document = read_document("init", result.out)
    assert all((repository.root / each).is_file() for each in document["files"])
    assert document["next"] == "reconciler apply"


def test_an_import_is_a_document_with_the_spec_its_files_and_the_next_command(quickstart: Repository) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    (job,) = json.loads(quickstart.run("jobs", "--specs", ROOT, "--json").out)
    (quickstart.root / ROOT / "support-triage.yaml").unlink()
    words = ("import", job["id"], "--as", "taken", "--specs", ROOT)
    shown = read_document("import", quickstart.run(*words, "--json").out)
    assert (shown["job"], shown["is_written"], shown["next"]) == (job["id"], False, None)
    assert shown["spec"] == quickstart.run(*words).out
    assert not any((quickstart.root / each).exists() for each in shown["files"])
    written = read_document("import", quickstart.run(*words, "--json", "--write").out)
    assert written["files"] == shown["files"]
    assert all((quickstart.root / each).exists() for each in written["files"])
    assert written["next"] == f"reconciler plan {ROOT}"


def test_what_doctor_found_is_one_document(quickstart: Repository) -> None:
    found = read_document("doctor", quickstart.run("doctor", "--specs", ROOT, "--json").out)
    lines = quickstart.run("doctor", "--specs", ROOT).out.splitlines()
    assert (found["exit_code"], [each["ok"] for each in found["findings"]]) == (0, [True] * len(lines))
    assert all(
        each["what"] in line and each["detail"] in line for each, line in zip(found["findings"], lines, strict=True)
    )

    failed = quickstart.run("doctor", "--specs", ROOT, "--provider", "openai", "--json")
    document = read_document("doctor", failed.out)
    assert (failed.code, document["exit_code"], failed.err) == (1, 1, "")
    assert "OPENAI_API_KEY" in document["findings"][-1]["detail"]

    quickstart.write(f"{ROOT}/wrong.yaml", "kind: Nothing\n")
    wrong = read_document("doctor", quickstart.run("doctor", "--specs", ROOT, "--json").out)
    assert (wrong["exit_code"], wrong["findings"][0]["problems"][0]["file"]) == (3, f"{ROOT}/wrong.yaml")


def test_a_probe_of_doctor_leaves_nothing(quickstart: Repository) -> None:
    before = quickstart.run("files", "--specs", ROOT, "--json").out
    found = read_document("doctor", quickstart.run("doctor", "--specs", ROOT, "--probe", "--json").out)
    probed = [each["what"] for each in found["findings"] if each["what"].startswith("probe")]
    assert probed == ["probe: upload", "probe: read back", "probe: list", "probe: delete"]
    assert found["exit_code"] == 0
    assert quickstart.run("files", "--specs", ROOT, "--json").out == before
