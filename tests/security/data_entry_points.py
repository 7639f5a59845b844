"""The entry points of rows: cached measures, regular expressions, steps and workbooks, each spoiled or made to grow."""

import hashlib
import io
import random
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from reconciler.dataset import RowReport, measure
from reconciler.dataset.cache import CacheEntry, _EntryContent
from reconciler.dataset.mapping import MOST_CHARACTERS
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import InputError
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    Convert,
    FillTemplate,
    Filter,
    Form,
    JoinMessages,
    Operation,
    Rename,
    SetColumns,
    Target,
)
from reconciler.foundation.expressions import ExpressionError, compile_expression
from tests.dataset.factories import a_spec, chats, jsonl, write
from tests.dataset.steps.factories import stream_steps
from tests.security.mutations import either, spoiled

SECONDS = 20
"""The processor time of one case: hundreds of times what it takes, so that a busy machine changes nothing."""


def a_cached_measure(chance: random.Random, home: Path) -> Iterator[str]:
    """Read a spoiled entry; half of them have the seal of the spoiled text. None gives another kind of value."""
    kept, body = _cached()
    is_forger = chance.random() < 0.5
    text = either(msgspec.json.decode(body), chance) if is_forger else body
    seal = hashlib.sha256(text).hexdigest().encode()
    whole = seal + b"\n" + text
    path = home / "entry.json"
    path.write_bytes(whole if is_forger else spoiled(whole, chance))
    found = CacheEntry(path, "state").read()
    assert found is None or isinstance(found, DatasetMeasure)
    assert is_forger or found in (None, kept)
    yield from ("not read",) if found is None else ()


@cache
def _cached() -> tuple[DatasetMeasure, bytes]:
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), "rows.jsonl", jsonl(chats(12)))
        kept = measure(a_spec(), Path(place))
    return kept, msgspec.json.encode(_EntryContent("state", kept))


PLAIN = (
    "a",
    "b",
    "é",
    r"\w",
    r"\d",
    ".",
    "[ab]",
    "[^a]",
    r"[\s\S]",
    r"\b",
    "a*",
    "(a|a)*",
    "(a+)+",
    "(a?){30}",
    "$",
    "|",
)
PIECES = (
    *(*PLAIN, "^", "(?:", "(", ")", "(?i)", "(?=", "[", "*", "+", "?", "*?", "{2}", "{0,50}", "{1,1000}", "{,3}"),
    *("{99999}", r"\1", "\\", "😀"),
)


def an_expression(chance: random.Random, _home: Path) -> Iterator[str]:
    """Compile and match an expression that may be hostile."""
    pattern = "".join(chance.choices(chance.choice((PLAIN, PLAIN, PIECES)), k=chance.randint(1, 12)))
    text = "".join(chance.choices(("a", "a", "b", "é", " ", "\n", "\ud800"), k=10)) * chance.choice((1, 100, 1_000))
    with _bound_time():
        try:
            expression = compile_expression.__wrapped__(pattern)
        except ExpressionError as error:
            yield f"{error.what} {error.hint}"
            return
        expression.search(text)
        expression.fullmatch(text)


VALUES: tuple[Any, ...] = (
    "",
    "x",
    "x" * 1_000,
    1,
    None,
    True,
    [],
    {},
    {"a": "b"},
    ["x"] * 3,
    "{a}",
    "\ud800",
    "é" * 99,
)
TEXTS = ("", "x", "{a}", "{a}{a}", "{a}" * 2_000, "{b}{a}{c}", "y" * 10_000)


def some_steps(chance: random.Random, _home: Path) -> Iterator[str]:
    """Run random steps on random rows: no row grows beyond the bound."""
    turns = [{"role": role, "content": chance.choice(VALUES)} for role in chance.choices(("user", "assistant", 7), k=4)]
    rows = [
        {**{key: chance.choice(VALUES) for key in "abc"}, "messages": turns * chance.choice((1, 1, 500))}
        for _ in range(3)
    ]
    report = RowReport()
    with _bound_time():
        for row in stream_steps(rows, *(_a_step(chance) for _ in range(chance.randint(1, 30))), report=report):
            texts = row.values() if isinstance(row, dict) else ()
            assert sum(len(text) for text in texts if isinstance(text, str)) <= MOST_CHARACTERS
    yield from (f"{problem} {problem.hint}" for problem in report.problems)


