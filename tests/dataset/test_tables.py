"""CSV, TSV and XLSX: text by column."""

import datetime
import io
import struct
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import measure
from reconciler.dataset.readers import table_header
from reconciler.dataset.readers.shown_cells import cell_to_text
from reconciler.dataset.readers.workbook_size import MAX_UNPACKED_BYTES
from reconciler.domain.spec import ColumnMapping, Encoding, Format, Terms

from .factories import CORPUS, a_spec, jsonl, measured, only, problems, rules, write
from .workbooks import a_raw_workbook, a_workbook

TABLE = "prompt,completion\n" + "".join(f"question {at},answer {at}\n" for at in range(12))
PAIRS = jsonl({"prompt": f"question {at}", "completion": f"answer {at}"} for at in range(12))
FIRST_TWO = ColumnMapping(prompt="{c0}", completion="{c1}")
ASKED = ColumnMapping(prompt="{text}", completion="{label}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", TABLE.encode()),
        ("rows.csv", b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode()),
        ("rows.csv", TABLE.rstrip().encode()),
        ("rows.CSV", TABLE.replace("answer 3", '"answer 3"').encode()),
        ("rows.tsv", TABLE.replace(",", "\t").encode()),
    ],
)
def test_a_table_has_the_digest_of_its_rows(tmp_path: Path, name: str, content: bytes) -> None:
    table = measured(tmp_path, content, name)
    lines = measured(tmp_path, PAIRS, "pairs.jsonl")
    assert table == lines
    assert table.format is Format.COMPLETION


@pytest.mark.parametrize("at", [0, 31, 32, 90])
@pytest.mark.parametrize(
    ("row", "rule"), [("a,", "row.empty-cell"), ("a,b,c", "table.cells"), (",b", "row.empty-cell")]
)
def test_a_bad_row_of_a_long_table_is_reported_at_its_line_only(tmp_path: Path, at: int, row: str, rule: str) -> None:
    rows = [f"question {each},answer {each}" for each in range(100)]
    content = "\n".join(["prompt,completion", *rows[:at], row, *rows[at:]])
    assert only(problems(tmp_path, content.encode(), "rows.csv"), rule).where.line == at + 2


def test_the_order_of_the_two_columns_does_not_count(tmp_path: Path) -> None:
    rows = [(f"question {each}", f"answer {each}") for each in range(100)]
    one, other = (
        measured(tmp_path, "\n".join(",".join(row[::step]) for row in [("prompt", "completion"), *rows]).encode(), name)
        for step, name in ((1, "one.csv"), (-1, "other.csv"))
    )
    assert one.training == other.training
    assert one.training.rows == 100


def test_cells_are_read_unchanged(tmp_path: Path) -> None:
    content = TABLE + '"  a ""b"",\nc \r",\ud55c\n'
    expected = PAIRS + jsonl([{"prompt": '  a "b",\nc \r', "completion": "\ud55c"}])
    assert measured(tmp_path, content.encode(), "rows.csv") == measured(tmp_path, expected)


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv"])
@pytest.mark.parametrize("encoding", [Encoding.UTF_8, Encoding.UTF_16])
def test_a_line_break_in_a_cell_is_the_same_however_lines_end(tmp_path: Path, name: str, encoding: Encoding) -> None:
    """A checkout with CRLF changes no digest: the one with LF has the digest that it always had."""
    table = TABLE + '"two\nlines\n\nand ""more""","\nx"\n"last",line'
    lines = table.replace(",", "\t") if name.endswith("tsv") else table
    results = []
    for ends in ("\n", "\r\n"):
        write(tmp_path, name, lines.replace("\n", ends).encode(encoding))
        results.append(measure(replace(a_spec(name), terms=(Terms(encoding=encoding),)), tmp_path))
    expected = PAIRS + jsonl(
        [{"prompt": 'two\nlines\n\nand "more"', "completion": "\nx"}, {"prompt": "last", "completion": "line"}]
    )
    assert results == [measured(tmp_path, expected)] * 2


def test_a_row_has_the_line_it_begins_on(tmp_path: Path) -> None:
    content = TABLE + '"two\nlines",x\n\n"three\n\nlines",\nz\n'
    found = problems(tmp_path, content, "rows.csv")
    assert [(problem.rule, problem.where.line) for problem in found] == [
        ("text.blank-line", 16),
        ("row.empty-cell", 17),
        ("row.empty-cell", 20),
    ]


