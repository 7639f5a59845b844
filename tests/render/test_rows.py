"""Changed rows are shown bounded and harmless, in the shape that the schema promises."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator
from msgspec.structs import replace

from reconciler.domain.errors import Place
from reconciler.domain.row_diff import CellChange, RowChange, RowDiff, RowSample, RowsUnknown, WordChange, Words
from reconciler.render import diff_json, diff_text, plan_json, plan_text
from tests.render.examples import NEW, a_plan, upload

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/plan.schema.json").read_text(encoding="utf-8"))
WORDS = (
    Words(change=WordChange.SAME, text="and "),
    Words(change=WordChange.REMOVED, text="thank you"),
    Words(change=WordChange.ADDED, text="many thanks"),
)
CELLS = (
    CellChange(path="messages[1].content", before="and thank you", after="and many thanks", words=WORDS),
    CellChange(path="messages[2].weight", before=None, after="0"),
)
DIFF = RowDiff(
    before="tickets-0123456789ab.jsonl",
    rows_before=100_000,
    rows_after=100_003,
    added=3,
    edited=1,
    moved=5,
    tokens=-12,
    samples=(
        RowSample(change=RowChange.EDITED, row_before=7, row_after=8, place=Place(file="a.csv", line=9), cells=CELLS),
        RowSample(change=RowChange.ADDED, row_after=9, id="T-9", text="user: hello \x1b[2J\n::error::x"),
    ),
)


def plan_of(rows: RowDiff | RowsUnknown) -> str:
    return plan_text(a_plan(replace(upload(NEW), rows=rows)))


def test_a_plan_shows_counts_and_a_few_rows() -> None:
    text = plan_of(DIFF)

    assert "dataset/support-tickets has changed and will be uploaded" in text
    assert "~ rows   = +3 -0 ~1 ↕5  (100000 → 100003 since tickets-0123456789ab.jsonl, -12 tokens)" in text
    assert "~ row 7 → 8 (a.csv:9)" in text
    assert "messages[1].content: and [-thank you-]{+many thanks+}" in text
    assert "messages[2].weight: (nothing) → 0" in text
    assert "+ row 9 (id T-9): user: hello \\x1b[2J\\n" in text
    assert "… and 7 more" in text


def test_rows_that_could_not_be_compared_have_a_reason() -> None:
    text = plan_of(RowsUnknown(before="tickets-0.jsonl", why="the service did not give the file back: no\x1b[2J"))

    assert "~ rows   = differ from tickets-0.jsonl; the service did not give the file back: no\\x1b[2J" in text


def test_plans_with_rows_have_the_shape_of_the_schema() -> None:
    for rows in (DIFF, replace(DIFF, tokens=None, samples=()), RowsUnknown(before="a", why="b")):
        document = json.loads(plan_json(a_plan(replace(upload(NEW), rows=rows))))
        Draft202012Validator(SCHEMA).validate(document)
        assert document["steps"][0]["rows"]["before"] == rows.before


def test_a_comparison_is_shown_with_both_names_and_what_is_not_whole() -> None:
    text = diff_text(replace(DIFF, is_whole=False), "tickets")

    assert text.startswith(
        "--- tickets-0123456789ab.jsonl (100000 rows)\n+++ tickets (100003 rows)\nrows: +3 -0 ~1 ↕5\n"
    )
    assert "3 added, 1 edited, 5 moved; -12 tokens" in text
    assert "too many rows differ to pair them all" in text
    assert json.loads(diff_json(DIFF, "tickets"))["edited"] == 1


def test_colour_is_beside_the_marks_and_not_instead() -> None:
    text = diff_text(DIFF, "tickets", colour=True)

    assert "\x1b[31m[-thank you-]\x1b[0m\x1b[32m{+many thanks+}\x1b[0m" in text


def test_many_values_and_long_texts_are_cut_short() -> None:
    long = CellChange(path="p", before="a", after="b", words=(Words(change=WordChange.ADDED, text="word " * 500),))
    sample = RowSample(change=RowChange.EDITED, row_before=1, row_after=1, cells=(long,) * 10, cells_more=5)

    text = diff_text(replace(DIFF, samples=(sample,)), "tickets", width=80)

    assert "… and 12 more values" in text
    assert len(text.splitlines()) < 25
