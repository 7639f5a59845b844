"""Opens a store and its connections. A store is one directory that only its owner can read, used by any process.

service.db     files, jobs, events, checkpoints, models          incoming/   files that are arriving
files/         the bytes of uploaded and result files            jobs/       the directories of running jobs
models/        trained weights, a folder for each job            worker.*    the worker's lock and its log
parts/         the parts of uploads that are not complete yet    serve.lock  held while it is served on a port
"""

import math
import os
import secrets
import sqlite3
import string
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reconciler.domain.errors import ReconcilerError, UnusablePlaceError
from reconciler.foundation.locks import hold_lock

WAIT_SECONDS = 30.0
"""How long a statement waits for the transaction of another process; ours take milliseconds."""


_ALPHABET = string.ascii_letters + string.digits

# A new store is made as version 1 and taken through every upgrade; a file is named for the version that it leads to.
_STATEMENTS = Path(__file__).parent
SCHEMA_VERSION = 3


class StoreError(ReconcilerError):
    """The store cannot be used as it is: the message says why and what to do."""


class Store:
    """A directory and its database. Nothing stays open between calls, so any thread or process may use it."""

    def __init__(self, root: Path, wait_seconds: float = WAIT_SECONDS) -> None:
        root = root.absolute()
        self.root = root
        self._wait_seconds = wait_seconds
        self.database = root / "service.db"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def incoming(self) -> Path:
        return self.root / "incoming"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def parts(self) -> Path:
        return self.root / "parts"

    @property
    def serve_lock(self) -> Path:
        return self.root / "serve.lock"

    @property
    def worker_lock(self) -> Path:
        return self.root / "worker.lock"

    @property
    def worker_log(self) -> Path:
        return self.root / "worker.log"

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that reads one state of the store, and never waits for a writer."""
        with self._connect() as db, _transaction(db, "BEGIN"):
            yield db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose changes are stored together when the block ends, and not at all when it raises."""
        with self._connect() as db, _transaction(db, "BEGIN IMMEDIATE"):
            yield db

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        uri = f"{self.database.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=self._wait_seconds, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = FULL")
            yield db


def open_store(root: Path) -> Store:
    """Open the store in a directory, and make it if it is missing.

    Raises: StoreError when another version of this program made it, or when it is not a store; UnusablePlaceError when
            the directory cannot be made or written
    """
    store = Store(root)
    try:
        if not store.root.is_dir():
            store.root.parent.mkdir(parents=True, exist_ok=True)
            store.root.mkdir(mode=0o700, exist_ok=True)
        for folder in (store.files, store.incoming, store.jobs, store.models, store.parts):
            folder.mkdir(mode=0o700, exist_ok=True)
        _prepare(store)
    except OSError as error:
        advice = "choose a directory that can be written, with --store or RECONCILER_HOME"
        raise UnusablePlaceError.of_directory(str(store.root), error, advice) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{store.database} cannot be opened as a store ({error}): move it away to start with an empty store"
        ) from error
    return store


def _prepare(store: Store) -> None:
    # SQLite gives its side files the permissions of the database, so the database is made first, for its owner only.
    os.close(os.open(store.database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if _version(store) < SCHEMA_VERSION:
        # SQLite does not wait for a lock when it turns its journal on, so the first processes wait here.
        with hold_lock(store.root / "making.lock", wait_seconds=math.inf):
            _make(store)
            _upgrade(store)
    found = _version(store)
    if found != SCHEMA_VERSION:
        raise StoreError(
            f"{store.root} was written by another version of this program (schema {found}, this one reads "
            f"{SCHEMA_VERSION}): use that version, or another directory"
        )


def _version(store: Store) -> int:
    with store._connect() as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def _make(store: Store) -> None:
    with store._connect() as db:
        if db.execute("PRAGMA user_version").fetchone()[0]:
            return
        db.execute("PRAGMA journal_mode = WAL")
        with _transaction(db, "BEGIN IMMEDIATE"):
            for statement in read_statements(1):
                db.execute(statement)
            db.execute("INSERT INTO about VALUES ('organization', ?)", (new_id("org-", 24),))
            db.execute("INSERT INTO about VALUES ('unanswered_starts', '0')")
            db.execute("PRAGMA user_version = 1")


def _upgrade(store: Store) -> None:
    with store._connect() as db:
        while (version := int(db.execute("PRAGMA user_version").fetchone()[0])) < SCHEMA_VERSION:
            with _transaction(db, "BEGIN IMMEDIATE"):
                for statement in read_statements(version + 1):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version + 1}")


def read_statements(version: int) -> Iterator[str]:
    """Yield the statements that make a store of this version: from nothing, or from the version before."""
    statement = ""
    for line in (_STATEMENTS / f"version_{version}.sql").read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        # SQLite ends the transaction by itself when the disk is full.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def organization(db: sqlite3.Connection) -> str:
    """Return the organization id of this store, which was made with it."""
    return str(db.execute("SELECT value FROM about WHERE key = 'organization'").fetchone()[0])


def new_id(prefix: str, length: int = 22) -> str:
    """Make an id such as `file-Ab3…`; 22 characters are 130 bits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))
