"""Tells an address that jobs have ended: signed as Standard Webhooks has it, and repeated until it is heard.

A notice bears the same id at every try, so that a listener can drop what it has heard before. What fails is tried
again after 5 seconds, then after four times as long each time, nine times in all, which is a day and a half.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from urllib.parse import SplitResult, urlsplit

import msgspec

from reconciler.domain.errors import UsageError
from reconciler.service.store.database import Store
from reconciler.service.store.webhook_outbox import Notice, due_notices, postpone_notice, settle_notice

SECRET_VARIABLE = "OPENAI_WEBHOOK_SECRET"  # noqa: S105 (the name of a variable)
USER_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"
FIRST_PAUSE, GROWTH, MOST_TRIES = 5, 4, 9
LOOK_SECONDS = 0.5
TIMEOUT_SECONDS = 10.0
AT_ONCE = 20

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MARK = "whsec_"

Send = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to a URL and gives the status; raises OSError or HTTPException when nobody answers."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell it, and the key to sign with."""

    url: str
    key: bytes = field(repr=False)


def read_webhook(url: str, secret: str | None) -> Webhook:
    """Check an address and a secret, which is `whsec_` and base64, or any other text as it is.

    Raises: UsageError
    """
    parts = _parts(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UsageError(f"--webhook {url}: give an https address; http is for this machine only")
    if not secret:
        raise UsageError(f"--webhook needs a secret to sign with: set {SECRET_VARIABLE}")
    if not secret.startswith(_MARK):
        return Webhook(url, secret.encode())
    try:
        return Webhook(url, base64.b64decode(secret.removeprefix(_MARK), validate=True))
    except binascii.Error as error:
        raise UsageError(f"{SECRET_VARIABLE} begins with {_MARK}, but what follows is no base64") from error


def signed(webhook: Webhook, notice: Notice, now: int) -> tuple[bytes, dict[str, str]]:
    """Write a notice as the body and the headers of one delivery."""
    body = msgspec.json.encode(
        {
            "id": notice.id,
            "object": "event",
            "type": f"fine_tuning.job.{notice.status}",
            "created_at": notice.created_at,
            "data": {"id": notice.job},
        }
    )
    text = b".".join((notice.id.encode(), str(now).encode(), body))
    signature = base64.b64encode(hmac.new(webhook.key, text, hashlib.sha256).digest()).decode()
    return body, {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": notice.id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{signature}",
    }


class Courier(msgspec.Struct, frozen=True, kw_only=True):
    """Brings the notices of a store to a webhook."""

    store: Store
    webhook: Webhook
    clock: Callable[[], float]
    send: Send

    def deliver(self) -> int:
        """Try every notice whose time has come, once; gives how many were heard."""
        now = int(self.clock())
        with self.store.read() as db:
            due = due_notices(db, now, AT_ONCE)
        return sum(self._try(notice, now) for notice in due)

    def run(self, stop: Event) -> None:
        """Deliver until told to stop."""
        while not stop.wait(LOOK_SECONDS):
            # A store that is busy, or gone, is looked at again.
            with suppress(sqlite3.OperationalError):
                self.deliver()

    def _try(self, notice: Notice, now: int) -> bool:
        body, headers = signed(self.webhook, notice, now)
        try:
            heard = 200 <= self.send(self.webhook.url, body, headers) < 300
        except (OSError, http.client.HTTPException):
            heard = False
        with self.store.write() as db:
            if heard or notice.tries + 1 >= MOST_TRIES:
                settle_notice(db, notice.id)
            else:
                postpone_notice(db, notice.id, now + FIRST_PAUSE * GROWTH**notice.tries)
        return heard


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post once, following nothing, and give the status."""
    parts = _parts(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST", parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, dict(headers)
        )
        return connection.getresponse().status
    finally:
        connection.close()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"--webhook {url}: {error}") from error
    if not parts.hostname or parts.username is not None:
        raise UsageError(f"--webhook {url}: give an address such as https://example.org/hook, without a password in it")
    return parts
