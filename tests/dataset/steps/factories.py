"""Rows through steps, without files: name only what the test is about."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.dataset import Row, RowReport, Source, estimate_tokens
from reconciler.dataset.steps import prepare_rows
from reconciler.dataset.tokens import CountTextTokens
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.prepare import Operation, Preparation
from reconciler.domain.spec import DatasetSpec, Terms

Rows = Sequence[object]


def a_step(operation: Operation, line: int = 7) -> Preparation:
    """Return a step with its place."""
    return Preparation(
        operation=operation, place=Place(file="specs/data.yaml", line=line, column=5), path="prepare[0].step"
    )


def a_prepared_spec(*operations: Operation) -> DatasetSpec:
    """Return the spec of a dataset with these steps."""
    return DatasetSpec(
        name="rows",
        place=Place(file="specs/data.yaml", line=3, column=1),
        sources=("rows.jsonl",),
        prepare=tuple(a_step(each, 7 + at) for at, each in enumerate(operations)),
    )


def stream_steps(
    rows: Iterable[object],
    *operations: Operation,
    report: RowReport | None = None,
    tokens: CountTextTokens = estimate_tokens,
) -> Iterator[object]:
    """Yield rows of one file after the steps, one by one on demand."""
    file = Source("rows.jsonl", Path("rows.jsonl"))
    stream = (Row(file.name, at, value) for at, value in enumerate(rows, start=1))
    spec = a_prepared_spec(*operations)
    for found, _ in prepare_rows(iter([(file, stream)]), spec, report or RowReport(), tokens):
        yield from (row.value for row in found)


def run_steps(rows: Iterable[object], *operations: Operation) -> list[object]:
    """Return rows after the steps."""
    return list(stream_steps(rows, *operations))


def find_problems(rows: Iterable[object], *operations: Operation) -> tuple[Problem, ...]:
    """Return the errors and the information that the steps report about rows."""
    report = RowReport()
    list(stream_steps(rows, *operations, report=report))
    try:
        report.raise_errors()
    except InputError as error:
        return error.problems
    return report.warnings


def run_weights(rows: Rows, *terms: Terms, steps: Sequence[Operation] = ()) -> list[tuple[str, object]]:
    """Return the rows of one file for each of the terms, with the number of the file."""
    names = [f"{at}.jsonl" for at in range(len(terms))]
    files = [
        (Source(name, Path(name), each), iter([Row(name, at, value) for at, value in enumerate(rows, start=1)]))
        for name, each in zip(names, terms, strict=True)
    ]
    spec = DatasetSpec(
        name="rows",
        place=Place(file="specs/data.yaml"),
        sources=tuple(names),
        terms=terms,
        prepare=tuple(map(a_step, steps)),
    )
    return [(row.file, row.value) for found, _ in prepare_rows(iter(files), spec, RowReport()) for row in found]
