"""What authors expect of rows, and rows that are held out."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import measure
from reconciler.domain.errors import InputError, Severity
from reconciler.domain.expectations import Matches, MaxRatio, MaxRows, MaxTokens, MinRows, OneOf, Requirement, Unique
from reconciler.domain.prepare import Convert, DropColumns, Filter, Form, Operation, Preparation
from reconciler.foundation import expressions
from tests.dataset.factories import SPEC_PLACE, a_chat, a_spec, chats, jsonl, only, problems_of, rules, write

from .factories import expecting, found

PAIRS = [{"prompt": f"p{at}", "completion": f" c{at % 5}"} for at in range(12)]


@pytest.mark.parametrize(
    ("wanted", "rule", "says"),
    [
        (MinRows(13), "expect.count", "there should be at least 13 rows, and there are 12 rows"),
        (MaxRows(11), "expect.count", "at most 11 rows, and there are 12 rows"),
        (
            Unique("completion"),
            "expect.rows",
            "7 rows have the `completion` of an earlier row; this one is the same as",
        ),
        (MaxRatio("completion", 0.2), "expect.rows", "3 of 12 rows (25 %) have the same `completion`"),
    ],
)
def test_expectations_of_all_rows(tmp_path: Path, wanted: Requirement, rule: str, says: str) -> None:
    problem = only(found(tmp_path, PAIRS, padded=False, expect=[expecting(wanted)]), rule)
    assert problem.severity is Severity.ERROR
    assert says in problem.what


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a|aa)+$", "(a?){32}a{32}b"])
def test_an_expectation_is_matched_in_linear_time(tmp_path: Path, pattern: str) -> None:
    """Python's engine needs hours for these."""
    rows = [{"prompt": f"p{at}", "completion": "a" * 5_000 + "!"} for at in range(12)]
    problems = found(tmp_path, rows, padded=False, expect=[expecting(Matches("completion", pattern))])
    assert "in 12 rows" in only(problems, "expect.rows").what


def test_an_expectation_that_takes_too_long_is_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_FREE_SECONDS", -1.0)
    problem = only(found(tmp_path, PAIRS, padded=False, expect=[expecting(Matches("completion", ".+"))]), "expect.rows")
    assert "matching takes too long" in problem.what
    assert "in 12 rows" in problem.what


def test_a_text_of_more_than_a_million_characters_is_not_matched(tmp_path: Path) -> None:
    rows = [{"prompt": "p", "completion": "a" * 1_000_001}]
    problem = only(found(tmp_path, rows, padded=False, expect=[expecting(Matches("completion", "a+"))]), "expect.rows")
    assert "at most 1,000,000 are matched" in problem.what


@pytest.mark.parametrize(
    "wanted",
    [
        *(MinRows(12), MaxRows(12), Unique("prompt"), MaxRatio("completion", 0.25), MaxTokens(2)),
        *(Matches("completion", " c[0-4]"), OneOf("completion", tuple(f" c{at}" for at in range(5)))),
    ],
)
def test_expectations_that_hold_give_no_findings(tmp_path: Path, wanted: Requirement) -> None:
    assert found(tmp_path, PAIRS, padded=False, expect=[expecting(wanted)]) == ()


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Matches("completion", "answer [0-9]"), "`completion` is `answer x`, which does not match answer [0-9]"),
        (OneOf("completion", tuple(f"answer {at}" for at in range(10))), "`completion` is `answer x`"),
        (OneOf("weather", ("fine",)), "there is no `weather`"),
        (MaxTokens(7), "about 8 tokens; at most 7 are expected"),
    ],
)
@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WARNING])
def test_expectations_of_each_row_name_its_line(
    tmp_path: Path, wanted: Requirement, says: str, severity: Severity
) -> None:
    problems = found(tmp_path, [a_chat("a question of 25 letters", "answer x")], expect=[expecting(wanted, severity)])
    (problem,) = (problem for problem in problems if problem.where.line == 11 or "lines 1, 2, 3" in problem.what)
    assert (problem.rule, problem.severity) == ("expect.rows", severity)
    assert problem.what.startswith(says)
    assert problem.hint.endswith("specs/data.yaml:3:1 expects it")


def test_tokens_are_counted_with_the_given_vocabulary(tmp_path: Path) -> None:
    from msgspec.structs import replace

    from reconciler.dataset import Vocabulary

    spec = replace(a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(10)))), expect=(expecting(MaxTokens(99)),))
    with pytest.raises(InputError) as caught:
        measure(spec, tmp_path, vocabulary=Vocabulary("fifties", lambda texts: [50 for _ in texts]))
    (problem,) = caught.value.problems
    assert problem.what == "about 100 tokens; at most 99 are expected (in 10 rows: lines 1, 2, 3 and 7 more)"


