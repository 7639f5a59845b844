"""What only a person can decide does not hide the steps: the spec comes with the question, which names a step of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.app import run
from reconciler.domain.errors import InputError
from reconciler.domain.spec import Format
from reconciler.prepare_data.suggest import examine, write_steps

Row = dict[str, Any]


def write_rows(place: Path, row: Callable[[int], Row], count: int = 24) -> Path:
    file = place / "rows.jsonl"
    file.write_text("".join(json.dumps(row(at)) + "\n" for at in range(count)), encoding="utf-8")
    return file


def turn(role: str, content: str, **more: object) -> Row:
    return {"role": role, "content": content, **more}


def compared(at: int, winner: object) -> Row:
    return {"prompt": f"q{at}", "response_a": f"A{at}", "response_b": f"B{at}", "winner": winner}


@pytest.mark.parametrize("tie", ["tie", "both", "tie (bothbad)", "No preference"])
def test_a_tie_is_dropped_by_a_step_that_is_shown(tmp_path: Path, tie: str) -> None:
    examined = examine(write_rows(tmp_path, lambda at: compared(at, ["a", "b", tie][at % 3])))
    assert not examined.questions
    assert len(examined.rows) == 16
    first = yaml.safe_load(write_steps(examined.steps))[0]
    assert first == {"filter": {"column": "winner", "not_equals": tie}}
    assert any(each.what.startswith("8 of 24 rows are dropped by `filter") for each in examined.findings)


@pytest.mark.parametrize("winner", ["later", None, "", 7])
def test_an_unknown_winner_is_one_question_about_a_step_that_is_shown(tmp_path: Path, winner: object) -> None:
    examined = examine(write_rows(tmp_path, lambda at: compared(at, ["a", "b", winner][at % 3])))
    (question,) = examined.questions
    assert "(in 8 rows: lines 3, 6, 9 and 5 more)" in question.what
    assert len(examined.rows) == 16
    steps = write_steps(examined.steps)
    if "`filter" in question.hint:
        named = question.hint.split("`")
        assert f"  - {named[3]}\n" in steps
        spec = yaml.safe_load(f"- {named[1]}\n{steps.replace('  - ', '- ')}")
        assert [*spec[0]] == ["filter"]
    assert "before this step" not in question.hint


def test_a_tie_after_the_first_rows_is_a_question(tmp_path: Path) -> None:
    examined = examine(write_rows(tmp_path, lambda at: compared(at, "tie" if at == 60 else "ab"[at % 2]), 70))
    (question,) = examined.questions
    assert question.hint.startswith(
        "to drop such rows, add `filter: {column: winner, not_equals: tie}` before `choose_"
    )


def test_a_column_that_says_more_about_training_is_a_question(tmp_path: Path) -> None:
    file = write_rows(tmp_path, lambda at: {"prompt": f"q{at}", "completion": f"a{at}", "history": "x", "id": at})
    examined = examine(file)
    (question,) = examined.questions
    assert question.what.startswith("`history` is left out, and 24 of 24 rows have it")
    assert "before `convert: {from: prompt_completion}`" in question.hint
    assert yaml.safe_load(write_steps(examined.steps)) == [
        {"keep_columns": ["prompt", "completion", "history"]},
        {"convert": {"from": "prompt_completion"}},
    ]
    completion = examine(file, target=Format.COMPLETION)
    assert [each.rule for each in completion.questions] == ["mapping.lost-key"]


def test_rows_that_differ_in_such_a_column_are_no_repeats(tmp_path: Path) -> None:
    rows = write_rows(tmp_path, lambda at: {"system": f"s{at}", "prompt": "q", "completion": "a"})
    assert len(examine(rows).rows) == 24


def test_keys_that_are_left_out_are_named(tmp_path: Path) -> None:
    rows = write_rows(
        tmp_path,
        lambda at: {
            "instruction": "q",
            "chosen_response": f"g{at}",
            "rejected_response": "b",
            "chosen_rating": 5.0,
        },
    )
    found = [each.what for each in examine(rows).findings if each.name == "left_out"]
    assert found == ["`chosen_rating` left out, in up to 24 of 24 rows"]


def test_rows_that_no_step_can_convert_are_refused_once(tmp_path: Path) -> None:
    file = write_rows(tmp_path, lambda at: compared(at, "a" if at < 0 else "later"))
    with pytest.raises(InputError) as refused:
        examine(file)
    assert len(refused.value.problems) == 1


def test_faults_of_one_cause_in_a_step_are_one_question(tmp_path: Path) -> None:
    file = write_rows(
        tmp_path, lambda at: {"messages": [turn("user", "q"), turn("assistant", "a", loss=0.5 if at % 2 else 1)]}
    )
    (question,) = examine(file).questions
    assert question.path == "messages[1].loss"
    assert "in 12 rows" in question.what


def test_a_converted_row_that_breaks_a_rule_is_a_question(tmp_path: Path) -> None:
    file = write_rows(tmp_path, lambda at: {"messages": [turn("user", "q"), turn("assistant", "a", loss=at % 2)]})
    examined = examine(file)
    (question,) = examined.questions
    assert "every answer has the weight 0" in question.what
    assert write_steps(examined.steps) == "  - turn_weight: {key: loss}\n  - convert: {from: chat}\n"


def test_the_spec_comes_with_the_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_rows(tmp_path, lambda at: compared(at, ["a", "b", "later"][at % 3]))
    assert run(["prepare", str(file), "--write"]) == 3
    shown = capsys.readouterr()
    assert "  - choose_pair: {column: winner, first: response_a, second: response_b}\n" in shown.out
    assert "add `filter: {column: winner, not_equals: later}` before" in " ".join(shown.err.split())
    assert [each.name for each in tmp_path.iterdir()] == ["rows.jsonl"], "an undecided file is not written"
    assert run(["prepare", str(file), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert len(document["questions"]) == 1
    assert "choose_pair" in document["spec"]


@pytest.mark.parametrize(("column", "held"), [("label", "51"), ("label", "uv"), ("rating", "AF"), ("user_score", "93")])
@pytest.mark.parametrize("names", [("question", "answer"), ("prompt", "completion"), ("instruction", "output")])
def test_a_column_that_may_judge_the_answers_stops(
    tmp_path: Path, names: tuple[str, str], column: str, held: str
) -> None:
    row = lambda at: {names[0]: f"q{at}", names[1]: f"a{at}", column: held[at % 2]}  # noqa: E731 (one row)
    with pytest.raises(InputError) as refused:
        examine(write_rows(tmp_path, row))
    (problem,) = refused.value.problems
    assert f"`{column}` may say how good each answer is" in problem.what
    assert f"{{drop_columns: [{column}]}}" in problem.hint


def test_a_column_that_judges_nothing_is_left_out_with_a_word(tmp_path: Path) -> None:
    row = lambda at: {"question": f"q{at}", "answer": f"a{at}", "difficulty": "51"[at % 2]}  # noqa: E731 (one row)
    assert "leave out `difficulty`" in examine(write_rows(tmp_path, row)).remedies[0][0].what


def test_rows_of_no_known_form_are_named_with_a_form_of_pairs_for_dpo(tmp_path: Path) -> None:
    file = write_rows(tmp_path, lambda at: {"one": f"q{at}", "two": f"A{at}", "three": f"B{at}"})
    with pytest.raises(InputError) as caught:
        examine(file, used_as=Format.PREFERENCE)
    (problem,) = caught.value.problems
    assert problem.what == "24 of 24 rows have no known form"
    assert "{COLUMN: prompt, COLUMN: chosen, COLUMN: rejected}" in problem.hint
    assert 'one ("q0"), two ("A0"), three ("B0")' in problem.hint
    assert "completion" not in problem.hint


def test_a_list_of_turns_in_each_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    turns = [turn("user", "q"), turn("assistant", "a")]
    file.write_text(f"{json.dumps(turns)}\n" * 12, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        examine(file)
    (problem,) = caught.value.problems
    assert problem.what.startswith("the row is a list, not an object: it holds turns (in 12 rows")


def test_pairs_without_a_partner_leave_no_row_and_say_why(tmp_path: Path) -> None:
    file = write_rows(tmp_path, lambda at: {"prompt": f"q{at}", "completion": f"A{at}", "label": at % 2 == 0})
    with pytest.raises(InputError) as caught:
        examine(file, used_as=Format.PREFERENCE)
    assert "no two answers to one question" in caught.value.problems[0].what


@pytest.mark.parametrize("odd", [0, 3, 11])
def test_one_odd_row_decides_no_format_wherever_it_stands(tmp_path: Path, odd: int) -> None:
    rows = [{"messages": [{"role": "user", "content": f"q{at}"}], "answer": f"a{at}"} for at in range(12)]
    del rows[odd]["answer"]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    found = examine(file)
    assert found.format is Format.REINFORCEMENT
    assert len(found.rows) == 12
