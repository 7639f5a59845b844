"""Steps as they stand in a spec, and the documents that do to a file what its examination found."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import assert_never

from xxhash import xxh3_64_intdigest

from reconciler.dataset.canonical import canonical
from reconciler.dataset.split import part_of
from reconciler.domain.desired import Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    Deduplicate,
    DropEmpty,
    DropLong,
    EnsureLeadingSpace,
    FillTemplate,
    KeepColumns,
    LowerCase,
    RemovePrefix,
    Rename,
)
from reconciler.domain.spec import Format
from reconciler.foundation.yaml_write import yaml_quoted
from reconciler.prepare_data.compat import choose_names, write_new_files
from reconciler.prepare_data.suggest.examine import Examination
from reconciler.prepare_data.suggest.finding import RemedyStep

_WORDS = frozenset({"null", "true", "false"})
"""Names that YAML would take for something else."""


def write_steps(steps: Sequence[RemedyStep]) -> str:
    """Return steps as items of a spec's `prepare` list, one a line."""
    return "".join(f"  - {_write_step(step)}\n" for step in steps)


def write_dataset(
    name: str, source: str, *, form: Format, steps: Sequence[RemedyStep] = (), validation: float = 0.0
) -> str:
    """Return the document of a dataset that reads a file, does these steps and holds a share of the rows back."""
    return "".join(_dataset_lines(name, source, form, steps, validation))


def _dataset_lines(
    name: str, source: str, form: Format, steps: Sequence[RemedyStep], validation: float
) -> Iterator[str]:
    yield "kind: Dataset\n"
    yield f"name: {name if name[:1].isalpha() and name not in _WORDS else yaml_quoted(name)}\n"
    yield f"source: {yaml_quoted(Path(source).as_posix())}\n"
    yield f"format: {form}\n"
    if steps:
        yield "prepare:\n"
        yield write_steps(steps)
    if validation:
        yield f"split: {{validation: {validation}}}\n"


def _write_step(step: RemedyStep) -> str:
    match step:
        case Rename(names):
            return f"rename: {_write_mapping(names)}"
        case FillTemplate(templates):
            return f"template: {_write_mapping(templates)}"
        case KeepColumns(columns):
            return f"keep_columns: {_write_columns(columns)}"
        case LowerCase(columns):
            return f"lower_case: {_write_columns(columns)}"
        case EnsureLeadingSpace(columns):
            return f"ensure_leading_space: {_write_columns(columns)}"
        case DropEmpty(columns):
            return f"drop_empty: {_write_columns(columns)}"
        case Deduplicate(columns):
            return f"deduplicate: {_write_columns(columns)}"
        case AddPrefix(column, text):
            return f"add_prefix: {_write_affix(column, text)}"
        case AddSuffix(column, text):
            return f"add_suffix: {_write_affix(column, text)}"
        case RemovePrefix(column, text):
            return f"remove_prefix: {_write_affix(column, text)}"
        case DropLong():
            return f"drop_long: {{characters: {step.characters}, columns: {_write_columns(step.columns)}}}"
    assert_never(step)


def _write_columns(columns: Sequence[str]) -> str:
    return f"[{', '.join(columns)}]"


def _write_mapping(pairs: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{yaml_quoted(key)}: {yaml_quoted(value)}" for key, value in pairs) + "}"


def _write_affix(column: str, text: str) -> str:
    return f"{{column: {column}, text: {yaml_quoted(text)}}}"


def name_prepared_files(examined: Examination, validation: float = 0.0) -> tuple[Path, ...]:
    """Return the names of the files that would be written at this moment."""
    suffixes = ("_train", "_valid") if validation else ("",)
    return tuple(map(Path, choose_names(str(examined.file), suffixes)))


def write_prepared_files(examined: Examination, validation: float = 0.0) -> tuple[Path, ...]:
    """Write the rows: one file, or one to train on and one to validate with.

    Shape:  which file a row goes to is decided by its content, as a spec's `split` decides it
    Raises: InputError when the folder cannot be written to; then nothing is left behind
    """
    lines: dict[Part, list[bytes]] = {Part.TRAINING: [], Part.VALIDATION: []}
    for row in examined.rows:
        line = canonical(row.value, examined.format)
        lines[part_of(xxh3_64_intdigest(line), validation)].append(line)
    parts = (Part.TRAINING, Part.VALIDATION) if validation else (Part.TRAINING,)
    paths = name_prepared_files(examined, validation)
    texts = {path: b"".join(lines[part]).decode() for path, part in zip(paths, parts, strict=True)}
    try:
        write_new_files(texts)
    except OSError as error:
        what, hint = f"cannot be written: {error.strerror or error}", "copy the input to a folder of your own"
        raise InputError((Problem(where=Place(file=str(paths[0])), what=what, hint=hint),)) from error
    return paths
