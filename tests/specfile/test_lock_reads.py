"""A lock file that has not changed is read once, however often a command asks for it."""

from pathlib import Path

import pytest

from reconciler.domain.errors import InputError
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.specfile import read_lock, write_lock
from tests.factories import a_model


def a_lock(job: str) -> Lock:
    entry = LockEntry(stamp=a_model().stamp, provider="openai", service="api", job=JobId(job), model=ModelId("ft:1"))
    return Lock(entries=(entry,))


def test_the_same_bytes_are_the_same_value_and_other_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    write_lock(path, a_lock("ftjob-1"))
    first = read_lock(path)
    assert read_lock(path) is first
    write_lock(path, a_lock("ftjob-2"))
    assert read_lock(path) == a_lock("ftjob-2")
    path.unlink()
    assert read_lock(path) == Lock()


def test_a_damaged_file_is_an_error_each_time(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    write_lock(path, a_lock("ftjob-1"))
    path.write_bytes(path.read_bytes()[:-40])
    for _ in range(2):
        with pytest.raises(InputError):
            read_lock(path)
