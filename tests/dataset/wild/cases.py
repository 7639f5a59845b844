"""What a wild file is, and how its hint is followed to the letter."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from reconciler.dataset import RowReport
from reconciler.dataset.measure import measure
from reconciler.dataset.pipeline import read_batches
from reconciler.domain.errors import InputError, Problem, Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.specfile import read_specs
from reconciler.specfile.prepare import OPERATIONS

_QUOTED = re.compile(r"`([^`]*)`")
_EXTENSION = re.compile(r"\bname it (\.[a-z]+)")
_SOURCE_FIELDS = ("encoding", "delimiter", "quote", "header", "columns", "cells", "sheet", "weight")

Fields = dict[str, Any]
MAPPED: Fields = {"format": "completion", "prompt": "{text}", "completion": "{label}"}
COLUMNS: Fields = {"format": "completion", "prompt": "{column_1}", "completion": "{column_2}"}


class Finding(NamedTuple):
    """A rule, the words that name the cause, and the words of the hint that matter."""

    rule: str
    cause: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    line: int = 0


class WildFile(NamedTuple):
    """One file, the spec that its author writes first, and what should come of it.

    Shape:  `wanted` are the rows that the author means, written down without the program; `found` is None for a file
            that is right as it is; with `then`, the fields that the author adds after the hint; `may_stay` says that
            the rows are read as wanted although there is a finding
    """

    id: str
    name: str
    content: bytes
    wanted: tuple[Fields, ...]
    found: Finding | None = None
    fields: Fields = MAPPED
    then: Fields | None = None
    is_warning: bool = False
    mended: bytes | None = None


def pairs(*texts: tuple[str, str]) -> tuple[Fields, ...]:
    """Return rows of a prompt and a completion."""
    return tuple({"prompt": prompt, "completion": completion} for prompt, completion in texts)


def read_wild(directory: Path, name: str, content: bytes, fields: Fields) -> tuple[tuple[Problem, ...], list[Fields]]:
    """Return what is found in a file, and its canonical rows."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(content)
    document = {"kind": "Dataset", "name": "d", "source": name, **fields}
    (directory / "s.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    spec = read_specs(directory, directory).datasets[0]
    try:
        found = measure(spec, directory, minimum=1).warnings
    except InputError as error:
        return error.problems, []
    return found, canonical_rows(spec, directory)


def canonical_rows(spec: DatasetSpec, directory: Path) -> list[Fields]:
    """Return the rows that would be uploaded."""
    _, batches = read_batches(spec, directory, RowReport())
    return [msgspec.json.decode(line) for batch in batches for line in batch.text.splitlines()]


def follow_hint(hint: str, name: str, fields: Fields) -> tuple[str, Fields]:
    """Return the file's name and the fields after the hint is followed: every `field: value` in it, and every name."""
    changed = dict(fields)
    renamed = _EXTENSION.search(hint)
    if renamed:
        return str(Path(name).with_suffix(renamed[1])), changed
    for text in _QUOTED.findall(hint):
        stated = yaml.safe_load(text) if ":" in text else None
        for field, value in (stated if isinstance(stated, dict) else {}).items():
            if field in _SOURCE_FIELDS:
                source = changed.get("source", name)
                changed["source"] = {**(source if isinstance(source, dict) else {"path": source}), field: value}
            elif field in OPERATIONS:
                changed["prepare"] = [*changed.get("prepare", ()), {field: value}]
            else:
                changed[field] = value
    return name, changed
