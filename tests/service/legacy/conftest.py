"""A service whose operator gave the old names to an engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.legacy.old import OLD_BASES, LegacyService
from tests.service.service_fixtures import dismiss, open_local


@pytest.fixture
def old(tmp_path: Path) -> Iterator[LegacyService]:
    """A service with the echo engine under two old names, over an empty store."""
    root = tmp_path / "store"
    yield LegacyService(open_local(root, legacy_bases=OLD_BASES))
    dismiss(root)