def _a_step(chance: random.Random) -> Operation:
    column, text = chance.choice("abcd"), chance.choice(TEXTS)
    steps: tuple[Operation, ...] = (
        FillTemplate(((column, text or "x"),)),
        FillTemplate(tuple((each, "{a}{b}" * 20) for each in "abcdefgh")),
        AddPrefix(column, text),
        AddSuffix(column, text),
        SetColumns(((column, text),)),
        JoinMessages(text),
        Rename(((column, chance.choice("abcd")),)),
        Filter(column=column, matches=chance.choice(("(a|a)*b", "x+", ".", "(x?){30}x{30}"))),
        Convert(source=chance.choice(tuple(Form)), target=chance.choice(tuple(Target))),
    )
    return chance.choice((*steps, *steps[:3] * 3))


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</worksheet>'
TABLE = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'
REFERENCES = (
    b'<c r="%s" t="s"><v>%d</v></c>',
    b"<c r='%s' t='s'><v>%d</v></c>",
    b'<c r="%s" t="s"><f>1+1</f><v>+%d</v></c>',
    b'<c r="%s" t="s"><v>%d<!-- x --></v></c>',
    b'<c r="%s"><v>%d</v></c>',
    b'<c r="%s" t="inlineStr"><is><t>%d</t></is></c>',
)
NUMBERS = (b"1e400", b"-1e400", b"1e300", b"-1e12", b"9" * 5_000, b"NaN", b"-0", b"1e-400", b"2958466", b"0x1p9", b"1e")
STYLES = (
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts>'
    b'<numFmt numFmtId="200" formatCode="0.00%%%"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    b'<xf numFmtId="46"/><xf numFmtId="200"/><xf numFmtId="44"/></cellXfs></styleSheet>'
)
HEADER = (
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>prompt</t></is></c>'
    b'<c r="B1" t="inlineStr"><is><t>completion</t></is></c></row>'
)
PARTS = {
    "[Content_Types].xml": b"<Types/>",
    "_rels/.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Target="xl/workbook.xml" Type='
    b'"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
    "xl/workbook.xml": b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
    b'"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    b'<sheet name="S" sheetId="1" r:id="rId1"/></sheets>%s</workbook>',
    "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Target="worksheets/sheet1.xml" Type='
    b'"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>',
}


def a_workbook(chance: random.Random, home: Path) -> Iterator[str]:
    """Read a workbook whose cells repeat texts, or whose parts are spoiled or full of entries."""
    write(home, "rows.xlsx", _workbook(chance))
    with _bound_time():
        try:
            measure(a_spec("rows.xlsx"), home)
        except InputError as error:
            yield from (f"{problem} {problem.hint}" for problem in error.problems)


def _workbook(chance: random.Random) -> bytes:
    size, count = chance.choice(((1, 1), (10, 20), (1_000, 50), (32_000, 3))), chance.choice((5, 40, 40, 400))
    count = 20_000 if chance.random() < 0.01 else count
    texts = b"".join(b"<si><t>%s</t></si>" % (b"x" * size[0]) for _ in range(size[1]))
    if chance.random() < 0.1:
        texts += chance.choice((b"<si/>", b"<!--<si>-->", b"<x:si/>")) * chance.choice((10, 10_000))
    form = chance.choice(REFERENCES)
    rows = b"".join(
        b'<row r="%d">' % (at + 1)
        + b"".join(form % (b"%c%d" % (column, at + 1), chance.randrange(size[1] + 1)) for column in b"AB")
        + b"</row>"
        for at in range(1, count + 1)
    )
    if chance.random() < 0.3:
        cell = b'<row r="%d"><c r="B%d" s="%d"><v>%s</v></c></row>'
        rows += cell % (count + 2, count + 2, chance.randrange(6), chance.choice(NUMBERS))
    merged = b'<mergeCells><mergeCell ref="A1:B2"/></mergeCells>' if chance.random() < 0.2 else b""
    names = b'<definedNames><definedName name="a">S!A1</definedName></definedNames>' * chance.choice((0, 0, 1, 2_000))
    parts = {
        **PARTS,
        "xl/workbook.xml": PARTS["xl/workbook.xml"] % names,
        "xl/sharedStrings.xml": TABLE % texts,
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": SHEET % (b"<sheetData>" + HEADER + rows + b"</sheetData>" + merged),
    }
    if chance.random() < 0.6:
        name = chance.choice(sorted(parts))
        parts[name] = spoiled(parts[name][:50_000], chance)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return spoiled(file.getvalue(), chance) if chance.random() < 0.2 else file.getvalue()


@contextmanager
def _bound_time() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS
