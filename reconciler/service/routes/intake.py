"""What a file is to be, as it was asked for, and whether the bytes that came can be it."""

import msgspec

from reconciler.service.engines.rows import numbered_lines, parsed
from reconciler.service.errors import ApiError, bad_value, missing
from reconciler.service.fields import Json, only, required_text, table, whole
from reconciler.service.store.files import FINE_TUNE, FileRecord
from reconciler.service.store.staging import Incoming

BATCH = "batch"
PURPOSES = ("assistants", BATCH, FINE_TUNE, "vision", "user_data", "evals")
LONGEST_NAME = 1024
SHORTEST_LIFE, LONGEST_LIFE = 3600, 30 * 24 * 3600

NO_JSONL = "Expected file to have JSONL format, where every line is a valid JSON dictionary."


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is to be. `lives_seconds` is None where it stays until it is deleted."""

    filename: str
    purpose: str
    lives_seconds: int | None

    def record(self, arrived: Incoming, now: int) -> FileRecord:
        """Describe the file that it has become."""
        return FileRecord(
            id=arrived.id,
            filename=self.filename,
            purpose=self.purpose,
            size_bytes=arrived.size_bytes,
            created_at=now,
            expires_at=None if self.lives_seconds is None else now + self.lives_seconds,
        )


def read_asked(facts: Json, param: str = "filename") -> Asked:
    """Check what was asked for.

    Shape:  `filename`, `purpose` and `expires_after` of the facts are read; `param` is what the client calls the name
    Raises: ApiError
    """
    filename = facts.get("filename")
    if not isinstance(filename, str) or not 1 <= len(filename) <= LONGEST_NAME:
        raise bad_value(param, f"expected a file name of 1 to {LONGEST_NAME} characters.")
    purpose = required_text(facts, "purpose")
    if purpose not in PURPOSES:
        raise bad_value("purpose", f"'{purpose}' is not one of {list(PURPOSES)}.")
    return Asked(filename=filename, purpose=purpose, lives_seconds=_life(facts, purpose))


def check_content(arriving: Incoming, purpose: str) -> None:
    """Return when the bytes that have come can be a file of this purpose.

    Raises: ApiError
    """
    if not arriving.size_bytes:
        raise ApiError(400, "File is empty.", param="file", code="empty_file")
    arriving.flush()
    if purpose == FINE_TUNE:
        with arriving.path.open("rb") as handle:
            for number, line in numbered_lines(handle):
                parsed(line, lambda what, number=number: _refuse_line(number, what))  # type: ignore[misc]


def _life(facts: Json, purpose: str) -> int | None:
    after = table(facts, "expires_after")
    if after is None:
        # The one purpose whose files the API lets go by itself.
        return LONGEST_LIFE if purpose == BATCH else None
    only(after, ("anchor", "seconds"), "expires_after.")
    if after.get("anchor") != "created_at":
        raise bad_value("expires_after.anchor", "expected 'created_at'.")
    seconds = whole(after, "seconds", SHORTEST_LIFE, LONGEST_LIFE, at="expires_after.")
    if seconds is None:
        raise missing("expires_after.seconds")
    return seconds


def _refuse_line(number: int, what: str) -> None:
    raise ApiError(400, f"{NO_JSONL} Line {number} is not: {what}.", param="file", code="invalid_jsonl")
