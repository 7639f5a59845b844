"""Reads a file and examines it by all rules in their order, each on the rows that the steps before it leave."""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from reconciler.dataset import (
    LOOKED_AT,
    Recognition,
    Row,
    RowReport,
    Source,
    describe_other_row,
    encoding_error,
    recognise_rows,
)
from reconciler.dataset.readers import (
    READERS,
    ProgressMeter,
    is_table,
    place_error,
    read_blocks,
    split_lines,
    text_blocks,
)
from reconciler.dataset.recognise import write_step
from reconciler.dataset.row_checks import check_row
from reconciler.dataset.sensitive import mask_problem
from reconciler.dataset.steps import TestingStep, find_carried
from reconciler.domain.errors import InputError, Place, Problem, Severity
from reconciler.domain.prepare import PairLabels
from reconciler.domain.spec import DatasetSpec, Format
from reconciler.prepare_data.compat import TaskKind
from reconciler.prepare_data.suggest import affix_rules, row_rules
from reconciler.prepare_data.suggest.finding import (
    COMPLETION,
    PROMPT,
    FileFinding,
    Remedy,
    RemedyStep,
    RuleResult,
    guess_rows_task,
    list_columns,
    run_step,
)

TXT = ".txt"
Rule = Callable[[Sequence[Row]], RuleResult]
Accept = Callable[[Remedy], bool]

COLUMN_RULES: tuple[Rule, ...] = (
    row_rules.count_rows,
    row_rules.find_columns,
    row_rules.find_surplus,
    row_rules.find_empty,
    row_rules.find_other_than_text,
    row_rules.find_task,
    row_rules.find_duplicates,
)
COMPLETION_RULES: tuple[Rule, ...] = (
    row_rules.find_long,
    partial(affix_rules.find_upper, PROMPT),
    partial(affix_rules.find_upper, COMPLETION),
    affix_rules.find_separator,
    affix_rules.find_prompt_prefix,
    affix_rules.find_completion_prefix,
    affix_rules.find_ending,
    affix_rules.find_space,
)
"""Rules for models that learn from plain text; chat needs no separators and no endings."""


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """The result of examining a file.

    Shape:  `steps` are those of the accepted remedies, in order, and `rows` what they leave; `format` is chat when
            there is nothing to prepare; `is_for_specs` is false when a spec cannot read the file as it is: its
            extension is another one, or it is a table whose prompts are all empty, which a spec reads as missing;
            `questions` are what only a person can decide: rows that a step cannot convert, which `rows` lacks, and
            keys that it would lose
    """

    file: Path
    format: Format
    task: TaskKind
    count: int
    findings: tuple[FileFinding, ...]
    warnings: tuple[Problem, ...]
    remedies: tuple[tuple[Remedy, bool], ...]
    rows: tuple[Row, ...]
    is_for_specs: bool
    questions: tuple[Problem, ...] = ()

    @property
    def steps(self) -> tuple[RemedyStep, ...]:
        return tuple(step for remedy, accepted in self.remedies if accepted for step in remedy.steps)


class FileRead(msgspec.Struct, frozen=True):
    """A file's rows, each an object, and the warnings about the file.

    Shape:  `is_for_specs` is false when a spec cannot read the file under its name
    """

    source: Source
    rows: list[Row]
    warnings: tuple[Problem, ...]
    is_for_specs: bool


def examine(
    file: Path, accept: Accept = lambda _: True, *, target: Format = Format.CHAT, used_as: Format | None = None
) -> Examination:
    """Examine a file by every rule; apply necessary remedies, and others when `accept` returns true.

    Shape:  prompts and completions become chat where the `target` is chat, except where no row has a prompt; `used_as`
            is the only format that the method of the models learns from, None where there is no such format
    Raises: InputError, when the file cannot be read or a rule finds a problem that no remedy corrects
    Cost:   the rows in memory
    """
    content = read_file(file)
    try:
        return _examine_rows(file, content, accept, target, used_as)
    except InputError as error:
        # What stops the examination hides no warning about the file.
        raise InputError((*content.warnings, *error.problems), error.unshown) from error


