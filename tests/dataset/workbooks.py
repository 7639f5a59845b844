"""Workbooks for tests: of values, and of the XML that programs write."""

import io
import zipfile
from collections.abc import Sequence

import openpyxl


def a_workbook(*rows: Sequence[object], sheets: tuple[str, ...] = ("Data",), above: int = 0) -> bytes:
    """Return a workbook with these rows in its first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        book.create_sheet(name)
    for at, row in enumerate(rows, start=1 + above):
        for column, value in enumerate(row, start=1):
            book[sheets[0]].cell(at, column, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def a_raw_workbook(rows: str, after: str = "", parts: dict[str, str] | None = None, sheet: str = "") -> bytes:
    """Return a workbook of rows as XML; `after` stands after them in the sheet, `parts` are more files."""
    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    relation = f"{office}/officeDocument/2006/relationships"
    package = f"{office}/package/2006/relationships"
    book = f'<sheets><sheet name="Data" sheetId="1" r:id="r1"{sheet}/></sheets>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}">'
        f'<Relationship Id="r1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}">{book}</workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
        f'<Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>',
        **(parts or {}),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()
