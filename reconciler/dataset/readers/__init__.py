"""A reader for each format: takes a file, gives its rows, and tells what it could not read."""

from collections.abc import Callable, Iterator

from reconciler.dataset.readers import json_rows, table, xlsx
from reconciler.dataset.readers import json_rows as array
from reconciler.dataset.readers.stream import ProgressMeter
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.domain.errors import Problem
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.suggest import list_words

Reader = Callable[[Source, DatasetSpec, RowReport, ProgressMeter], Iterator[Row]]

READERS: dict[str, Reader] = {
    ".csv": table.read_table,
    ".json": array.read_json,
    ".jsonl": json_rows.read_jsonl,
    ".tsv": table.read_table,
    ".xlsx": xlsx.read_workbook,
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
    known = list_words(sorted(READERS))
    report.stop_reading(
        Problem(
            where=spec.place,
            path="source",
            what=f"`{source.name}` is of a kind that is not read; the kinds that are read are {known}",
            hint=_OTHERS.get(source.extension, ""),
            rule="source.extension",
        )
    )
    return iter(())


def is_table(source: Source) -> bool:
    """Return whether rows of this file are text by column and need a mapping."""
    return source.extension in {".csv", ".tsv", ".xlsx"}