def _examine_rows(file: Path, content: FileRead, accept: Accept, target: Format, used_as: Format | None) -> Examination:
    pass_ = _Pass(file, content.rows, accept, used_as)
    found = recognise_rows([row.value for row in content.rows[:LOOKED_AT]], used_as)
    row_format = pass_.convert(found) if found else None
    if used_as and row_format is not used_as:
        raise InputError((_describe_other_method(content.rows[0], row_format or Format.COMPLETION, used_as),))
    if row_format is None:
        for rule in COLUMN_RULES:
            pass_.apply(rule)
        row_format = Format.COMPLETION
        if target is Format.COMPLETION or guess_rows_task(pass_.rows) is TaskKind.OPEN_ENDED:
            for rule in COMPLETION_RULES:
                pass_.apply(rule)
    task = guess_rows_task(pass_.rows) if row_format is Format.COMPLETION else TaskKind.CONDITIONAL
    if row_format is Format.COMPLETION and target is Format.CHAT and task is not TaskKind.OPEN_ENDED:
        # The conversion asks for each of its columns itself, and names its own step.
        pass_.questions = [each for each in pass_.questions if each.rule != "mapping.lost-key"]
        pass_.apply(row_rules.make_chat)
        row_format = Format.CHAT
    return Examination(
        file=file,
        format=row_format,
        task=task,
        count=len(content.rows),
        findings=tuple(pass_.findings),
        warnings=content.warnings,
        remedies=tuple(pass_.remedies),
        rows=tuple(pass_.rows),
        questions=tuple(pass_.questions),
        is_for_specs=content.is_for_specs and not (task is TaskKind.OPEN_ENDED and is_table(content.source)),
    )


class _Pass:
    """The rows of one examination, what was found in them, and the remedies so far."""

    def __init__(self, file: Path, rows: list[Row], accept: Accept, used_as: Format | None) -> None:
        self.rows = rows
        self.findings: list[FileFinding] = []
        self.remedies: list[tuple[Remedy, bool]] = []
        self.questions: list[Problem] = []
        self._file = file
        self._accept = accept
        self._used_as = used_as

    def apply(self, rule: Rule) -> None:
        """Apply a rule, and the steps of its remedy when it is necessary or accepted.

        Raises: InputError, with the rule's problem, or when no row is left; with what the steps ask, if that is why
        """
        result = rule(self.rows)
        if result.problem:
            raise InputError((mask_problem(result.problem),))
        self.findings += result.findings
        self.questions += map(mask_problem, result.questions)
        if result.remedy:
            accepted = result.remedy.necessary or self._accept(result.remedy)
            self.remedies.append((result.remedy, accepted))
            for at, step in enumerate(result.remedy.steps if accepted else ()):
                self._run(step, result.remedy, find_carried(result.remedy.steps, at))
            if not self.rows:
                raise InputError(tuple(self.questions) or (_no_row_left(self._file, result.remedy),))

    def _run(self, step: RemedyStep, remedy: Remedy, carried: Collection[str]) -> None:
        made = run_step(step, self.rows, carried)
        self.questions += made.questions
        self.findings += (FileFinding(name="left_out", what=note) for note in made.notes)
        dropped = len(self.rows) - len(made.rows)
        if isinstance(step, TestingStep) and remedy.name == "form" and dropped:
            what = f"{dropped} of {len(self.rows)} rows are dropped by `{write_step(step)}`"
            self.findings.append(FileFinding(name="dropped", what=what))
        self.rows = made.rows

    @property
    def _format(self) -> Format | None:
        # One odd row at the start decides nothing.
        found = recognise_rows([row.value for row in self.rows[:LOOKED_AT]], self._used_as)
        return found.format if found else None

    def convert(self, found: Recognition) -> Format | None:
        """Bring rows of another form into the API's, and check rows of its form; None for prompts and completions.

        Raises: InputError, when only their author can say what they mean
        """
        if self._used_as and found.format is not self._used_as and not found.lines and found.hint:
            raise InputError((mask_problem(row_rules.describe_form(self.rows, found)),))
        named = {column.lower() for column in list_columns(self.rows)} >= {PROMPT, COMPLETION}
        is_table = found.form in row_rules.PLAIN_TABLES and (found.mapping or named)
        if found.format is Format.COMPLETION or is_table or found.form is None:
            if found.form in row_rules.PLAIN_TABLES and found.mapping and not named:
                self.apply(partial(row_rules.fill_columns, found))
            return None
        if found.format is None and not found.steps:
            raise InputError((mask_problem(row_rules.describe_form(self.rows, found)),))
        self.apply(partial(row_rules.convert_form, found))
        if found.mapping or (found.format is None and self._format is Format.COMPLETION):
            return self.convert(after) if (after := recognise_rows([row.value for row in self.rows])) else None
        row_format = self._format or Format.CHAT
        self.apply(partial(row_rules.mend_rows, row_format))
        report = RowReport()
        for row in self.rows:
            for each in check_row(row.value, row_format):
                report.add(row.problem(each.rule, each.path, each.what, each.hint, each.severity))
        if found.format is not None:
            report.raise_errors()
        self.questions += (each for each in report.problems if each.severity is Severity.ERROR)
        return row_format


