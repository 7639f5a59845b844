"""Compare a text with its golden file, or write the file when asked to."""

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"
REFRESH = "REFRESH_GOLDEN"


def check_golden(filename: str, text: str, folder: str = "render") -> None:
    """Fail when a text is not what its golden file holds, byte for byte."""
    path = FOLDER / folder / filename
    if os.environ.get(REFRESH):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text, f"{path.name} differs; read tests/golden/README.md"
