"""Opens a store and its connections. A store is one directory that only its owner can read, used by any process.

service.db     files, jobs, events, checkpoints, models          incoming/   files that are arriving
files/         the bytes of uploaded and result files            jobs/       the directories of running jobs
models/        trained weights, a folder for each job            worker.*    the worker's lock and its log
parts/         the parts of uploads that are not complete yet    serve.lock  held while it is served on a port
"""

import errno
import math
import os
import secrets
import shutil
import sqlite3
import string
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from reconciler.domain.errors import UnusablePlaceError
from reconciler.foundation.locks import hold_lock
from reconciler.foundation.private import NO_FOLLOW, check_regular, make_private

WAIT_SECONDS = 30.0
"""How long a statement waits for the transaction of another process; ours take milliseconds."""


_ALPHABET = string.ascii_letters + string.digits

# A new store is made as version 1 and taken through every upgrade; a file is named for the version that it leads to.
_STATEMENTS = Path(__file__).parent
SCHEMA_VERSION = 3
LEAST_FREE_BYTES = 4 << 20
"""With less free space than this, a file that cannot be opened or written is taken to lack space."""

_PERHAPS_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}

RESTORE = "put it back from a backup, or move the directory away to begin an empty store"


class StoreError(UnusablePlaceError):
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
    def folders(self) -> tuple[Path, ...]:
        return (self.files, self.incoming, self.jobs, self.models, self.parts)

    @property
    def serve_lock(self) -> Path:
        return self.root / "serve.lock"

    @property
    def worker_lock(self) -> Path:
        return self.root / "worker.lock"

    @property
    def worker_log(self) -> Path:
        return self.root / "worker.log"

    def without_paths(self, text: str) -> str:
        """Return a text for callers, who need not know where the store is."""
        return text.replace(str(self.root), "STORE")

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
        with _open_database(self.database, self._wait_seconds) as db:
            yield db


@contextmanager
def _open_database(path: Path, wait_seconds: float) -> Iterator[sqlite3.Connection]:
    uri = f"{path.as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=wait_seconds, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = FULL")
            # What the schema of a file from elsewhere calls must have no effect outside of the file.
            db.execute("PRAGMA trusted_schema = OFF")
            yield db
    except UnicodeDecodeError as error:
        # A value, or a name that SQLite quotes in an error of its own.
        raise StoreError(f"{path} is damaged (a text is not UTF-8): {RESTORE}") from error


def open_store(root: Path) -> Store:
    """Open the store in a directory, and make it if it is missing.

    Raises: StoreError when another version of this program made it, when it is not a store, or is damaged;
            UnusablePlaceError when the directory cannot be made or written
    Cost:   reads the whole database once, to find damaged pages
    """
    store = Store(root)
    try:
        if not store.root.is_dir():
            store.root.parent.mkdir(parents=True, exist_ok=True)
            store.root.mkdir(mode=0o700, exist_ok=True)
        for folder in store.folders:
            make_private(folder)
        _prepare(store)
    except (OSError, sqlite3.Error) as error:
        if full := find_full_disk(store, error):
            raise StoreError(f"{store.root} cannot be used ({error}): {full}") from error
        if isinstance(error, sqlite3.Error):
            raise _unusable(store, str(error)) from error
        advice = "choose a directory that can be written, with --store or RECONCILER_HOME"
        raise UnusablePlaceError.of_directory(str(store.root), error, advice) from error
    return store


def find_full_disk(store: Store, error: Exception) -> str:
    """Return what to do when an error comes from a disk or a quota without space, and nothing when it does not.

    SQLite often says only that it could not write. A store of which that is true is whole.
    """
    if isinstance(error, OSError):
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    else:
        # The extended codes have the primary one in their lowest byte.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        is_full = code == sqlite3.SQLITE_FULL or (code in _PERHAPS_FULL and _has_little_space(store.root))
    return "its disk or quota is full: free some space and start again; the store stays as it is" if is_full else ""


def _has_little_space(root: Path) -> bool:
    try:
        return shutil.disk_usage(root).free < LEAST_FREE_BYTES
    except OSError:
        return False


