"""A table that is too wide drops columns, then truncates cells; ids stay whole."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.terminal.table import Column, column_table, truncate_middle
from reconciler.render.text import width_of

ID, TITLE = "job-" + "x" * 20, "model/" + "name" * 8 + "@0123456789ab"
COLUMNS = (
    Column(header="id", cells=(ID,)),
    Column(header="what", cells=(TITLE,), least=24),
    Column(header="made", cells=("2026-11-21 22:10Z",), narrow=("2026-11-21",), rank=2),
    Column(header="base", cells=("gpt",), rank=4),
)


def header(width: int) -> list[str]:
    return column_table(COLUMNS, width=width).splitlines()[0].split()


def test_the_least_important_column_is_dropped_first_and_wide_ones_are_narrowed() -> None:
    assert header(200) == header(75) == ["ID", "WHAT", "MADE", "BASE"]
    assert header(74) == ["ID", "WHAT", "MADE"]
    assert "22:10Z" in column_table(COLUMNS, width=69)
    assert "22:10Z" not in column_table(COLUMNS, width=68)
    assert header(62) == ["ID", "WHAT", "MADE"]
    assert header(61) == ["ID", "WHAT"]


def test_without_a_width_nothing_is_cut() -> None:
    shown = column_table(COLUMNS)
    assert TITLE in shown
    assert "22:10Z" in shown


def test_a_narrow_title_keeps_its_digest_and_an_id_is_never_cut() -> None:
    shown = column_table(COLUMNS, width=20)
    assert ID in shown
    assert "…@0123456789ab" in shown


@given(st.text(max_size=60), st.integers(min_value=0, max_value=70))
def test_a_cut_text_fits(text: str, width: int) -> None:
    assert width_of(truncate_middle(text, width)) <= max(width, 0)
