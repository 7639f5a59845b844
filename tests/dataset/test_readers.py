"""JSON Lines and JSON: the rows that are read, and the problems of other files."""

import json
from pathlib import Path

import pytest

from reconciler.dataset.readers.stream import MAX_LINE_BYTES
from reconciler.domain.errors import Place, Severity

from .factories import CORPUS, a_chat, chats, jsonl, measured, only, problems, rules


def test_every_bad_line_is_reported_with_its_place(tmp_path: Path) -> None:
    lines = jsonl(chats(12)).splitlines()
    lines[2] = b'{"messages": [}'
    lines[7] = b'{"messages": [], "messages": []}'
    found = problems(tmp_path, b"\n".join(lines))
    assert [(problem.rule, problem.where) for problem in found] == [
        ("json.syntax", Place(file="rows.jsonl", line=3, column=15)),
        ("json.duplicate-key", Place(file="rows.jsonl", line=8)),
    ]


def test_blank_lines_are_passed_over_with_one_warning(tmp_path: Path) -> None:
    content = jsonl(chats(12)).replace(b"\n", b"\n \n\n", 1)
    result = measured(tmp_path, content)
    warning = only(result.warnings, "text.blank-line")
    assert result.training.rows == 12
    assert (warning.where.line, warning.severity) == (2, Severity.WARNING)
    assert "2 blank lines" in warning.what


def test_of_one_file_fifty_problems_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    from reconciler.dataset import measure
    from reconciler.domain.errors import InputError

    from .factories import a_spec, write

    turns = [[{"role": f"boss{at}", "content": "x"}, {"role": "assistant", "content": "y"}] for at in range(70)]
    write(tmp_path, "bad.jsonl", jsonl({"messages": each} for each in turns))
    write(tmp_path, "worse.jsonl", b"nonsense\n" * 60)
    with pytest.raises(InputError) as caught:
        measure(a_spec("worse.jsonl", "bad.jsonl", format=None), tmp_path)
    shown = caught.value.problems
    assert len([each for each in shown if each.where.file == "bad.jsonl" and each.severity is Severity.ERROR]) == 50
    (worse,) = [each for each in shown if each.where.file == "worse.jsonl"]
    assert "(in 60 rows: lines 1, 2, 3 and 57 more)" in worse.what
    assert caught.value.unshown == 20
    assert list(shown) == sorted(shown)


