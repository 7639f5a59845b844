"""The rules in their order, each on the rows as the steps before have left them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from reconciler.dataset.formats import find_format
from reconciler.dataset.readers import is_table
from reconciler.dataset.row import Row
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
    affix_rules.find_upper(PROMPT),
    affix_rules.find_upper(COMPLETION),
    affix_rules.find_separator,
    affix_rules.find_prompt_prefix,
    affix_rules.find_completion_prefix,
    affix_rules.find_ending,
    affix_rules.find_space,
)


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """A file, looked at.

    Shape:  `steps` are those of the remedies that were accepted, in order, and `rows` what they leave; `format` is
            chat when there is nothing to prepare; `is_for_specs` is false when a spec does not read the file as it is:
            by another name, or because a table's empty prompts are gaps to it
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
    """Look at a file by every rule; a necessary remedy is made, any other when it is accepted.

    Raises: InputError, with what stands in the way
    Cost:   the rows in memory
    """
    read = read_file(file)
    now, count = read.rows, len(read.rows)
    findings: list[FileFinding] = []
    remedies: list[tuple[Remedy, bool]] = []
    is_chat = find_format(now[0].value) is Format.CHAT
    if is_chat:
        what = f"{count} rows in the chat form: there are no prompts and completions to prepare"
        findings.append(FileFinding(name="format", what=what))
    for rule in () if is_chat else RULES:
        found = rule(now)
        if found.problem:
            raise InputError((found.problem,))
        findings += found.findings
        if found.remedy:
            accepted = found.remedy.necessary or accept(found.remedy)
            remedies.append((found.remedy, accepted))
            for step in found.remedy.steps if accepted else ():
                now = apply_step(step, now)
            if not now:
                raise InputError((_no_row_left(file),))
    shown = TaskKind.CONDITIONAL if is_chat else guess_rows_task(now)
    return Examination(
        file=file,
        format=Format.CHAT if is_chat else Format.COMPLETION,
        task=shown,
        count=count,
        findings=tuple(findings),
        warnings=read.warnings,
        remedies=tuple(remedies),
        rows=tuple(now),
        is_for_specs=read.is_for_specs and not (shown is TaskKind.OPEN_ENDED and is_table(read.source)),
    )


def _no_row_left(file: Path) -> Problem:
    what, hint = "no row has a completion, and a prompt where others have one", "fill the columns, or name others so"
    return Problem(where=Place(file=str(file)), what=what, hint=hint, rule="rows.none")
