"""Small specs and rows that ask for large results are refused before the memory is used, with the place."""

import time
import tracemalloc
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset.canonical import make_batch
from reconciler.dataset.mapping import MOST_CHARACTERS, Template
from reconciler.dataset.pipeline import bound_batches
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row
from reconciler.dataset.steps.edits import StepError
from reconciler.dataset.steps.filters import pair_rows, sample_rows
from reconciler.dataset.steps.pipeline import StepReport
from reconciler.domain.errors import Place
from reconciler.domain.expectations import Expectation, OneOf
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    FillTemplate,
    JoinMessages,
    Operation,
    PairLabels,
    Sample,
    SetColumns,
)
from reconciler.domain.spec import ColumnMapping, Turn
from tests.dataset.factories import a_spec, chats, jsonl, only, problems_of, write
from tests.dataset.steps.factories import a_step, find_problems

ROWS = [{"a": "x" * 100, "b": f"y{at}"} for at in range(20)]
DOUBLE = FillTemplate((("a", "{a}{a}"),))
STEPS: dict[str, list[Operation]] = {
    "doubling templates": [DOUBLE] * 40,
    "a template of many columns": [FillTemplate((("a", "{a}" * 90_000),))],
    "many templates": [FillTemplate(tuple((f"c{at}", "{a}" * 3_000) for at in range(40)))],
    "columns that refer to each other": [FillTemplate(((f"c{at}", "{a}" * 3_000),)) for at in range(40)],
    "prefixes": [AddPrefix("a", "z" * 1_000_000)] * 20,
    "suffixes": [AddSuffix("a", "z" * 1_000_000)] * 20,
    "constants": [SetColumns(tuple((f"c{at}", "z" * 1_000_000) for at in range(20)))],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_steps_that_multiply_text_are_refused_at_the_step(steps: list[Operation]) -> None:
    tracemalloc.start()
    try:
        problem = only(find_problems(ROWS, *steps), "row.too-large")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert problem.where.line
    assert "more than 8 million characters" in problem.what
    assert peak < 10 * MOST_CHARACTERS


def test_joined_turns_are_bounded_and_joined_in_one_go() -> None:
    turn = {"role": "user", "content": "x"}
    rows = [{"messages": [turn] * 2_000}] * 3
    problem = only(find_problems(rows, JoinMessages("z" * 10_000)), "row.too-large")
    assert "8 million" in problem.what


MAPPINGS: dict[str, ColumnMapping] = {
    "one long template": ColumnMapping(prompt="{a}" * 200_000, completion="{b}"),
    "many turns": ColumnMapping(
        turns=tuple(Turn(role="user" if at % 2 == 0 else "assistant", content="{a}" * 10_000) for at in range(100))
    ),
}


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS)
def test_templates_of_a_mapping_are_bounded_at_the_row(tmp_path: Path, mapping: ColumnMapping) -> None:
    write(tmp_path, "rows.jsonl", jsonl(ROWS))
    problems = problems_of(a_spec(mapping=mapping), tmp_path)
    assert {problem.rule for problem in problems} == {"row.too-large"}
    assert problems[0].where.line == 1


def test_a_template_may_fill_a_row_up_to_the_bound() -> None:
    text = Template.parse("{a}{b}").render({"a": "x" * (MOST_CHARACTERS - 1), "b": "y"})
    assert len(text) == MOST_CHARACTERS


def test_all_rows_together_are_bounded() -> None:
    batches = iter([make_batch("f", at, [b"x" * 99 + b"\n"]) for at in range(10)])
    report = RowReport()
    assert len(list(bound_batches(batches, a_spec(), report, most=550))) == 5
    problem = only(report.problems, "rows.too-large")
    assert (problem.path, report.is_whole) == ("source", False)


@pytest.mark.parametrize("line", [b"[" + b"[]," * 600_000 + b"1]", b'{"a":[' + b"1," * 1_100_000 + b"1]}"])
def test_a_row_of_millions_of_values_is_refused_unread(tmp_path: Path, line: bytes) -> None:
    """Each value would take twenty times its bytes."""
    write(tmp_path, "rows.jsonl", jsonl(chats(12)) + line + b"\n")
    problem = only(problems_of(a_spec(), tmp_path), "json.values")
    assert (problem.where.line, problem.what) == (13, "the row has more than 1,000,000 values")


def test_a_file_of_millions_of_values_is_refused_unread(tmp_path: Path) -> None:
    write(tmp_path, "rows.json", b"[" + b"1," * 16_000_000 + b"1]")
    problem = only(problems_of(a_spec("rows.json"), tmp_path), "file.size")
    assert "more than 16,000,000 values" in problem.what


@pytest.mark.parametrize(
    "head", [b"," * 20_000, b",".join(b"c%d" % at for at in range(20_001))], ids=["empty", "named"]
)
def test_a_table_of_too_many_columns_is_refused(tmp_path: Path, head: bytes) -> None:
    write(tmp_path, "rows.csv", b"a" + head + b"\n" + b"1,2\n" * 12)
    problem = only(problems_of(a_spec("rows.csv"), tmp_path), "table.header")
    assert "at most 20,000 columns" in problem.what


def test_a_step_that_holds_rows_bounds_what_it_holds() -> None:
    rows = [Row("f", at, {"a": "x" * 1_000, "label": True}) for at in range(20)]
    for stage in (
        sample_rows(Sample(rows=20), most_held=5_000),
        pair_rows(PairLabels(column="label", answer="a", desired=("true",)), most_held=5_000),
    ):
        with pytest.raises(StepError, match="would hold more than"):
            list(stage(iter(rows)))
    assert len(list(sample_rows(Sample(rows=5), most_held=6_000)(iter(rows)))) == 5


def test_rows_that_a_step_cannot_hold_are_reported_at_the_step() -> None:
    report = RowReport()
    step_report = StepReport(a_step(Sample(rows=20)), (), report, a_spec())
    rows = (Row("f", at, {"a": "x" * 1_000}) for at in range(20))
    assert list(step_report.run_stage(sample_rows(Sample(rows=20), most_held=5_000)(rows))) == []
    step_report.finish()
    assert only(report.problems, "row.too-large").where.line == 7


def test_values_that_are_not_allowed_cost_no_search_for_each_row(tmp_path: Path) -> None:
    wanted = OneOf("completion", tuple(f"answer number {at}" for at in range(2_000)))
    place = Place(file="specs/data.yaml", line=1)
    write(tmp_path, "rows.jsonl", jsonl({"prompt": f"p{at}", "completion": f"c{at}"} for at in range(5_000)))
    begun = time.process_time()
    problems = problems_of(replace(a_spec(), expect=(Expectation(wanted=wanted, place=place),)), tmp_path)
    assert "expect.rows" in {problem.rule for problem in problems}
    assert time.process_time() - begun < 20


def test_many_columns_that_are_not_there_are_reported_by_the_first(tmp_path: Path) -> None:
    mapping = ColumnMapping(prompt="".join(f"{{c{at}}}" for at in range(30_000)), completion="{a}")
    write(tmp_path, "rows.jsonl", jsonl(ROWS))
    assert len(problems_of(a_spec(mapping=mapping), tmp_path)) <= 21
