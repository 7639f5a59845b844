"""Figures of datasets, counted or estimated, and rows that cannot act on the terminal."""

import json

from msgspec.structs import replace

from reconciler.domain.desired import Part
from reconciler.domain.spec import Format
from reconciler.domain.stats import Bin, Label, Labels, RowShown, Spread, Stats, SystemPrompts
from reconciler.render import rows_json, rows_text, stats_json, stats_text

TOKENS = Spread(total=500, least=4, median=20, p95=40, most=90, bins=(Bin(most=20, rows=12), Bin(most=None, rows=8)))
STATS = Stats(
    name="tickets",
    format=Format.CHAT,
    rows=20,
    validation_rows=0,
    unread_rows=0,
    partial_rows=0,
    size_bytes=4096,
    vocabulary="o200k_base",
    training_tokens=500,
    least_tokens=500,
    most_tokens=500,
    tokens=TOKENS,
    characters=TOKENS,
    turns=None,
    roles=(),
    labels=None,
    system=None,
)


def a_row(value: object, **place: object) -> RowShown:
    """A row to look at."""
    return replace(RowShown(number=1, file="rows.jsonl", line=1, text=json.dumps(value)), **place)


def test_counted_tokens_have_no_error_bar() -> None:
    assert stats_text(STATS) == (
        "tickets: chat, 20 rows, 4.0 KiB\n\n"
        "Tokens to train on, for one epoch: 500, counted by o200k_base.\n\n"
        "PER ROW     MIN  MEDIAN  95 %  MAX  TOTAL\n"
        "tokens      4    20      40    90   500\n"
        "characters  4    20      40    90   500\n\n"
        "TOKENS PER ROW\n"
        f"  0–20     12   60%  {'#' * 40}\n"
        f"  over 20   8   40%  {'#' * 27}\n"
    )


def test_an_estimate_is_marked_with_its_range_and_the_way_to_an_exact_count() -> None:
    shown = stats_text(
        replace(STATS, vocabulary=None, least_tokens=250, most_tokens=1000), hint="pip install 'some[tokens]'"
    )
    assert "500, estimated by the size of the texts.\n  Likely at least 250 and at most 1,000.\n" in shown
    assert "pip install 'some[tokens]'" in shown


def test_an_estimate_without_an_upper_bound_shows_none() -> None:
    shown = stats_text(replace(STATS, vocabulary=None, partial_rows=1, least_tokens=250, most_tokens=None))
    assert "Likely at least 250.\n" in shown
    assert "1 row with tools, calls or images" in shown


def test_sides_unread_rows_labels_and_prompts_are_shown() -> None:
    shown = stats_text(
        replace(
            STATS,
            validation_rows=5,
            unread_rows=2,
            roles=(("user", 20),),
            labels=Labels(kinds=3, most=(Label(text="yes", rows=15), Label(text="", rows=5))),
            system=SystemPrompts(rows=7, kinds=None, most=Label(text="be\nkind", rows=3), share=0.25),
        )
    )
    assert "20 rows (15 training, 5 validation)" in shown
    assert "Left out: 2 rows that could not be read" in shown
    assert f"LABELS (3)\n  yes      15   75%  {'#' * 40}\n  (empty)   5   25%  {'#' * 14}\n  and 1 more" in shown
    assert "in 7 of 20 rows, very many different, 25% of all characters" in shown
    assert r"be\nkind" in shown


def test_a_row_has_its_place_its_turns_and_whatever_else_it_holds() -> None:
    turns = [
        {"role": "user", "content": "two\nlines"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}], "weight": 0},
    ]
    shown = rows_text([a_row({"messages": turns, "tools": []}, number=1234, line=7, part=Part.VALIDATION)])
    assert shown.splitlines() == [
        "Row 1,234  rows.jsonl:7, validation",
        "  user: two",
        "      lines",
        "  assistant:",
        '    tool_calls: [{"id": "1"}]',
        "    weight: 0",
        "  tools: []",
    ]


def test_rows_of_any_form_are_shown() -> None:
    assert rows_text([a_row([1, "x"])]).splitlines()[1] == '  [1, "x"]'
    assert rows_text([a_row({"messages": "none", "a": None})]).splitlines()[1:] == ["  messages: none", "  a:"]
    assert rows_text([a_row({"messages": ["odd"]})]).splitlines()[1] == "  ?: odd"
    assert "preferred_output:" in rows_text([a_row({"preferred_output": [{"role": "assistant", "content": "a"}]})])


def test_a_row_cannot_act_on_its_reader() -> None:
    evil = "\x1b[2J::set-output name=x::y\n::error::z\r\u202e##[command]"
    rows = [a_row({evil: evil, "messages": [{"role": evil, "content": evil, evil: evil}]}, file=evil)]
    page = replace(
        STATS,
        name=evil,
        labels=Labels(kinds=1, most=(Label(text=evil, rows=2),)),
        system=SystemPrompts(rows=1, kinds=1, most=Label(text=evil, rows=1), share=0.0),
    )
    for shown in (rows_text(rows), rows_json(rows), stats_text(page, hint=evil), stats_json(page)):
        assert not set(shown) & set("\x1b\r\u202e")
        assert not any(line.strip().startswith("::") for line in shown.splitlines())
        assert "##[" not in shown


def test_numbers_that_python_cannot_hold_are_shown_as_written() -> None:
    row = replace(a_row({}), text=f'{{"huge":1e999,"long":{"9" * 5000},"small":0.1,"whole":12}}')
    (shown,) = [json.loads(line) for line in rows_json([row]).splitlines()]
    assert shown["row"] == {"huge": "1e999", "long": "9" * 5000, "small": 0.1, "whole": 12}
    assert "huge: " in rows_text([row])


def test_the_figures_are_json_too() -> None:
    document = json.loads(stats_json(replace(STATS, roles=(("user", 20),))))
    assert (document["rows"], document["exact"], document["format"]) == (20, True, "chat")
    assert document["roles"] == {"user": 20}
    assert document["tokens"]["bins"] == [{"most": 20, "rows": 12}, {"most": None, "rows": 8}]