def _describe_other_method(first: Row, found: Format, wanted: Format) -> Problem:
    what = f"the rows have the format {found}, and the method of the models learns from {wanted}"
    hint = "name a file of another form, or use `method: supervised`"
    return Problem(where=Place(file=first.file, line=first.line), what=what, hint=hint, rule="method.format")


def _no_row_left(file: Path, remedy: Remedy) -> Problem:
    if any(isinstance(step, PairLabels) for step in remedy.steps):
        what = "no row is left: no two answers to one question have one that is desired and one that is not"
        hint = "two rows have one question when all but the label and the answer is equal; or use `method: supervised`"
        return Problem(where=Place(file=str(file)), what=what, hint=hint, rule="rows.none")
    what = "no row is left: each lacks a completion, or a prompt where other rows have one"
    hint = "fill the columns `prompt` and `completion`, or give these names to the columns that hold the texts"
    return Problem(where=Place(file=str(file)), what=what, hint=hint, rule="rows.none")


def read_file(file: Path) -> FileRead:
    """Return the rows of a file and the warnings about it.

    Raises: InputError, with everything that is wrong
    Cost:   the rows in memory, because rules compare all of them
    """
    report = RowReport()
    source = Source(str(file), file)
    problem = _check_is_file(source)
    if problem:
        raise InputError((mask_problem(problem),))
    extension = _find_extension(source, report)
    # A file of another kind is not read again: one cause is one problem.
    report.raise_errors()
    rows = list(_read_rows(source, extension, report))
    for row in rows:
        if not isinstance(row.value, dict):
            what, hint = describe_other_row(row.value)
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
        first, _, rest = head.partition(b"\n")
        # A list in each line is JSON Lines, whose rows are said to be lists.
        return ".jsonl" if not head.startswith(b"[") or _are_lists(first.strip(), rest.lstrip()) else ".json"
    first, _, rest = head.partition(b"\n")
    return ".jsonl" if first.strip()[:1] + first.strip()[-1:] == b"{}" and rest.lstrip()[:1] == b"{" else ".json"


def _are_lists(first: bytes, rest: bytes) -> bool:
    return first[-1:] == b"]" and rest[:1] == b"["


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
            report.drop_row(place_error(encoding_error(line, error.start), source, number, line))
        else:
            yield Row(source.name, number, {"prompt": "", "completion": text})


def _problem(source: Source, rule: str, what: str, hint: str, line: int = 0) -> Problem:
    return Problem(where=Place(file=source.name, line=line), what=what, hint=hint, rule=rule)
