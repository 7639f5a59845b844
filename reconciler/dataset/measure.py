"""Measure a dataset, and open it again to send exactly what was measured."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from reconciler.dataset.billable_tokens import TokenCounter
from reconciler.dataset.cache import CacheEntry, MeasureCache
from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks import prepare_checks
from reconciler.dataset.digest import StreamDigest, split_batch
from reconciler.dataset.images import ImageCounter
from reconciler.dataset.pipeline import read_batches
from reconciler.dataset.report import SHOWN_PER_FILE, RowReport
from reconciler.dataset.row_checks import MINIMUM_EXAMPLES
from reconciler.dataset.sources import SourceIndex, spec_problem
from reconciler.dataset.tokens import CountTextTokens, Vocabulary, estimate_tokens
from reconciler.domain.cost import LengthLimit
from reconciler.domain.desired import Dataset, DatasetMeasure, Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import AnswerSet, DatasetSpec


def measure(
    spec: DatasetSpec,
    workspace: Path,
    *,
    minimum: int | None = None,
    progress: Callable[[int], None] | None = None,
    cache: MeasureCache | None = None,
    vocabulary: Vocabulary | None = None,
    length: LengthLimit | None = None,
    answers: AnswerSet | None = None,
    against: Sequence[DatasetSpec] = (),
    shown: int | None = None,
    sources: SourceIndex | None = None,
) -> DatasetMeasure:
    """Return the digest and the counts of a dataset's sides, from one pass over its rows.

    Shape:  `minimum` is how many training rows there must be, the service's 10 when None; a dataset that only
            validates needs 1. `progress` receives the bytes of the sources read so far, at most once per MiB. With a
            `cache`, a dataset that was valid and has not changed is not read again. With a `vocabulary` the tokens of
            each side are counted by it. `length` limits each row, and `answers` what is answered. `against` are the
            datasets that validate its models; `shown` is how many problems of one severity and file are kept, fifty
            when None; `sources` are the files that the run has found
    Raises: InputError, with every problem found, of one file the first fifty
    Cost:   a few blocks of 1 MiB and 16 bytes a row in memory; JSON lists and workbooks are read whole
    """
    sources = sources or SourceIndex(workspace)
    counted = vocabulary is not None
    find = cache.find_entry if cache else _find_no_entry
    look = partial(find, spec, sources, minimum, counted=counted, against=against, shown=shown)
    look = partial(look, length=length, answers=answers)
    before = look()
    kept = before.read() if before else None
    if kept and (vocabulary is None or kept.vocabulary == vocabulary.name):
        return kept
    report = RowReport(spec.allow, spec.find_field("allow").place, SHOWN_PER_FILE if shown is None else shown)
    row_format, batches = read_batches(spec, workspace, report, progress=progress, sources=sources)
    tokens = _text_counter(vocabulary)
    checks = prepare_checks(
        spec,
        row_format,
        workspace,
        report,
        against=against,
        tokens=tokens,
        length=length,
        answers=answers,
        sources=sources,
    )
    digests, token_counts, images = _digest_sides(batches, spec, vocabulary, lambda batch: checks.see(batch, report))
    checks.end(report)
    _check_sides(digests, spec, MINIMUM_EXAMPLES if minimum is None else minimum, report)
    report.raise_errors()
    measured = DatasetMeasure(
        format=row_format,
        training=digests[Part.TRAINING].measure(token_counts[Part.TRAINING], images[Part.TRAINING].images),
        validation=digests[Part.VALIDATION].measure(token_counts[Part.VALIDATION], images[Part.VALIDATION].images)
        if spec.validation_share
        else None,
        warnings=report.warnings,
        keys=tuple(sorted(checks.keys.items())),
        vocabulary=vocabulary.name if vocabulary else None,
    )
    # The measure is kept only when the files after the reading are those of before.
    if cache and before and look() == before:
        cache.keep(before, measured)
    return measured


def _find_no_entry(*_words: object, **_options: object) -> CacheEntry | None:
    return None


def _digest_sides(
    batches: Iterable[LineBatch],
    spec: DatasetSpec,
    vocabulary: Vocabulary | None,
    check: Callable[[LineBatch], None],
) -> tuple[dict[Part, StreamDigest], dict[Part, int | None], dict[Part, ImageCounter]]:
    digests = {part: StreamDigest() for part in Part}
    images = {part: ImageCounter() for part in Part}
    with TokenCounter(vocabulary.count) if vocabulary else nullcontext() as counter:
        for batch in batches:
            check(batch)
            for part, text, rows in split_batch(batch, spec.validation_share):
                digests[part].add(text, rows)
                images[part].add(text)
                if counter:
                    counter.add(part, text)
        return digests, {part: counter.tokens(part) if counter else None for part in Part}, images


def open_lines(dataset: Dataset, workspace: Path) -> Iterator[bytes]:
    """Yield the canonical lines of a dataset's part, in blocks of about 1 MiB of whole lines: what `measure` digested.

    Raises: InputError, before the last block, when the rows are no longer those that were measured
    Cost:   as `measure`
    """
    spec, report, digest, held = dataset.spec, RowReport(), StreamDigest(), b""
    _, batches = read_batches(replace(spec, format=dataset.format), workspace, report, check_rows=False)
    for batch in batches:
        for part, text, rows in split_batch(batch, spec.validation_share):
            for block in digest.add(text, rows) if part is dataset.part else ():
                report.raise_errors()
                if held:
                    yield held
                held = block
    last = digest.flush()
    report.raise_errors()
    if digest.measure() != dataset.measure:
        raise InputError((_changed_rows(dataset),))
    yield from (block for block in (held, last) if block)


def _text_counter(vocabulary: Vocabulary | None) -> CountTextTokens:
    count = vocabulary.count if vocabulary else None
    return (lambda text: count((text,))[0]) if count else estimate_tokens


def _check_sides(sides: dict[Part, StreamDigest], spec: DatasetSpec, minimum: int, report: RowReport) -> None:
    training, validation = sides[Part.TRAINING].rows, sides[Part.VALIDATION].rows
    # Rows that were dropped have their own problems, and a file that was not read to its end may hold any number.
    if not report.is_whole or (training + report.dropped >= minimum and (validation or not spec.validation_share)):
        return
    if not training + validation + report.dropped:
        report.add(spec_problem(spec, "rows.none", "source", "there are no rows", "name files that have rows"))
        return
    if training + report.dropped < minimum:
        side = f" on the training side of the split, and {validation} on the other" if spec.validation_share else ""
        what = f"{_examples(training + report.dropped)}{side}; training needs at least {minimum}"
        report.add(spec_problem(spec, "rows.too-few", "source", what, "add rows; 50 to 100 are a good start"))
    if spec.validation_share and not validation and not report.dropped:
        what = f"none of {training} rows is on the validation side of the split"
        hint = "make the share larger, or add rows: the hash of each row decides its side"
        report.add(spec_problem(spec, "split.empty-side", "split", what, hint))


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count} examples"


def _changed_rows(dataset: Dataset) -> Problem:
    return Problem(
        where=Place(file=", ".join(dataset.spec.sources)),
        what=f"the rows of {dataset.name} changed after they were measured",
        hint="plan again",
        rule="source.changed",
    )
