"""Rows for a base that chooses one of its answers: the check finds what the service would refuse, and nothing else."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import MeasureCache, measure
from reconciler.domain.errors import InputError, Problem
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import AnswerSet
from reconciler.providers import find_profile
from reconciler.service.engines import DataError
from reconciler.service.engines.tfidf_logreg import MOST_ANSWERS
from tests.dataset.factories import a_chat, a_spec, jsonl, write
from tests.service.training_rows import train

(LIMITS,) = find_profile("local").capabilities.answer_sets
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
Rows = list[dict[str, object]]


def labels(count: int, different: int) -> Rows:
    return [a_chat(f"question {number}", f"answer {number % different}") for number in range(count)]


def find_problems(
    directory: Path, rows: Rows, limits: AnswerSet | None = LIMITS, share: float = 0.0
) -> tuple[Problem, ...]:
    try:
        measure(a_spec(write(directory, "rows.jsonl", jsonl(rows)), share=share), directory, answers=limits)
    except InputError as error:
        return error.problems
    return ()


def with_messages(*messages: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"messages": list(messages), **more}


USER = {"role": "user", "content": "question"}
SOUND = labels(20, 4)
CASES: dict[str, tuple[Rows, str]] = {
    "labels": (SOUND, ""),
    "two answers": (labels(20, 2), ""),
    "each answer twice": (labels(20, 10), ""),
    "prompts and completions": ([{"prompt": f"q {n}", "completion": f" {n % 2}"} for n in range(20)], ""),
    "a different answer in each row": (labels(40, 40), "there are 40 different answers in 40 rows"),
    "one answer too many": (labels(19, 10), "there are 10 different answers in 19 rows"),
    "one answer": (labels(20, 1), "every row has the same answer"),
    "five hundred answers": (labels(2 * MOST_ANSWERS, MOST_ANSWERS), ""),
    "more answers than it learns": (labels(2 * MOST_ANSWERS + 2, MOST_ANSWERS + 1), "at most 500 are learned"),
    "no words": ([a_chat("?!", str(n % 2)) for n in range(20)], "no row has a word"),
    "words of the system only": (
        [
            with_messages(
                {"role": "system", "content": "sort"},
                {"role": "user", "content": "?"},
                {"role": "assistant", "content": str(n % 2)},
            )
            for n in range(20)
        ],
        "no row has a word",
    ),
    "tools": (
        [*SOUND, with_messages(USER, {"role": "assistant", "content": "answer 1"}, tools=[TOOL])],
        "offers tools",
    ),
    "parts": (
        [
            *SOUND,
            with_messages(
                {"role": "user", "content": [{"type": "text", "text": "question"}]},
                {"role": "assistant", "content": "answer 1"},
            ),
        ],
        "content in parts",
    ),
    "weight": ([*SOUND, with_messages(USER, {"role": "assistant", "content": "answer 1", "weight": 0})], "weight"),
}


@pytest.mark.parametrize("name", CASES)
def test_validate_and_the_service_refuse_the_same_rows(tmp_path: Path, name: str) -> None:
    rows, what = CASES[name]
    found = find_problems(tmp_path, rows)
    texts = [each.what for each in found]

    assert bool(found) == bool(what), texts
    assert not what or any(what in text for text in texts), texts
    if len(rows) > 100:
        return  # to train on a thousand rows takes seconds
    if what:
        with pytest.raises(DataError):
            train(tmp_path / "job", jsonl(rows))
    else:
        train(tmp_path / "job", jsonl(rows))


def test_the_problem_names_the_way_to_a_language_model(tmp_path: Path) -> None:
    (found,) = find_problems(tmp_path, labels(40, 40))
    assert found.rule == "answers.closed"
    assert "each in 2 rows or more" in found.hint
    assert "`provider: openai` and `base: gpt-4.1-mini-2025-04-14`" in found.hint


def test_rows_of_the_validation_side_are_not_learned(tmp_path: Path) -> None:
    assert not find_problems(tmp_path, labels(60, 2), share=0.3)
    (found,) = find_problems(tmp_path, labels(60, 60), share=0.3)
    training = measure(a_spec("rows.jsonl", share=0.3), tmp_path).training.rows
    assert f"there are {training} different answers in {training} rows" in found.what


def test_rows_that_only_validate_may_have_any_answers_and_are_text(tmp_path: Path) -> None:
    validating = replace(LIMITS, is_learned=False)
    assert not find_problems(tmp_path, labels(40, 40), limits=validating)
    (found,) = find_problems(tmp_path, CASES["parts"][0], limits=validating)
    assert found.rule == "answers.text"


def test_other_bases_learn_any_text(tmp_path: Path) -> None:
    assert not find_problems(tmp_path, labels(40, 40), limits=None)


def test_a_measure_without_the_check_is_not_taken_from_the_cache(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(labels(6000, 6000))))
    cache = MeasureCache(tmp_path / "cache", clock=lambda: 2**62)
    measure(spec, tmp_path, cache=cache)
    with pytest.raises(InputError):
        measure(spec, tmp_path, cache=cache, answers=LIMITS)


def test_a_profile_of_another_package_states_its_own_limits_as_its_page_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/services.md").read_text(encoding="utf-8")
    (example,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "answer_sets" in code)
    found: dict[str, Capabilities] = {}
    exec(example, {"AnswerSet": AnswerSet, "Capabilities": Capabilities}, found)
    (limits,) = found["capabilities"].answer_sets
    assert not find_problems(tmp_path, labels(500, 100), limits=limits)
    for rows, what in (
        (labels(606, 101), "at most 100 are learned"),
        (labels(20, 5), "5 different answers in 20 rows"),
    ):
        (problem,) = find_problems(tmp_path, rows, limits=limits)
        assert what in problem.what
        assert problem.hint.endswith("`base: toy-writer` in the model")


def test_the_limits_are_those_of_the_engine() -> None:
    assert (LIMITS.base, LIMITS.most) == ("tfidf-logreg", MOST_ANSWERS)
