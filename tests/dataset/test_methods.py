"""Rows for preferences and graders, images and names in rows, and the requirements of methods."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.dataset import recognise_format, write_canonical_line
from reconciler.dataset.dataset_checks import check_methods
from reconciler.dataset.row_checks import MAX_IMAGE_BYTES, check_row
from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format, ModelSpec, ProjectSpec, Recipe, Specs

from .factories import CORPUS, SPEC_PLACE, a_chat, a_spec, jsonl, measured, problems_of, rules

USER, ANSWER = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
OTHER = {"role": "assistant", "content": "No."}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.test/cat.png"}}
PAIR: dict[str, Any] = {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [OTHER]}
IMAGED = {"messages": [{"role": "user", "content": [IMAGE]}]}
TASK: dict[str, Any] = {"messages": [USER], "answer": "So."}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in PAIR.items() if name != key}


@pytest.mark.parametrize(
    ("row", "rule", "path"),
    [
        (without("input"), "preference.input", "input"),
        ({**PAIR, "input": []}, "preference.input", "input"),
        ({**PAIR, "input": {"messages": []}}, "preference.input", "input.messages"),
        ({**PAIR, "input": {"messages": [USER], "x": 1}}, "preference.unknown-key", "input.x"),
        ({**PAIR, "input": {"messages": [{"role": "human", "content": "a"}]}}, "chat.role", "input.messages[0].role"),
        ({**PAIR, "input": {"messages": [USER, ANSWER]}}, "preference.last-turn", "input.messages[1]"),
        ({**PAIR, "input": IMAGED}, "preference.text-only", "input.messages[0].content"),
        (without("preferred_output"), "preference.output", "preferred_output"),
        ({**PAIR, "preferred_output": [ANSWER, OTHER]}, "preference.output", "preferred_output"),
        ({**PAIR, "non_preferred_output": [USER]}, "preference.output", "non_preferred_output[0].role"),
        ({**PAIR, "non_preferred_output": [{"role": ["x"]}]}, "chat.role", "non_preferred_output[0].role"),
        ({**PAIR, "non_preferred_output": "No."}, "preference.output", "non_preferred_output"),
        ({**PAIR, "non_preferred_output": [ANSWER]}, "preference.same", "non_preferred_output"),
        ({**PAIR, "chosen": 1}, "preference.unknown-key", "chosen"),
        ("text", "preference.row", ""),
    ],
)  # fmt: skip
def test_mistakes_in_preference_rows_are_found(row: object, rule: str, path: str) -> None:
    assert (rule, path) in [(finding.rule, finding.path) for finding in check_row(row, Format.PREFERENCE)]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"messages": [], "answer": 1}, "reinforcement.messages"),
        ({"answer": 1}, "reinforcement.messages"),
        ({**TASK, "messages": [USER, ANSWER]}, "reinforcement.last-turn"),
        ({**TASK, "messages": [{"role": "bot", "content": "x"}]}, "chat.role"),
        ({**TASK, "tools": {}}, "chat.tools"),
        ([], "reinforcement.row"),
    ],
)
def test_mistakes_in_rows_for_graders_are_found(row: object, rule: str) -> None:
    assert rule in [finding.rule for finding in check_row(row, Format.REINFORCEMENT)]


def test_valid_rows_have_no_findings() -> None:
    assert list(check_row(PAIR, Format.PREFERENCE)) == []
    assert list(check_row(TASK, Format.REINFORCEMENT)) == []
    history = {"messages": [USER, ANSWER, USER], "tools": [{"type": "function", "function": {"name": "f"}}]}
    assert list(check_row({**PAIR, "input": history}, Format.PREFERENCE)) == []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (PAIR, Format.PREFERENCE),
        (without("input"), Format.PREFERENCE),
        (TASK, Format.REINFORCEMENT),
        ({"messages": [USER], "tools": []}, Format.CHAT),
        ({"messages": [USER, ANSWER], "note": 1}, Format.CHAT),
        ({"messages": "x", "note": 1}, Format.CHAT),
        ({"prompt": "", "completion": ""}, Format.COMPLETION),
        ({"prompt": "", "chosen": "", "rejected": ""}, None),
        ([], None),
    ],
)
def test_formats_are_found_by_their_keys(row: object, found: Format | None) -> None:
    assert recognise_format(row) is found


def test_canonical_lines_have_the_apis_order() -> None:
    mixed = {key: PAIR[key] for key in reversed(PAIR)}
    mixed["input"] = {"tools": [], "messages": [{"content": "Why?", "role": "user"}]}
    assert write_canonical_line(mixed, Format.PREFERENCE).startswith(
        b'{"input":{"messages":[{"role":"user","content":"Why?"}],"tools":[]}'
    )
    assert write_canonical_line({"zeta": {"b": 1, "a": 2}, "answer": 1, **TASK}, Format.REINFORCEMENT) == (
        b'{"messages":[{"role":"user","content":"Why?"}],"answer":"So.","zeta":{"a":2,"b":1}}\n'
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"data:image/png;base64,{PNG}", None),
        (f"data:image/jpeg;base64,{PNG}", "the data is not a JPEG image"),
        ("data:image/png;base64,####", "is not base64"),
        ("data:image/gif;base64,R0lGODlh", "is not the URL"),
        ("data:image/png;base64," + PNG + "A" * (MAX_IMAGE_BYTES // 3 * 4), "may have 10000000 (OpenAI vision"),
        (7, "is not the URL"),
    ],
)
def test_images_in_a_row_have_to_match_their_type(url: object, says: str | None) -> None:
    row = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}, ANSWER]}
    found = [finding for finding in check_row(row, Format.CHAT) if finding.rule == "chat.images"]
    assert [finding.path for finding in found] == (["messages[0].content[0].image_url.url"] if says else [])
    assert says is None or says in found[0].what


@pytest.mark.parametrize(
    "change", [{"messages": [{**USER, "name": "a b"}, ANSWER]}, {"parallel_tool_calls": True}], ids=["name", "parallel"]
)
def test_rows_that_a_service_may_refuse_give_a_warning(change: dict[str, Any]) -> None:
    (finding,) = check_row({**a_chat(), **change}, Format.CHAT)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orca-dpo.jsonl", []),
        ("tool-rft-train.jsonl", []),
        ("grading-note.jsonl", ["chat.no-assistant", "chat.unknown-key", "rows.too-few"]),
        ("images-beside-messages.json", ["format.other"]),
    ],
)
def test_files_of_the_corpus_get_their_expected_result(name: str, expected: list[str]) -> None:
    assert sorted(rules(problems_of(a_spec(name), CORPUS))) == expected


def misfitting(directory: Path, content: bytes, method: str = "supervised", grader: object = None) -> list[str]:
    """Return the problems between a model and one dataset."""
    extra = json.dumps({"grader": grader} if grader else {})
    model = ModelSpec(
        name="m",
        place=SPEC_PLACE,
        recipe=Recipe(base="b", method=method, extra=extra),
        training="rows",
        validation=None,
    )
    specs = Specs(root="specs", project=ProjectSpec(), models=(model,))
    return [
        f"{each.path}: {each.what}; {each.hint}"
        for each in check_methods(specs, {"rows": measured(directory, content)})
    ]


def rows_of(row: dict[str, Any]) -> bytes:
    return jsonl(
        [{**row, **{key: f"{value} {at}" for key, value in row.items() if isinstance(value, str)}} for at in range(12)]
    )


PAIRS = jsonl([{**PAIR, "preferred_output": [{**ANSWER, "content": str(at)}]} for at in range(12)])


def test_a_method_learns_from_its_own_format_only(tmp_path: Path) -> None:
    assert misfitting(tmp_path, PAIRS, "dpo") == []
    (found,) = misfitting(tmp_path, PAIRS)
    assert found == (
        "training: the rows of `rows` have the format preference, and supervised learns from chat or completion; "
        "use another dataset, or `method: dpo`"
    )
    assert "reinforcement, and dpo learns from preference" in misfitting(tmp_path, rows_of(TASK), "dpo")[0]


def test_every_row_has_the_fields_that_a_grader_names(tmp_path: Path) -> None:
    grader = {"type": "string_check", "input": "{{sample.output_text}}", "reference": "{{ item.answer }}"}
    assert misfitting(tmp_path, rows_of(TASK), "reinforcement", grader) == []
    (found,) = misfitting(tmp_path, rows_of(TASK), "reinforcement", {**grader, "reference": "{{item.anwser}}"})
    assert found == "grader: the grader names `item.anwser`, which 0 of 12 rows of `rows` have; did you mean `answer`?"
    some = rows_of(TASK) + jsonl([{"messages": [USER], "other": 1}])
    (found,) = misfitting(tmp_path, some, "reinforcement", grader)
    assert "which 12 of 13 rows" in found
    assert "add `answer` to every row; `prepare: [{filter: {column: answer, present: true}}]` drops the others" in found
