"""What the operator of the service chooses: engines, faults, names of bases, webhook. Loads no library."""

import base64
import binascii
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

import msgspec

from reconciler.domain.errors import UsageError
from reconciler.service.engines.registry import DEFAULT_ENGINES
from reconciler.service.faults import Fault

AsgiApp: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
"""An ASGI application, as the web framework types it."""

SECRET_VARIABLE = "OPENAI_WEBHOOK_SECRET"  # noqa: S105 (the name of a variable)
LEGACY_BASES_OPTION = "--legacy-bases"
LEGACY_BASES = ("ada", "babbage", "curie", "davinci")
DEFAULT_BASE = "tfidf-logreg"

ALL_LEGACY_BASES = ",".join(f"{name}={DEFAULT_BASE}" for name in LEGACY_BASES)
"""The value of the option when it stands alone."""

DEFAULT_FREE_BYTES = 128 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SECRET_PREFIX = "whsec_"  # noqa: S105 (not a secret)


@dataclass(frozen=True, slots=True)
class Webhook:
    """The address to notify and the key that signs."""

    url: str
    key: bytes = field(repr=False)


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a service behaves, whether it runs in this process or on a port.

    Shape:  `engines` are module names; `clock` returns seconds since 1970; `legacy_bases` maps further names to a base
            or a trained model; `show_paused` shows the status `paused`, which strict clients do not know; `seeds` names
            a set of objects that always exist. The key is a secret and stands apart, so that settings can be shown
    Units:  `file_bytes` is the largest file, and files that arrive leave `free_bytes` of the disk free; None is the
            service's own limit, or no limit for requests
    """

    engines: tuple[str, ...] = DEFAULT_ENGINES
    clock: Callable[[], float] = time.time
    file_bytes: int | None = None
    free_bytes: int = DEFAULT_FREE_BYTES
    faults: tuple[Fault, ...] = ()
    legacy_bases: Mapping[str, str] = msgspec.field(default_factory=dict)
    show_paused: bool = False
    seeds: str | None = None
    requests_per_minute: int | None = None
    webhook: Webhook | None = None


def read_legacy_bases(text: str) -> dict[str, str]:
    """Read `NAME=BASE,NAME=BASE`.

    A name stands for an engine, and can then be fine-tuned, or for a model that was trained here, and can then be
    queried. What is served under such a name never hides what it is.

    Raises: UsageError
    """
    bases: dict[str, str] = {}
    for pair in text.split(","):
        name, _, target = (part.strip() for part in pair.partition("="))
        if not _NAME.fullmatch(name) or not target:
            raise UsageError(f"{LEGACY_BASES_OPTION}: expected NAME=BASE, got '{pair}': for example ada={DEFAULT_BASE}")
        if bases.setdefault(name, target) != target:
            raise UsageError(f"{LEGACY_BASES_OPTION}: {name} is given twice")
    return bases


def read_webhook(url: str, secret: str | None) -> Webhook:
    """Check an address and a secret. The secret is `whsec_` and base64, or any other text as it is.

    Raises: UsageError
    """
    parts = split_webhook_url(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UsageError(f"--webhook {url}: give an https address; http is for this machine only")
    if not secret:
        raise UsageError(f"--webhook needs a secret to sign with: set {SECRET_VARIABLE}")
    if not secret.startswith(_SECRET_PREFIX):
        return Webhook(url, secret.encode())
    try:
        return Webhook(url, base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True))
    except binascii.Error as error:
        raise UsageError(f"{SECRET_VARIABLE} begins with {_SECRET_PREFIX}, but what follows is no base64") from error


def split_webhook_url(url: str) -> SplitResult:
    """Split the address of a webhook.

    Raises: UsageError when it has no host, a bad port or a password in it
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"--webhook {url}: {error}") from error
    if not parts.hostname or parts.username is not None:
        raise UsageError(f"--webhook {url}: give an address such as https://example.org/hook, without a password in it")
    return parts