@pytest.mark.parametrize(
    ("content", "rule", "line", "what"),
    [
        (TABLE + "a,b,c\n", "table.cells", 14, "3 cells"),
        ("prompt,prompt,completion\n", "table.header", 1, "`prompt` more than once"),
        (",,\n" + TABLE, "text.blank-line", 1, "1 blank line is skipped"),
        (TABLE.replace(",", "\t"), "table.delimiter", 1, "separated by tabs"),
        (TABLE.replace(",", ";"), "table.delimiter", 1, "separated by semicolons"),
        (TABLE + '"a,b\n' + "c,d\n" * 9, "table.syntax", 14, "has no end"),
        (TABLE + '"a"b,c\n', "table.syntax", 14, "after its closing quote"),
        (TABLE.replace("\n", "\r"), "table.syntax", 1, "carriage return"),
        (TABLE + '"' + "x" * 17_000_000, "text.line-length", 14, "longer than 16 MiB"),
        (TABLE + '"' + ("x" * 999_999 + "\n") * 17, "table.syntax", 14, "has no end"),
    ],
)
def test_mistakes_in_a_table_have_their_line(tmp_path: Path, content: str, rule: str, line: int, what: str) -> None:
    problem = only(problems(tmp_path, content, "rows.csv"), rule)
    assert problem.where.line == line
    assert what in problem.what


def test_empty_cells_beyond_the_header_and_nameless_columns_are_ignored(tmp_path: Path) -> None:
    content = "prompt,completion,\n" + "".join(f"question {at},answer {at},,\n" for at in range(12))
    result = measured(tmp_path, content.encode(), "rows.csv")
    assert result.training == measured(tmp_path, PAIRS).training
    assert rules(result.warnings) == ["table.header"]


def test_latin_1_in_a_table_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    content = (TABLE + "Größe,x\n" + "a,b,c\n").encode("latin-1")
    found = problems(tmp_path, content, "rows.csv")
    assert [(problem.rule, problem.where.line, problem.where.column) for problem in found] == [
        ("text.encoding", 14, 3),
        ("table.cells", 15, 0),
    ]


def test_a_table_without_the_two_columns_needs_a_mapping(tmp_path: Path) -> None:
    found = problems(tmp_path, "id,text,label\n1,a,b\n", "rows.csv")
    assert rules(found) == ["mapping.missing"]
    assert found[0].hint == 'add `prompt: "{text}"`, `completion: "{label}"` to the Dataset'


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    content = TABLE + f'"{"long " * 100_000}",x\n'
    assert measured(tmp_path, content.encode(), "rows.csv").training.rows == 13


def test_columns_beside_prompt_and_completion_are_left_out_with_a_warning(tmp_path: Path) -> None:
    content = "id,prompt,completion\n" + "".join(f"{at},question {at},answer {at}\n" for at in range(12))
    result = measured(tmp_path, content.encode(), "rows.csv")
    assert result.training == measured(tmp_path, PAIRS).training
    assert "`id`" in only(result.warnings, "mapping.unused").what


def test_a_table_read_as_chat_becomes_two_turns(tmp_path: Path) -> None:
    turns = [
        {"messages": [{"role": "user", "content": f"question {at}"}, {"role": "assistant", "content": f"answer {at}"}]}
        for at in range(12)
    ]
    assert measured(tmp_path, TABLE.encode(), "rows.csv", format=Format.CHAT) == measured(tmp_path, jsonl(turns))


WORKBOOK = a_workbook(["prompt", "completion"], *([f"question {at}", f"answer {at}"] for at in range(12)))


def test_a_workbook_has_the_digest_of_its_rows(tmp_path: Path) -> None:
    assert measured(tmp_path, WORKBOOK, "rows.xlsx") == measured(tmp_path, PAIRS)


