"""Notes as files of the service that expire: what is sent and what is read back. Knows nothing of what they say."""

import secrets

from reconciler.domain.errors import MalformedError
from reconciler.domain.ports import RemoteNote, Write
from reconciler.providers.http.multipart import Multipart
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.openai.client import Client
from reconciler.providers.openai.wire import LENIENT, read_file

PURPOSE = "user_data"
"""Files of this purpose are data for a model's context: never trained on, and never processed."""


def leave(client: Client, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
    """Send a note once."""
    body = Multipart(
        fields={
            "purpose": PURPOSE,
            "expires_after[anchor]": "created_at",
            "expires_after[seconds]": str(lives_seconds),
        },
        filename=name,
        size_bytes=len(content),
        blocks=[content],
        boundary=secrets.token_hex(16),
    )
    return client.send_file(body, lambda answer: _echoed(answer, name))


def listed(client: Client) -> tuple[RemoteNote, ...]:
    """List the files of that purpose.

    Raises: MalformedError when the list may not be whole, for on this answer depends who may create
    """
    doubts = ListWarnings()
    files = tuple(client.files(doubts, PURPOSE, LENIENT))
    if doubts.words:
        raise MalformedError(f"the notes cannot be told: {'; '.join(doubts.words)}")
    return tuple(
        RemoteNote(id=file.id, name=file.filename, created_at=file.created_at or 0)
        for file in files
        if file.filename and file.purpose == PURPOSE
    )


def _echoed(answer: bytes, name: str) -> RemoteNote:
    file = read_file(answer, LENIENT)
    if file.filename != name or file.purpose != PURPOSE or file.expires_at is None:
        raise MalformedError(f"the service made file {file.id} out of a note, with another name, purpose or expiry")
    return RemoteNote(id=file.id, name=name, created_at=file.created_at or 0)
