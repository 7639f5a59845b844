"""Compares a text with its golden file, or writes the file anew when asked to."""

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden" / "render"
REFRESH = "REFRESH_GOLDEN"


def check_golden(filename: str, text: str) -> None:
    """Fail when a text is not what its golden file holds, byte for byte."""
    path = FOLDER / filename
    if os.environ.get(REFRESH):
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text, f"{path.name} differs; read tests/golden/README.md"
