"""A service whose operator gave the old names to an engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.legacy.old import OLD_BASES, OldHouse
from tests.service.service_fixtures import dismiss, open_house


@pytest.fixture
def old(tmp_path: Path) -> Iterator[OldHouse]:
    """A service with the echo engine under two old names, over an empty store."""
    root = tmp_path / "store"
    yield OldHouse(open_house(root, legacy_bases=OLD_BASES))
    dismiss(root)
