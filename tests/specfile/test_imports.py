"""The package loads no validator before it reads a document, and never a library of another package."""

import json
import subprocess
import sys
from pathlib import Path

from tests.specfile.trees import DATASET, MODEL, write

ROOT = Path(__file__).parents[2]
PROBE = """
import json, sys
from pathlib import Path
import reconciler.specfile
from reconciler.specfile import find_workspace, schema_names, schema_text
schema_text("spec")
before = sorted(sys.modules)
reconciler.specfile.read_specs(Path(sys.argv[1]), Path(sys.argv[1]))
print(json.dumps([before, sorted(sys.modules)]))
"""


def test_the_validator_is_loaded_when_specs_are_read_and_no_other_heavy_library(tmp_path: Path) -> None:
    write(tmp_path, {"s.yaml": f"{DATASET}---\n{MODEL}"})
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    before, after = json.loads(done.stdout)
    assert "jsonschema" not in before
    assert {"yaml", "jsonschema"} <= set(after)
    assert not {"httpx", "deepdiff", "starlette", "sklearn", "requests", "asyncio"} & set(after)
