"""prepare: checks a file of examples, and prints or performs the steps that correct it."""

import os
import re
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, add_command
from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.spec import FORMATS_OF, Format
from reconciler.foundation.text import slug
from reconciler.prepare_data.compat import TaskKind, run_legacy_prepare
from reconciler.prepare_data.suggest import (
    Examination,
    Remedy,
    examine,
    name_prepared_files,
    write_dataset,
    write_prepared_files,
    write_steps,
)
from reconciler.render import FORMAT_VERSION, Sink, clean, json_document, problem_fields
from reconciler.workflow import find_use, locate_setting

VALIDATION_SHARE = 0.2
"""The share of rows held back for validation where the rows look like classification."""

_UNICODE_ENDS = frozenset("\u2028\u2029")

EXAMPLES = """
Examples:

  reconciler prepare data/tickets.csv

  reconciler prepare data/tickets.csv --write

  reconciler prepare data/tickets.csv --for completion

  reconciler prepare data/thumbs.csv --method dpo

  reconciler prepare data/tickets.csv --compat legacy
"""


class Learner(StrEnum):
    """The models that are to learn from the rows."""

    CHAT = "chat"
    COMPLETION = "completion"


class Method(StrEnum):
    """The method by which models are to learn from the rows."""

    SUPERVISED = "supervised"
    DPO = "dpo"
    REINFORCEMENT = "reinforcement"


class Compat(StrEnum):
    """The tool whose behaviour is reproduced, byte for byte."""

    LEGACY = "legacy"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, prepare, epilog=EXAMPLES)


