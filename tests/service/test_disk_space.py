"""Files that arrive leave some of the disk free, so that the store can still be written."""

from pathlib import Path

import pytest

from reconciler.service.errors import ApiError
from reconciler.service.limits import DiskSpace
from tests.service.service_fixtures import error_of, open_local


def test_a_file_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    full = open_local(tmp_path / "store", free_bytes=1 << 60)
    upload = full.post("/uploads", {"filename": "a", "purpose": "batch", "bytes": 1, "mime_type": "text/jsonl"})

    for path, part in (("/files", "file"), (f"/uploads/{upload['id']}/parts", "data")):
        refused = full.client.post(path, files={part: ("a", b"x")}, data={"purpose": "vision"})
        status, error = error_of(refused)
        assert (status, error["code"]) == (400, "storage_limit_exceeded")
    assert [list((full.root / each).iterdir()) for each in ("files", "parts", "incoming")] == [[], [], []]


def test_the_disk_is_looked_at_again_while_a_file_arrives(tmp_path: Path) -> None:
    free = [10**9, 10**9, 0]
    space = DiskSpace(tmp_path, 10**6, lambda _: free.pop(0))
    written: list[int] = []
    write = space.guard(lambda block: written.append(len(block)), "file")
    block = bytes(DiskSpace.LOOK_BYTES)

    write(block)
    with pytest.raises(ApiError, match="has no room"):
        write(block)
    assert written == [len(block)]
