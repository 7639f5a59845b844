"""Services for tests, whose workers are sent home when the test is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.service_fixtures import House, dismiss, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A service with the echo engine, over an empty store."""
    root = tmp_path / "store"
    yield open_house(root)
    dismiss(root)
