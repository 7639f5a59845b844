"""The store: consistent after any kill, shared by processes, and refused when it is not ours."""

import errno
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.domain.errors import UnusablePlaceError
from reconciler.service import open_service
from reconciler.service.context import ModelCache, ServiceContext
from reconciler.service.engines import EngineRegistry
from reconciler.service.factory import make_app
from reconciler.service.store import (
    FileRecord,
    Store,
    StoreError,
    add_file,
    database,
    find_file,
    open_store,
    organization,
    remove_unlisted_files,
    stage_file,
)
from reconciler.service.store.database import read_statements
from tests.service.service_fixtures import client_of, error_of, open_local

UPLOADING = """
import pathlib, sys, time
from reconciler.service.store import FileRecord, add_file
from reconciler.service.store import open_store
from reconciler.service.store import stage_file

store = open_store(pathlib.Path(sys.argv[1]))

def stop_at(moment):
    if moment == sys.argv[2]:
        print(moment, flush=True)
        time.sleep(60)

with stage_file(store, "file-x") as arriving:
    arriving.write(b"half of it")
    arriving.flush()
    stop_at("half")
    arriving.write(b", and the rest")
    stop_at("whole")
    arriving.place()
    stop_at("placed")
    with store.write() as db:
        add_file(db, FileRecord(id="file-x", filename="x", purpose="fine-tune", size_bytes=24, created_at=1))
        stop_at("told")
    stop_at("listed")
"""


@pytest.mark.parametrize("moment", ["half", "whole", "placed", "told", "listed"])
def test_a_kill_during_an_upload_leaves_a_complete_file_or_none(tmp_path: Path, moment: str) -> None:
    root = tmp_path / "store"
    with subprocess.Popen(
        [sys.executable, "-c", UPLOADING, str(root), moment], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == moment
        # Another process opens the store meanwhile, and removes nothing that a running process needs.
        assert open_local(root).client.get("/files").status_code == 200
        left = len([*(root / "incoming").iterdir(), *(root / "files").iterdir()])
        assert left == 1
        process.send_signal(signal.SIGKILL)

    service = open_local(root)

    listed = service.get("/files")["data"]
    assert len(listed) == (1 if moment == "listed" else 0)
    assert [service.client.get(f"/files/{file['id']}/content").content for file in listed] == [
        b"half of it, and the rest" for _ in listed
    ]
    assert [path.name for path in (root / "files").iterdir()] == [file["id"] for file in listed]
    assert list((root / "incoming").iterdir()) == []


def test_a_clean_up_keeps_files_that_are_being_written(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with stage_file(store, "file-x") as arriving:
        arriving.write(b"{}")
        arriving.place()
        remove_unlisted_files(store)
        with store.write() as db:
            add_file(db, FileRecord(id="file-x", filename="x", purpose="fine-tune", size_bytes=2, created_at=1))

    remove_unlisted_files(store)

    assert (store.files / "file-x").read_bytes() == b"{}"


def test_an_interrupted_change_has_no_effect(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    record = FileRecord(id="file-x", filename="x", purpose="fine-tune", size_bytes=2, created_at=1)

    def change() -> None:
        with store.write() as db:
            add_file(db, record)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        change()

    with store.read() as db:
        assert find_file(db, "file-x") is None


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    """The first commands of a project may run concurrently."""
    command = [
        sys.executable,
        "-c",
        "import pathlib, sys; from reconciler.service.store.database import *\n"
        "with open_store(pathlib.Path(sys.argv[1])).read() as db: print(organization(db))",
        str(tmp_path / "store"),
    ]
    with ThreadPoolExecutor(4) as pool:
        runs = pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=True), range(4))

    assert len({run.stdout for run in runs}) == 1


def test_many_may_write_at_once(tmp_path: Path) -> None:
    service, other = open_local(tmp_path / "store"), open_local(tmp_path / "store")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: (service, other)[number % 2].upload(b"{}\n"), range(20)))

    assert len(service.get("/files")["data"]) == 20


def test_a_store_keeps_its_name(tmp_path: Path) -> None:
    """The organization distinguishes two stores, so it is created once."""
    names = []
    for root in (tmp_path / "a", tmp_path / "a", tmp_path / "b"):
        with open_store(root).read() as db:
            names.append(organization(db))

    assert names[0] == names[1] != names[2]
    assert names[0].startswith("org-")


