"""One cause is one problem: what follows from it is not counted beside it."""

import json
from pathlib import Path

import pytest

from reconciler.domain.errors import Problem, Severity

from .wild.cases import Fields, read_wild
from .workbooks import a_raw_workbook, a_workbook

MAPPED: Fields = {"format": "completion", "prompt": "{text}", "completion": "{label}"}
CHAT = [{"messages": [{"role": "user", "content": f"q{at}"}, {"role": "assistant", "content": "a"}]} for at in range(3)]


def write_text(at: str, text: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>'


def make_sheet(*rows: tuple[str, ...], after: str = "") -> bytes:
    """Return a workbook; `#` begins an error, and `=` a formula without a result."""
    lines = []
    for row, cells in enumerate((("text", "label", "note"), *rows), start=1):
        written = ""
        for column, text in zip("ABC", cells, strict=False):
            at = f"{column}{row}"
            if text.startswith("#"):
                written += f'<c r="{at}" t="e"><v>{text}</v></c>'
            elif text.startswith("="):
                written += f'<c r="{at}"><f>{text[1:]}</f></c>'
            else:
                written += write_text(at, text) if text else ""
        lines.append(f'<row r="{row}">{written}</row>')
    return a_raw_workbook("".join(lines), after)


def find(
    tmp_path: Path, name: str, content: str | bytes, fields: Fields = MAPPED
) -> tuple[list[Problem], list[Fields]]:
    found, rows = read_wild(tmp_path, name, content if isinstance(content, bytes) else content.encode(), fields)
    return [each for each in found if each.severity is not Severity.INFO], rows


MERGED = '<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>'


@pytest.mark.parametrize(
    ("content", "cause", "hint"),
    [
        (make_sheet(("q", "a"), ("r", "#N/A")), "`label` holds an error", "mend the formula"),
        (make_sheet(("q", "a"), ("r", "=A1")), "`label` holds a formula without a result", "save it"),
        (make_sheet(("q", "a"), ("r", ""), after=MERGED), "`label` holds a cell that is merged", "fill every cell"),
    ],
    ids=["an error", "a formula without a result", "a merged cell"],
)
def test_a_cell_that_is_not_read_and_the_text_that_it_leaves_empty_are_one_problem(
    tmp_path: Path, content: bytes, cause: str, hint: str
) -> None:
    found, _ = find(tmp_path, "b.xlsx", content)
    assert [(each.rule, each.severity, each.where.line) for each in found] == [("row.empty-cell", Severity.ERROR, 3)]
    assert cause in found[0].what
    assert hint in found[0].hint
    assert "`drop_empty: [label]`" in found[0].hint
    after, rows = find(tmp_path / "after", "b.xlsx", content, {**MAPPED, "prepare": [{"drop_empty": ["label"]}]})
    assert {each.severity for each in after} == {Severity.WARNING}
    assert rows == [{"prompt": "q", "completion": "a"}]


def test_many_cells_of_one_cause_are_one_problem_with_the_number_of_rows(tmp_path: Path) -> None:
    found, _ = find(tmp_path, "b.xlsx", make_sheet(*((f"q{at}", "=A1") for at in range(24))))
    assert len(found) == 1
    assert "in 24 rows: lines 2, 3, 4 and 21 more" in found[0].what


def test_an_error_in_a_column_that_is_not_used_stays_a_warning_beside_a_cell_that_is_empty(tmp_path: Path) -> None:
    found, _ = find(tmp_path, "b.xlsx", make_sheet(("q", "", "#N/A"), ("r", "a", "n")))
    assert [(each.rule, each.severity) for each in found] == [
        ("xlsx.errors", Severity.WARNING),
        ("row.empty-cell", Severity.ERROR),
    ]
    assert "`label` is" in found[1].what


def test_errors_and_formulas_are_two_causes(tmp_path: Path) -> None:
    found, _ = find(tmp_path, "b.xlsx", make_sheet(("q", "#REF!", "=A1"), ("r", "a", "n")))
    assert sorted((each.rule, each.severity) for each in found) == [
        ("row.empty-cell", Severity.ERROR),
        ("xlsx.errors", Severity.WARNING),
    ]


def test_an_allowed_warning_lets_no_row_go_that_lacks_its_answer(tmp_path: Path) -> None:
    allow = [{"rule": "xlsx.errors", "reason": "known for a while"}]
    found, rows = find(tmp_path, "b.xlsx", make_sheet(("q", "a"), ("r", "#N/A")), {**MAPPED, "allow": allow})
    assert [(each.rule, each.severity) for each in found] == [("row.empty-cell", Severity.ERROR)]
    assert rows == []


def test_cells_that_are_not_read_pass_through_steps_as_empty(tmp_path: Path) -> None:
    steps: list[Fields] = [{"deduplicate": True}, {"sample": {"share": 0.9999}}, {"drop_empty": ["label"]}]
    content = make_sheet(("q", "a", "n"), ("r", "#N/A", "n"), ("s", "b", "#N/A"))
    _, rows = find(tmp_path, "b.xlsx", content, {**MAPPED, "prepare": steps})
    assert rows == [{"prompt": "q", "completion": "a"}, {"prompt": "s", "completion": "b"}]
    convert = {"prepare": [{"rename": {"text": "prompt", "label": "completion"}}, {"drop_columns": ["note"]}]}
    convert["prepare"].append({"convert": {"from": "prompt_completion"}})
    found, _ = find(tmp_path / "chat", "b.xlsx", content, convert)
    assert "chat.empty-content" in {each.rule for each in found} or any("is empty" in each.what for each in found)


def test_ranges_of_merged_cells_that_cover_each_other_cost_no_more_than_the_cells(tmp_path: Path) -> None:
    ranges = '<mergeCell ref="A2:XFD1048576"/>' * 2000
    found, rows = find(tmp_path, "b.xlsx", make_sheet(("q", "a"), after=f"<mergeCells>{ranges}</mergeCells>"))
    assert [each.rule for each in found] == ["xlsx.merged"]
    assert rows == [{"prompt": "q", "completion": "a"}]


def write_swallowed() -> str:
    rows = [f"q{at},text {at}" for at in range(40)]
    rows[3], rows[17] = '"q3,text 3', 'q17,text 17"'
    return "text,label\n" + "\n".join(rows) + "\n"


def test_a_cell_that_holds_rows_is_one_problem(tmp_path: Path) -> None:
    found, _ = find(tmp_path, "t.csv", write_swallowed())
    assert [(each.rule, each.where.line) for each in found] == [("table.swallowed-rows", 5)]


def test_a_cell_that_holds_rows_and_is_allowed_is_read(tmp_path: Path) -> None:
    allow = [{"rule": "table.swallowed-rows", "reason": "they are one text", "lines": [5]}]
    content = 'text,label\na,b\nc,d\ne,f\n"' + "".join(f"q{at},text {at}\n" for at in range(5)) + '",answer\n'
    found, rows = find(tmp_path, "t.csv", content, {**MAPPED, "allow": allow})
    assert found == []
    assert rows[-1] == {"prompt": "".join(f"q{at},text {at}\n" for at in range(5)), "completion": "answer"}


@pytest.mark.parametrize(
    ("name", "content", "right"),
    [
        ("t.csv", json.dumps(CHAT), "t.json"),
        ("t.csv", json.dumps(CHAT, indent=2), "t.json"),
        ("t.tsv", json.dumps(CHAT, indent=1), "t.json"),
        ("t.csv", "".join(json.dumps(row) + "\n" for row in CHAT), "t.jsonl"),
        ("t.jsonl", "prompt|completion\nq0|a\nq1|a\nq2|a\n", "t.csv"),
        ("t.jsonl", "prompt,completion\nq0,a\nq1,a\n", "t.csv"),
        ("t.json", "prompt\tcompletion\nq0\ta\nq1\ta\n", "t.tsv"),
    ],
    ids=["list", "indented list", "indented list in tsv", "lines", "pipes", "commas", "tabs in json"],
)
def test_a_file_under_the_name_of_another_kind_is_one_problem_whose_hint_works(
    tmp_path: Path, name: str, content: str, right: str
) -> None:
    found, _ = find(tmp_path, name, content, {})
    assert [(each.rule, each.hint) for each in found] == [("file.kind", f"name it .{right.partition('.')[2]}")]
    found, rows = find(tmp_path / "after", right, content, {})
    if "|" in content:
        assert '`delimiter: "|"`' in found[0].hint or 'delimiter: "|"' in found[0].hint
        return
    assert not found
    assert len(rows) >= 2


@pytest.mark.parametrize("names", [("1", "2"), ("0", "1"), ("2020", "2021")])
def test_numbers_above_numbers_are_a_row_and_no_header(tmp_path: Path, names: tuple[str, str]) -> None:
    content = f"{names[0]},{names[1]}\n" + "".join(f"{at},{at + 1}\n" for at in range(3, 15))
    found, _ = find(tmp_path / "before", "t.csv", content, {})
    assert [each.rule for each in found] == ["table.header-missing"]
    fields = {"prompt": "{column_1}", "completion": "{column_2}", "format": "completion"}
    source = {"source": {"path": "t.csv", "header": False, "columns": ["column_1", "column_2"]}}
    found, rows = find(tmp_path / "after", "t.csv", content, {**fields, **source})
    assert (found, len(rows)) == ([], 13)
    stated = {"prompt": f"{{{names[0]}}}", "completion": f"{{{names[1]}}}", "format": "completion"}
    found, _ = find(tmp_path / "stated", "t.csv", content, stated)
    assert [(each.rule, each.severity) for each in found] == [("table.header-missing", Severity.WARNING)]


def test_counted_names_above_texts_are_a_header(tmp_path: Path) -> None:
    content = "0,1\n" + "".join(f"question {at},{at}\n" for at in range(12))
    found, rows = find(tmp_path, "t.csv", content, {"prompt": "{0}", "completion": "{1}", "format": "completion"})
    assert (found, len(rows)) == ([], 12)


@pytest.mark.parametrize(
    "row", [CHAT[0], {"conversations": [{"from": "human", "value": "q"}]}], ids=["chat", "ShareGPT"]
)
def test_one_row_that_is_no_list_is_put_into_one(tmp_path: Path, row: Fields) -> None:
    found, _ = find(tmp_path, "t.json", json.dumps(row), {})
    assert [(each.rule, each.hint) for each in found] == [
        ("json.not-a-list", "put it into a list, with the others: [{…}, {…}]")
    ]


def test_an_error_in_the_header_is_a_column_without_a_name(tmp_path: Path) -> None:
    found, rows = find(tmp_path, "b.xlsx", a_workbook(("text", "label", None), ("q", "a", "b")))
    assert [each.rule for each in found] == ["table.header"]
    assert rows == [{"prompt": "q", "completion": "a"}]
