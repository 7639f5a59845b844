"""Columns become rows: templates, empty cells and columns that are not there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.dataset.mapping import Template
from reconciler.domain.errors import Severity
from reconciler.domain.prepare import Preparation, Strip
from reconciler.domain.spec import ColumnMapping, Format, Turn

from .factories import SPEC_PLACE, a_chat, a_spec, jsonl, measured, only, problems, problems_of, rules, write

TABLE = "subject,body,label\n" + "".join(f"s{at},b{at},l{at}\n" for at in range(12))
PAIR = ColumnMapping(prompt="{subject}\n\n{body}", completion=" {label}")
CHAT = ColumnMapping(
    turns=(
        Turn(role="system", content="Answer with {{one}} label."),
        Turn(role="user", content="{subject}: {body}"),
        Turn(role="assistant", content="{label}", weight=1),
    )
)


def test_columns_fill_the_templates_of_a_pair(tmp_path: Path) -> None:
    expected = jsonl({"prompt": f"s{at}\n\nb{at}", "completion": f" l{at}"} for at in range(12))
    assert measured(tmp_path, TABLE.encode(), "rows.csv", mapping=PAIR) == measured(tmp_path, expected)


def test_columns_fill_the_templates_of_a_chat(tmp_path: Path) -> None:
    expected = jsonl(
        {
            "messages": [
                {"role": "system", "content": "Answer with {one} label."},
                {"role": "user", "content": f"s{at}: b{at}"},
                {"role": "assistant", "content": f"l{at}", "weight": 1},
            ]
        }
        for at in range(12)
    )
    result = measured(tmp_path, TABLE.encode(), "rows.csv", mapping=CHAT)
    assert result == measured(tmp_path, expected)
    assert result.format is Format.CHAT


def test_values_of_json_rows_become_text(tmp_path: Path) -> None:
    rows = [
        {"id": at, "value": value}
        for at, value in enumerate([1.0, 2.50, True, False, "x", [1, {"b": 1, "a": 2.0}], "é", 0, 1e3, "{id}", "}{", 7])
    ]
    shown = ["1", "2.5", "true", "false", "x", '[1,{"a":2,"b":1}]', "é", "0", "1000", "{id}", "}{", "7"]
    expected = jsonl({"prompt": str(at), "completion": text} for at, text in enumerate(shown))
    mapping = ColumnMapping(prompt="{id}", completion="{value}")
    found = measured(tmp_path, jsonl(rows), mapping=mapping)
    assert found.training == measured(tmp_path, expected).training
    assert [(each.rule, each.where.line) for each in found.warnings] == [("row.nested-cell", 6)]


def test_an_unknown_column_is_one_problem_of_the_spec(tmp_path: Path) -> None:
    mapping = ColumnMapping(prompt="{subject} {boddy}", completion="{lable}")
    for name, content in [
        ("rows.csv", TABLE.encode()),
        ("rows.jsonl", jsonl([{"subject": "s", "body": "b", "label": "l"}] * 12)),
    ]:
        found = [each for each in problems(tmp_path, content, name, mapping=mapping) if each.rule != "rows.duplicate"]
        assert [(each.rule, each.where, each.path, each.hint) for each in found] == [
            ("mapping.unknown-column", SPEC_PLACE, "completion", "did you mean `label`?"),
            ("mapping.unknown-column", SPEC_PLACE, "prompt", "did you mean `body`?"),
        ]
        assert "`{subject} {boddy}`" in found[1].what
        assert "`subject`, `body`, `label`" in found[1].what


def test_empty_cells_are_reported_where_they_leave_a_text_empty(tmp_path: Path) -> None:
    content = TABLE + "only a subject,,l\n,only a body,l\n,,l\ns,b,\n"
    found = problems(tmp_path, content, "rows.csv", mapping=PAIR)
    assert [(each.rule, each.where.line, each.path) for each in found] == [
        ("row.empty-cell", 16, "prompt"),
        ("row.empty-cell", 17, "completion"),
    ]
    assert "`subject`, `body`" in found[0].what
    found = problems(tmp_path, content, "rows.csv", mapping=CHAT)
    assert [each.path for each in found] == ["messages[1].content", "messages[2].content"]


def test_a_missing_or_null_value_of_json_is_empty(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": None}, *({"text": f"t{at}", "label": "l"} for at in range(12)), {"text": "b"}]
    found = problems(tmp_path, jsonl(rows), mapping=ColumnMapping(prompt="{text}", completion="{label}"))
    assert [(each.rule, each.where.line) for each in found] == [("row.empty-cell", 1), ("row.empty-cell", 14)]


def test_a_column_of_later_rows_only_is_known(tmp_path: Path) -> None:
    rows = [{"text": f"t{at}", "label": "l"} for at in range(12)]
    mapping = ColumnMapping(prompt="{text}{context}", completion="{label}")
    late = [*rows, {"text": "a", "label": "l", "context": "c"}]
    assert measured(tmp_path, jsonl(late), mapping=mapping).training.rows == 13
    early_gap = [{"text": "a"}, *rows]
    assert rules(problems(tmp_path, jsonl(early_gap), mapping=mapping)) == ["mapping.unknown-column"]
    known = ColumnMapping(prompt="{text}", completion="{label}")
    gap = only(problems(tmp_path, jsonl(early_gap), mapping=known), "row.empty-cell")
    assert gap.where.line == 1


def test_rows_that_are_not_objects_cannot_be_mapped(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        json.dumps([{"text": "a", "label": "b"}, 5]),
        "rows.json",
        mapping=ColumnMapping(prompt="{text}", completion="{label}"),
    )
    assert "row.not-an-object" in rules(found)


@pytest.mark.parametrize("template", ["{text", "text}", "{}", "{a{b}}", "}{"])
def test_a_template_with_a_lone_brace_is_a_problem_of_the_spec(tmp_path: Path, template: str) -> None:
    found = problems(tmp_path, TABLE, "rows.csv", mapping=ColumnMapping(prompt=template, completion="{label}"))
    problem = only(found, "mapping.template")
    assert (problem.where, problem.path) == (SPEC_PLACE, "prompt")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{a}", "A"),
        ("{{{a}}}", "{A}"),
        ("{{a}}", "{a}"),
        ("x{a}y{b b}z{a}", "xAyBzA"),
        ("{a!r:>5}", "odd"),
    ],
)
def test_a_template_is_filled(template: str, text: str) -> None:
    assert Template.parse(template).render({"a": "A", "b b": "B", "a!r:>5": "odd"}) == text


@given(st.text())
def test_any_text_can_be_written_as_a_template(text: str) -> None:
    template = Template.parse(text.replace("{", "{{").replace("}", "}}"))
    assert (template.render({}), template.columns) == (text, ())


def test_a_mapping_of_wrong_columns_reports_no_column_as_left_out(tmp_path: Path) -> None:
    mapping = ColumnMapping(prompt="{subject}", completion="{lable}")
    rows = [{"subject": f"s{at}", "label": "l", "context": "c"} for at in range(12)]
    found = problems(tmp_path, jsonl(rows), mapping=mapping)
    assert [(each.rule, each.hint) for each in found] == [("mapping.unknown-column", "did you mean `label`?")]


NAMED = {"id": "i", "ticket": {"key": "k"}}
FILLED = ColumnMapping(prompt="{subject}", completion="{label}")


@pytest.mark.parametrize("name", ["nope", "ticket.nope", "messages.0"])
@pytest.mark.parametrize("form", ["mapped", "prepared", "chat", "completion", "preference", "table"])
def test_an_id_that_no_row_has_is_a_warning(tmp_path: Path, form: str, name: str) -> None:
    answer = [{"role": "assistant", "content": "a"}]
    rows: dict[str, Callable[[int], dict[str, object]]] = {
        "mapped": lambda at: {"subject": f"q{at}", "label": "l"},
        "prepared": lambda at: {"subject": f"q{at}", "label": "l"},
        "chat": lambda at: a_chat(f"q{at}"),
        "completion": lambda at: {"prompt": f"q{at}", "completion": f"a{at}"},
        "preference": lambda at: {
            "input": {"messages": [{"role": "user", "content": f"q{at}"}]},
            "preferred_output": answer,
            "non_preferred_output": [{"role": "assistant", "content": "b"}],
        },
    }
    content, file = jsonl([rows.get(form, rows["mapped"])(at) for at in range(12)]), "rows.jsonl"
    if form == "table":
        content, file = ("prompt,completion\n" + "".join(f"q{at},a{at}\n" for at in range(12))).encode(), "rows.csv"
    renamed = Preparation(operation=Strip(("subject",)), place=SPEC_PLACE, path="prepare[0].strip")
    spec = replace(
        a_spec(write(tmp_path, file, content), mapping=FILLED if form in ("mapped", "prepared") else None),
        id=name,
        prepare=(renamed,) if form == "prepared" else (),
    )
    found = [each for each in problems_of(spec, tmp_path) if each.path == "id"]
    assert [(each.rule, each.severity) for each in found] == [("mapping.unknown-column", Severity.WARNING)]
    assert f"no row has the column `{name}`" in found[0].what
    assert form != "mapped" or found[0].what.endswith("the columns are: `subject`, `label`")


@pytest.mark.parametrize("name", ["id", "ticket.key", "subject"])
def test_an_id_of_the_file_or_of_the_row_is_no_finding(tmp_path: Path, name: str) -> None:
    rows = [{"subject": f"q{at}", "label": "l", **NAMED} for at in range(12)]
    spec = replace(a_spec(write(tmp_path, "rows.jsonl", jsonl(rows)), mapping=FILLED), id=name)
    assert not [each for each in problems_of(spec, tmp_path) if each.path == "id"]
