"""Reading as the old tool read: by extension, every cell text, with the words it had for each kind of file."""

import os
from collections.abc import Callable

import msgspec

from reconciler.prepare_data.compat.finding import LegacyFinding
from reconciler.prepare_data.compat.read_json import read_lines, read_whole
from reconciler.prepare_data.compat.read_table import read_csv
from reconciler.prepare_data.compat.read_xlsx import read_xlsx
from reconciler.prepare_data.compat.table import LegacyTable

NAME = "read_any_format"
KINDS = "Your file must have one of the following extensions: .CSV, .TSV, .XLSX, .TXT, .JSON or .JSONL"
TO_JSONL = "Your format `{}` will be converted to `JSONL`"


class _LegacyRead(msgspec.Struct, frozen=True):
    table: LegacyTable
    note: str = ""
    necessary: str = ""


def read_any(file: str) -> tuple[LegacyTable, LegacyFinding]:
    """Return a file's rows, and what the old tool said of its format; its error where it could not read it.

    Cost:   the file in memory
    """
    empty = LegacyTable((), ())
    if not os.path.isfile(file):
        return empty, LegacyFinding(name=NAME, error=f"File {file} does not exist.")
    reader = next((read for extension, read in _READERS.items() if file.lower().endswith(extension)), None)
    if reader is None:
        return empty, LegacyFinding(name=NAME, error=f"{KINDS} {_describe_extension(file)}")
    try:
        read = reader(file)
    except (ValueError, TypeError, OSError):
        kind = file.split(".")[-1].upper()
        what = (
            f"Your file `{file}` does not appear to be in valid {kind} format. Please ensure your file is formatted as"
            f" a valid {kind} file."
        )
        return empty, LegacyFinding(name=NAME, error=what)
    return read.table, LegacyFinding(name=NAME, note=read.note, necessary=read.necessary)


def _describe_extension(file: str) -> str:
    if "." in file:
        return f"Your file `{file}` ends with the extension `.{file.split('.')[-1]}` which is not supported."
    return f"Your file `{file}` is missing a file extension."


def _read_delimited(kind: str, separator: str) -> Callable[[str], _LegacyRead]:
    def read(file: str) -> _LegacyRead:
        note = f"\n- Based on your file extension, your file is formatted as a {kind} file"
        return _LegacyRead(read_csv(file, separator), note, TO_JSONL.format(kind))

    return read


def _read_workbook(file: str) -> _LegacyRead:
    table, sheets = read_xlsx(file)
    note = "\n- Based on your file extension, your file is formatted as an Excel file"
    if sheets > 1:
        note += (
            "\n- Your Excel file contains more than one sheet. Please either save as csv or ensure all data is present"
            " in the first sheet. WARNING: Reading only the first sheet..."
        )
    return _LegacyRead(table, note, TO_JSONL.format("XLSX"))


def _read_text(file: str) -> _LegacyRead:
    with open(file, encoding="utf-8") as opened:
        rows = tuple(("", line) for line in opened.read().split("\n"))
    note = "\n- Based on your file extension, you provided a text file"
    return _LegacyRead(LegacyTable(("prompt", "completion"), rows), note, TO_JSONL.format("TXT"))


def _read_jsonl(file: str) -> _LegacyRead:
    table = read_lines(file)
    if len(table) != 1:
        return _LegacyRead(table)
    return _LegacyRead(read_whole(file), _SWAPPED.format("JSONL", "JSON"), TO_JSONL.format("JSON"))


def _read_json(file: str) -> _LegacyRead:
    try:
        table = read_lines(file)
    except ValueError:
        # Not one value a line, so most likely an indented list.
        return _LegacyRead(read_whole(file))
    if len(table) == 1:
        return _LegacyRead(read_whole(file))
    return _LegacyRead(table, _SWAPPED.format("JSON", "JSONL"), TO_JSONL.format("JSON"))


_SWAPPED = "\n- Your {} file appears to be in a {} format. Your file will be converted to JSONL format"

_READERS: dict[str, Callable[[str], _LegacyRead]] = {
    ".csv": _read_delimited("CSV", ","),
    ".tsv": _read_delimited("TSV", "\t"),
    ".xlsx": _read_workbook,
    ".txt": _read_text,
    ".jsonl": _read_jsonl,
    ".json": _read_json,
}
