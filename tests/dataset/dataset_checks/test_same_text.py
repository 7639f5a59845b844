"""Rows that differ in spelling only, contradictions, sides of a split, and near duplicates."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.dataset.dataset_checks.example_row import RowKeys
from reconciler.dataset.dataset_checks.repeated_rows import LEAST_WORDS, make_sketch
from reconciler.dataset.dataset_checks.runner import SMALL_BYTES
from reconciler.domain.expectations import OptionalCheck
from tests.dataset.factories import a_chat, a_spec, chats, jsonl, only, problems, problems_of, rules, write

from .factories import found

WORDS = [f"word{at}" for at in range(60)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("What is  this?", "what is this?"), ("A\n\nb", "a b"), ("ﬁne café", "fine cafe\u0301"), ("STRASSE", "straße")],
)
def test_rows_that_differ_in_spelling_only_are_reported_with_both_lines(tmp_path: Path, one: str, other: str) -> None:
    problem = only(found(tmp_path, [a_chat(one, "x"), a_chat(other, "X")]), "rows.alike")
    assert problem.where.line == 12
    assert "1 row differs" in problem.what
    assert problem.what.endswith("rows.jsonl:11")


def test_identical_rows_are_reported_as_duplicates_only(tmp_path: Path) -> None:
    assert rules(found(tmp_path, [a_chat("a", "b")] * 3)) == ["rows.duplicate"]


def test_two_answers_to_one_question_are_reported_with_both_lines(tmp_path: Path) -> None:
    problem = only(found(tmp_path, [a_chat("a", "b"), a_chat("c", "d"), a_chat("A ", "e")]), "rows.contradiction")
    assert (problem.where.line, problem.what.split()[-1]) == (13, "rows.jsonl:11")


def test_earlier_messages_are_part_of_the_question(tmp_path: Path) -> None:
    system = [{"messages": [{"role": "system", "content": word}, *a_chat("a", word)["messages"]]} for word in "xy"]  # type: ignore[misc]  # the turns of a chat are a list
    assert found(tmp_path, system) == ()


def test_empty_prompts_contradict_nothing(tmp_path: Path) -> None:
    content = jsonl([{"prompt": "", "completion": f" {at}"} for at in range(12)])
    assert problems(tmp_path, content) == ()


def test_a_prompt_on_both_sides_of_a_split_is_reported(tmp_path: Path) -> None:
    rows = [a_chat("the same", f"answer {at}") for at in range(40)]
    problem = only(found(tmp_path, rows, share=0.5), "leak.split")
    assert "other side of the split" in problem.what
    assert "leak.split" not in rules(found(tmp_path, rows))


def test_large_files_are_searched_on_request_only_and_a_note_says_so(tmp_path: Path) -> None:
    rows = [a_chat(f"{at}", "x" * 1000) for at in range(SMALL_BYTES // 1000)] + [a_chat("0", "y")]
    name = write(tmp_path, "rows.jsonl", jsonl(rows))
    assert rules(problems_of(a_spec(name), tmp_path)) == ["rows.unsearched"]


def test_near_duplicates_are_found_on_request(tmp_path: Path) -> None:
    rows = [
        a_chat(" ".join(WORDS), "x"),
        a_chat(" ".join([*WORDS[:-1], "other"]), "x"),
        a_chat(" ".join(WORDS[30:]), "x"),
    ]
    problem = only(found(tmp_path, rows, looks=[OptionalCheck.NEAR_DUPLICATES]), "rows.near-duplicate")
    assert (problem.where.line, problem.what.split()[-1]) == (12, "rows.jsonl:11")
    assert "rows.near-duplicate" not in rules(found(tmp_path, rows))


def test_short_and_equal_rows_are_not_near_duplicates(tmp_path: Path) -> None:
    short = [a_chat(" ".join(WORDS[: LEAST_WORDS - 3]), "x"), a_chat(" ".join(WORDS[: LEAST_WORDS - 4]), "x")]
    same = [a_chat(" ".join(WORDS), "x")] * 2
    assert "rows.near-duplicate" not in rules(found(tmp_path, [*short, *same], looks=[OptionalCheck.NEAR_DUPLICATES]))


def test_a_sketch_is_of_words_whatever_their_case() -> None:
    assert make_sketch(" ".join(WORDS)) == make_sketch(" ".join(WORDS).upper())
    assert make_sketch("too short") is None


def shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    # The role stands before the question, and the answer after it.
    whole = ["user", *words, "answer"]
    return {tuple(whole[at : at + 3]) for at in range(len(whole) - 2)}


def edit_words(words: Sequence[str], least: float, chance: random.Random) -> list[str]:
    """Return the words with others in their place, until no more than this share of shingles is in common."""
    edited = list(words)
    for at in chance.sample(range(len(words)), len(words)):
        before, edited[at] = edited[at], f"new{chance.randrange(10**6)}"
        old, new = shingles(words), shingles(edited)
        if len(old & new) < least * len(old | new):
            edited[at] = before
            return edited
    return edited


def pairs_of_rows(share: float, count: int) -> list[object]:
    """Return rows of which each second one has at least this share of its shingles in common with the one before."""
    chance, rows = random.Random(str(share)), list[object]()
    for number in range(count):
        words = [f"w{chance.randrange(10**6)}" for _ in range(chance.choice((40, 60, 120, 240, 900)))]
        for each in (words, edit_words(words, share, chance)):
            rows.append(a_chat(" ".join(each), f"a{number}"))
    return rows


def count_near_duplicates(directory: Path, rows: Sequence[object]) -> int:
    problems = found(directory, rows, looks=[OptionalCheck.NEAR_DUPLICATES])
    said = [problem.what for problem in problems if problem.rule == "rows.near-duplicate"]
    return int(said[0].split()[0]) if said else 0


def test_of_rows_with_four_fifths_in_common_99_in_100_are_found(tmp_path: Path) -> None:
    assert count_near_duplicates(tmp_path, pairs_of_rows(0.8, 200)) >= 198


def test_rows_with_two_thirds_in_common_are_not_found(tmp_path: Path) -> None:
    chance = random.Random(3)
    rows = []
    for number in range(100):
        words = [f"w{chance.randrange(10**6)}" for _ in range(chance.choice((60, 120, 240, 900)))]
        edited = edit_words(words, 0.55, chance)
        old, new = shingles(words), shingles(edited)
        assert len(old & new) < 0.67 * len(old | new)
        rows += [a_chat(" ".join(each), f"a{number}") for each in (words, edited)]
    assert count_near_duplicates(tmp_path, rows) == 0


def test_keys_count_and_pair() -> None:
    keys, others = RowKeys(), RowKeys()
    for key, other in ((7, 1), (0, 2), (1 << 63, 3), (7, 1), (0, 4), (7, 5)):
        keys.add(key)
        others.add(other)
    assert keys.count_different() == 2
    assert list(keys.pairs()) == [(3, 0), (5, 0)]
    assert list(keys.pairs(others)) == [(5, 0)]
    assert keys.find_most_common() == (3, 0)
    assert RowKeys().find_most_common() is None
    assert len(keys) == 6


def test_chats_of_the_suite_are_all_different(tmp_path: Path) -> None:
    assert problems(tmp_path, jsonl(chats(50))) == ()
