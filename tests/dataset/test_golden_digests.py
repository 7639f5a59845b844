"""Pinned digests of datasets of every kind; a change would train every model again."""

import json
import os
from pathlib import Path

from reconciler.dataset import measure
from reconciler.domain.errors import Place
from reconciler.domain.spec import ColumnMapping, DatasetSpec, Turn

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "golden" / "digests.json"

DATASETS: dict[str, dict[str, object]] = {
    "chat with tools": {"sources": ("stock-tools-valid.jsonl",)},
    "completion": {"sources": ("ports.jsonl",)},
    "workbook": {"sources": ("context-switching.xlsx",)},
    "workbook, split": {"sources": ("context-switching.xlsx",), "validation_share": 0.2},
    "csv, mapped to completion": {
        "sources": ("insurance-topics.csv",),
        "mapping": ColumnMapping(prompt="{customer_question}\n\n###\n\n", completion=" {topic}"),
    },
    "tsv, mapped to chat": {
        "sources": ("tickets-train.tsv",),
        "mapping": ColumnMapping(
            turns=(
                Turn(role="system", content="Label the ticket."),
                Turn(role="user", content="{text}"),
                Turn(role="assistant", content="{label}", weight=1),
            )
        ),
    },
    "several sources": {"sources": ("ports.jsonl", "context-switching.xlsx")},
}


def test_digests_do_not_change() -> None:
    """A release with a difference here would make every user train every model again."""
    found: dict[str, object] = {"note": "Whoever changes a digest here trains every model anew: read README.md first."}
    for name, fields in DATASETS.items():
        spec = DatasetSpec(name="golden", place=Place(file="golden"), **fields)  # type: ignore[arg-type]
        result = measure(spec, ROOT / "data" / "corpus")
        found[name] = {
            "format": result.format,
            "training": _shown(result.training),
            "validation": _shown(result.validation),
        }
    text = json.dumps(found, indent=2) + "\n"
    if os.environ.get("REFRESH_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text, "read tests/golden/README.md"


def _shown(measure_of_side: object) -> dict[str, object] | None:
    if measure_of_side is None:
        return None
    return {name: str(getattr(measure_of_side, name)) for name in ("digest", "rows", "size_bytes")}
