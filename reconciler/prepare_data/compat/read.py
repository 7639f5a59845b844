"""Reading as the old tool read: by extension, every cell text, with the words it had for each kind of file."""

import os
from collections.abc import Callable

import msgspec

from reconciler.prepare_data.compat.finding import Finding
from reconciler.prepare_data.compat.read_json import read_lines, read_whole
from reconciler.prepare_data.compat.read_table import read_csv
from reconciler.prepare_data.compat.read_xlsx import read_xlsx
from reconciler.prepare_data.compat.table import Table

NAME = "read_any_format"
KINDS = "Your file must have one of the following extensions: .CSV, .TSV, .XLSX, .TXT, .JSON or .JSONL"
TO_JSONL = "Your format `{}` will be converted to `JSONL`"


class _Read(msgspec.Struct, frozen=True):
    table: Table
    note: str = ""
    necessary: str = ""


def read_any(file: str) -> tuple[Table, Finding]:
    """Return a file's rows, and what the old tool said of its format; its error where it could not read it.

    Cost:   the file in memory
    """
    empty = Table((), ())
    if not os.path.isfile(file):
        return empty, Finding(name=NAME, error=f"File {file} does not exist.")
    reader = next((read for extension, read in _READERS.items() if file.lower().endswith(extension)), None)
    if reader is None:
        return empty, Finding(name=NAME, error=f"{KINDS} {_of_no_kind(file)}")
    try:
        read = reader(file)
    except (ValueError, TypeError, OSError):
        kind = file.split(".")[-1].upper()
        what = (
            f"Your file `{file}` does not appear to be in valid {kind} format. Please ensure your file is formatted as"
            f" a valid {kind} file."
        )
        return empty, Finding(name=NAME, error=what)
    return read.table, Finding(name=NAME, note=read.note, necessary=read.necessary)


def _of_no_kind(file: str) -> str:
    if "." in file:
        return f"Your file `{file}` ends with the extension `.{file.split('.')[-1]}` which is not supported."
    return f"Your file `{file}` is missing a file extension."


def _delimited(kind: str, separator: str) -> Callable[[str], _Read]:
    def read(file: str) -> _Read:
        note = f"\n- Based on your file extension, your file is formatted as a {kind} file"
        return _Read(read_csv(file, separator), note, TO_JSONL.format(kind))

    return read


def _xlsx(file: str) -> _Read:
    table, sheets = read_xlsx(file)
    note = "\n- Based on your file extension, your file is formatted as an Excel file"
    if sheets > 1:
        note += (
            "\n- Your Excel file contains more than one sheet. Please either save as csv or ensure all data is present"
            " in the first sheet. WARNING: Reading only the first sheet..."
        )
    return _Read(table, note, TO_JSONL.format("XLSX"))


def _txt(file: str) -> _Read:
    with open(file, encoding="utf-8") as opened:
        rows = tuple(("", line) for line in opened.read().split("\n"))
    note = "\n- Based on your file extension, you provided a text file"
    return _Read(Table(("prompt", "completion"), rows), note, TO_JSONL.format("TXT"))


def _jsonl(file: str) -> _Read:
    table = read_lines(file)
    if len(table) != 1:
        return _Read(table)
    return _Read(read_whole(file), _SWAPPED.format("JSONL", "JSON"), TO_JSONL.format("JSON"))


def _json(file: str) -> _Read:
    try:
        table = read_lines(file)
    except ValueError:
        # Not one value a line, so most likely an indented list.
        return _Read(read_whole(file))
    if len(table) == 1:
        return _Read(read_whole(file))
    return _Read(table, _SWAPPED.format("JSON", "JSONL"), TO_JSONL.format("JSON"))


_SWAPPED = "\n- Your {} file appears to be in a {} format. Your file will be converted to JSONL format"

_READERS: dict[str, Callable[[str], _Read]] = {
    ".csv": _delimited("CSV", ","),
    ".tsv": _delimited("TSV", "\t"),
    ".xlsx": _xlsx,
    ".txt": _txt,
    ".jsonl": _jsonl,
    ".json": _json,
}
