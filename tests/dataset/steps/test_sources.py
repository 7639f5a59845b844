"""From files to a measured dataset: steps on tables and workbooks, and the terms of sources."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import measure, open_lines
from reconciler.domain.desired import Dataset, DatasetMeasure, Part
from reconciler.domain.errors import Place, Severity
from reconciler.domain.prepare import (
    Convert,
    Deduplicate,
    DropEmpty,
    FillTemplate,
    Form,
    Limit,
    Operation,
    Rename,
    Sample,
    Target,
)
from reconciler.domain.spec import DatasetSpec, Encoding, Format, Terms
from tests.dataset.factories import a_spec, chats, jsonl, measured, only, problems_of, rules, write

from .factories import a_step

TABLE = "question;answer\n" + "".join(f"q{at} é;a{at}\n" for at in range(12))
PAIRS = [{"prompt": f"q{at} é", "completion": f"a{at}"} for at in range(12)]
TO_PAIR = Rename((("question", "prompt"), ("answer", "completion")))


def with_steps(spec: DatasetSpec, *steps: Operation) -> DatasetSpec:
    """Return a dataset with steps at a place of the spec."""
    return replace(spec, prepare=tuple(a_step(each, 7 + at) for at, each in enumerate(steps)))


def result(directory: Path, spec: DatasetSpec, **terms: object) -> DatasetMeasure:
    """Measure a dataset, with these terms for its first source."""
    terms_of_source = (Terms(**terms),) if terms else ()  # type: ignore[arg-type]  # fields by name
    return measure(replace(spec, terms=terms_of_source), directory)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("latin-1", b""), ("utf-16-le", b""), ("utf-16", b""), ("utf-16-be", b"\xfe\xff")]
)
def test_a_named_encoding_is_used(tmp_path: Path, encoding: str, mark: bytes) -> None:
    expected = measured(tmp_path, jsonl(PAIRS)).training
    write(tmp_path, "t.csv", mark + TABLE.encode(encoding))
    named_encoding = Encoding.LATIN_1 if encoding == "latin-1" else Encoding.UTF_16
    found = result(tmp_path, with_steps(a_spec("t.csv"), TO_PAIR), delimiter=";", encoding=named_encoding)
    assert found.training == expected
    write(tmp_path, "rows.jsonl", mark + json.dumps(chats(1)[0]).encode(encoding))
    rows = replace(a_spec(), terms=(Terms(encoding=named_encoding),))
    assert measure(rows, tmp_path, minimum=1).training.rows == 1


def test_an_encoding_that_is_not_the_files_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", b"\xff\xfe" + '{"a": "\ud800"}'.encode("utf-16-le", "surrogatepass"))
    spec = replace(a_spec(), terms=(Terms(encoding=Encoding.UTF_16),))
    assert "not UTF-16, which `encoding` says it is" in only(problems_of(spec, tmp_path), "text.encoding").what
    unsaid = only(problems_of(a_spec(), tmp_path), "text.encoding")
    assert "`encoding: utf-16`" in unsaid.hint


def test_a_missing_delimiter_is_advised(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", TABLE)
    assert '`delimiter: ";"`' in only(problems_of(a_spec("t.csv"), tmp_path), "table.delimiter").hint


def test_a_source_names_its_own_sheet(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for title, word in (("One", "a"), ("Two", "b")):
        sheet = book.create_sheet(title)
        sheet.append(["prompt", "completion"])
        for at in range(10):
            sheet.append([f"{word}{at}", word])
    del book["Sheet"]
    book.save(tmp_path / "b.xlsx")
    spec = replace(a_spec("b.xlsx", sheet="One"), terms=(Terms(sheet="Two"),))
    expected = measured(tmp_path, jsonl({"prompt": f"b{at}", "completion": "b"} for at in range(10)))
    assert measure(spec, tmp_path) == expected


def test_a_glob_weighs_every_file_it_finds(tmp_path: Path) -> None:
    write(tmp_path, "a/1.jsonl", jsonl(chats(12)[:6]))
    write(tmp_path, "a/2.jsonl", jsonl(chats(12)[6:]))
    spec = replace(a_spec("a/*.jsonl"), terms=(Terms(weight=2),))
    found = measure(spec, tmp_path)
    assert (found.training.rows, found.warnings) == (24, ())
    doubled = [row for row in chats(12) for _ in range(2)]
    assert found.training == measured(tmp_path, jsonl(doubled)).training


def test_a_weight_does_not_move_rows_across_a_split(tmp_path: Path) -> None:
    """Copies of a row are on one side, so that nothing leaks from training into validation."""
    write(tmp_path, "rows.jsonl", jsonl(chats(60)))
    plain = measure(a_spec(share=0.3), tmp_path)
    twice = result(tmp_path, a_spec(share=0.3), weight=3)
    assert plain.validation is not None
    assert twice.validation is not None
    assert (twice.training.rows, twice.validation.rows) == (3 * plain.training.rows, 3 * plain.validation.rows)


def test_a_converted_table_needs_no_mapping(tmp_path: Path) -> None:
    rows = "instruction,input,output\n" + "".join(f"i{at},,o{at}\n" for at in range(10))
    write(tmp_path, "t.csv", rows)
    for target, key in ((Target.CHAT, Format.CHAT), (Target.COMPLETION, Format.COMPLETION)):
        spec = with_steps(a_spec("t.csv"), Convert(source=Form.ALPACA, target=target))
        found = measure(spec, tmp_path)
        assert (found.format, found.training.rows, found.warnings) == (key, 10, ())


def test_a_table_whose_columns_a_template_makes_is_a_table_with_them(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", TABLE.replace(";", ","))
    steps = FillTemplate((("prompt", "{question}?"), ("completion", "{answer}")))
    found = measure(with_steps(a_spec("t.csv"), steps), tmp_path)
    assert (found.format, rules(found.warnings)) == (Format.COMPLETION, ["mapping.unused"])


def test_dropped_rows_are_reported_and_are_not_an_error(tmp_path: Path) -> None:
    rows = [*PAIRS, {"prompt": "", "completion": "x"}, PAIRS[0]]
    write(tmp_path, "rows.jsonl", jsonl(rows))
    found = measure(with_steps(a_spec(), DropEmpty(("prompt",)), Deduplicate()), tmp_path)
    assert found.training == measured(tmp_path, jsonl(PAIRS)).training
    assert [(each.what, each.severity) for each in found.warnings] == [
        ("1 of 14 rows dropped", Severity.INFO),
        ("1 of 13 rows dropped", Severity.INFO),
    ]


def test_too_few_rows_after_the_steps_are_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", jsonl(PAIRS))
    assert "rows.too-few" in rules(problems_of(with_steps(a_spec(), Limit(9)), tmp_path))
    assert rules(problems_of(with_steps(a_spec(), Rename((("quetion", "prompt"),))), tmp_path)) == [
        "prepare.unknown-column"
    ]


def test_a_row_that_cannot_be_converted_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", jsonl([*PAIRS, {"prompt": 1}]))
    problem = only(
        problems_of(with_steps(a_spec(), Convert(source=Form.PROMPT_COMPLETION)), tmp_path), "prepare.convert"
    )
    assert problem.where == Place(file="rows.jsonl", line=13)


def test_the_rows_that_were_measured_are_sent(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", jsonl(chats(100)))
    spec = with_steps(a_spec(share=0.2), Sample(share=0.7, seed=3), Deduplicate(), Limit(50))
    spec = replace(spec, terms=(Terms(weight=1.5),))
    found = measure(spec, tmp_path)
    dataset = Dataset(spec=spec, part=Part.TRAINING, format=found.format, measure=found.training)
    assert sum(len(block) for block in open_lines(dataset, tmp_path)) == found.training.size_bytes


def test_the_place_of_a_step_is_not_part_of_the_equality_of_specs() -> None:
    assert a_step(Limit(3), 7) == a_step(Limit(3), 8)
    assert a_step(Limit(3)) != a_step(Limit(4))
