"""Makes ids in the API's forms. Random, so that two processes never make the same one."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 22) -> str:
    """Make an id such as `file-Ab3…`; 22 characters are 130 bits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))
