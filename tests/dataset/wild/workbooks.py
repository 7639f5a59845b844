"""Spreadsheets: what they show, what they store, and what they hide."""

import datetime
import io
from collections.abc import Callable

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from reconciler.domain.errors import Severity
from tests.dataset.workbooks import a_raw_workbook

from .cases import MAPPED, Fields, Finding, WildFile, pairs

WARNING = Severity.WARNING
SHOWN: Fields = {**MAPPED, "source": {"path": "b.xlsx", "cells": "shown"}}
STORED: Fields = {**MAPPED, "source": {"path": "b.xlsx", "cells": "stored"}}


def a_sheet(edit: Callable[[Worksheet], object], titles: tuple[str, ...] = ("Data",)) -> bytes:
    """Return a workbook with a header in its first sheet, edited."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title in titles:
        book.create_sheet(title)
    sheet = book[titles[0]]
    sheet.append(["text", "label"])
    edit(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def formatted(*cells: tuple[object, str]) -> bytes:
    """Return a workbook with one row for each value, in a format."""

    def edit(sheet: Worksheet) -> None:
        for row, (value, code) in enumerate(cells, start=2):
            sheet.cell(row, 1, value).number_format = code
            sheet.cell(row, 2, "x")

    return a_sheet(edit)


def as_shown(case: str, shown: str, stored: str, value: object, code: str) -> tuple[WildFile, ...]:
    """Return one value in a format three times: without a choice, read as shown, and as stored."""
    content = formatted((value, code))
    found = Finding(
        "xlsx.cells", f"1 cell is read otherwise than the sheet shows: `A2 {stored}", "`cells: shown`", WARNING, 2
    )
    return (
        WildFile(f"cells-{case}", "b.xlsx", content, pairs((stored, "x")), found, is_warning=True),
        WildFile(f"cells-{case}-shown", "b.xlsx", content, pairs((shown, "x")), fields=SHOWN),
        WildFile(f"cells-{case}-stored", "b.xlsx", content, pairs((stored, "x")), fields=STORED),
    )


def raw(case: str, cells: str, wanted: tuple[tuple[str, str], ...], found: Finding) -> WildFile:
    """Return a workbook with a row of XML below the header, which a warning is about."""
    texts = (("A1", "text"), ("B1", "label"))
    header = "".join(f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in texts)
    book = a_raw_workbook(f'<row r="1">{header}</row><row r="2">{cells}</row>')
    return WildFile(case, "b.xlsx", book, pairs(*wanted), found, is_warning=True)


def hide_rows(sheet: Worksheet) -> None:
    for at in range(4):
        sheet.append([f"q{at}", "a"])
    sheet.auto_filter.ref = "A1:B5"
    for row in (3, 4):
        sheet.row_dimensions[row].hidden = True


def set_filter(sheet: Worksheet) -> None:
    for at in range(4):
        sheet.append([f"q{at}", "a"])
    sheet.auto_filter.ref = "A1:B5"


def set_criteria(sheet: Worksheet) -> None:
    set_filter(sheet)
    sheet.auto_filter.add_filter_column(0, ["q1"])


def hide_a_column(sheet: Worksheet) -> None:
    sheet.append(["q", "a"])
    sheet.column_dimensions["B"].hidden = True


def merge(sheet: Worksheet) -> None:
    sheet.append(["q0", "a"])
    sheet.append(["q1", None])
    sheet.append(["q2", "b"])
    sheet.merge_cells("B2:B3")


def hide_the_sheet(sheet: Worksheet) -> None:
    sheet.append(["q", "a"])
    sheet.sheet_state = "hidden"
    other = sheet.parent.create_sheet("Seen")
    other.append(["text", "label"])
    other.append(["seen", "b"])
    sheet.parent.active = 1


def plain(sheet: Worksheet) -> None:
    sheet.append(["  spaces  ", True])
    sheet.append([3.0, -0.5])
    sheet.append(["007", 12])


Q = '<c r="A2" t="inlineStr"><is><t>q</t></is></c>'
NUMBER = '<c r="B2"><v>1</v></c>'
TEXT = '<c r="C2" t="inlineStr"><is><t>note</t></is></c>'

WORKBOOKS: tuple[WildFile, ...] = (
    *as_shown("leading-zeros", "00123", "123", 123, "00000"),
    *as_shown("percent", "15%", "0.15", 0.15, "0%"),
    *as_shown("currency", "€12.00", "12", 12, '"€"#,##0.00'),
    *as_shown("currency-of-a-language", "€ 1,234.50", "1234.5", 1234.5, "[$€-407] #,##0.00"),
    *as_shown("accounting", "(12.00)", "-12", -12, "_(#,##0.00_);(#,##0.00)"),
    *as_shown("yes-and-no", "yes", "1", 1, '"yes";;"no"'),
    *as_shown("fixed-decimals", "1.10", "1.1", 1.1, "0.00"),
    *as_shown("thousands", "1,234,567", "1234567", 1234567, "#,##0"),
    *as_shown("telephone", "(555) 123-4567", "5551234567", 5551234567, "(000) 000-0000"),
    *as_shown("unit", "5 kg", "5", 5, '0" kg"'),
    *as_shown("date", "1-Mar-24", "2024-03-01", datetime.date(2024, 3, 1), "d-mmm-yy"),
    *as_shown("date-in-german", "01.03.2024", "2024-03-01", datetime.date(2024, 3, 1), "dd.mm.yyyy"),
    *as_shown("time", "2:05 PM", "14:05:00", datetime.time(14, 5), "h:mm AM/PM"),
    *as_shown("duration", "36:00", "36:00:00", datetime.timedelta(hours=36), "[h]:mm"),
    raw(
        "cells-sum-of-fractions",
        f'<c r="A2"><v>0.30000000000000004</v></c>{NUMBER}',
        (("0.30000000000000004", "1"),),
        Finding("xlsx.cells", "`A2 0.30000000000000004, shown as 0.3`", "`cells: shown`", WARNING, 2),
    ),
    WildFile(
        "cells-date-of-the-system",
        "b.xlsx",
        formatted((datetime.date(2024, 3, 1), "mm-dd-yy")),
        pairs(("2024-03-01", "x")),
        Finding("xlsx.cells", "depends on the machine or the column", "`cells: stored`", WARNING, 2),
        fields=SHOWN,
        is_warning=True,
    ),
    WildFile(
        "cells-fraction",
        "b.xlsx",
        formatted((0.5, "# ?/?")),
        pairs(("0.5", "x")),
        Finding("xlsx.cells", "`A2 0.5, shown by a format of its own`", "`cells: shown`", WARNING, 2),
        is_warning=True,
    ),
    WildFile(
        "cells-plain",
        "b.xlsx",
        a_sheet(plain),
        pairs(("  spaces  ", "TRUE"), ("3", "-0.5"), ("007", "12")),
    ),
    raw(
        "cells-error",
        f'{Q}{NUMBER}<c r="C2" t="e"><v>#N/A</v></c>',
        (("q", "1"),),
        Finding("xlsx.errors", "1 cell holds an error, and is read as empty: `C2: #N/A`", "mend the formula", WARNING),
    ),
    raw(
        "cells-error-of-a-formula",
        f'{Q}{NUMBER}<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        (("q", "1"),),
        Finding("xlsx.errors", "`C2: #DIV/0!`", "mend the formula", WARNING),
    ),
    raw(
        "formula-without-a-result",
        f'{Q}{NUMBER}<c r="C2"><f>A2</f></c>',
        (("q", "1"),),
        Finding("xlsx.errors", "1 formula has no result, and is read as empty: `C2`", "save it", WARNING),
    ),
    raw(
        "formulas-with-an-empty-value",
        f'{Q}{NUMBER}<c r="C2"><f>A2</f><v/></c><c r="D2"><f>A2</f><v></v></c>',
        (("q", "1"),),
        Finding("xlsx.errors", "2 formulas have no result, and are read as empty: `C2`, `D2`", "save it", WARNING),
    ),
    raw(
        "cells-errors",
        f'{Q}{NUMBER}<c r="C2" t="e"><v>#N/A</v></c><c r="D2" t="e"><v>#REF!</v></c>',
        (("q", "1"),),
        Finding("xlsx.errors", "2 cells hold an error, and are read as empty: `C2: #N/A`", "mend", WARNING),
    ),
    WildFile(
        "numbers-of-more-than-fifteen-digits",
        "b.xlsx",
        formatted((123456789012345678, "0"), (1234567890123456, "General"), (123456789012345, "0")),
        pairs(("123456789012345700", "x"), ("1234567890123456", "x"), ("123456789012345", "x")),
        Finding(
            "xlsx.digits",
            "2 numbers have more than 15 digits, and a workbook keeps no more: `A2 123456789012345",
            "the format text",
            WARNING,
            2,
        ),
        fields=STORED,
        is_warning=True,
    ),
    WildFile(
        "numbers-of-more-than-fifteen-digits-as-shown",
        "b.xlsx",
        formatted((123456789012345678, "0")),
        pairs(("123456789012346000", "x")),
        Finding("xlsx.digits", "1 number has more than 15 digits", "the format text", WARNING, 2),
        fields=SHOWN,
        is_warning=True,
    ),
    WildFile(
        "rows-hidden-by-a-filter",
        "b.xlsx",
        a_sheet(hide_rows),
        pairs(*((f"q{at}", "a") for at in range(4))),
        Finding("xlsx.hidden", "2 hidden rows are read too, by a filter: 3, 4", "`filter`", WARNING, 3),
        is_warning=True,
    ),
    WildFile(
        "filter-that-hides-no-row",
        "b.xlsx",
        a_sheet(set_criteria),
        pairs(*((f"q{at}", "a") for at in range(4))),
        Finding("xlsx.hidden", "the sheet has a filter, and all its rows are read", "`filter`", WARNING),
        is_warning=True,
    ),
    WildFile(
        "filter-without-criteria",
        "b.xlsx",
        a_sheet(set_filter),
        pairs(*((f"q{at}", "a") for at in range(4))),
    ),
    WildFile(
        "column-hidden",
        "b.xlsx",
        a_sheet(hide_a_column),
        pairs(("q", "a")),
        Finding("xlsx.hidden", "hidden columns are read too: B", "", WARNING),
        is_warning=True,
    ),
    WildFile(
        "sheet-hidden",
        "b.xlsx",
        a_sheet(hide_the_sheet),
        pairs(("q", "a")),
        Finding("xlsx.hidden", "the sheet that is read, `Data`, is hidden", "`sheet`", WARNING),
        is_warning=True,
    ),
    WildFile(
        "cells-merged",
        "b.xlsx",
        a_sheet(merge),
        (),
        Finding("row.empty-cell", "`label` holds a cell that is merged with another", "fill every cell", line=3),
        mended=formatted(("q", "General")),
    )._replace(wanted=pairs(("q", "x"))),
    WildFile(
        "formula-without-a-result-that-is-used",
        "b.xlsx",
        a_sheet(lambda sheet: sheet.append(["q", "=1+1"])),
        pairs(("q", "2")),
        Finding("row.empty-cell", "`label` holds a formula without a result", "save it", line=2),
        mended=a_sheet(lambda sheet: sheet.append(["q", 2])),
    ),
    WildFile(
        "header-missing-in-a-workbook",
        "b.xlsx",
        a_sheet(lambda sheet: [sheet.delete_rows(1), *(sheet.append([f"q{at}", "spam"]) for at in range(12))]),
        pairs(*((f"q{at}", "spam") for at in range(12))),
        Finding("table.header-missing", "`spam` is also a cell of its column", "`header: false`", line=1),
        fields={"format": "completion"},
        then={"prompt": "{column_1}", "completion": "{column_2}"},
    ),
)