def _unusable(store: Store, why: str) -> StoreError:
    if "readonly" in why or "unable to open" in why:
        return StoreError(
            f"{store.database} cannot be written ({why}): make {store.root} writable, or choose another directory with"
            " --store or RECONCILER_HOME"
        )
    return StoreError(f"{store.database} cannot be opened as a store ({why}): {RESTORE}")


def _prepare(store: Store) -> None:
    # SQLite follows links, and would write through one that stands in the place of a side file.
    sides = (store.root / f"{store.database.name}{end}" for end in ("-wal", "-shm", "-journal"))
    for each in (*sides, *(store.root / name for name in ("making.lock", "serve.lock", "worker.lock", "worker.log"))):
        check_regular(each)
    # SQLite opens what it may not write for reading, and fails at the first change: after a job was paid for.
    written = (store.root, *store.folders, *([store.database] if store.database.exists() else []))
    for path in written:
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if not check_regular(store.database) or _version(store) < SCHEMA_VERSION:
        # SQLite does not wait for a lock when it turns its journal on, so the first processes wait here.
        with hold_lock(store.root / "making.lock", wait_seconds=math.inf):
            if not store.database.exists():
                _make(store)
            if not store.database.stat().st_size:
                raise _unusable(store, "it is empty, and a store never is")
            _upgrade(store.database)
    found = _version(store)
    if found != SCHEMA_VERSION:
        raise StoreError(
            f"{store.root} was written by another version of this program (schema {found}, this one reads "
            f"{SCHEMA_VERSION}): use that version, or another directory"
        )
    with store.read() as db:
        damage = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        schema = _read_schema(db)
    if damage != "ok":
        raise _unusable(store, damage.splitlines()[-1])
    if schema != _own_schema():
        raise _unusable(store, "its tables are not those of a store")


def _read_schema(db: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    """Return the tables by name, and with their text what runs by itself or can stand in the place of a table."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE type <> 'index'")
    return frozenset((str(row[0]), str(row[1]), "" if row[0] == "table" else str(row[2])) for row in rows)


@cache
def _own_schema() -> frozenset[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as db:
        for version in range(1, SCHEMA_VERSION + 1):
            for statement in read_statements(version):
                db.execute(statement)
        return _read_schema(db)


def _version(store: Store) -> int:
    if not store.database.stat().st_size:
        return 0
    with store._connect() as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def _make(store: Store) -> None:
    """Make the database beside its place and move it there, so that a store is whole or not there at all."""
    left = [each for folder in store.folders for each in folder.iterdir()]
    if left:
        raise StoreError(
            f"{store.database} is missing, and {left[0].parent} is not empty: put the database back from a backup, or"
            f" move {store.root} away to begin an empty store"
        )
    draft = store.root / f"{store.database.name}.new"
    for end in ("", "-wal", "-shm"):
        draft.with_name(draft.name + end).unlink(missing_ok=True)
    # SQLite gives its side files the permissions of the database, so the file is made first, for its owner only.
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o600))
    with _open_database(draft, WAIT_SECONDS) as db:
        db.execute("PRAGMA journal_mode = WAL")
        with _transaction(db, "BEGIN IMMEDIATE"):
            for statement in read_statements(1):
                db.execute(statement)
            db.execute("INSERT INTO about VALUES ('organization', ?)", (new_id("org-", 24),))
            db.execute("INSERT INTO about VALUES ('unanswered_starts', '0')")
            db.execute("PRAGMA user_version = 1")
    _upgrade(draft)
    draft.rename(store.database)


def _upgrade(database: Path) -> None:
    with _open_database(database, WAIT_SECONDS) as db:
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
    row = db.execute("SELECT value FROM about WHERE key = 'organization'").fetchone()
    if row is None:
        raise StoreError(f"the store does not say whose it is: {RESTORE}")
    return str(row[0])


def new_id(prefix: str, length: int = 22) -> str:
    """Make an id such as `file-Ab3…`; 22 characters are 130 bits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))
