"""Files that arrive leave some of the disk free, so that the store can still be written; a full one is said to be."""

import errno
import os
from pathlib import Path

import pytest

from reconciler.service.context import ModelCache, ServiceContext
from reconciler.service.engines.registry import load_engines
from reconciler.service.errors import ApiError
from reconciler.service.factory import make_app
from reconciler.service.limits import DiskSpace
from reconciler.service.store.database import Store
from tests.service.service_fixtures import ECHO, Service, client_of, error_of, open_local


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


def open_without_worker(root: Path, number: int) -> Service:
    """Return the service of a store on whose disk no worker can be started."""

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number), str(root / "worker.lock"))

    open_local(root)
    store, registry = Store(root), load_engines(ECHO)
    context = ServiceContext(
        store=store, organization="org-x", models=ModelCache(store, registry), registry=registry, start_worker=fail
    )
    return Service(root=root, client=client_of(make_app(context, None, shows_paths=False)))


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EACCES, 500), (errno.EIO, 500)]
)
def test_a_full_disk_is_answered_as_one(tmp_path: Path, number: int, status: int) -> None:
    full = open_without_worker(tmp_path / "store", number)
    job = full.train()

    response = full.client.get(f"/fine_tuning/jobs/{job['id']}")

    assert (response.status_code, response.json()["error"]["code"]) == (status, "store_unusable")
    assert ("free some space" in response.text) == (status == 507)
    assert response.headers["x-should-retry"] == "false"
    assert str(tmp_path) not in response.text


def test_a_job_that_was_stored_is_answered_though_no_worker_can_be_started(tmp_path: Path) -> None:
    """An error would say that there is none, and the next create would make a second one."""
    full = open_without_worker(tmp_path / "store", errno.ENOSPC)

    assert full.train()["status"] == "validating_files"

    job = full.train()
    full.post(f"/fine_tuning/jobs/{job['id']}/pause")
    assert full.post(f"/fine_tuning/jobs/{job['id']}/resume")["status"] == "queued"
