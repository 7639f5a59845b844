"""Small files with the verdict, the cause and the hint that a careful person would want, and the rows it leads to.

A hint is applied as it is written: what stands in backticks and is a field of the Dataset is added to it, and what is a
step is put before the last step. Of several ways, the first is taken.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from reconciler.dataset import RowReport, measure
from reconciler.dataset.dataset_checks import check_methods
from reconciler.dataset.pipeline import read_batches
from reconciler.domain.errors import InputError, Problem, Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.specfile import read_specs
from reconciler.specfile.prepare import OPERATIONS

VALID, WARNING, ERROR = "valid", "warning", "error"

_FIELDS = {"prepare", "system", "prompt", "completion", "messages", "format", "sheet"}
_TERMS = {"delimiter", "encoding", "quote", "header", "columns", "cells", "weight"}


class SmallFile(NamedTuple):
    """A file, and what should be found in it.

    Shape:  `dataset` are fields of the Dataset, beside name and source; `verdict` is valid, warning or error; `rule`
            and `cause` are those of the finding, `rows` the first rows after the hint, or as they are where the file is
            valid; empty where no hint can lead to rows
    """

    id: str
    content: str | bytes
    verdict: str
    rule: str = ""
    cause: str = ""
    rows: Sequence[object] = ()
    name: str = "rows.jsonl"
    dataset: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple copies nothing, and no test changes it)
    method: str = "supervised"
    hint: str = ""


def lines(rows: Iterable[object]) -> str:
    """Return rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def check_small_file(case: SmallFile, root: Path) -> None:
    """Compare what is found in a file with what the case wants, and the rows after its hint."""
    (root / case.name).write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    document = {"kind": "Dataset", "name": "rows", "source": case.name, **case.dataset}
    found = find_problems(document, case, root)
    errors = [each for each in found if each.severity is Severity.ERROR]
    warnings = [each for each in found if each.severity is Severity.WARNING]
    assert (ERROR if errors else WARNING if warnings else VALID) == case.verdict, found[:3]
    shown = [each for each in found if each.rule == case.rule]
    if case.rule:
        assert shown, found[:3]
        assert case.cause in shown[0].what, shown[0]
        assert case.hint in shown[0].hint, shown[0]
        assert case.verdict is not ERROR or {each.rule for each in errors} == {case.rule}, errors[:3]
    if not case.rows:
        return
    if case.verdict != VALID:
        document = apply_hint(shown[0].hint, document)
        left = [each for each in find_problems(document, case, root) if each.severity is not Severity.INFO]
        assert not [each for each in left if each.rule == case.rule or each.severity is Severity.ERROR], left
    assert _read_first(document, case, root, len(case.rows)) == list(case.rows)


def _read_spec(document: dict[str, Any], case: SmallFile, root: Path) -> DatasetSpec:
    model: dict[str, Any] = {
        "kind": "Model",
        "name": "m",
        "base": "gpt-4o-mini-2024-07-18",
        "training": "rows",
        "method": case.method,
    }
    if case.method == "reinforcement":
        model["grader"] = {"type": "string_check", "name": "g", "operation": "eq", "input": "x", "reference": "x"}
    documents = [document, model]
    (root / "d.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return read_specs(root, root).datasets[0]


def find_problems(document: dict[str, Any], case: SmallFile, root: Path) -> tuple[Problem, ...]:
    """Return everything that is found in a file, read as a Dataset says."""
    try:
        spec = _read_spec(document, case, root)
        measured = measure(spec, root)
    except InputError as error:
        return error.problems
    return (*measured.warnings, *check_methods(read_specs(root, root), {"rows": measured}))


def apply_hint(hint: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return a Dataset after the first of the ways that a hint names."""
    changed, used = dict(document), False
    for piece in re.findall(r"`([^`]+)`", re.split("; to train (?:without|by)", hint)[0]):
        name = piece.partition(":")[0]
        if not re.match(r"[a-z_]+: \S", piece):
            continue
        value = yaml.safe_load(piece)[name]
        if name in OPERATIONS:
            steps = list(changed.get("prepare", []))
            changed["prepare"] = [*steps[:-1], {name: value}, *steps[-1:]]
            used = True
        elif name in _FIELDS:
            changed[name], used = value, True
        elif name in _TERMS:
            source = changed["source"]
            changed["source"], used = {**(source if isinstance(source, dict) else {"path": source}), name: value}, True
    assert used, hint
    return changed


def _read_first(document: dict[str, Any], case: SmallFile, root: Path, count: int) -> list[object]:
    report = RowReport()
    _, batches = read_batches(_read_spec(document, case, root), root, report, check_rows=False)
    rows = [json.loads(line) for batch in batches for line in batch.text.splitlines()]
    assert not report.has_errors
    return rows[:count]
