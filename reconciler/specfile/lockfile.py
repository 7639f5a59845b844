"""Read and write `models.lock.yaml`: strict to read, easy to review, replaced as a whole or not at all."""

import os
import secrets
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from reconciler.domain.errors import InputError, Place, Problem, UnusablePlaceError
from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.lock import Lock, LockedDataset, LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.foundation.locks import hold_directory_lock
from reconciler.foundation.text import yaml_scalar
from reconciler.specfile.files import find_workspace, place_name, read_bytes, real_path
from reconciler.specfile.read import limit_problems
from reconciler.specfile.schema import validate_document
from reconciler.specfile.schema.messages import quote
from reconciler.specfile.yaml import Document, read_yaml

_HEADER = """\
# Which model answered last, for each model of this spec root. Written by `reconciler apply`; commit it.
# It raises an alarm when a model disappears, and tells other tools what to call. It decides nothing: the service
# knows what exists. After a merge conflict or a damage: `reconciler lock rebuild`. Three dots end the file.
apiVersion: reconciler/v1
kind: Lock
"""
_END = "...\n"
_CANCELLED = """\
# Jobs that a plan cancelled. Wanted again, they are trained again without being asked.
cancelled:
"""
# Enough for fifty thousand models: what is written can be read again.
_MAX_BYTES, _MAX_NODES = 16 * 1024 * 1024, 1_000_000
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def read_lock(path: Path) -> Lock:
    """Return what is locked; an empty lock when there is no such file.

    Raises: InputError with everything that is wrong with the file
    """
    home, path = find_workspace(path.parent), real_path(path.parent) / path.name
    if not path.exists() and not path.is_symlink():
        return Lock()
    return _read_text(read_bytes(path, home, _MAX_BYTES), place_name(path, home), _mend(path))


# One command reads the lock files of its root several times: for names, for the plan, and before it writes.
@lru_cache(maxsize=8)
def _read_text(raw: bytes, where: str, mend: str) -> Lock:
    page = read_yaml(raw, where, max_bytes=_MAX_BYTES, max_nodes=_MAX_NODES)
    problems, entries, cancelled = list(page.problems), list[LockEntry](), list[JobId]()
    if not problems and _is_cut(raw, page.documents):
        what = "the lock file is damaged: its end is missing"
        problems.append(Problem(where=Place(file=where), what=what, hint=mend, rule="lock.cut"))
    for index, document in enumerate(page.documents):
        document, found = validate_document(document, "lock")
        problems += found or (() if document.void else _more_problems(document, mend))
        if index:
            problems.append(document.problem((), "a lock file holds one document", mend, "lock.document"))
        if not problems:
            entries += map(_entry, _items(document, "models"))
            cancelled += _items(document, "cancelled")
    if problems:
        raise limit_problems(problems)
    return Lock(entries=tuple(sorted(entries, key=_by_address)), cancelled=tuple(sorted(set(cancelled))))


def _mend(path: Path) -> str:
    """Return how to mend a lock file, with a command that works in the current directory."""
    command = ["reconciler", "lock", "rebuild", "--specs", os.path.relpath(path.parent)]
    environment = path.name.removeprefix("models").removesuffix(".lock.yaml").removeprefix(".")
    command += ["--env", environment] if environment else []
    return f"take the file from git, or write it again from what the service holds: {shlex.join(command)}"


def _is_cut(raw: bytes, documents: Sequence[Document]) -> bool:
    """Return whether the end of a lock file is missing. Versions before wrote no last line, but always a document."""
    states_end = _HEADER.splitlines()[2].encode() in raw
    return not documents or (states_end and not raw.rstrip().endswith(b"..."))


def update_lock(path: Path, change: Callable[[Lock], Lock]) -> Lock:
    """Read a lock file, change what it holds now, and write that, while no other run does so. Return its content.

    Raises: InputError when the file is damaged, UnusablePlaceError when it cannot be written
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with hold_directory_lock(path.parent, path.name):
            now = read_lock(path)
            lock = change(now)
            if lock != now:
                write_lock(path, lock)
            return lock
    except OSError as error:
        raise _unwritable(path, error) from error


def rebuild_lock(path: Path, change: Callable[[Lock | None], Lock]) -> Lock:
    """Write a lock file as `update_lock` does, also in place of a damaged one: `change` then receives None.

    Raises: UnusablePlaceError when it cannot be written
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with hold_directory_lock(path.parent, path.name):
            try:
                now: Lock | None = read_lock(path)
            except InputError:
                now = None
            lock = change(now)
            write_lock(path, lock)
            return lock
    except OSError as error:
        raise _unwritable(path, error) from error


