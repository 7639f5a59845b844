"""Memory stays flat, whatever a dataset's size."""

import subprocess
import sys
from pathlib import Path

import pytest

from .factories import a_chat, jsonl

SIZE_MB = 60
MOST_MB = 20
"""What reading adds to the memory of a process that has measured a small file: blocks, and 16 bytes a row."""

PROBE = """
import resource, sys
from pathlib import Path
from reconciler.dataset import measure
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec

def peak_mb(name):
    measured = measure(DatasetSpec(name="rows", place=Place(file="x"), sources=(name,)), Path(sys.argv[1]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return measured.training.size_bytes >> 20, peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)

_, before = peak_mb("small.jsonl")
size, after = peak_mb("large.jsonl")
print(size, after - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked for in the way of Unix")
def test_memory_is_flat_in_the_size_of_a_dataset(tmp_path: Path) -> None:
    block = jsonl(a_chat(f"question {at}", "a longer answer " * 40) for at in range(1000))
    (tmp_path / "small.jsonl").write_bytes(block)
    with (tmp_path / "large.jsonl").open("wb") as file:
        for _ in range((SIZE_MB << 20) // len(block) + 1):
            file.write(block)
    done = subprocess.run([sys.executable, "-c", PROBE, str(tmp_path)], capture_output=True, text=True, check=True)
    size_mb, grown_mb = done.stdout.split()
    assert int(size_mb) >= SIZE_MB - 5
    assert float(grown_mb) < MOST_MB
