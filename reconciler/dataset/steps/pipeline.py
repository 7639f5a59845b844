"""Runs the steps of a spec one after the other on the rows of all sources, and repeats rows by weight."""

from collections.abc import Iterator
from itertools import groupby

from reconciler.dataset.readers import is_table
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import Source
from reconciler.dataset.steps.cells import HASH_RANGE, hash_value
from reconciler.dataset.steps.edits import make_edit
from reconciler.dataset.steps.filters import limit_rows, make_test, sample_rows
from reconciler.dataset.steps.step_report import StepReport
from reconciler.dataset.templates import Template
from reconciler.dataset.tokens import Tokens, estimated_tokens
from reconciler.domain import prepare as domain
from reconciler.domain.spec import DatasetSpec, Terms


def prepare_rows(
    files: Iterator[tuple[Source, Iterator[Row]]],
    spec: DatasetSpec,
    report: Report,
    tokens: Tokens = estimated_tokens,
) -> Iterator[tuple[Iterator[Row], bool]]:
    """Yield the rows of each file as the mapping takes them, and whether they are a table's, which needs a mapping.

    Shape:  steps see the rows of all files as one stream; weights come last, so that no step undoes them
    Cost:   one row in memory; `deduplicate` 16 bytes a row; `sample` by a number the rows that it keeps
    """
    if not spec.prepare and not spec.terms:
        for source, rows in files:
            yield rows, is_table(source)
        return
    sources: dict[str, Source] = {}
    is_converted = any(isinstance(each.operation, domain.Convert) for each in spec.prepare)
    for name, rows in groupby(_run_steps(_join_files(files, sources), spec, report, tokens), key=lambda row: row.file):
        yield _repeat_rows(rows, sources[name].terms), is_table(sources[name]) and not is_converted


def _join_files(files: Iterator[tuple[Source, Iterator[Row]]], sources: dict[str, Source]) -> Iterator[Row]:
    for source, rows in files:
        sources[source.name] = source
        yield from rows


def _run_steps(rows: Iterator[Row], spec: DatasetSpec, report: Report, tokens: Tokens) -> Iterator[Row]:
    step_reports = []
    for each in spec.prepare:
        step_report = StepReport(each, _columns_read(each.operation), report)
        rows = step_report.count_leaving(
            _run_step(each.operation, step_report.count_entering(rows), step_report, tokens)
        )
        step_reports.append(step_report)
    yield from rows
    for step_report, each in zip(step_reports, spec.prepare, strict=True):
        step_report.finish(each.operation.rows if isinstance(each.operation, domain.Limit) else None)


def _columns_read(step: domain.Operation) -> tuple[str, ...]:
    # The columns that a step names, and that some row should have.
    match step:
        case domain.Rename():
            return tuple(old for old, _ in step.names)
        case domain.FillTemplate():
            return tuple(name for _, source in step.templates for name in Template.parse(source).columns)
        case domain.AddPrefix() | domain.AddSuffix() | domain.RemovePrefix() | domain.RemoveSuffix() | domain.Filter():
            return (step.column,)
        case domain.JoinMessages():
            return ("messages",)
        case domain.SetColumns() | domain.Sample() | domain.Limit() | domain.Convert():
            return ()
        case _:
            return step.columns


def _run_step(step: domain.Operation, rows: Iterator[Row], step_report: StepReport, tokens: Tokens) -> Iterator[Row]:
    match step:
        case domain.Sample(share=None):
            return sample_rows(step)(rows)
        case domain.Limit():
            return limit_rows(step)(rows)
        case domain.DropEmpty() | domain.Deduplicate() | domain.DropLong() | domain.Filter() | domain.Sample():
            keeps = make_test(step, tokens)
            return (row for row in rows if not isinstance(row.value, dict) or keeps(row.value))
        case _:
            return step_report.edit_rows(rows, make_edit(step))


def _repeat_rows(rows: Iterator[Row], terms: Terms) -> Iterator[Row]:
    # The whole part of a weight repeats every row, copies side by side; the fraction repeats some, chosen by content.
    whole = int(terms.weight)
    bound = (terms.weight - whole) * HASH_RANGE
    for row in rows:
        again = bound > 0 and hash_value(row.value, "weight", terms.seed) < bound
        for _ in range(whole + again):
            yield row
