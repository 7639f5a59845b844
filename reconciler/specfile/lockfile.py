"""Read and write `models.lock.yaml`: strict to read, easy to review, replaced as a whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reconciler.domain.errors import Problem
from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.lock import Lock, LockedDataset, LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.foundation.yaml_write import yaml_scalar
from reconciler.specfile.files import find_workspace, place_name, read_bytes, real_path
from reconciler.specfile.read import limit_problems
from reconciler.specfile.schema import validate_document
from reconciler.specfile.schema.messages import quote
from reconciler.specfile.yaml import Document, read_yaml

_HEADER = """\
# Which model answered last, for each model of this spec root. Written by `reconciler apply`; commit it.
# It raises an alarm when a model disappears, and tells other tools what to call. It decides nothing: the service
# knows what exists. To settle a merge conflict take either side, or delete the file; the next apply writes it anew.
apiVersion: reconciler/v1
kind: Lock
"""
_CANCELLED = """\
# Jobs that a plan cancelled. Wanted again, they are trained again without being asked.
cancelled:
"""
_REBUILT = "take either side of the conflict, or delete the file: the next apply writes it again"
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
    raw = read_bytes(path, home, _MAX_BYTES)
    page = read_yaml(raw, place_name(path, home), max_bytes=_MAX_BYTES, max_nodes=_MAX_NODES)
    problems, entries, cancelled = list(page.problems), list[LockEntry](), list[JobId]()
    for index, document in enumerate(page.documents):
        document, found = validate_document(document, "lock")
        problems += found or _more_problems(document)
        if index:
            problems.append(document.problem((), "a lock file holds one document", _REBUILT, "lock.document"))
        if not problems:
            entries += [_entry(document, each) for each in range(_length(document, "models"))]
            jobs = (document.text("cancelled", each) for each in range(_length(document, "cancelled")))
            cancelled += [JobId(job) for job in jobs if job]
    if problems:
        raise limit_problems(problems)
    return Lock(entries=tuple(sorted(entries, key=_by_address)), cancelled=tuple(sorted(set(cancelled))))


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


def _length(document: Document, *path: str | int) -> int:
    found = document.get(*path)
    return len(found) if isinstance(found, list) else 0


def _more_problems(document: Document) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    for index in range(_length(document, "models")):
        address, service = _text_at(document, index, "address"), _text_at(document, index, "service")
        if (address, service) in seen:
            first = document.value_place(("models", seen[address, service]))
            what = f"{quote(address)} is locked twice on one service, first at {first.line}:{first.column}"
            yield document.problem(("models", index), what, _REBUILT, "lock.duplicate")
        seen.setdefault((address, service), index)
        if (finished := document.text("models", index, "finished_at")) and _seconds(finished) is None:
            path = ("models", index, "finished_at")
            yield document.problem(path, f"{quote(finished)} is not a date and time", _REBUILT, "lock.time")


def _entry(document: Document, index: int) -> LockEntry:
    address = Address.parse(_text_at(document, index, "address"))
    digest = Digest.parse(_text_at(document, index, "digest"))
    assert address is not None
    assert digest is not None
    return LockEntry(
        stamp=Stamp(address, digest),
        provider=_text_at(document, index, "provider"),
        service=_text_at(document, index, "service"),
        job=JobId(_text_at(document, index, "job")),
        model=ModelId(_text_at(document, index, "model")),
        finished_at=_seconds(document.text("models", index, "finished_at") or ""),
        datasets=tuple(_rows(document, index, each) for each in range(_length(document, "models", index, "datasets"))),
    )


def _rows(document: Document, index: int, at: int) -> LockedDataset:
    path = ("models", index, "datasets", at)
    # The schema has checked the form of the address. The validation side of a split has one too.
    name = (document.text(*path, "address") or "").partition("/")[2]
    digest, rows = Digest.parse(document.text(*path, "digest") or ""), document.get(*path, "rows")
    assert digest is not None
    assert isinstance(rows, int)
    return LockedDataset(stamp=Stamp(Address(Kind.DATASET, name), digest), rows=rows)


def _text_at(document: Document, index: int, field: str) -> str:
    return document.text("models", index, field) or ""


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
    return _HEADER + models + (f"{_CANCELLED}{jobs}" if jobs else "")


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
