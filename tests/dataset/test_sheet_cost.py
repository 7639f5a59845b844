"""What a workbook costs grows with its cells: counted in calls of functions and in bytes read, not in time."""

import datetime as dt
import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from reconciler.dataset import measure
from reconciler.dataset.readers.number_format import show_moment
from reconciler.dataset.readers.sheet_facts import read_facts

from .factories import a_spec, write
from .workbooks import a_raw_workbook

FORMATS = 300
"""More codes than are remembered."""


def styles(*codes: str) -> str:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    known = "".join(f'<numFmt numFmtId="{200 + at}" formatCode="{code}"/>' for at, code in enumerate(codes))
    used = "".join(f'<xf numFmtId="{200 + at}"/>' for at in range(len(codes)))
    return f'<styleSheet xmlns="{main}"><numFmts>{known}</numFmts><cellXfs>{used}</cellXfs></styleSheet>'


def a_formatted_workbook(count: int, *codes: str) -> bytes:
    """Return a workbook of questions and numbers, whose numbers have these formats in turn."""
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>prompt</t></is></c>'
    head += '<c r="B1" t="inlineStr"><is><t>completion</t></is></c></row>'
    rows = "".join(
        f'<row r="{at}"><c r="A{at}" t="inlineStr"><is><t>question {at}</t></is></c>'
        f'<c r="B{at}" s="{at % len(codes)}"><v>{at}.5</v></c></row>'
        for at in range(2, count + 2)
    )
    return a_raw_workbook(head + rows, parts={"xl/styles.xml": styles(*codes)})


def count_calls(do: Callable[[], object]) -> int:
    """Return how many functions are called."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(before)
    return calls


def count_lines(do: Callable[[], object]) -> int:
    """Return how many lines run, those of comprehensions too."""
    lines = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Callable[[FrameType, str, Any], Any]:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return lines


class CountedFile(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.bytes_read += len(found)
        return found


CODES = {
    "two formats": ("0.0%", "#,##0.00"),
    "more formats than are remembered": tuple(f"0.0 &quot;{at}&quot;" for at in range(FORMATS)),
}


@pytest.mark.parametrize("codes", CODES.values(), ids=CODES)
def test_twice_the_rows_with_formats_are_twice_the_work(tmp_path: Path, codes: tuple[str, ...]) -> None:
    counts = []
    for rows in (1000, 2000):
        write(tmp_path, f"{rows}.xlsx", a_formatted_workbook(rows, *codes))
        spec = a_spec(f"{rows}.xlsx")
        measure(spec, tmp_path)
        counts.append(count_calls(partial(measure, spec, tmp_path)))
    assert counts[1] < 2.1 * counts[0]


def test_a_sheet_is_unpacked_once_for_its_formats() -> None:
    content = a_formatted_workbook(3000, *CODES["two formats"])
    file = CountedFile(content)
    facts = read_facts(file, "Data", 3001, 2)
    assert facts.format_at(2, 2) == "0.0%"
    assert file.bytes_read < 1.2 * len(content)


def test_a_date_costs_as_much_as_its_format_is_long() -> None:
    day = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
    codes = ("m/" * 120, "m/" * 60)
    for code in codes:
        assert show_moment(day, code)
    counts = [count_lines(partial(show_moment, day, code)) for code in codes]
    assert counts[0] < 2.2 * counts[1]
