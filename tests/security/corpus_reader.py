"""A reader of the corpus."""

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent / "corpus"


def cases(name: str) -> dict[str, dict[str, Any]]:
    """Return the cases of one file by their names; no two have the same."""
    found = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    named = {case["name"]: case for case in found}
    assert len(named) == len(found)
    return named