def prepare(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV, TSV, XLSX, JSON, JSONL or TXT.")],
    write: Annotated[
        bool, typer.Option("--write", help="Write the prepared file beside it; never over another.")
    ] = False,
    interactive: Annotated[bool, typer.Option("--interactive", help="Ask before each remedy.")] = False,
    compat: Annotated[
        Compat | None,
        typer.Option("--compat", help="Do what `openai tools fine_tunes.prepare_data` did, byte for byte; it writes."),
    ] = None,
    target: Annotated[
        Learner, typer.Option("--for", help="What learns from the rows: chat models, or completion models.")
    ] = Learner.CHAT,
    method: Annotated[
        Method | None,
        typer.Option("--method", help="How models learn from the rows; else as the specs that use the file say."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check a file of examples, and show how to correct it.

    Each finding comes with its remedy, and the remedies come as steps for a spec.
    """
    console: Console = context.obj
    if compat:
        if target is not Learner.CHAT or method:
            raise UsageError("--compat legacy prepares for completion models: leave out --for and --method")
        if as_json or write:
            raise UsageError("--compat legacy writes files and texts as the old tool did: leave out --json and --write")
        return _run_legacy(file, console, interactive=interactive)
    find = partial(examine, Path(file), target=Format(target.value), used_as=_find_use(method, Path(file)))
    if interactive and not as_json:
        show_findings(find(), console.out)
    examined = find((lambda remedy: _ask(console, remedy.what)) if interactive else _accept)
    share = _choose_share(examined, console, interactive=interactive)
    is_needed = bool(examined.steps or share or Path(file).suffix.lower() != ".jsonl" or not examined.is_for_specs)
    is_decided = not examined.questions
    written = write_prepared_files(examined, share) if write and is_needed and is_decided else ()
    documents = _write_documents(examined, share, written)
    if as_json:
        console.out.write(_write_json(examined, share, written, documents))
        return exit_codes.OK if is_decided else exit_codes.INVALID
    _show(examined, console, with_findings=not interactive)
    for path in written:
        console.out.line(f"Wrote {clean(str(path))}")
    if write and not written and is_decided:
        console.out.line("Nothing was written: the file is ready to use.")
    console.out.write(f"\nAs a spec, with paths relative to the spec's own file:\n\n{documents}")
    if not is_decided:
        console.out.flush()
        console.err.line("Some of it only you can decide; the file is used with these steps when that is done:")
        raise InputError(examined.questions)
    console.err.line("Next: put this into a file under specs/, name the dataset in a Model, and run reconciler plan")
    return exit_codes.OK


def _find_use(method: Method | None, file: Path) -> Format | None:
    if method is None:
        return find_use(locate_setting(DEFAULT_ROOT, os.environ), file) if DEFAULT_ROOT.is_dir() else None
    formats = FORMATS_OF[method.value]
    return formats[0] if len(formats) == 1 else None


def _run_legacy(file: str, console: Console, *, interactive: bool) -> int:
    def ask() -> str | None:
        console.out.end_untrusted()
        console.out.flush()
        return _read_line()

    say, complain = partial(_write_legacy, console.out), partial(_write_legacy, console.err)
    code = run_legacy_prepare(file, say, complain, ask if interactive else None)
    console.out.end_untrusted()
    console.err.end_untrusted()
    return code


def _write_legacy(sink: Sink, text: str) -> None:
    # These do not end a line on a terminal, and the old tool wrote them as they are; the sink escapes all else.
    for piece in re.split("([\u2028\u2029])", text):
        if piece in _UNICODE_ENDS:
            sink.write(piece)
        else:
            sink.write_untrusted(piece)


def _accept(remedy: Remedy) -> bool:
    return True


def _ask(console: Console, what: str) -> bool:
    while True:
        console.err.write(f"{clean(what)} [Y/n]: ")
        console.err.flush()
        answer = _read_line()
        if answer is None:
            raise UsageError("the input ended before the last question; without --interactive every remedy is applied")
        if answer.strip().lower() in {"", "y", "yes"}:
            return True
        if answer.strip().lower() in {"n", "no"}:
            return False
        console.err.line("Type y or n.")


def _read_line() -> str | None:
    line = sys.stdin.readline()
    return line.removesuffix("\n").removesuffix("\r") if line else None


def _choose_share(examined: Examination, console: Console, *, interactive: bool) -> float:
    if examined.task is not TaskKind.CLASSIFICATION:
        return 0.0
    question = f"Hold back {VALIDATION_SHARE:.0%} of the rows for validation"
    return VALIDATION_SHARE if not interactive or _ask(console, question) else 0.0


def _write_documents(examined: Examination, share: float, written: tuple[Path, ...]) -> str:
    name = slug(examined.file.stem) or "examples"
    if examined.is_for_specs and not written:
        return write_dataset(
            name, str(examined.file), row_format=examined.format, steps=examined.steps, validation=share
        )
    paths = written or name_prepared_files(examined, share)
    note = "" if written else "# A spec cannot read this file as it is: it reads the file that --write creates.\n"
    pairs = zip((name, f"{name}-valid"), paths, strict=False)
    return note + "---\n".join(write_dataset(each, str(path), row_format=examined.format) for each, path in pairs)


def show_findings(examined: Examination, out: Sink) -> None:
    """Write what was found in a file, and what the warnings advise."""
    out.line(f"{clean(str(examined.file))}")
    for warning in examined.warnings:
        out.line(f"  - {clean(str(warning))}")
        if warning.hint:
            out.line(f"    hint: {clean(warning.hint)}")
    for finding in examined.findings:
        out.line(f"  - {clean(str(finding))}")
    out.flush()


def _show(examined: Examination, console: Console, *, with_findings: bool) -> None:
    out = console.out
    if with_findings:
        show_findings(examined, out)
    if examined.remedies:
        out.line("Remedies:")
    for remedy, accepted in examined.remedies:
        kind = "necessary" if remedy.necessary else "recommended"
        out.line(f"  - [{kind}] {clean(remedy.what)}{'' if accepted else ' (declined)'}")
    if not examined.remedies:
        out.line("Nothing to correct.")


def write_findings(examined: Examination) -> dict[str, object]:
    """Return what was found in a file as the fields of a JSON document."""
    file = str(examined.file)
    return {
        "warnings": list(map(problem_fields, examined.warnings)),
        "findings": [
            problem_fields(each.to_problem(file)) | {"name": each.name, "lines": list(each.lines)}
            for each in examined.findings
        ],
    }


def _write_json(examined: Examination, share: float, written: tuple[Path, ...], documents: str) -> str:
    document: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "file": str(examined.file),
        "format": examined.format.value,
        "task": examined.task.value,
        "rows": examined.count,
        "rows_prepared": len(examined.rows),
        **write_findings(examined),
        "remedies": [
            {
                "name": remedy.name,
                "what": remedy.what,
                "necessary": remedy.necessary,
                "accepted": accepted,
                "steps": [line.removeprefix("  - ") for line in write_steps(remedy.steps).splitlines()],
            }
            for remedy, accepted in examined.remedies
        ],
        "questions": list(map(problem_fields, examined.questions)),
        "validation_share": share,
        "written": [str(path) for path in written],
        "spec": documents,
    }
    return json_document(document)
