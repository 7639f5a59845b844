"""Steps as they stand in a spec, and the documents that do to a file what its examination found."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import assert_never

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
from reconciler.prepare_data.suggest.finding import Mending

_WORDS = frozenset({"null", "true", "false"})
"""Names that YAML would take for something else."""


def steps_text(steps: Sequence[Mending]) -> str:
    """Return steps as items of a spec's `prepare` list, one a line."""
    return "".join(f"  - {_item(step)}\n" for step in steps)


def fragment(name: str, source: str, *, form: Format, steps: Sequence[Mending] = (), validation: float = 0.0) -> str:
    """Return the document of a dataset that reads a file, does these steps and holds a share of the rows back."""
    return "".join(_lines(name, source, form, steps, validation))


def _lines(name: str, source: str, form: Format, steps: Sequence[Mending], validation: float) -> Iterator[str]:
    yield "kind: Dataset\n"
    yield f"name: {name if name[:1].isalpha() and name not in _WORDS else yaml_quoted(name)}\n"
    yield f"source: {yaml_quoted(Path(source).as_posix())}\n"
    yield f"format: {form}\n"
    if steps:
        yield "prepare:\n"
        yield steps_text(steps)
    if validation:
        yield f"split: {{validation: {validation}}}\n"


def _item(step: Mending) -> str:
    match step:
        case Rename(names):
            return f"rename: {_mapping(names)}"
        case FillTemplate(templates):
            return f"template: {_mapping(templates)}"
        case KeepColumns(columns):
            return f"keep_columns: {_list(columns)}"
        case LowerCase(columns):
            return f"lower_case: {_list(columns)}"
        case EnsureLeadingSpace(columns):
            return f"ensure_leading_space: {_list(columns)}"
        case DropEmpty(columns):
            return f"drop_empty: {_list(columns)}"
        case Deduplicate(columns):
            return f"deduplicate: {_list(columns)}"
        case AddPrefix(column, text):
            return f"add_prefix: {_affix(column, text)}"
        case AddSuffix(column, text):
            return f"add_suffix: {_affix(column, text)}"
        case RemovePrefix(column, text):
            return f"remove_prefix: {_affix(column, text)}"
        case DropLong():
            return f"drop_long: {{characters: {step.characters}, columns: {_list(step.columns)}}}"
    assert_never(step)


def _list(columns: Sequence[str]) -> str:
    return f"[{', '.join(columns)}]"


def _mapping(pairs: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{yaml_quoted(key)}: {yaml_quoted(value)}" for key, value in pairs) + "}"


def _affix(column: str, text: str) -> str:
    return f"{{column: {column}, text: {yaml_quoted(text)}}}"
