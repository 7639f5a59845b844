"""Numbers of a workbook that no spreadsheet holds, dates that are none, and what of it is read all the same."""

from pathlib import Path

import pytest

from reconciler.dataset.steps import ConversionError
from reconciler.dataset.steps.turns import set_turn_weights
from reconciler.prepare_data.compat.read_tables import read_xlsx

from .factories import measured, problems, write
from .test_sheet_cost import styles
from .workbooks import a_raw_workbook

GENERAL, DATE, SPAN, MONEY = 0, 1, 2, 3
FORMATS = styles("0.0", "yyyy-mm-dd", "[h]:mm:ss", "#,##0.00 \\d")


def a_sheet(number: str, style: int) -> bytes:
    """Return a workbook with one number beside its texts."""
    cells = ["<c><v>1</v></c>", f'<c s="{style}"><v>{number}</v></c>', *["<c><v>2</v></c>"] * 10]
    rows = "".join(
        f'<row r="{at}"><c r="A{at}" t="inlineStr"><is><t>question {at}</t></is></c>{cell}</row>'
        for at, cell in enumerate(cells, start=2)
    )
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>prompt</t></is></c>'
    head += '<c r="B1" t="inlineStr"><is><t>completion</t></is></c></row>'
    return a_raw_workbook(head + rows, parts={"xl/styles.xml": FORMATS, **RELATIONS})


OFFICE = "http://schemas.openxmlformats.org"
KINDS = f"{OFFICE}/officeDocument/2006/relationships"
RELATIONS = {
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{OFFICE}/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{KINDS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{KINDS}/styles" Target="styles.xml"/>'
    "</Relationships>"
}


@pytest.mark.parametrize(
    ("number", "style", "place"),
    [
        ("9" * 30_000, GENERAL, "B3 has a number"),
        ("1e400", GENERAL, "B3 has a number"),
        ("-1e999999", MONEY, "B3 has a number"),
        ("NaN", GENERAL, "B3 has a number"),
        ("inf", GENERAL, "B3 has a number"),
        ("9" * 400, DATE, "B3 has a number"),
        ("-1e400", DATE, "B3 has the form of a date"),
        ("-1e300", SPAN, "B3 has the form of a date"),
        ("1e300", SPAN, "row 3 has the form of a date"),
        ("1e10", SPAN, "row 3 has the form of a date"),
        ("-" + "9" * 400, DATE, "B3 has the form of a date"),
    ],
    ids=["digits", "1e400", "-1e999999", "nan", "inf", "date", "-date", "-span", "span", "span-1e10", "-date-digits"],
)
def test_a_number_that_no_sheet_holds_is_a_problem_with_its_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], number: str, style: int, place: str
) -> None:
    (problem,) = problems(tmp_path, a_sheet(number, style), "rows.xlsx")
    assert problem.rule == "xlsx.syntax"
    assert problem.what.startswith(place)
    assert "format text" in problem.hint
    # The library that reads workbooks writes of its own failures.
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("number", "style"), [("1e308", GENERAL), ("-1e300", MONEY), ("1e-400", GENERAL), ("2958466", DATE), ("-1", DATE)]
)
def test_a_number_at_the_end_of_what_sheets_hold_is_read(tmp_path: Path, number: str, style: int) -> None:
    assert measured(tmp_path, a_sheet(number, style), "rows.xlsx").training.rows == 12


@pytest.mark.parametrize(("number", "style"), [("-1e400", DATE), ("1e300", SPAN)])
def test_the_old_reader_refuses_them_as_a_file_that_cannot_be_read(tmp_path: Path, number: str, style: int) -> None:
    write(tmp_path, "rows.xlsx", a_sheet(number, style))
    with pytest.raises(ValueError, match="a number that is none"):
        read_xlsx(str(tmp_path / "rows.xlsx"))


def test_a_weight_of_many_digits_is_neither_on_nor_off() -> None:
    edit = set_turn_weights("train", inverted=False)
    with pytest.raises(ConversionError):
        edit({"messages": [{"role": "assistant", "content": "a", "train": 10**400}]})
