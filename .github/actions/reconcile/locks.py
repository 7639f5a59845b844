"""Merges lock files by their entries, as text: of an apply, only what it changed is brought into the newer file.

A lock file is written by reconciler in one form, so its entries are found by their lines, and without a YAML library.
A file in any other form is refused, never rewritten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

Key = tuple[str, ...]

_FIELD = re.compile(r"  (?:- |  )([a-z_]+): (.+)")
_IDENTITY = ("address", "service", "account")
_EMPTY = "models: []"
NOW, AFTER, NEWEST = "now", "after", "newest"
_END = "..."
_END_STATED = "Three dots end the file"


class LockFileError(Exception):
    """The text is no lock file in the form that reconciler writes."""


@dataclass(frozen=True)
class LockFile:
    """A lock file, in its parts.

    Shape:  `head` are the lines before the models; `entries` are the lines of each model on one service; `cancelled`
            are the lines of jobs, `remark` the lines above them; `end` is the last line, where there is one
    """

    head: tuple[str, ...] = ()
    entries: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    remark: tuple[str, ...] = ()
    cancelled: frozenset[str] = frozenset()
    end: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """The merged file, and the names of models that both sides changed: the newer file's entries stayed."""

    file: LockFile
    conflicts: tuple[str, ...]


def read_lock_file(text: str) -> LockFile:
    """Return the parts of a lock file; of an empty text, none.

    Raises: LockFileError
    """
    if not text.strip():
        return LockFile()
    lines = text.splitlines()
    last = tuple(lines[-1:]) if lines[-1] == _END else ()
    if not last and any(_END_STATED in line for line in lines):
        raise LockFileError("its end is missing")
    lines = lines[: len(lines) - len(last)]
    starts = [at for at, line in enumerate(lines) if line in {"models:", _EMPTY}]
    if len(starts) != 1:
        raise LockFileError("it has no list of models")
    start = starts[0]
    if any(not re.match(r"#|apiVersion: |kind: Lock$", line) for line in lines[:start]):
        raise LockFileError("its first lines are unknown")
    end = next((at for at in range(start + 1, len(lines)) if not lines[at].startswith("  ")), len(lines))
    jobs = next((at for at in range(end, len(lines)) if lines[at] == "cancelled:"), len(lines))
    if any(not line.startswith("#") for line in lines[end:jobs]):
        raise LockFileError("it has parts that this version of the action does not know")
    if any(not line.startswith("  - ") for line in lines[jobs + 1 :]):
        raise LockFileError("its list of cancelled jobs is unknown")
    entries = {_key_of(each): each for each in _split_entries(lines[start + 1 : end])}
    if len(entries) != sum(line.startswith("  - ") for line in lines[start + 1 : end]):
        raise LockFileError("a model is in it twice")
    return LockFile(tuple(lines[:start]), entries, tuple(lines[end:jobs]), frozenset(lines[jobs + 1 :]), last)


def write_lock_file(file: LockFile) -> str:
    """Return the text of a lock file."""
    lines = [*file.head, "models:" if file.entries else _EMPTY]
    lines += [line for _, entry in sorted(file.entries.items()) for line in entry]
    if file.cancelled:
        lines += [*file.remark, "cancelled:", *sorted(file.cancelled)]
    return "".join(f"{line}\n" for line in [*lines, *file.end])


def merge(before: LockFile, after: LockFile, now: LockFile, *, winner: str = NOW) -> Merged:
    """Bring what changed between `before` and `after` into `now`.

    Shape:  of what both changed, `winner` says what stays: what is there `NOW`, what is there `AFTER`, or the one
            whose job finished last (`NEWEST`)
    """
    entries, conflicts = dict(now.entries), list[str]()
    for key in sorted({*before.entries, *after.entries}):
        was, wanted, found = (each.entries.get(key) for each in (before, after, now))
        if wanted in (was, found):
            continue
        wins = winner == AFTER or (winner == NEWEST and _finished(wanted) > _finished(found))
        if found != was and not wins:
            conflicts.append(key[0])
        elif wanted is None:
            del entries[key]
        else:
            entries[key] = wanted
    cancelled = (now.cancelled | (after.cancelled - before.cancelled)) - (before.cancelled - after.cancelled)
    merged = replace(
        now,
        # The form is that of the program that ran last.
        head=after.head or now.head,
        end=after.end if after.head else now.end,
        entries=entries,
        remark=now.remark or after.remark or before.remark,
        cancelled=cancelled,
    )
    return Merged(merged, tuple(conflicts))


def _split_entries(lines: list[str]) -> Iterator[tuple[str, ...]]:
    entry: list[str] = []
    for line in lines:
        if line.startswith("  - ") and entry:
            yield tuple(entry)
            entry = []
        if not entry and not line.startswith("  - "):
            raise LockFileError("its list of models is unknown")
        entry.append(line)
    if entry:
        yield tuple(entry)


def _fields(entry: tuple[str, ...] | None) -> dict[str, str]:
    return {found[1]: found[2] for line in entry or () if (found := _FIELD.fullmatch(line))}


def _key_of(entry: tuple[str, ...]) -> Key:
    fields = _fields(entry)
    if "address" not in fields:
        raise LockFileError("an entry has no address")
    return tuple(fields.get(name, "") for name in _IDENTITY)


def _finished(entry: tuple[str, ...] | None) -> str:
    return _fields(entry).get("finished_at", "").strip("\"'")