@pytest.mark.parametrize("written", ["two\nlines", "two\r\nlines", "two_x000D_\nlines", "two&#13;&#10;lines"])
def test_a_workbook_of_another_program_has_the_same_rows(tmp_path: Path, written: str) -> None:
    """Programs differ in line breaks, in where texts stand, and in the form of numbers."""
    expected = measured(
        tmp_path, a_workbook(["prompt", "completion"], *([f"two\nlines {at}", at] for at in range(12))), "rows.xlsx"
    )
    cells = [
        f'<c r="A{at + 2}" t="inlineStr"><is><t>{written} {at}</t></is></c><c r="B{at + 2}"><v>{at}.0E0</v></c>'
        for at in range(12)
    ]
    header = "".join(
        f'<c r="{ref}" t="inlineStr"><is><t>{name}</t></is></c>'
        for ref, name in (("A1", "prompt"), ("B1", "completion"))
    )
    rows = "".join(f'<row r="{at}">{row}</row>' for at, row in enumerate([header, *cells], start=1))
    assert measured(tmp_path, a_raw_workbook(rows), "rows.xlsx") == expected


def test_a_published_workbook_is_read(tmp_path: Path) -> None:
    result = measured(tmp_path, (CORPUS / "context-switching.xlsx").read_bytes(), "rows.xlsx")
    assert (result.format, result.training.rows, result.warnings) == (Format.COMPLETION, 223, ())


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (3.0, "3"),
        (-0.5, "-0.5"),
        (1e21, "1000000000000000000000"),
        (True, "TRUE"),
        ("3.0", "3.0"),
        (" x ", " x "),
        (datetime.date(2024, 2, 1), "2024-02-01"),
        (datetime.datetime(2024, 2, 1, 3, 4, 5), "2024-02-01T03:04:05"),  # noqa: DTZ001 (sheets have no zones)
        (datetime.time(3, 4), "03:04:00"),
        (datetime.timedelta(hours=30, seconds=7), "30:00:07"),
    ],
)
def test_a_cell_becomes_text(cell: object, text: str) -> None:
    assert cell_to_text(cell) == text  # type: ignore[arg-type]


def test_rows_of_a_sheet_have_its_numbers(tmp_path: Path) -> None:
    rows = [["text", "label"], *([f"q{at}", at] for at in range(12)), [], ["only a question"]]
    found = problems(tmp_path, a_workbook(*rows, above=3), "rows.xlsx", mapping=ASKED)  # type: ignore[arg-type]
    assert [(problem.rule, problem.where.line) for problem in found] == [
        ("text.blank-line", 17),
        ("row.empty-cell", 18),
    ]


def test_the_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    book = a_workbook(["prompt", "completion"], *([f"q{at}", "a"] for at in range(12)), sheets=("Rows", "Notes"))
    warning = only(measured(tmp_path, book, "rows.xlsx").warnings, "xlsx.sheet")
    assert "`Rows`" in warning.what
    assert measured(tmp_path, book, "rows.xlsx", sheet="Rows").warnings == ()
    missing = only(problems(tmp_path, book, "rows.xlsx", sheet="rows"), "xlsx.sheet")
    assert "`Rows`, `Notes`" in missing.what
    assert missing.hint == "did you mean `Rows`?"


