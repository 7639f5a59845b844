"""Services for tests; their workers are stopped after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.service_fixtures import Service, dismiss, open_local


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service with the echo engine, over an empty store."""
    root = tmp_path / "store"
    yield open_local(root)
    dismiss(root)
