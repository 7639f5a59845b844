"""Prepared rows into files beside the input, under the old names, in the lines that would be uploaded."""

from pathlib import Path

from xxhash import xxh3_64_intdigest

from reconciler.dataset.canonical import canonical
from reconciler.dataset.split import part_of
from reconciler.domain.desired import Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.prepare_data.compat.output import write_new_files
from reconciler.prepare_data.compat.writing import choose_names
from reconciler.prepare_data.suggest.examine import Examination


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
