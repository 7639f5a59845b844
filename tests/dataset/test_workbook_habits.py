"""What people and programs do with workbooks, and the text that each cell gives: as stored, and as shown."""

import datetime
import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from reconciler.domain.errors import Severity

from .wild.cases import Fields, read_wild

FIELDS: Fields = {"format": "completion", "prompt": "{text}", "completion": "{label}"}
Edit = Callable[[Worksheet], object]


def write_value(value: object, code: str = "General") -> Edit:
    def edit(sheet: Worksheet) -> None:
        sheet.append(["q", value])
        sheet.cell(sheet.max_row, 2).number_format = code

    return edit


def count_from_1904(sheet: Worksheet) -> None:
    sheet.parent.epoch = CALENDAR_MAC_1904
    write_value(datetime.date(2024, 3, 1), "yyyy-mm-dd")(sheet)


def write_in_bold(sheet: Worksheet) -> None:
    sheet.append(["q", CellRichText("in ", TextBlock(InlineFont(b=True), "bold"), " letters")])


def protect(sheet: Worksheet) -> None:
    sheet.append(["q", "a"])
    sheet.protection.enable()
    sheet.protection.set_password("x")


def make_table(sheet: Worksheet) -> None:
    sheet.append(["q", "a"])
    sheet.add_table(Table(displayName="T", ref="A1:B2"))


def put_a_blank_row_above(sheet: Worksheet) -> None:
    sheet.append(["q", "a"])
    sheet.insert_rows(1)


def leave_formats_below(sheet: Worksheet) -> None:
    sheet.append(["q", "a"])
    for row in range(3, 40):
        sheet.cell(row, 1).number_format = "0.00"


def make_workbook(edit: Edit, header: tuple[object, ...] = ("text", "label")) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(list(header))
    edit(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("edit", "stored", "shown"),
    [
        (write_value(datetime.date(1900, 1, 15), "yyyy-mm-dd"), "1900-01-15", "1900-01-15"),
        (count_from_1904, "2024-03-01", "2024-03-01"),
        (write_value(datetime.timedelta(hours=30, minutes=5), "[h]:mm:ss"), "30:05:00", "30:05:00"),
        (write_value(12345.678, "0.00E+00"), "12345.678", "1.23E+04"),
        (write_value(7, "0000"), "7", "0007"),
        (write_value(0.155, "0.0%"), "0.155", "15.5%"),
        (write_value(True), "TRUE", "TRUE"),
        (write_value("00123", "@"), "00123", "00123"),
        (write_value(123, "@"), "123", "123"),
        (write_in_bold, "in bold letters", "in bold letters"),
        (protect, "a", "a"),
        (make_table, "a", "a"),
        (put_a_blank_row_above, "a", "a"),
        (leave_formats_below, "a", "a"),
    ],
    ids=[
        *("a date before March 1900", "dates from 1904", "a time over 24 hours", "scientific", "leading zeros"),
        *(
            "a percentage",
            "a boolean",
            "a number as text",
            "a number in the format text",
            "rich text",
            "a protected sheet",
        ),
        *("a table", "a blank first row", "formats below the rows"),
    ],
)
def test_a_cell_gives_what_is_stored_or_what_is_shown(tmp_path: Path, edit: Edit, stored: str, shown: str) -> None:
    content = make_workbook(edit)
    for cells, wanted in (("stored", stored), ("shown", shown)):
        source = {"source": {"path": "b.xlsx", "cells": cells}}
        found, rows = read_wild(tmp_path / cells, "b.xlsx", content, {**FIELDS, **source})
        assert [each for each in found if each.severity is not Severity.INFO] == []
        assert rows == [{"prompt": "q", "completion": wanted}]
    found, rows = read_wild(tmp_path / "undecided", "b.xlsx", content, FIELDS)
    assert [each.rule for each in found] == (["xlsx.cells"] if stored != shown else [])
    assert rows == [{"prompt": "q", "completion": stored}]


@pytest.mark.parametrize(
    ("header", "rule", "what"),
    [
        (("text", "label", "label"), "table.header", "the header names `label` more than once"),
        ((" text ", "label"), "mapping.unknown-column", "names the column `text`; the columns are: ` text `"),
        (("Tickets of May", None), "table.header", "Tickets of May"),
    ],
    ids=["a name twice", "spaces around a name", "a title above the header"],
)
def test_a_header_that_does_not_name_the_columns_is_an_error(
    tmp_path: Path, header: tuple[object, ...], rule: str, what: str
) -> None:
    content = make_workbook(lambda sheet: [sheet.append(["text", "label"]), sheet.append(["q", "a"])], header)
    found, rows = read_wild(tmp_path, "b.xlsx", content, FIELDS)
    errors = [each for each in found if each.severity is Severity.ERROR]
    assert {each.rule for each in errors} == {rule}
    assert what in errors[0].what
    assert rows == []
