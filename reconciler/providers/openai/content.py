"""Reads files back as they come, and no further than they are said to go. Keeps nothing."""

from collections.abc import Iterator

import httpx

from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import RemoteFile
from reconciler.providers.openai.answers import read_refusal
from reconciler.providers.openai.client import Client


def read_content(client: Client, file: RemoteFile) -> Iterator[bytes]:
    """Yield the content of a file as it comes.

    Raises: ProviderError, at the first block or, when the content breaks off or goes on too long, later
    """
    response = client.download(file.id)
    try:
        if response.status_code >= 300:
            raise client.explained(read_refusal(client, response))
        read = 0
        for block in response.iter_bytes():
            read += len(block)
            if read > file.size_bytes:
                raise MalformedError(f"the content of {file.id} is longer than the file is said to be")
            yield block
    except httpx.RequestError as error:
        raise client.explained_road(error) from error
    finally:
        response.close()
