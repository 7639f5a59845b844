"""Runs the steps of a spec one after the other, on the rows of all sources, and repeats rows by weight."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import assert_never

from reconciler.dataset.readers import is_table
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import Source
from reconciler.dataset.steps import edits, filters
from reconciler.dataset.steps.cells import HASH_RANGE, Cells, hash_value
from reconciler.dataset.steps.filters import Stage
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
    """Yield the rows of each file as they go into the mapping, and whether they are a table's, which needs one.

    Shape:  steps see the rows of all files as one stream; weights come last, so that no step undoes them
    Cost:   one row in memory; `deduplicate` 16 bytes a row, `sample` by a number the rows it keeps
    """
    if not spec.prepare and not spec.terms:
        for source, rows in files:
            yield rows, is_table(source)
        return
    found: dict[str, Source] = {}
    converted = any(isinstance(each.operation, domain.Convert) for each in spec.prepare)
    for name, rows in groupby(_run_steps(_join_files(files, found), spec, report, tokens), key=_file_of):
        yield repeat_rows(rows, found[name].terms), is_table(found[name]) and not converted


def _join_files(files: Iterator[tuple[Source, Iterator[Row]]], sources: dict[str, Source]) -> Iterator[Row]:
    for source, rows in files:
        sources[source.name] = source
        yield from rows


def _run_steps(rows: Iterator[Row], spec: DatasetSpec, report: Report, tokens: Tokens) -> Iterator[Row]:
    ledgers = []
    for each in spec.prepare:
        ledger = StepReport(each, named_columns(each.operation), report)
        rows = ledger.count_leaving(_make_stage(each.operation, ledger, tokens)(ledger.count_entering(rows)))
        ledgers.append(ledger)
    yield from rows
    for ledger, each in zip(ledgers, spec.prepare, strict=True):
        ledger.report_step(each.operation.rows if isinstance(each.operation, domain.Limit) else None)


def named_columns(step: domain.Operation) -> tuple[str, ...]:
    """Name the columns that a step reads, and that some row should have."""
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


def _make_stage(step: domain.Operation, ledger: StepReport, tokens: Tokens) -> Stage:
    match step:
        case domain.Sample(share=None):
            return filters.sample_rows(step)
        case domain.Limit():
            return filters.limit(step)
        case domain.DropEmpty() | domain.Deduplicate() | domain.DropLong() | domain.Filter() | domain.Sample():
            return partial(_keep_passing, make_test(step, tokens))
        case _:
            return partial(ledger.edit_rows, edit=make_edit(step))


def make_test(
    step: domain.DropEmpty | domain.Deduplicate | domain.DropLong | domain.Filter | domain.Sample, tokens: Tokens
) -> filters.Test:
    """Return what tells whether a step keeps a row; one of `deduplicate` remembers the rows it has seen."""
    match step:
        case domain.DropEmpty():
            return filters.drop_empty(step)
        case domain.Deduplicate():
            return filters.deduplicate(step)
        case domain.DropLong():
            return filters.drop_long(step, tokens)
        case domain.Filter():
            return filters.keep_matching(step)
        case domain.Sample():
            return filters.sample_share(step.share or 0.0, step.seed)
    assert_never(step)


_EditingStep = (
    domain.Rename
    | domain.DropColumns
    | domain.KeepColumns
    | domain.SetColumns
    | domain.FillTemplate
    | domain.LowerCase
    | domain.Strip
    | domain.AddPrefix
    | domain.AddSuffix
    | domain.RemovePrefix
    | domain.RemoveSuffix
    | domain.EnsureLeadingSpace
    | domain.JoinMessages
    | domain.Convert
)


def make_edit(step: _EditingStep) -> edits.Edit:
    """Return what a step makes of one row."""
    match step:
        case domain.Rename():
            return edits.rename(step)
        case domain.DropColumns():
            return edits.drop_columns(step)
        case domain.KeepColumns():
            return edits.keep_columns(step)
        case domain.SetColumns():
            return edits.set_columns(step)
        case domain.FillTemplate():
            return edits.fill_templates(step)
        case domain.LowerCase():
            return edits.lower_case(step)
        case domain.Strip():
            return edits.strip(step)
        case domain.AddPrefix():
            return edits.add_prefix(step)
        case domain.AddSuffix():
            return edits.add_suffix(step)
        case domain.RemovePrefix():
            return edits.remove_prefix(step)
        case domain.RemoveSuffix():
            return edits.remove_suffix(step)
        case domain.EnsureLeadingSpace():
            return edits.ensure_leading_space(step)
        case domain.JoinMessages():
            return edits.join_messages(step)
        case domain.Convert():
            return edits.convert(step)
    assert_never(step)


def _keep_passing(test: Callable[[Cells], bool], rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if not isinstance(row.value, dict) or test(row.value))


def _file_of(row: Row) -> str:
    return row.file


def repeat_rows(rows: Iterator[Row], terms: Terms) -> Iterator[Row]:
    """Yield each row as often as its source weighs, copies side by side."""
    whole = int(terms.weight)
    bound = (terms.weight - whole) * HASH_RANGE
    for row in rows:
        again = bound > 0 and hash_value(row.value, "weight", terms.seed) < bound
        for _ in range(whole + again):
            yield row
