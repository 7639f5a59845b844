"""Examines a file by all rules in their order, each on the rows that the steps before it leave."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from reconciler.dataset.format_detection import recognise_format
from reconciler.dataset.readers import is_table
from reconciler.dataset.sources import Row
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import Format
from reconciler.prepare_data.compat import TaskKind
from reconciler.prepare_data.suggest import affix_rules, row_rules
from reconciler.prepare_data.suggest.finding import (
    COMPLETION,
    PROMPT,
    FileFinding,
    Remedy,
    RemedyStep,
    RuleResult,
    apply_step,
    guess_rows_task,
)
from reconciler.prepare_data.suggest.reading import read_file

Rule = Callable[[Sequence[Row]], RuleResult]
Accept = Callable[[Remedy], bool]

RULES: tuple[Rule, ...] = (
    row_rules.count_rows,
    row_rules.find_columns,
    row_rules.find_surplus,
    row_rules.find_empty,
    row_rules.find_other_than_text,
    row_rules.find_task,
    row_rules.find_duplicates,
    row_rules.find_long,
    partial(affix_rules.find_upper, PROMPT),
    partial(affix_rules.find_upper, COMPLETION),
    affix_rules.find_separator,
    affix_rules.find_prompt_prefix,
    affix_rules.find_completion_prefix,
    affix_rules.find_ending,
    affix_rules.find_space,
)


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """The result of examining a file.

    Shape:  `steps` are those of the accepted remedies, in order, and `rows` what they leave; `format` is chat when
            there is nothing to prepare; `is_for_specs` is false when a spec cannot read the file as it is: its
            extension is another one, or it is a table whose prompts are all empty, which a spec reads as missing
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

    @property
    def steps(self) -> tuple[RemedyStep, ...]:
        return tuple(step for remedy, accepted in self.remedies if accepted for step in remedy.steps)


def examine(file: Path, accept: Accept = lambda _: True) -> Examination:
    """Examine a file by every rule; apply necessary remedies, and others when `accept` returns true.

    Raises: InputError, when the file cannot be read or a rule finds a problem that no remedy corrects
    Cost:   the rows in memory
    """
    content = read_file(file)
    rows, count = content.rows, len(content.rows)
    findings: list[FileFinding] = []
    remedies: list[tuple[Remedy, bool]] = []
    is_chat = recognise_format(rows[0].value) is Format.CHAT
    if is_chat:
        what = f"{count} rows in the chat format; there are no prompts and completions to prepare"
        findings.append(FileFinding(name="format", what=what))
    for rule in () if is_chat else RULES:
        result = rule(rows)
        if result.problem:
            raise InputError((result.problem,))
        findings += result.findings
        if result.remedy:
            accepted = result.remedy.necessary or accept(result.remedy)
            remedies.append((result.remedy, accepted))
            for step in result.remedy.steps if accepted else ():
                rows = apply_step(step, rows)
            if not rows:
                raise InputError((_no_row_left(file),))
    task = TaskKind.CONDITIONAL if is_chat else guess_rows_task(rows)
    return Examination(
        file=file,
        format=Format.CHAT if is_chat else Format.COMPLETION,
        task=task,
        count=count,
        findings=tuple(findings),
        warnings=content.warnings,
        remedies=tuple(remedies),
        rows=tuple(rows),
        is_for_specs=content.is_for_specs and not (task is TaskKind.OPEN_ENDED and is_table(content.source)),
    )


def _no_row_left(file: Path) -> Problem:
    what = "no row is left: each lacks a completion, or a prompt where other rows have one"
    hint = "fill the columns `prompt` and `completion`, or give these names to the columns that hold the texts"
    return Problem(where=Place(file=str(file)), what=what, hint=hint, rule="rows.none")
