"""A note as text: what is written is read back, and nothing else is taken for one."""

import json

import pytest

from reconciler.domain.errors import JournalError
from reconciler.domain.observed import JobId
from reconciler.domain.ports import Intent
from reconciler.journal.note import JournalNote, note_name, read_note, write_note
from tests.journal.stores import STAMP, note

FULL = JournalNote(
    Intent(stamp=STAMP, owner="mine", at=1.5, excluded_jobs=(JobId("ftjob-1"), JobId("ftjob-2")), job=JobId("ftjob-3")),
    machine="here 1234",
)


@pytest.mark.parametrize("written", [FULL, JournalNote(note("mine")), JournalNote(Intent(stamp=STAMP, owner="mine"))])
def test_what_is_written_is_read_back(written: JournalNote) -> None:
    assert read_note(write_note(written), "a place") == written


def test_the_name_says_the_whole_stamp() -> None:
    assert note_name(STAMP) == f"model.{STAMP.address.name}.v1.{STAMP.digest.hex}.json"


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(write_note(FULL)) | fields).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        write_note(FULL)[:-20],
        b"[]",
        b"[" * 100_000,
        changed(address="model/No Name"),
        changed(digest="v1:12"),
        changed(owner=None),
        changed(at="yesterday"),
        changed(at=True),
        changed(despite="ftjob-1"),
        changed(despite=[1]),
        changed(job=1),
        json.dumps({"version": 1}).encode(),
    ],
)
def test_what_is_no_note_is_an_error_that_names_its_place(content: bytes) -> None:
    with pytest.raises(JournalError, match="a place") as raised:
        read_note(content, "a place")
    assert "nothing was sent" in str(raised.value)
    assert "delete the note" in raised.value.hint


@pytest.mark.parametrize("fields", [{"version": 3}, {"colour": "green"}])
def test_a_note_of_a_newer_version_is_not_guessed_at(fields: dict[str, object]) -> None:
    with pytest.raises(JournalError, match="another version") as raised:
        read_note(changed(**fields), "a place")
    assert "newest version" in raised.value.hint
