"""A note as text: an intent, and on which machine it was written. Pure, and as strict as a lock should be."""

import json
from typing import Any

import msgspec

from reconciler.domain.errors import JournalError
from reconciler.domain.identity import Address, Digest, Stamp
from reconciler.domain.observed import JobId
from reconciler.domain.ports import Intent

VERSION = 1
MOST_BYTES = 64 * 1024
"""More than any note has: what is larger is none."""

_FIELDS = frozenset({"version", "address", "digest", "owner", "at", "despite", "job", "machine"})


class JournalNote(msgspec.Struct, frozen=True):
    """An intent as it lies somewhere; `machine` names the one it was written on, empty when that has no name."""

    intent: Intent
    machine: str = ""


def note_name(stamp: Stamp) -> str:
    """Return the name under which the note of a stamp lies, the same in every store that has names."""
    return f"{stamp.address.kind}.{stamp.address.name}.{stamp.digest.version}.{stamp.digest.hex}.json"


def write_note(note: JournalNote) -> bytes:
    """Write a note as JSON, for programs first and then for people."""
    intent = note.intent
    fields = {
        "version": VERSION,
        "address": str(intent.stamp.address),
        "digest": str(intent.stamp.digest),
        "owner": intent.owner,
        "at": intent.at,
        "despite": list(intent.excluded_jobs),
        "job": intent.job,
        "machine": note.machine,
    }
    return (json.dumps(fields, indent=1) + "\n").encode()


def read_note(content: bytes, where: str) -> JournalNote:
    """Read a note back; `where` names it in an error.

    Raises: JournalError when it is not one, or says more than this version understands
    """
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _no_note(where, "is not JSON") from error
    if not isinstance(found, dict):
        raise _no_note(where, "is not a JSON object")
    if found.get("version") != VERSION or not _FIELDS.issuperset(found):
        raise JournalError(
            f"the note {where} was written by another version of this program; nothing was sent",
            "run the newest version that works on this project, here and everywhere else",
        )
    try:
        return JournalNote(_intent(found), _text(found["machine"]))
    except (KeyError, ValueError) as error:
        raise _no_note(where, f"lacks or garbles {error}") from error


def _no_note(where: str, what: str) -> JournalError:
    return JournalError(
        f"the note {where} {what}; nothing was sent",
        "look at the service's jobs; when no run is under way any more, delete the note and run again",
    )


def _intent(found: dict[str, Any]) -> Intent:
    address, digest = Address.parse(_text(found["address"])), Digest.parse(_text(found["digest"]))
    at, despite, job = found["at"], found["despite"], found["job"]
    if address is None or digest is None:
        raise ValueError("address and digest")
    if not (at is None or (isinstance(at, int | float) and not isinstance(at, bool))):
        raise ValueError("at")
    if not isinstance(despite, list):
        raise ValueError("despite")
    return Intent(
        stamp=Stamp(address, digest),
        owner=_text(found["owner"]),
        at=at,
        excluded_jobs=tuple(JobId(_text(each)) for each in despite),
        job=None if job is None else JobId(_text(job)),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r}, which should be text")
    return value
