"""What the service imports and when, and its message when a library is not installed."""

import subprocess
import sys

import pytest

from reconciler.service import EngineMissingError
from reconciler.service.engines import require_packages

HEAVY = ("starlette", "uvicorn", "sqlite3", "sklearn", "numpy", "scipy", "httpx")


def loaded_by(code: str) -> set[str]:
    """Return the heavy libraries that a piece of code imports in its own interpreter."""
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return set(HEAVY) & set(found)


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert loaded_by("import reconciler.service") == set()


def test_opening_the_service_loads_no_engine() -> None:
    code = (
        "import pathlib, tempfile, reconciler.service\n"
        "with tempfile.TemporaryDirectory() as root: reconciler.service.open_service(pathlib.Path(root) / 'store')"
    )

    assert loaded_by(code) & {"sklearn", "numpy", "scipy", "uvicorn", "httpx"} == set()


def test_a_missing_library_is_reported_with_the_command_that_installs_it() -> None:
    with pytest.raises(EngineMissingError, match="no_such_engine") as missing:
        require_packages("json", "no_such_engine")

    assert "pip install 'finetune-reconciler[local]'" in str(missing.value)
    assert isinstance(missing.value, ImportError)