def test_a_store_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_store(tmp_path / "deep" / "store")
    finally:
        os.umask(before)

    made = [tmp_path / "deep" / "store", *(tmp_path / "deep" / "store").iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700, 0o600}


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with store.write() as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreError, match="schema 99"):
        open_service(store.root)


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    (root / "service.db").write_bytes(b"something else entirely, and long enough to be looked at" * 20)

    with pytest.raises(StoreError, match="move the directory away"):
        open_service(root)


def test_a_store_that_stays_locked_is_busy_and_not_broken(tmp_path: Path) -> None:
    """A write that cannot get the lock is answered with a request to repeat; a read need not wait."""
    opened = open_store(tmp_path / "store")
    store = Store(opened.root, wait_seconds=0)
    registry = EngineRegistry(())
    service = ServiceContext(
        store=store,
        organization="org-x",
        models=ModelCache(store, registry),
        registry=registry,
        start_worker=lambda now: None,
    )
    client = client_of(make_app(service, None))
    with opened.write():
        status, error = error_of(client.delete("/files/file-x"))
        assert client.get("/files").status_code == 200

    assert (status, error["code"]) == (503, "server_is_overloaded")


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Nothing in it is lost, and it works as a new one."""
    root = tmp_path / "store"
    root.mkdir()
    with closing(sqlite3.connect(root / "service.db")) as db:
        for statement in read_statements(1):
            db.execute(statement)
        db.execute("INSERT INTO about VALUES ('organization', 'org-old'), ('unanswered_starts', '0')")
        db.execute(
            "INSERT INTO files (id, filename, purpose, size_bytes, created_at) VALUES ('file-old', 'a', 'vision', 1, 1)"
        )
        db.execute("PRAGMA user_version = 1")
        db.commit()

    service = open_local(root)

    assert service.get("/files")["data"][0]["id"] == "file-old"
    assert "expires_at" not in service.get("/files/file-old")
    assert service.client.get("/models").headers["openai-organization"] == "org-old"
    assert service.post("/uploads", {"filename": "a", "purpose": "vision", "bytes": 1, "mime_type": "x"})["id"]
    fresh = open_local(tmp_path / "fresh")
    assert tables(service.root) == tables(fresh.root)


def tables(root: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(root / "service.db")) as db:
        return set(db.execute("SELECT name, sql FROM sqlite_schema"))


def make_sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("said by SQLite")
    error.sqlite_errorcode = code
    return error


LITTLE, MUCH = 0, 1 << 40


@pytest.mark.parametrize(
    ("error", "free", "is_full"),
    [
        (make_sqlite_error(sqlite3.SQLITE_IOERR_WRITE), LITTLE, True),
        (make_sqlite_error(sqlite3.SQLITE_IOERR_WRITE), MUCH, False),
        (make_sqlite_error(sqlite3.SQLITE_CANTOPEN), LITTLE, True),
        (make_sqlite_error(sqlite3.SQLITE_CANTOPEN), MUCH, False),
        (make_sqlite_error(sqlite3.SQLITE_FULL), MUCH, True),
        (make_sqlite_error(sqlite3.SQLITE_CORRUPT), LITTLE, False),
        (make_sqlite_error(sqlite3.SQLITE_NOTADB), LITTLE, False),
        (OSError(errno.ENOSPC, "No space left on device"), MUCH, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), MUCH, True),
        (OSError(errno.EACCES, "Permission denied"), LITTLE, False),
    ],
    ids=repr,
)
def test_a_store_on_a_full_disk_is_not_called_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, free: int, is_full: bool
) -> None:
    """To move a whole store away, or to begin another one, would lose its jobs; a damaged one is not whole."""
    open_store(tmp_path / "store")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(database, "_prepare", fail)

    with pytest.raises(UnusablePlaceError) as caught:
        open_store(tmp_path / "store")

    text = str(caught.value)
    assert ("free some space" in text) == is_full
    assert ("move the directory away" in text or "choose a" in text or "make " in text) != is_full


def test_an_answer_from_a_store_without_space_says_so(tmp_path: Path) -> None:
    """SQLite is given no page more, as a full disk gives none."""
    store = open_store(tmp_path / "store")
    with closing(sqlite3.connect(store.database)) as db:
        db.execute("CREATE TABLE more (text)")
        db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as caught:
            db.execute("INSERT INTO more VALUES (?)", ("x" * 1_000_000,))

    assert "free some space" in database.find_full_disk(store, caught.value)
