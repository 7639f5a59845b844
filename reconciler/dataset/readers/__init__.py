"""A reader for each kind of file: it takes a file, yields its rows, and reports what it cannot read."""

from collections.abc import Callable, Iterator

from reconciler.dataset.readers.json_rows import read_json, read_jsonl
from reconciler.dataset.readers.sheet_facts import Cell, UnreadableSheetError
from reconciler.dataset.readers.stream import ProgressMeter, read_blocks, split_lines
from reconciler.dataset.readers.table import read_table
from reconciler.dataset.readers.text import place_error, text_blocks
from reconciler.dataset.readers.workbook import read_workbook, translate_panics
from reconciler.dataset.readers.workbook_size import check_workbook_size
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source, spec_problem
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.text import list_words

__all__ = [
    "READERS",
    "Cell",
    "ProgressMeter",
    "UnreadableSheetError",
    "check_workbook_size",
    "is_table",
    "place_error",
    "read_blocks",
    "read_source",
    "split_lines",
    "text_blocks",
    "translate_panics",
]

Reader = Callable[[Source, DatasetSpec, RowReport, ProgressMeter], Iterator[Row]]

READERS: dict[str, Reader] = {
    ".csv": read_table,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".tsv": read_table,
    ".xlsx": read_workbook,
}

_OTHERS = {
    ".ndjson": "it is JSON Lines: name it .jsonl",
    ".jsonlines": "it is JSON Lines: name it .jsonl",
    ".xls": "save the workbook as .xlsx",
    ".xlsm": "save the workbook as .xlsx",
    ".ods": "save the sheet as .csv or .xlsx",
    ".gz": "unpack it first",
    ".zip": "unpack it first",
    ".parquet": "export it as .jsonl or .csv",
    ".txt": "a text file has no columns: make it .jsonl or .csv",
}


def read_source(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Return the rows of one file, read by its extension."""
    reader = READERS.get(source.extension)
    if reader:
        return reader(source, spec, report, meter)
    what = f"`{source.name}` is of a kind that is not read; the kinds that are read are {list_words(sorted(READERS))}"
    report.stop_reading(spec_problem(spec, "source.extension", "source", what, _OTHERS.get(source.extension, "")))
    return iter(())


def is_table(source: Source) -> bool:
    """Return whether the rows of a file are text by column, and need a mapping."""
    return source.extension in {".csv", ".tsv", ".xlsx"}
