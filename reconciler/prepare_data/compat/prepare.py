"""Runs the old tool on a file: reads it, makes two passes of the validators, asks its questions, writes the result."""

from collections.abc import Callable
from functools import partial

from reconciler.prepare_data.compat import row_validators, text_validators
from reconciler.prepare_data.compat.read import read_any
from reconciler.prepare_data.compat.table import LegacyCrashError, LegacyFinding, LegacyTable, Print
from reconciler.prepare_data.compat.writing import Accept, write_prepared_table

Ask = Callable[[], str | None]
Validator = Callable[[LegacyTable], LegacyFinding]

VALIDATORS: tuple[Validator, ...] = (
    row_validators.count_rows,
    partial(row_validators.find_column, "prompt"),
    partial(row_validators.find_column, "completion"),
    row_validators.find_surplus,
    row_validators.find_empty,
    row_validators.find_task,
    row_validators.find_duplicates,
    row_validators.find_long,
    partial(text_validators.find_upper, "prompt"),
    partial(text_validators.find_upper, "completion"),
    text_validators.find_separator,
    text_validators.find_prompt_prefix,
    text_validators.find_completion_prefix,
    text_validators.find_ending,
    text_validators.find_space,
)


class _ValidatorError(Exception):
    """An error of a validator, which ends the run."""


def run_legacy_prepare(file: str, write: Print, write_error: Print, ask: Ask | None = None) -> int:
    """Run the old tool on a file, and return its exit code.

    Shape:  `write` takes the texts for stdout, `write_error` those for stderr; `ask` returns a line without its end, or
            None at the end of input; without `ask` every suggestion is accepted, as with `-q`
    """
    write("Analyzing...\n")
    try:
        _run(file, write, _make_accept(write, ask))
    except _ValidatorError as error:
        write_error(f"\n\n{error}\n\nAborting...")
        return 1
    except LegacyCrashError as error:
        write_error(f"The old tool stops here with a traceback: {error}\n")
        write_error("Run the command without --compat legacy to prepare this file.\n")
        return 1
    except OSError as error:
        write_error(f"The prepared file cannot be written: {error}\n")
        write_error("Copy the input to a directory that you can write to.\n")
        return 1
    return 0


def _run(file: str, write: Print, accept: Accept) -> None:
    table, finding = read_any(file)
    _print_note(finding, write)
    findings = [finding]
    for validator in VALIDATORS:
        finding = validator(table)
        findings.append(finding)
        _print_note(finding, write)
        if finding.necessary and finding.change:
            table = finding.change(table, write)
    if any(finding.necessary or finding.optional for finding in findings):
        write("\n\nBased on the analysis we will perform the following actions:\n")
    else:
        write("\n\nNo remediations found.\n")
    is_changed = any(finding.necessary for finding in findings)
    for finding in findings:
        if finding.optional and finding.change and accept(f"- [Recommended] {finding.optional} [Y/n]: "):
            table, is_changed = finding.change(table, write), True
        if finding.necessary:
            write(f"- [Necessary] {finding.necessary}\n")
    write_prepared_table(table, file, write, accept, is_changed=is_changed)


def _print_note(finding: LegacyFinding, write: Print) -> None:
    if finding.error:
        raise _ValidatorError(f"ERROR in {finding.name} validator: {finding.error}")
    write(finding.note)


def _make_accept(write: Print, ask: Ask | None) -> Accept:
    def accept(question: str) -> bool:
        write(question)
        if ask is None:
            write("Y\n")
            return True
        answer = ask()
        if answer is None:
            raise LegacyCrashError("EOFError: EOF when reading a line")
        return answer.lower() != "n"

    return accept
