"""Each rule on small rows: what it finds, and what its steps make of them."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.dataset import Row
from reconciler.domain.prepare import AddPrefix, AddSuffix, EnsureLeadingSpace, Limit, RemovePrefix, Rename
from reconciler.domain.spec import Format
from reconciler.foundation.text import yaml_quoted
from reconciler.prepare_data.suggest import FileFinding, examine, write_dataset, write_steps
from reconciler.prepare_data.suggest.affix_rules import (
    find_completion_prefix,
    find_ending,
    find_prompt_prefix,
    find_separator,
    find_space,
    find_upper,
)
from reconciler.prepare_data.suggest.finding import RuleResult, run_step
from reconciler.prepare_data.suggest.row_rules import (
    find_columns,
    find_duplicates,
    find_empty,
    find_long,
    find_other_than_text,
    find_surplus,
    find_task,
)

Rule = Callable[[Sequence[Row]], RuleResult]


def rows(*pairs: tuple[object, object]) -> list[Row]:
    """Rows of prompts and completions, on lines from 1."""
    return [Row("a.jsonl", line, {"prompt": p, "completion": c}) for line, (p, c) in enumerate(pairs, start=1)]


def apply_remedy(rule: Rule, given: list[Row]) -> list[Row]:
    """The rows after what the rule offers."""
    remedy = rule(given).remedy
    assert remedy
    for step in remedy.steps:
        given = run_step(step, given).rows
    return given


@pytest.mark.parametrize(
    ("rule", "given", "left"),
    [
        (find_empty, rows(("a", ""), ("", "b"), ("c", "d"), ("e", None)), rows(("c", "d"))),
        (find_empty, rows(("", "a"), ("", " ")), rows(("", "a"))),
        (find_other_than_text, rows(("a", 1), (True, "b")), rows(("a", "1"), ("true", "b"))),
        (find_duplicates, rows(("a", "b"), ("c", "b"), ("a", "b")), rows(("a", "b"), ("c", "b"))),
        (find_long, rows(("a" * 5000, "b" * 5000), ("a" * 5001, "b" * 5000)), rows(("a" * 5000, "b" * 5000))),
        (
            partial(find_upper, "prompt"),
            rows(
                ("ABC d", "X"),
            ),
            rows(
                ("abc d", "X"),
            ),
        ),
        (find_separator, rows(("a", "x"), ("b", "y")), rows(("a ->", "x"), ("b ->", "y"))),
        (find_separator, rows(("a\n", "x"), ("b", "y")), rows(("a\n\n\n###\n\n", "x"), ("b\n\n###\n\n", "y"))),
        (find_prompt_prefix, rows(("x" * 13 + "a", "1"), ("x" * 13 + "b", "2")), rows(("a", "1"), ("b", "2"))),
        (find_completion_prefix, rows(("a", " pre: 1"), ("b", " pre: 2")), rows(("a", " 1"), ("b", " 2"))),
        (find_completion_prefix, rows(("a", "pre: 1"), ("b", "pre: 2")), rows(("a", "1"), ("b", "2"))),
        (find_ending, rows(("a", "x\n"), ("b", "y")), rows(("a", "x\n."), ("b", "y."))),
        (find_space, rows(("a", " x"), ("b", "y")), rows(("a", " x"), ("b", " y"))),
    ],
)
def test_a_remedy_corrects_what_was_found(rule: Rule, given: list[Row], left: list[Row]) -> None:
    made = apply_remedy(rule, given)
    assert [row.value for row in made] == [row.value for row in left]
    assert rule(made).remedy is None


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        (find_separator, rows(("", "x"), ("", "y"))),
        (find_separator, rows(("a ->", "x"), ("b ->", "y"))),
        (find_prompt_prefix, rows(("x" * 12 + "a", "1"), ("x" * 12 + "b", "2"))),
        (find_prompt_prefix, rows(("x" * 13, "1"), ("x" * 13 + "b", "2"))),
        (find_completion_prefix, rows(("a", "12345"), ("b", "123456"))),
        (find_completion_prefix, rows(("a", "1234a"), ("b", "1234b"))),
        (find_ending, rows(*(("a", "x") for _ in range(8)))),
        (find_long, rows(("", "x" * 20_000))),
        (partial(find_upper, "completion"), rows(("A", "1234"))),
        (find_surplus, rows(("a", "b"))),
        (find_columns, rows(("a", "b"))),
    ],
)
def test_nothing_is_corrected_where_nothing_is_wrong(rule: Rule, given: list[Row]) -> None:
    assert rule(given).remedy is None
    assert rule(given).problem is None


def test_a_suffix_is_reported_when_it_is_long_or_comes_twice() -> None:
    (finding,) = find_separator(rows(("a ===========> b ===========>", "x"), ("c ===========>", "y"))).findings
    assert "is long" in finding.what
    assert "more than once" in finding.what


def test_columns_are_found_whatever_their_case_and_missed_with_advice() -> None:
    found = find_columns([Row("a.csv", 2, {"PROMPT": "a", "Completion": "b"})])
    assert found.remedy
    assert found.remedy.steps == (Rename(names=(("PROMPT", "prompt"), ("Completion", "completion"))),)
    problem = find_columns([Row("a.csv", 2, {"question": "a", "answer": "b"})]).problem
    assert problem
    assert 'prompt: "{question}"' in problem.hint


def test_classification_is_under_a_third_different_answers() -> None:
    assert find_task(rows(*((str(n), "ab"[n % 2]) for n in range(7)))).findings
    assert not find_task(rows(*((str(n), "ab"[n % 2]) for n in range(6)))).findings


def test_a_finding_names_its_first_lines() -> None:
    assert str(FileFinding(name="x", what="two", lines=(3, 5))) == "two: lines 3, 5"
    assert str(FileFinding(name="x", what="many", lines=tuple(range(1, 14)))).endswith("9, 10 and 3 more")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_back_from_the_spec(text: str) -> None:
    assert yaml.safe_load(yaml_quoted(text)) == text
    steps = (RemovePrefix("prompt", text), AddPrefix("completion", text), AddSuffix("prompt", text))
    read = yaml.safe_load(write_dataset("a", "a.csv", row_format=Format.COMPLETION, steps=steps, validation=0.2))
    assert [next(iter(step.values()))["text"] for step in read["prepare"]] == [text] * 3
    assert all(char.isprintable() or char == "\n" for char in write_steps(steps))


def test_a_step_that_no_remedy_has_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        run_step(Limit(rows=3), rows(("a", "b")))  # type: ignore[arg-type]  # what the types forbid


def test_a_declined_remedy_is_no_step(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("prompt,completion\na ->,b.\nc ->,d.\n", encoding="utf-8")
    assert examine(file, target=Format.COMPLETION).steps == (EnsureLeadingSpace(columns=("completion",)),)
    declined = examine(file, accept=lambda _: False, target=Format.COMPLETION)
    assert declined.steps == ()
    assert [accepted for _, accepted in declined.remedies] == [False]