@pytest.mark.parametrize(
    ("content", "rule", "what"),
    [
        ((CORPUS / "lfs-pointer.jsonl").read_bytes(), "file.lfs-pointer", "Git LFS"),
        ((CORPUS / "pretty-printed.jsonl").read_bytes(), "json.indented", "indented JSON"),
        (json.dumps(chats(12), indent=2).encode(), "json.indented", "indented JSON"),
        (jsonl(chats(12)).decode().encode("utf-16"), "text.encoding", "UTF-16"),
        (jsonl(chats(12)).decode().encode("utf-16-le"), "text.encoding", "UTF-16"),
        ((CORPUS / "context-switching.xlsx").read_bytes(), "file.kind", "workbook"),
        (b"\x1f\x8b\x08\x00", "file.kind", "gzip"),
        (json.dumps(chats(12)).encode(), "row.not-an-object", "a list"),
        (b"7\n" * 12, "row.not-an-object", "single value"),
        (b"", "rows.none", "no rows"),
        (b"\n\n", "rows.none", "no rows"),
        (b'{"question": "a", "answer": "b"}\n' * 12, "format.other", "`question`, `answer`"),
        (b'{"conversations": []}\n' * 12, "format.other", "`conversations`"),
        (b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n', "format.other", "`chosen`"),
        (b"{}\n", "format.unknown", "empty object"),
    ],
)
def test_a_file_of_another_kind_is_recognised_once(tmp_path: Path, content: bytes, rule: str, what: str) -> None:
    problem = only(problems(tmp_path, content), rule)
    assert what in problem.what
    assert problem.hint


def test_unknown_keys_get_a_hint_with_the_mapping_that_they_need(tmp_path: Path) -> None:
    found = problems(tmp_path, b'{"id": 1, "question": "a", "answer": "b"}\n' * 12)
    assert rules(found) == ["format.other"]
    assert found[0].hint == 'add `prompt: "{question}"`, `completion: "{answer}"` to the Dataset'


def test_an_encoding_is_one_problem_with_the_number_of_lines(tmp_path: Path) -> None:
    words = ("Straße", "café", "naïve", "señor")
    rows = [json.dumps(a_chat(f"{words[at % 4]} {at}"), ensure_ascii=False) for at in range(12)]
    count, first = problems(tmp_path, "\n".join(rows).encode("latin-1"))
    assert (first.rule, first.severity, first.where.line) == ("text.encoding", Severity.ERROR, 1)
    assert "0xDF" in first.what
    assert (count.severity, count.what) == (Severity.INFO, "12 lines are not UTF-8; the first is shown")
    assert "`encoding: windows-1252`" in first.hint
    assert "`encoding: windows-1252`" in count.hint


def test_a_line_over_the_limit_is_passed_over_and_the_next_is_read(tmp_path: Path) -> None:
    long = json.dumps(a_chat("x" * MAX_LINE_BYTES)).encode()
    content = jsonl(chats(5)) + long + long + b"\n" + b"nonsense\n" + long
    found = problems(tmp_path, content)
    assert [(problem.rule, problem.where.line) for problem in found if problem.where.file == "rows.jsonl"] == [
        ("text.line-length", 6),
        ("json.syntax", 7),
        ("text.line-length", 8),
    ]
    assert "16 MiB" in found[0].what


def test_rows_of_a_json_list_have_their_lines(tmp_path: Path) -> None:
    rows: list[object] = [*chats(10), {"messages": [{"role": "user", "content": "x"}]}, 5]
    text = json.dumps(rows, indent=1)
    found = problems(tmp_path, text, "rows.json")
    lines = text.splitlines()
    assert rules(found) == ["chat.no-assistant", "chat.row"]
    assert '"messages"' in lines[found[0].where.line]
    assert lines[found[1].where.line - 1] == " 5"


def test_a_json_list_has_the_digest_of_its_lines(tmp_path: Path) -> None:
    rows = chats(12)
    as_lines = measured(tmp_path, jsonl(rows))
    as_list = measured(tmp_path, b"\xef\xbb\xbf" + json.dumps(rows, indent=2).encode(), "rows.json")
    assert as_list.training == as_lines.training


@pytest.mark.parametrize(
    ("content", "rule", "what", "hint"),
    [
        (b'{"data": [{"a": 1}], "name": "x"}', "json.not-a-list", "one object", "`data`"),
        (b'{"name": "x"}', "json.not-a-list", "one object", "[{"),
        (b'"text"', "json.not-a-list", "one value", ""),
        (jsonl(chats(12)), "json.not-a-list", "JSON Lines", ".jsonl"),
        (b'[{"messages": []},\n {"messages": [}]', "json.syntax", "", ""),
        (b"", "json.syntax", "", ""),
        (b"[" * 100_000, "json.depth", "", ""),
        (b"[]", "rows.none", "no rows", ""),
    ],
)
def test_json_that_is_not_a_list_of_objects_is_reported(
    tmp_path: Path, content: bytes, rule: str, what: str, hint: str
) -> None:
    problem = only(problems(tmp_path, content, "rows.json"), rule)
    assert what in problem.what
    assert hint in problem.hint


def test_a_mistake_inside_a_json_list_has_line_and_column(tmp_path: Path) -> None:
    found = problems(tmp_path, b'[\n {"messages": []},\n {"messages": [}\n]', "rows.json")
    assert only(found, "json.syntax").where == Place(file="rows.json", line=3, column=16)
    found = problems(tmp_path, b'[\n {"a": 1},\n {"a": "\\ud800"}]', "rows.json")
    assert only(found, "text.encoding").where == Place(file="rows.json", line=3, column=9)


def test_columns_count_characters_and_not_bytes(tmp_path: Path) -> None:
    """As SARIF and editors count: a character beyond ASCII is one column, in a line and in a list."""
    lines = jsonl(chats(12)).splitlines()
    lines[2] = '{"a": "é😀", oops}'.encode()
    found = only(problems(tmp_path, b"\n".join(lines)), "json.syntax")
    assert lines[2].decode()[found.where.column - 1 :].startswith("oops")
    listed = '[\n {"a": 1},\n {"é😀": oops}]'
    found = only(problems(tmp_path, listed.encode(), "rows.json"), "json.syntax")
    assert listed.splitlines()[found.where.line - 1][found.where.column - 1 :].startswith("oops")
    table = b"prompt,completion\n" + "é😀".encode() + b"\xff,b\n"
    found = only(problems(tmp_path, table, "rows.csv"), "text.encoding")
    assert found.where.column in {0, 3}