def changed(book: bytes, **parts: bytes) -> bytes:
    """Return a workbook with the content of its first sheet, or of other parts, replaced or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop("sheet" if name.endswith("sheet1.xml") else name, old.read(name)))
        for name, content in parts.items():
            new.writestr(name, content)
    return file.getvalue()


def understating(book: bytes) -> bytes:
    """Return a workbook whose archive claims that every part unpacks to eight bytes."""
    out = bytearray(book)
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        at = archive.start_dir
    while out[at : at + 4] == b"PK\x01\x02":
        struct.pack_into("<I", out, at + 24, 8)
        name, extra, comment = struct.unpack_from("<HHH", out, at + 28)
        at += 46 + name + extra + comment
    return bytes(out)


SPREAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("content", "rule", "what"),
    [
        (b"prompt,completion\na,b\n", "file.kind", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0old", "file.kind", "an old workbook, or one with a password"),
        (b"version https://git-lfs.github.com/spec/v1\n", "file.lfs-pointer", "Git LFS"),
        (b"", "file.kind", "not an Excel workbook"),
        (b"PK\x03\x04 and nothing more", "xlsx.syntax", "cannot be unpacked"),
        (WORKBOOK[:-40], "xlsx.syntax", "cannot be unpacked"),
        (changed(WORKBOOK, sheet=b"<worksheet><sheetData><row><c"), "xlsx.syntax", "cannot be read"),
        (changed(WORKBOOK, sheet=b"\xff\xff"), "xlsx.syntax", "cannot be read"),
        (changed(WORKBOOK, sheet=b"<worksheet/>"), "rows.none", "no rows"),
        (changed(WORKBOOK, sheet=SPREAD % b'<row r="1048576"><c r="XFD1048576"/></row>'), "file.size", "16384 columns"),
        (
            changed(
                WORKBOOK,
                sheet=SPREAD % (b'<row r="1"><c />' + b"<c></c><c\t/>" * 2500 + b'</row><row r="99999"><c/></row>'),
            ),
            "file.size",
            "99999 rows",
        ),
        (
            changed(WORKBOOK, sheet=SPREAD % (b'<row r="1">' + b"<c/>" * 5000 + b'</row><row r="99999"><c/></row>')),
            "file.size",
            "99999 rows",
        ),
    ],
    # A workbook holds the time of its writing, so an id made of its bytes would differ from one process to the next.
    ids=["text", "old", "lfs", "empty", "start", "cut", "xml", "bytes", "no-rows", "wide", "spread", "tall"],
)
def test_a_workbook_that_cannot_be_read_safely_is_refused(tmp_path: Path, content: bytes, rule: str, what: str) -> None:
    problem = only(problems(tmp_path, content, "rows.xlsx"), rule)
    assert what in problem.what
    assert problem.hint


def test_a_workbook_that_unpacks_to_too_much_is_refused_whatever_size_it_claims(tmp_path: Path) -> None:
    bomb = changed(WORKBOOK, sheet=b" " * (MAX_UNPACKED_BYTES + 1))
    for content in (bomb, understating(bomb)):
        assert "more than 256 MiB" in only(problems(tmp_path, content, "rows.xlsx"), "file.size").what


TEXTS = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'


def pack_repeated_text(
    cell: bytes, text: bytes = b"<si><t>" + b"x" * 32_000 + b"</t></si>", rows: int = 10_000
) -> bytes:
    """Return a workbook of ten thousand rows, each a cell that refers to a long text."""
    lines = b"".join(b'<row r="%d">' % at + cell.replace(b"A1", b"A%d" % at) + b"</row>" for at in range(1, rows + 1))
    return changed(WORKBOOK, sheet=SPREAD % lines, **{"xl/sharedStrings.xml": TEXTS % text})


@pytest.mark.parametrize(
    "content",
    [
        pack_repeated_text(b'<c r="A1" t="s"><v>0</v></c>'),
        pack_repeated_text(b"<c r='A1' t='s'><v>0</v></c>"),
        pack_repeated_text(b'<c r="A1" t="&#115;"><v>&#48;</v></c>'),
        pack_repeated_text(b'<c r="A1" t="s"><v><![CDATA[0]]></v></c>'),
        pack_repeated_text(b'<c r="A1" t="s"><f>1+1</f><v>0</v></c>'),
        pack_repeated_text(b'<c r="A1" t="s"><v>+0</v></c>'),
        pack_repeated_text(b'<c r="A1" t="s"><v>0<!-- 7 --></v></c>'),
        pack_repeated_text(
            b'<c r="A1" t="s"><v>0</v></c>', b"<si><t>" + (b"x" * 99 + b"<!--<si>-->") * 320 + b"</t></si>"
        ),
    ],
    ids=["plain", "quotes", "entities", "cdata", "formula", "plus", "comment", "comment-in-text"],
)
def test_a_text_that_stands_in_many_cells_is_refused_before_it_is_copied(tmp_path: Path, content: bytes) -> None:
    """A file of some kilobytes would take gigabytes."""
    assert len(content) < 200_000
    problem = only(problems(tmp_path, content, "rows.xlsx"), "file.size")
    assert "more than 256 MiB of text" in problem.what


def test_short_texts_that_stand_in_many_cells_are_read(tmp_path: Path) -> None:
    text = b"<si><t>prompt</t></si><si><t>completion</t></si><si><t>%s</t></si><si><t>yes</t></si>" % (b"x" * 30_000)
    cells = b'<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>'
    rows = b"".join(
        b'<row r="%d"><c r="A%d"><v>%d</v></c><c r="B%d" t="s"><v>%d</v></c></row>' % (*[at] * 4, 2 if at < 20 else 3)
        for at in range(2, 10_002)
    )
    sheet = SPREAD % (b'<row r="1">' + cells + b"</row>" + rows)
    content = changed(WORKBOOK, sheet=sheet, **{"xl/sharedStrings.xml": TEXTS % text})
    assert measured(tmp_path, content, "rows.xlsx").training.rows == 10_000


@pytest.mark.parametrize(
    ("part", "content", "what"),
    [
        ("xl/sharedStrings.xml", TEXTS % (b"<si/>" * 2_000_001), "more than 2,000,000 texts"),
        ("xl/workbook.xml", b"<workbook>" + b'<definedName name="a">A1</definedName>' * 1_000_001, "1,000,000 entries"),
        ("xl/styles.xml", b"<styleSheet>" + b"<xf/>" * 1_000_001, "1,000,000 entries"),
        ("xl/_rels/workbook.xml.rels", b"<r>" + b"<Relationship/>" * 1_000_001, "1,000,000 entries"),
    ],
    ids=["texts", "names", "styles", "relations"],
)
def test_a_part_of_millions_of_entries_is_refused(tmp_path: Path, part: str, content: bytes, what: str) -> None:
    problem = only(problems(tmp_path, changed(WORKBOOK, **{part: content}), "rows.xlsx"), "file.size")
    assert what in problem.what


def test_an_archive_of_a_million_parts_is_refused_unread(tmp_path: Path) -> None:
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0)
    problem = only(problems(tmp_path, WORKBOOK + end, "rows.xlsx"), "file.size")
    assert "10000 parts" in problem.what


def test_a_workbook_with_changed_bytes_gives_rows_or_problems(tmp_path: Path) -> None:
    for at in range(0, len(WORKBOOK), max(1, len(WORKBOOK) // 60)):
        broken = WORKBOOK[:at] + bytes([WORKBOOK[at] ^ 0xFF]) + WORKBOOK[at + 1 :]
        assert isinstance(problems(tmp_path, broken, "rows.xlsx"), tuple)
    for at in range(0, 1500, 50):
        sheet = SPREAD % b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        assert isinstance(
            problems(tmp_path, changed(WORKBOOK, sheet=sheet[:at] + b"\xff" + sheet[at:]), "rows.xlsx"), tuple
        )


def test_without_a_sheet_with_the_columns_a_choice_is_needed(tmp_path: Path) -> None:
    name = write(tmp_path, "rows.xlsx", a_workbook(["text", "label"], *([f"q{at}", at] for at in range(12))))
    rows = jsonl({"prompt": f"q{at}", "completion": str(at)} for at in range(12))
    assert measure(a_spec(name, mapping=ASKED), tmp_path) == measured(tmp_path, rows)


WIDE = ",".join(f"c{at}" for at in range(16_000)) + "\n"


def test_rows_that_lack_millions_of_cells_end_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_header, "MOST_MISSING_CELLS", 100_000)
    content = WIDE + "".join(f"q{at},a{at}\n" for at in range(50))
    problem = only(problems(tmp_path, content.encode(), "rows.csv", mapping=FIRST_TWO), "table.cells")
    # A row lacks 15,998 cells, and 20 are free for each of its cells and characters.
    assert problem.where.line == 8
    assert "names 16,000 columns" in problem.what
    assert problem.hint


def test_a_row_may_lack_cells_in_proportion_to_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_header, "MOST_MISSING_CELLS", 0)
    header = ",".join(f"c{at}" for at in range(300)) + "\n"
    content = header + "".join(f"question {at},answer {at}\n" for at in range(50))
    assert measured(tmp_path, content.encode(), "rows.csv", mapping=FIRST_TWO).training.rows == 50


def test_a_short_row_is_the_row_with_empty_cells(tmp_path: Path) -> None:
    short, whole = (
        "c0,c1,,c3\n" + "".join(f"question {at},answer {at}{end}\n" for at in range(20)) for end in ("", ",x,")
    )
    one = measured(tmp_path, short.encode(), "rows.csv", mapping=FIRST_TWO)
    assert one == measured(tmp_path, whole.encode(), "rows.csv", mapping=FIRST_TWO)
