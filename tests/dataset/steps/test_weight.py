"""How often the rows of a source are used."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.prepare import Deduplicate, DropEmpty
from reconciler.domain.spec import Terms

from .factories import run_weights

ROWS = [{"n": at} for at in range(300)]


def test_a_whole_weight_repeats_rows_side_by_side_and_no_other_files() -> None:
    found = run_weights(ROWS[:2], Terms(weight=2), Terms())
    assert [(file, row["n"]) for file, row in found if isinstance(row, dict)] == [
        ("0.jsonl", 0),
        ("0.jsonl", 0),
        ("0.jsonl", 1),
        ("0.jsonl", 1),
        ("1.jsonl", 0),
        ("1.jsonl", 1),
    ]


def test_a_fraction_keeps_about_that_many_and_its_seed_chooses_them() -> None:
    half, other = (run_weights(ROWS, Terms(weight=0.5, seed=seed)) for seed in (0, 1))
    assert 110 < len(half) < 190
    assert half != other
    more = run_weights(ROWS, Terms(weight=1.5))
    assert len(more) == 300 + len(half)


def test_weights_come_after_the_steps_so_that_no_step_undoes_them() -> None:
    assert len(run_weights([*ROWS, *ROWS], Terms(weight=2), steps=[Deduplicate()])) == 600


def test_steps_see_the_rows_of_all_files_as_one_stream() -> None:
    found = run_weights([{"n": 1}, {"n": None}], Terms(), Terms(weight=3), steps=[DropEmpty(("n",)), Deduplicate()])
    assert found == [("0.jsonl", {"n": 1})]


@given(st.lists(st.integers(0, 1000), unique=True, max_size=40), st.integers(1001, 2000), st.floats(0.1, 3))
def test_a_new_row_changes_no_other_rows_count(numbers: list[int], new: int, weight: float) -> None:
    before = run_weights([{"n": at} for at in numbers], Terms(weight=weight))
    after = run_weights([{"n": at} for at in [new, *numbers]], Terms(weight=weight))
    assert [each for each in after if each[1] != {"n": new}] == before