def check_lock_writable(path: Path) -> None:
    """Check that a lock file can be written and locked, by writing a file beside it and removing it again.

    Raises: UnusablePlaceError
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with hold_directory_lock(path.parent, path.name):
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            draft.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UnusablePlaceError:
    why = error.strerror or str(error)
    advice = f"make {path.parent} writable for this user, with free space, and run again"
    return UnusablePlaceError(f"the lock file {path} cannot be written ({why}): {advice}")


def write_lock(path: Path, lock: Lock) -> None:
    """Write what is locked, sorted, in place of the old file. A file with the same content is not written."""
    text = _text(lock).encode()
    if path.is_file() and not path.is_symlink() and path.read_bytes() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the file, so that the move is one step on one disk; hidden, so that no reader takes it for a spec.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _items(document: Document, field: str) -> list[Any]:
    found = document.get(field)
    return found if isinstance(found, list) else []


def _more_problems(document: Document, mend: str) -> Iterator[Problem]:
    first: dict[tuple[str, str], int] = {}
    for index, fields in enumerate(_items(document, "models")):
        if (key := (fields["address"], fields["service"])) in first:
            place = document.value_place(("models", first[key]))
            what = f"{quote(key[0])} is locked twice on one service, first at {place.line}:{place.column}"
            yield document.problem(("models", index), what, mend, "lock.duplicate")
        first.setdefault(key, index)
        if (finished := fields.get("finished_at")) and _seconds(finished) is None:
            path = ("models", index, "finished_at")
            yield document.problem(path, f"{quote(finished)} is not a date and time", mend, "lock.time")


def _entry(fields: dict[str, Any]) -> LockEntry:
    address, digest = Address.parse(fields["address"]), Digest.parse(fields["digest"])
    # The schema has checked their form.
    assert address is not None
    assert digest is not None
    return LockEntry(
        stamp=Stamp(address, digest),
        provider=fields["provider"],
        service=fields["service"],
        job=JobId(fields["job"]),
        model=ModelId(fields["model"]),
        finished_at=_seconds(fields.get("finished_at", "")),
        datasets=tuple(map(_locked_dataset, fields.get("datasets", ()))),
    )


def _locked_dataset(fields: dict[str, Any]) -> LockedDataset:
    # The validation side of a split has an address too, with a name that no spec may have.
    name, digest = fields["address"].partition("/")[2], Digest.parse(fields["digest"])
    assert digest is not None
    return LockedDataset(stamp=Stamp(Address(Kind.DATASET, name), digest), rows=int(fields["rows"]))


def _seconds(written: str) -> int | None:
    try:
        return int(datetime.strptime(written, _TIME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _time(seconds: int) -> str | None:
    # A service may report any number. One that is no date is left out.
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def _text(lock: Lock) -> str:
    entries = "".join(_item(entry) for entry in sorted(lock.entries, key=_by_address))
    jobs = "".join(f"  - {yaml_scalar(job)}\n" for job in sorted(lock.cancelled))
    models = f"models:\n{entries}" if entries else "models: []\n"
    return _HEADER + models + (f"{_CANCELLED}{jobs}" if jobs else "") + _END


def _item(entry: LockEntry) -> str:
    fields = {
        "address": str(entry.address),
        "digest": str(entry.stamp.digest),
        "provider": entry.provider,
        "service": entry.service,
        "job": str(entry.job),
        "model": str(entry.model),
        "finished_at": None if entry.finished_at is None else _time(entry.finished_at),
    }
    lines = [f"    {name}: {yaml_scalar(value)}\n" for name, value in fields.items() if value is not None]
    return "  - " + "".join([*lines, *_rows_lines(entry.datasets)])[4:]


def _rows_lines(datasets: tuple[LockedDataset, ...]) -> Iterator[str]:
    if datasets:
        yield "    datasets:\n"
    for each in datasets:
        yield f"      - address: {yaml_scalar(str(each.stamp.address))}\n"
        yield f"        digest: {yaml_scalar(str(each.stamp.digest))}\n"
        yield f"        rows: {each.rows}\n"


def _by_address(entry: LockEntry) -> tuple[Address, str]:
    return entry.address, entry.service
