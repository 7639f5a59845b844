"""What a command does not need, it does not load: start-up is felt on every keystroke."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("httpx", "deepdiff", "starlette", "sklearn", "numpy", "pydantic", "uvicorn", "sqlite3", "asyncio")
ROOT = Path(__file__).parent.parent

PROBE = """
import json, sys
from reconciler.cli.app import run
code = run(sys.argv[1:])
print(json.dumps({"code": code, "loaded": sorted(sys.modules)}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["plan", "--help"], ["validate", "specs/quickstart"], ["schema"], ["jobs", "--help"]]
)
def test_light_commands_load_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    report = json.loads(done.stderr.splitlines()[-1])
    assert report["code"] == 0
    assert not set(report["loaded"]) & set(HEAVY)
    # What is written about failures is loaded when there is one.
    assert "reconciler.cli.failures" not in report["loaded"]
    if arguments[0] != "plan":
        assert "reconciler.render.review" not in report["loaded"]


def test_the_version_is_printed_without_loading_anything() -> None:
    code = "import sys; sys.argv[1:] = ['--version']; from reconciler.cli import main; main(); print(len(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    version, count = done.stdout.splitlines()
    assert version == "reconciler 0.1.0"
    assert int(count) < 120
