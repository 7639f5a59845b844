"""Writes what an examination leads to: the steps and the document for a spec, and the prepared files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xxhash import xxh3_64_intdigest

from reconciler.dataset import choose_part, write_canonical_line
from reconciler.dataset.recognise import write_step
from reconciler.domain.desired import Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.prepare import Operation
from reconciler.domain.spec import Format
from reconciler.foundation.text import yaml_quoted
from reconciler.prepare_data.compat import choose_names, write_new_files
from reconciler.prepare_data.suggest.examine import Examination

_WORDS = frozenset({"null", "true", "false"})
"""Names that YAML reads as another value than a text."""


def write_steps(steps: Sequence[Operation]) -> str:
    """Return steps as items of a spec's `prepare` list, one on each line."""
    return "".join(f"  - {write_step(step)}\n" for step in steps)


def write_dataset(
    name: str, source: str, *, row_format: Format, steps: Sequence[Operation] = (), validation: float = 0.0
) -> str:
    """Return the document of a dataset that reads a file, applies steps and validates with a share of the rows."""
    return "".join(_dataset_lines(name, source, row_format, steps, validation))


def _dataset_lines(
    name: str, source: str, row_format: Format, steps: Sequence[Operation], validation: float
) -> Iterator[str]:
    yield "kind: Dataset\n"
    yield f"name: {name if name[:1].isalpha() and name not in _WORDS else yaml_quoted(name)}\n"
    yield f"source: {yaml_quoted(Path(source).as_posix())}\n"
    yield f"format: {row_format}\n"
    if steps:
        yield "prepare:\n"
        yield write_steps(steps)
    if validation:
        yield f"split: {{validation: {validation}}}\n"


def name_prepared_files(examination: Examination, validation: float = 0.0) -> tuple[Path, ...]:
    """Return the names of the files that `write_prepared_files` would write now."""
    suffixes = ("_train", "_valid") if validation else ("",)
    return tuple(map(Path, choose_names(str(examination.file), suffixes)))


def write_prepared_files(examination: Examination, validation: float = 0.0) -> tuple[Path, ...]:
    """Write the rows to one file, or to a training file and a validation file; return their names.

    Shape:  a row's content decides which file it goes to, as with a spec's `split`
    Raises: InputError, when the directory cannot be written to; then no file is left behind
    """
    lines: dict[Part, list[bytes]] = {Part.TRAINING: [], Part.VALIDATION: []}
    for row in examination.rows:
        line = write_canonical_line(row.value, examination.format)
        lines[choose_part(xxh3_64_intdigest(line), validation)].append(line)
    parts = (Part.TRAINING, Part.VALIDATION) if validation else (Part.TRAINING,)
    paths = name_prepared_files(examination, validation)
    texts = {path: b"".join(lines[part]).decode() for path, part in zip(paths, parts, strict=True)}
    try:
        write_new_files(texts)
    except OSError as error:
        what, hint = (
            f"cannot be written: {error.strerror or error}",
            "copy the input to a directory that you can write to",
        )
        raise InputError((Problem(where=Place(file=str(paths[0])), what=what, hint=hint),)) from error
    return paths
