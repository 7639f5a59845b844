"""prepare: what is wrong with a file of examples, and the steps that mend it, printed or done."""

import re
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption
from reconciler.domain.errors import UsageError

if TYPE_CHECKING:
    from reconciler.prepare_data.suggest import Examination, Remedy
    from reconciler.render import Sink

VALIDATION_SHARE = 0.2
"""What is held back where the rows look like classification."""

_UNICODE_ENDS = frozenset("\u2028\u2029")

EXAMPLES = """
Examples:

  reconciler prepare data/tickets.csv

  reconciler prepare data/tickets.csv --write

  reconciler prepare data/tickets.csv --compat legacy
"""


class Compat(StrEnum):
    """Whose behaviour is asked for, to the byte."""

    LEGACY = "legacy"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=EXAMPLES)(prepare)


def prepare(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV, TSV, XLSX, JSON, JSONL or TXT.")],
    write: Annotated[
        bool, typer.Option("--write", help="Write the prepared file beside it; never over another.")
    ] = False,
    interactive: Annotated[bool, typer.Option("--interactive", help="Ask before each remedy.")] = False,
    compat: Annotated[
        Compat | None,
        typer.Option("--compat", help="Do what `openai tools fine_tunes.prepare_data` did, to the byte; it writes."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check a file of examples, and show how to correct it.

    What is found comes with its remedy, and the remedies come as steps for a spec.
    """
    console: Console = context.obj
    if compat:
        if as_json or write:
            raise UsageError("--compat legacy writes and speaks as the old tool did: leave --json and --write out")
        return _as_before(file, console, interactive=interactive)
    from reconciler.prepare_data.suggest import examine, write_prepared_files

    examined = examine(Path(file), (lambda remedy: _asked(console, remedy.what)) if interactive else _accepted)
    share = _share(examined, console, interactive=interactive)
    is_needed = bool(examined.steps or share or Path(file).suffix.lower() != ".jsonl" or not examined.is_for_specs)
    written = write_prepared_files(examined, share) if write and is_needed else ()
    documents = _documents(examined, share, written)
    if as_json:
        console.out.line(_json(examined, share, written, documents))
        return exit_codes.OK
    _tell(examined, console)
    for path in written:
        console.out.line(f"Wrote {_shown(str(path))}")
    if write and not written:
        console.out.line("Nothing was written: the file can be used as it is.")
    console.out.write(f"\nAs a spec, with paths relative to the spec's own file:\n\n{documents}")
    console.err.line("Next: put this into a file under specs/, name the dataset in a Model, and run reconciler plan")
    return exit_codes.OK


def _as_before(file: str, console: Console, *, interactive: bool) -> int:
    from reconciler.prepare_data.compat import run_legacy_prepare

    def ask() -> str | None:
        console.out.end_untrusted()
        console.out.flush()
        return _typed()

    say, complain = partial(_pour, console.out), partial(_pour, console.err)
    code = run_legacy_prepare(file, say, complain, ask if interactive else None)
    console.out.end_untrusted()
    console.err.end_untrusted()
    return code


def _pour(sink: "Sink", text: str) -> None:
    # These end no line on a terminal, and the old tool said them as they are; nothing else gets past the sink.
    for piece in re.split("([\u2028\u2029])", text):
        if piece in _UNICODE_ENDS:
            sink.write(piece)
        else:
            sink.write_untrusted(piece)


def _accepted(remedy: "Remedy") -> bool:
    return True


def _asked(console: Console, what: str) -> bool:
    while True:
        console.err.write(f"{_shown(what)} [Y/n]: ")
        console.err.flush()
        answer = _typed()
        if answer is None:
            raise UsageError("the answers ended before the questions; without --interactive every remedy is taken")
        if answer.strip().lower() in {"", "y", "yes"}:
            return True
        if answer.strip().lower() in {"n", "no"}:
            return False
        console.err.line("Please answer y or n.")


def _typed() -> str | None:
    line = sys.stdin.readline()
    return line.removesuffix("\n").removesuffix("\r") if line else None


def _share(examined: "Examination", console: Console, *, interactive: bool) -> float:
    from reconciler.prepare_data.compat import TaskKind

    if examined.task is not TaskKind.CLASSIFICATION:
        return 0.0
    question = f"Hold {VALIDATION_SHARE:.0%} of the rows back to validate with"
    return VALIDATION_SHARE if not interactive or _asked(console, question) else 0.0


def _documents(examined: "Examination", share: float, written: tuple[Path, ...]) -> str:
    from reconciler.foundation.suggest import slug
    from reconciler.prepare_data.suggest import name_prepared_files, write_dataset

    name = slug(examined.file.stem) or "examples"
    if examined.is_for_specs and not written:
        return write_dataset(
            name, str(examined.file), row_format=examined.format, steps=examined.steps, validation=share
        )
    paths = written or name_prepared_files(examined, share)
    note = "" if written else "# A spec does not read this file as it is: it reads what --write makes.\n"
    pairs = zip((name, f"{name}-valid"), paths, strict=False)
    return note + "---\n".join(write_dataset(each, str(path), row_format=examined.format) for each, path in pairs)


def _tell(examined: "Examination", console: Console) -> None:
    out = console.out
    out.line(f"{_shown(str(examined.file))}")
    for warning in examined.warnings:
        out.line(f"  - {_shown(str(warning))}")
    for finding in examined.findings:
        out.line(f"  - {_shown(str(finding))}")
    if examined.remedies:
        out.line("Remedies:")
    for remedy, accepted in examined.remedies:
        kind = "necessary" if remedy.necessary else "recommended"
        out.line(f"  - [{kind}] {_shown(remedy.what)}{'' if accepted else ' (declined)'}")
    if not examined.remedies:
        out.line("Nothing to remedy.")


def _shown(text: str) -> str:
    from reconciler.render import clean

    return clean(text)


def _json(examined: "Examination", share: float, written: tuple[Path, ...], documents: str) -> str:
    import json

    from reconciler.prepare_data.suggest import write_steps

    said = {
        "file": str(examined.file),
        "format": examined.format.value,
        "task": examined.task.value,
        "rows": examined.count,
        "rows_prepared": len(examined.rows),
        "warnings": [str(warning) for warning in examined.warnings],
        "findings": [{"name": each.name, "what": each.what, "lines": list(each.lines)} for each in examined.findings],
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
        "validation_share": share,
        "written": [str(path) for path in written],
        "spec": documents,
    }
    return json.dumps(said, indent=2)
