"""Rows with thousands of keys: their form is recognised, and the work for each key is bounded."""

import pytest

from reconciler.dataset.recognise.forms import RowForm, find_judged, recognise_row

CALLS: list[str] = []


class CountedKey(str):
    """A key that notes when its name is compared."""

    __slots__ = ()

    def isalnum(self) -> bool:
        CALLS.append(self)
        return super().isalnum()


@pytest.mark.parametrize("name", ["key_{}", "label_{}", "is_good_{}"])
def test_the_names_of_a_bounded_number_of_keys_are_compared(name: str) -> None:
    counts = []
    for many in (1_000, 20_000):
        row: dict[str, object] = {CountedKey(name.format(at)): 1 for at in range(many)}
        row |= {"question": "q", "answer": "a"}
        CALLS.clear()
        recognise_row(row)
        find_judged(row)
        counts.append(len(CALLS))
    assert counts[0] == counts[1]


def test_a_form_is_recognised_by_keys_behind_thousands_of_others() -> None:
    others = {f"key_{at}": "x" for at in range(5_000)}
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert recognise_row(others | {"messages": turns}) is RowForm.CHAT
    assert recognise_row(others | {"prompt": "q", "chosen": "a", "rejected": "b"}) is RowForm.PAIRS
    assert recognise_row(others | {"instruction": "q", "output": "a"}) is RowForm.ALPACA
