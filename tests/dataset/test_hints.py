"""A hint about a row that names a step works: followed to the letter, it ends its finding and makes no other.

The rows are those of the tables of mistakes: each is put among good rows of its format.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.dataset.row_checks import RULES, check_row
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Format
from reconciler.specfile.prepare import OPERATIONS

from .row_cases.builders import bot, chat, make_preference, make_question, pair_row, system, user
from .small_files import SmallFile, apply_hint, find_problems, lines
from .test_row_checks import BAD

Row = dict[str, Any]
STEP = re.compile(rf"`({'|'.join(OPERATIONS)}): ")


def make_completion(at: int) -> Row:
    return {"prompt": f"question {at}", "completion": f"answer {at}"}


def make_graded(at: int) -> Row:
    return {**chat(user(f"question {at}")), "answer": f"{at}"}


GOOD: dict[Format, tuple[Callable[[int], Row], str]] = {
    Format.CHAT: (make_question, "supervised"),
    Format.COMPLETION: (make_completion, "supervised"),
    Format.PREFERENCE: (make_preference, "dpo"),
    Format.REINFORCEMENT: (make_graded, "reinforcement"),
}
JPG = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/"}}
MISTAKES: list[tuple[Format, Any]] = [
    *((Format.CHAT, row) for row, *_ in BAD),
    (Format.CHAT, chat(system(""), user("q"), bot("a"))),
    (Format.CHAT, chat(user([JPG, {"type": "text", "text": "q"}]), bot("a"))),
    (Format.CHAT, chat(user("q"))),
    (Format.CHAT, chat(user("q"), bot(""), user("q"), bot("a"))),
    (Format.CHAT, chat(user("q"), bot("  "))),
    (Format.CHAT, chat(user(""), bot("a"))),
    (Format.CHAT, chat({**user("q"), "note": 1}, bot("a", note="n"))),
    (Format.COMPLETION, {"prompt": "a"}),
    (Format.COMPLETION, {"prompt": "a", "completion": " "}),
    (Format.COMPLETION, {"prompt": "a", "completion": "b", "note": 1}),
    (Format.COMPLETION, {"completion": "b"}),
    (Format.PREFERENCE, pair_row([system(""), user("q")], 1)),
    (Format.PREFERENCE, pair_row([{**user("q"), "note": 1}], 1)),
    (Format.PREFERENCE, {**make_preference(99), "preferred_output": [bot("")]}),
    (Format.PREFERENCE, {**make_preference(99), "non_preferred_output": [bot(None)]}),
    (Format.PREFERENCE, {**make_preference(99), "note": 1}),
    (Format.PREFERENCE, {**make_preference(99), "preferred_output": []}),
    (Format.REINFORCEMENT, {**chat(user(""), user("")), "answer": "a"}),
    (Format.REINFORCEMENT, {**chat(system(""), user("q")), "answer": "a"}),
    (Format.REINFORCEMENT, {**chat(user("q"), bot("a")), "answer": "a"}),
]
CASES = [(at, found, row) for at, (found, row) in enumerate(MISTAKES)]
WITHOUT_STEP = {
    "chat.images": "an image is changed where it is made",
    "chat.last-turn": "the answer that is missing stands in no file",
    "chat.message": "what is no object has no keys that a step could read",
    "chat.messages": "as chat.message",
    "chat.name": "a name is an author's choice (a warning)",
    "chat.no-user": "a song or a letter needs no question (a warning)",
    "chat.role": "whose turn it is, only the author knows, where the word is no alias",
    "chat.row": "as chat.message",
    "chat.tools": "only the author knows which call or result is meant",
    "chat.weight": "0 or 1 is the author's choice",
    "completion.completion": "the text that is missing stands in no file; an empty one has a step",
    "completion.prompt": "the text that is missing stands in no file",
    "preference.output": "the answer that is missing stands in no file",
    "reinforcement.last-turn": "a grader's reference may be that answer: the author says which",
}
"""Rules of rows of which some finding names no step, each with the reason."""


def find(case: SmallFile, document: dict[str, Any], root: Path) -> list[Problem]:
    return [each for each in find_problems(document, case, root) if each.severity is not Severity.INFO]


def count(found: list[Problem], rule: str) -> int:
    return sum(each.rule == rule for each in found)


@pytest.mark.parametrize(("number", "row_format", "row"), CASES, ids=[f"{f}-{at}" for at, f, _ in CASES])
def test_a_step_of_a_hint_ends_its_finding_and_makes_no_other(
    tmp_path: Path, number: int, row_format: Format, row: Any
) -> None:
    make, method = GOOD[row_format]
    case = SmallFile(str(number), lines([*map(make, range(11)), row]), "", method=method)
    (tmp_path / case.name).write_text(str(case.content), encoding="utf-8")
    document: dict[str, Any] = {"kind": "Dataset", "name": "rows", "source": case.name}
    before = find(case, document, tmp_path)
    assert before
    for problem in before:
        if STEP.search(problem.hint.split("; to train without")[0]) and "where `drop_empty_turns`" not in problem.hint:
            after = find(case, apply_hint(problem.hint, document), tmp_path)
            assert count(after, problem.rule) < count(before, problem.rule)
            assert {each.rule for each in after} <= {each.rule for each in before}


def test_every_rule_of_a_row_has_a_step_or_a_reason() -> None:
    findings = [each for row_format, row in MISTAKES for each in check_row(row, row_format)]
    silent = {each.rule for each in findings if not STEP.search(each.hint)}
    reasons = WITHOUT_STEP.keys()
    assert reasons <= RULES.keys()
    unexplained = silent - reasons - {"chat.content", "chat.unknown-key", "preference.unknown-key", "preference.input"}
    assert not unexplained
