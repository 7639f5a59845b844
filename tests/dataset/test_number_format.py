"""Number formats: what a sheet shows of a value, and the codes that are not written here."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.dataset.readers.number_format import Moment, show_moment, show_number
from reconciler.dataset.readers.sheet_facts import UnreadableSheetError, read_facts

from .workbooks import a_raw_workbook


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        ("123", "00000", "00123"),
        ("0.15", "0%", "15%"),
        ("0.1234", "0.0 %", "12.3 %"),
        ("12", '"€"#,##0.00', "€12.00"),
        ("12", "_($* #,##0.00_)", "$12.00"),
        ("1234.5", "[$€-407] #,##0.00", "€ 1,234.50"),
        ("1", '"yes";;"no"', "yes"),
        ("0", '"yes";;"no"', "no"),
        ("-5", "#,##0.00;(#,##0.00)", "(5.00)"),
        ("-5", "0.0", "-5.0"),
        ("0.005", "0.00", "0.01"),
        ("0.5", "#.00", ".50"),
        ("0.5", "0.##", "0.5"),
        ("1234567", "0.0,,", "1.2"),
        ("1234567.891", "#,##0.00", "1,234,567.89"),
        ("123456789", "000-00-0000", "123-45-6789"),
        ("12345", "0.00E+00", "1.23E+04"),
        ("0.00012", "0.00E+00", "1.20E-04"),
        ("12", '0" pcs"', "12 pcs"),
        ("-3", "[Red]0", "-3"),
        ("7", "@", "7"),
        ("0.30000000000000004", "General", "0.3"),
        ("1E+21", "0", "1000000000000000000000"),
        ("5", ";;;", ""),
        ("-5", "General;[Red]-General", "-5"),
        ("5", "General;[Red]-General", "5"),
        ("-5.5", 'General" kg"', "-5.5 kg"),
        ("0", 'General;-General;"none"', "none"),
        ("5", "[$-409]General", "5"),
        ("5", "0 General", None),
        ("5", "[>3]General", None),
        ("5", "[>3]0", None),
        ("0.5", "# ?/?", None),
        ("5", "h:mm", None),
    ],
)
def test_a_number_is_written_as_a_sheet_shows_it(value: str, code: str, shown: str | None) -> None:
    assert show_number(Decimal(value), code) == shown


DAY, MOMENT = dt.date(2024, 3, 1), dt.datetime(2024, 3, 1, 14, 5, 9)  # noqa: DTZ001 (sheets have no zones)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (DAY, "d/m/yy", "1/3/24"),
        (DAY, "d-mmm-yy", "1-Mar-24"),
        (DAY, "dd.mm.yyyy", "01.03.2024"),
        (DAY, 'dddd, d" of "mmmm yyyy', "Friday, 1 of March 2024"),
        (DAY, "[$-409]mmmm\\ d\\,\\ yyyy;@", "March 1, 2024"),
        (MOMENT, "yyyy-mm-dd hh:mm:ss", "2024-03-01 14:05:09"),
        (MOMENT, "h:mm AM/PM", "2:05 PM"),
        (MOMENT, "YYYY-MM-DD HH:MM:SS", "2024-03-01 14:05:09"),
        (dt.timedelta(hours=36), "[H]:MM", "36:00"),
        (dt.time(0, 5), "h:mm AM/PM", "12:05 AM"),
        (dt.time(6, 0, 5), "mm:ss", "00:05"),
        (dt.time(6, 0, 5, 250_000), "mm:ss.00", "00:05.25"),
        (dt.timedelta(hours=36, seconds=7), "[h]:mm:ss", "36:00:07"),
        (dt.time(6), "yyyy", None),
        (DAY, "[$-407]dddd, d. mmmm yyyy", None),
        (DAY, "[$-de-DE]d. mmm", None),
        (DAY, "[$-407]dd.mm.yyyy", "01.03.2024"),
        (DAY, "[$-809]d mmm yy", "1 Mar 24"),
        (DAY, "[$-en-US]mmmm d", "March 1"),
        (DAY, "[$-F800]dddd\\, mmmm dd\\, yyyy", None),
        (MOMENT, "[$-F400]h:mm:ss AM/PM", None),
        (DAY, "[$-x-sysdate]dddd, mmmm dd, yyyy", None),
        (DAY, "General", None),
        (DAY, "0", None),
    ],
)
def test_a_date_is_written_as_a_sheet_shows_it(value: Moment, code: str, shown: str | None) -> None:
    assert show_moment(value, code) == shown


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12),
    st.text(max_size=12),
)
def test_no_code_raises(value: Decimal, code: str) -> None:
    assert isinstance(show_number(value, code), str | None)
    assert isinstance(show_moment(MOMENT, code), str | None)


@given(st.text('0#?.,%E+-dmyhsAP/@;"[]$_* ', max_size=14))
def test_no_code_of_their_own_characters_raises(code: str) -> None:
    for value in ("0", "-1.5", "1234567.125"):
        assert isinstance(show_number(Decimal(value), code), str | None)
    for moment in (DAY, MOMENT, dt.time(5), dt.timedelta(hours=30)):
        assert isinstance(show_moment(moment, code), str | None)


@pytest.mark.parametrize(
    "rows", ['<row r="x"/>', '<row r="1"><c s="y"/></row>', f'<row r="{"9" * 5000}" hidden="1"/>', "<row>", "&none;"]
)
def test_a_sheet_of_broken_xml_is_a_problem_and_no_crash(rows: str) -> None:
    book = a_raw_workbook(rows, after='<autoFilter ref="A1:B2"/>')
    with pytest.raises(UnreadableSheetError):
        read_facts(io.BytesIO(book), "Data", 1, 1)


def test_a_document_type_is_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet>&a;<autoFilter/></worksheet>'
    book = a_raw_workbook("", parts={"xl/worksheets/sheet1.xml": bomb})
    with pytest.raises(UnreadableSheetError, match="document type"):
        read_facts(io.BytesIO(book), "Data", 1, 1)


@pytest.mark.parametrize(
    ("cell", "unsolved"),
    [
        ("<f>A1</f>", 1),
        ("<f>A1</f><v/>", 1),
        ("<f>A1</f><v></v>", 1),
        ("<f>A1</f><v>0</v>", 0),
        ("<v/>", 0),
    ],
)
def test_a_formula_without_a_result_is_counted(cell: str, unsolved: int) -> None:
    book = a_raw_workbook(f'<row r="1"><c r="A1">{cell}</c></row>')
    assert read_facts(io.BytesIO(book), "Data", 1, 1).unsolved_count == unsolved


def test_an_empty_text_is_a_result() -> None:
    book = a_raw_workbook('<row r="1"><c r="A1" t="str"><f>A1</f><v></v></c></row>')
    assert read_facts(io.BytesIO(book), "Data", 1, 1).unsolved_count == 0


def test_only_the_first_fifteen_digits_of_a_number_are_shown() -> None:
    assert show_number(Decimal(123456789012345678), "0") == "123456789012346000"
    assert show_number(Decimal("0.30000000000000004"), "0.0################") == "0.3"
