"""Reads all rows of one file, or reports everything that is wrong with it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.dataset.readers import READERS, ProgressMeter, place_error, read_blocks, split_lines, text_blocks
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import encoding_error
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import DatasetSpec

TXT = ".txt"


class FileRead(msgspec.Struct, frozen=True):
    """A file's rows, each an object, and the warnings about the file.

    Shape:  `is_for_specs` is false when a spec cannot read the file under its name
    """

    source: Source
    rows: list[Row]
    warnings: tuple[Problem, ...]
    is_for_specs: bool


def read_file(file: Path) -> FileRead:
    """Return the rows of a file and the warnings about it.

    Raises: InputError, with everything that is wrong
    Cost:   the rows in memory, because rules compare all of them
    """
    report = RowReport()
    source = Source(str(file), file)
    problem = _check_is_file(source)
    if problem:
        raise InputError((problem,))
    extension = _find_extension(source, report)
    rows = list(_read_rows(source, extension, report)) if extension else []
    for row in rows:
        if not isinstance(row.value, dict):
            what, hint = "the row is not an object", "write each row as an object with a key for each text"
            report.add(_problem(source, "row.not-an-object", what, hint, row.line))
    if not rows and not report.has_errors:
        report.add(_problem(source, "rows.none", "the file has no rows", "name a file with rows"))
    report.raise_errors()
    return FileRead(source, rows, report.warnings, is_for_specs=extension in READERS and extension == source.extension)


def _check_is_file(source: Source) -> Problem | None:
    try:
        mode = os.stat(source.path).st_mode
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        what = f"cannot be read: {reason}"
        return _problem(source, "source.unreadable", what, "check the path; it is relative to the current directory")
    if stat.S_ISREG(mode):
        return None
    kind = "a directory" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
    return _problem(source, "source.kind", f"is {kind}, not a file", "name a file with rows")


def _find_extension(source: Source, report: RowReport) -> str:
    # The extension that the content has: the old tool read JSON and JSON Lines under each other's names too.
    if source.extension not in {TXT, *READERS}:
        kinds = ", ".join(sorted((*READERS, TXT)))
        what = "has an unsupported file extension" if source.extension else "has no file extension"
        report.stop_reading(_problem(source, "source.extension", what, f"supported extensions: {kinds}"))
        return ""
    if source.extension not in {".json", ".jsonl"}:
        return source.extension
    head = next(text_blocks(read_blocks(source, report, ProgressMeter()), source, report), b"").lstrip()
    if source.extension == ".jsonl":
        return ".json" if head.startswith(b"[") else ".jsonl"
    first, _, rest = head.partition(b"\n")
    return ".jsonl" if first.strip()[:1] + first.strip()[-1:] == b"{}" and rest.lstrip()[:1] == b"{" else ".json"


def _read_rows(source: Source, extension: str, report: RowReport) -> Iterator[Row]:
    if extension == TXT:
        return _read_text_lines(source, report)
    spec = DatasetSpec(name="prepared", place=Place(file=source.name), sources=(source.name,))
    return READERS[extension](source, spec, report, ProgressMeter())


def _read_text_lines(source: Source, report: RowReport) -> Iterator[Row]:
    blocks = text_blocks(read_blocks(source, report, ProgressMeter()), source, report)
    for number, line in split_lines(blocks, source, report):
        try:
            text = line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            report.drop_row(place_error(encoding_error(line, error.start), source, number))
        else:
            yield Row(source.name, number, {"prompt": "", "completion": text})


def _problem(source: Source, rule: str, what: str, hint: str, line: int = 0) -> Problem:
    return Problem(where=Place(file=source.name, line=line), what=what, hint=hint, rule=rule)
