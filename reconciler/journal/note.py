"""A note: an intent as JSON text, and the machine that wrote it. Pure, and strict: a note is a lock."""

import hashlib
import json

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import JournalError
from reconciler.domain.identity import Address, Digest, Stamp
from reconciler.domain.observed import JobId
from reconciler.domain.ports import Intent

VERSION = 2
_VERSIONS = (1, VERSION)
"""Notes of version 1 name no account; they were kept apart by the address of the service."""
MOST_BYTES = 64 * 1024
"""More than any note has. A larger file is no note."""
_DELETE_IT = "look at the jobs of the service; when no run is active any more, delete the note and run again"


class JournalAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a service answers, as far as its answers say; empty where they do not.

    An address is no part of it: one service has several names, and an address can lead to several accounts.
    """

    organization: str = ""
    project: str = ""

    def is_foreign(self, other: "JournalAccount") -> bool:
        """Return whether both are certainly not one account.

        What is not known proves nothing, and neither does another case or a space: gateways rewrite headers.
        """
        pairs = ((self.organization, other.organization), (self.project, other.project))
        plain = ((mine.strip().casefold(), theirs.strip().casefold()) for mine, theirs in pairs)
        return any(mine and theirs and mine != theirs for mine, theirs in plain)


class JournalNote(msgspec.Struct, frozen=True):
    """An intent as a journal holds it.

    Shape:  `machine` names where it was written, empty when the machine has no name; `account` is whose job it is
    """

    intent: Intent
    machine: str = ""
    account: JournalAccount = JournalAccount()


class _NoteFields(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    address: str
    digest: str
    owner: str
    at: int | float | None
    despite: tuple[JobId, ...]
    job: JobId | None
    machine: str
    organization: str = ""
    account_project: str = ""
    doubt: str = ""


def note_name(stamp: Stamp, account: JournalAccount = JournalAccount()) -> str:  # noqa: B008 (immutable)
    """Return the name of the note of a stamp in an account, the same in every journal that has names."""
    whose = ""
    if account != JournalAccount():
        text = f"{account.organization}\n{account.project}"
        whose = f".{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{note_stem(stamp)}{whose}.json"


def note_stem(stamp: Stamp) -> str:
    """Return the beginning of the names of all notes of a stamp; a dot follows it."""
    return f"{stamp.address.kind}.{stamp.address.name}.{stamp.digest.version}.{stamp.digest.hex}"


def write_note(note: JournalNote) -> bytes:
    """Return a note as JSON, for programs first and then for people."""
    intent = note.intent
    fields = _NoteFields(
        version=VERSION,
        address=str(intent.stamp.address),
        digest=str(intent.stamp.digest),
        owner=intent.owner,
        at=intent.at,
        despite=intent.excluded_jobs,
        job=intent.job,
        machine=note.machine,
        organization=note.account.organization,
        account_project=note.account.project,
        doubt=intent.doubt,
    )
    return (json.dumps(msgspec.to_builtins(fields), indent=1) + "\n").encode()


def read_note(content: bytes, where: str, advice: str = _DELETE_IT) -> JournalNote:
    """Return the note that a text holds; `where` names it in an error, and `advice` says what to do if it is none.

    Raises: JournalError when it is no note, or another version of the program wrote it
    """
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _not_a_note(where, "is not JSON", advice) from error
    if not isinstance(found, dict):
        raise _not_a_note(where, "is not a JSON object", advice)
    if found.get("version") not in _VERSIONS or not set(_NoteFields.__struct_fields__).issuperset(found):
        raise JournalError(
            f"the note {where} was written by another version of this program; nothing was sent",
            "use the newest version that works on this project, here and everywhere else",
        )
    try:
        fields = msgspec.convert(found, _NoteFields)
    except msgspec.ValidationError as error:
        raise _not_a_note(where, f"is damaged: {error}", advice) from error
    address, digest = Address.parse(fields.address), Digest.parse(fields.digest)
    if address is None or digest is None:
        raise _not_a_note(where, "is damaged: it names no address, or no digest", advice)
    stamp = Stamp(address, digest)
    intent = Intent(stamp=stamp, owner=fields.owner, at=fields.at, excluded_jobs=fields.despite, job=fields.job)
    intent = replace(intent, doubt=fields.doubt)
    account = JournalAccount(organization=fields.organization, project=fields.account_project)
    return JournalNote(intent, fields.machine, account)


def _not_a_note(where: str, what: str, advice: str) -> JournalError:
    return JournalError(f"the note {where} {what}; nothing was sent", advice)
