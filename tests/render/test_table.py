"""Tables are aligned by what is seen, problems by their places; long text is wrapped between words."""

import pytest

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.render import count_text, problems_text, table, time_text
from reconciler.render.text import duration_text, pad, size_text, truncate, width_of, wrap


def test_columns_are_as_wide_as_they_look() -> None:
    rows = [("日本", "x"), ("e\u0301", "y"), ("", "z")]

    assert table(("name", "b"), rows) == "NAME  B\n日本  x\ne\u0301     y\n–     z\n"


@pytest.mark.parametrize(
    ("text", "width"), [("日本", 4), ("e\u0301", 1), ("नमस्ते", 4), ("ที่", 1), ("한글", 4), ("→…–", 3)]
)
def test_marks_take_no_column_and_wide_characters_two(text: str, width: int) -> None:
    assert width_of(text) == width


def test_a_table_without_rows_has_its_headers() -> None:
    assert table(("name", "status"), []) == "NAME  STATUS\n"


def test_only_a_status_is_coloured() -> None:
    shown = table(("name", "status"), [("failed", "failed")], colour=True)

    assert shown.splitlines()[1] == "failed  \x1b[31mfailed\x1b[0m"


def test_a_table_that_does_not_fit_becomes_blocks() -> None:
    rows = [("a", "b" * 20), ("c", "d")]

    assert table(("name", "long"), rows, width=26) == f"NAME  LONG\na     {'b' * 20}\nc     d\n"
    assert table(("name", "long"), rows, width=25) == f"NAME  a\nLONG  {'b' * 20}\n\nNAME  c\nLONG  d\n"


@pytest.mark.parametrize(
    ("text", "width", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本", 3, "日…"), ("ab", 0, "")]
)
def test_a_text_is_cut_to_its_room(text: str, width: int, shown: str) -> None:
    assert truncate(text, width) == shown
    assert width_of(truncate(text, width)) <= width


def test_padding_counts_columns() -> None:
    assert pad("日", 4) == "日  "


def test_a_flag_stays_with_its_value_and_a_long_word_whole() -> None:
    assert wrap("try it again with --retry support-triage", 36) == ["try it again with", "--retry support-triage"]
    assert wrap(f"see {'x' * 50} there", 20) == ["see", "x" * 50, "there"]
    assert wrap("", 20, first="  ") == [""]


def problem(file: str, line: int, what: str = "wrong", severity: Severity = Severity.ERROR) -> Problem:
    """A problem at a place."""
    return Problem(where=Place(file=file, line=line), what=what, severity=severity)


def test_far_apart_places_are_aligned_file_by_file() -> None:
    """One long path does not push every other message off the screen."""
    long = "specs/" + "deep/" * 8 + "triage.yaml"
    shown = problems_text((problem(long, 1), problem("a.csv", 7), problem("a.csv", 1234)))

    assert shown.splitlines()[:3] == [f"{long}:1  wrong", "a.csv:7     wrong", "a.csv:1234  wrong"]


@pytest.mark.parametrize(
    ("problems", "unshown", "tail", "closing"),
    [
        ((problem("a", 1),), 0, "nothing was planned", "1 problem; nothing was planned."),
        ((problem("a", 1),) * 2, 0, "", "2 problems."),
        ((problem("a", 1),) * 2, 40, "nothing was sent", "42 problems (2 shown); nothing was sent."),
        ((problem("a", 1, severity=Severity.WARNING),), 0, "", "1 warning."),
        ((), 0, "all is well", "0 problems; all is well."),
    ],
)
def test_the_closing_line_counts(problems: tuple[Problem, ...], unshown: int, tail: str, closing: str) -> None:
    assert problems_text(problems, unshown, tail).splitlines()[-1] == closing


def test_a_long_message_stays_in_its_column() -> None:
    lines = problems_text((problem("a.csv", 1, "word " * 40),), width=60).splitlines()

    assert len(lines) > 3
    assert all(line.startswith(" " * 9 + "word") for line in lines[1:-1])
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (size_text(1), "1 byte"),
        (size_text(1023), "1023 bytes"),
        (size_text(1024), "1.0 KiB"),
        (size_text(5 * 1024**2), "5.0 MiB"),
        (size_text(3000 * 1024**3), "3000.0 GiB"),
        (duration_text(-1), "0s"),
        (duration_text(59.9), "59s"),
        (duration_text(125), "2m 05s"),
        (duration_text(3725), "1h 02m"),
        (time_text(1_790_000_000), "2026-09-21 14:13:20Z"),
        (time_text(10**18), "1000000000000000000"),
        (count_text(0, "row"), "0 rows"),
        (count_text(1, "row"), "1 row"),
    ],
)
def test_quantities(shown: str, text: str) -> None:
    assert shown == text