def test_held_out_rows_are_errors_with_the_closest_match_first(tmp_path: Path) -> None:
    write(tmp_path, "judge.jsonl", jsonl([a_chat("a", "b"), a_chat("C", "d"), a_chat("e", "f")]))
    rows = [a_chat("a", "b"), a_chat("c ", "d"), a_chat("e", "other"), a_chat("new", "b")]
    problems = found(tmp_path, rows, heldout=["judge.jsonl"])
    assert [(problem.rule, problem.where.line, problem.severity) for problem in problems] == [
        ("leak.same", 11, Severity.ERROR),
        ("leak.alike", 12, Severity.ERROR),
        ("leak.prompt", 13, Severity.WARNING),
    ]
    assert problems[0].what == "1 row is in judge.jsonl too; this one as judge.jsonl:1"


def test_held_out_rows_of_another_form_are_compared_by_question_and_answer(tmp_path: Path) -> None:
    write(tmp_path, "judge.jsonl", jsonl([{"prompt": p, "completion": c} for p, c in (("a", " b"), ("e", "f"))]))
    rows = [a_chat("A ", "b"), a_chat("e", "other"), a_chat("new", "b")]
    problems = found(tmp_path, rows, heldout=["judge.jsonl"])
    assert [(problem.rule, problem.where.line, problem.severity) for problem in problems] == [
        ("leak.alike", 11, Severity.ERROR),
        ("leak.prompt", 12, Severity.WARNING),
    ]
    assert problems[0].what == "1 row is in judge.jsonl too, in another form; this one as judge.jsonl:1"


@pytest.mark.parametrize(
    "held",
    [
        {"conversations": [{"from": "human", "value": "q3"}, {"from": "gpt", "value": "a3"}]},
        a_chat("q3", "a3"),
    ],
    ids=["the form of the sources", "the form of the API"],
)
def test_steps_that_edit_rows_edit_held_out_rows_too(tmp_path: Path, held: dict[str, object]) -> None:
    turns = ([{"from": "human", "value": f"q{n}"}, {"from": "gpt", "value": f"a{n}"}] for n in range(12))
    write(tmp_path, "judge.jsonl", jsonl([held]))
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl([{"conversations": each, "kept": "x"} for each in turns])))
    steps: tuple[Operation, ...] = (
        Filter(column="kept", equals="x"),
        DropColumns(("kept",)),
        Convert(source=Form.SHAREGPT),
    )
    prepared = tuple(
        Preparation(operation=each, place=SPEC_PLACE, path=f"prepare[{at}]") for at, each in enumerate(steps)
    )
    problem = only(problems_of(replace(spec, prepare=prepared, heldout=("judge.jsonl",)), tmp_path), "leak.same")
    assert "this one as judge.jsonl:1" in problem.what


def test_a_missing_held_out_file_is_reported_at_its_field(tmp_path: Path) -> None:
    problem = only(found(tmp_path, [], heldout=["judge.jsonl"]), "source.missing")
    assert problem.path == "heldout[0]"


def test_rows_of_the_validation_dataset_are_a_warning(tmp_path: Path) -> None:
    training, validation = (a_spec(write(tmp_path, name, jsonl(chats(12)))) for name in ("a.jsonl", "b.jsonl"))
    problems = measure(training, tmp_path, against=(validation,)).warnings
    assert only(problems, "leak.same").severity is Severity.WARNING
    assert "12 rows are in the dataset rows too" in problems[0].what


def test_more_findings_are_shown_on_request_and_counted_by_rule(tmp_path: Path) -> None:
    bad = {"messages": [{"role": "boss", "content": 1}, {"role": "assistant", "content": "x"}]}
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl([bad] * 40)))
    shown = [problem for problem in problems_of(spec, tmp_path) if problem.severity is Severity.ERROR]
    assert sorted((each.rule, each.what.partition("(")[2]) for each in shown) == [
        ("chat.content", "in 40 rows: lines 1, 2, 3 and 37 more)"),
        ("chat.role", "in 40 rows: lines 1, 2, 3 and 37 more)"),
    ]
    with pytest.raises(InputError) as caught:
        measure(spec, tmp_path, shown=100)
    assert rules(caught.value.problems).count("chat.role") == 40
    assert caught.value.unshown == 0


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (OneOf("completion", ("yes", "no")), "`completion` is ` c0`, and others like it"),
        (Matches("completion", "yes|no"), "`completion` is ` c0`, which does not match yes|no, and others like it"),
        (OneOf("prompt", ("p0", "p1")), "`prompt` is `p2`, and others like it"),
    ],
)
def test_rows_that_are_not_as_expected_are_one_problem_with_their_number(
    tmp_path: Path, wanted: Requirement, shown: str
) -> None:
    (problem,) = found(tmp_path, PAIRS, padded=False, expect=[expecting(wanted)])
    assert problem.what.startswith(f"{shown} (in 1")
    assert problem.hint.endswith("specs/data.yaml:3:1 expects it")


def test_a_few_rows_that_are_not_as_expected_are_shown_one_by_one(tmp_path: Path) -> None:
    wanted = OneOf("prompt", tuple(f"p{at}" for at in range(9)))
    problems = found(tmp_path, PAIRS, padded=False, expect=[expecting(wanted)])
    assert [(each.where.line, each.what) for each in problems] == [
        (at + 1, f"`prompt` is `p{at}`") for at in (9, 10, 11)
    ]
