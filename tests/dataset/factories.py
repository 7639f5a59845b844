"""Datasets for tests: name only what the test is about."""

import json
from collections.abc import Iterable
from pathlib import Path

from reconciler.dataset import measure
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import ColumnMapping, DatasetSpec, Format

SPEC_PLACE = Place(file="specs/data.yaml", line=3, column=1)
CORPUS = Path(__file__).parent.parent / "data" / "corpus"


def a_spec(
    *sources: str,
    format: Format | None = None,  # noqa: A002 (the word of the field)
    mapping: ColumnMapping | None = None,
    sheet: str | None = None,
    share: float = 0.0,
) -> DatasetSpec:
    """Return the spec of a dataset of these files."""
    return DatasetSpec(
        name="rows",
        place=SPEC_PLACE,
        sources=sources or ("rows.jsonl",),
        format=format,
        mapping=mapping,
        sheet=sheet,
        validation_share=share,
    )


def a_chat(question: str = "hello", answer: str = "hi") -> dict[str, object]:
    """Return a plain chat row."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def chats(count: int) -> list[object]:
    """Return this many different chat rows."""
    return [a_chat(f"question {at}", f"answer {at}") for at in range(count)]


def jsonl(rows: Iterable[object]) -> bytes:
    """Return rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def write(directory: Path, name: str, content: bytes | str) -> str:
    """Write a file below the directory; return its name, for a spec."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def measured(directory: Path, content: bytes, name: str = "rows.jsonl", **spec: object) -> DatasetMeasure:
    """Measure a file of this content."""
    return measure(a_spec(write(directory, name, content), **spec), directory)  # type: ignore[arg-type]


def problems_of(spec: DatasetSpec, workspace: Path) -> tuple[Problem, ...]:
    """Return all problems that measuring finds, with the warnings of a valid dataset."""
    try:
        return measure(spec, workspace).warnings
    except InputError as error:
        return error.problems


def problems(directory: Path, content: bytes | str, name: str = "rows.jsonl", **spec: object) -> tuple[Problem, ...]:
    """Return all problems that measuring a file of this content finds."""
    return problems_of(a_spec(write(directory, name, content), **spec), directory)  # type: ignore[arg-type]


def only(found: tuple[Problem, ...], rule: str) -> Problem:
    """Return the single problem of a rule."""
    matching = [problem for problem in found if problem.rule == rule]
    assert len(matching) == 1, f"{rule}: {found}"
    return matching[0]


def rules(found: Iterable[Problem]) -> list[str]:
    """Return the broken rules, in order."""
    return [problem.rule for problem in found]
