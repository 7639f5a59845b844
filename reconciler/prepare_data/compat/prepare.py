"""The old tool's run: read, two passes of the validators, and the questions, in its own words."""

from collections.abc import Callable

from reconciler.prepare_data.compat import row_validators, text_validators
from reconciler.prepare_data.compat.read import read_any
from reconciler.prepare_data.compat.table import LegacyCrashError, LegacyFinding, LegacyTable, Print
from reconciler.prepare_data.compat.writing import write_prepared_table

Ask = Callable[[], str | None]
Validator = Callable[[LegacyTable], LegacyFinding]

VALIDATORS: tuple[Validator, ...] = (
    row_validators.count_rows,
    row_validators.find_column("prompt"),
    row_validators.find_column("completion"),
    row_validators.find_surplus,
    row_validators.find_empty,
    row_validators.find_task,
    row_validators.find_duplicates,
    row_validators.find_long,
    text_validators.find_upper("prompt"),
    text_validators.find_upper("completion"),
    text_validators.find_separator,
    text_validators.find_prompt_prefix,
    text_validators.find_completion_prefix,
    text_validators.find_ending,
    text_validators.find_space,
)


class _AbortedError(Exception):
    """A validator found an error: its words are the exception's."""


def run_legacy_prepare(file: str, say: Print, complain: Print, ask: Ask | None = None) -> int:
    """Do what the old command did with a file, and give its exit code.

    Shape:  `say` takes what went to stdout, `complain` what went to stderr; `ask` gives a typed line without its end,
            None at the end of input; without it every suggestion is taken, as with `-q`
    """
    say("Analyzing...\n")
    try:
        _run(file, say, _make_accept(say, ask))
    except _AbortedError as error:
        complain(f"\n\n{error}\n\nAborting...")
        return 1
    except LegacyCrashError as error:
        complain(f"The old tool ends here with a traceback: {error}\nWithout --compat legacy this file is prepared.\n")
        return 1
    except OSError as error:
        complain(f"The prepared file cannot be written: {error}\nCopy the input to a folder of your own.\n")
        return 1
    return 0


def _run(file: str, say: Print, accept: Callable[[str], bool]) -> None:
    table, reading = read_any(file)
    _print_note(reading, say)
    findings = [reading]
    for validator in VALIDATORS:
        found = validator(table)
        findings.append(found)
        _print_note(found, say)
        if found.necessary and found.change:
            table = found.change(table, say)
    if any(found.necessary or found.optional for found in findings):
        say("\n\nBased on the analysis we will perform the following actions:\n")
    else:
        say("\n\nNo remediations found.\n")
    is_changed = any(found.necessary for found in findings)
    for found in findings:
        if found.optional and found.change and accept(f"- [Recommended] {found.optional} [Y/n]: "):
            table, is_changed = found.change(table, say), True
        if found.necessary:
            say(f"- [Necessary] {found.necessary}\n")
    write_prepared_table(table, file, say, accept, is_changed=is_changed)


def _print_note(found: LegacyFinding, say: Print) -> None:
    if found.error:
        raise _AbortedError(f"ERROR in {found.name} validator: {found.error}")
    say(found.note)


def _make_accept(say: Print, ask: Ask | None) -> Callable[[str], bool]:
    def accept(question: str) -> bool:
        say(question)
        if ask is None:
            say("Y\n")
            return True
        answer = ask()
        if answer is None:
            raise LegacyCrashError("EOFError: EOF when reading a line")
        return answer.lower() != "n"

    return accept
