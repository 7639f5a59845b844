"""Sends a notice of every ended job to an address, signed as Standard Webhooks says, and repeated until it is received.

A notice has the same id at every try, so that a receiver can drop duplicates. A failed delivery is repeated
after 5 seconds, then after four times as long each time, nine times in all, which takes a day and a half.
"""

import base64
import hashlib
import hmac
import http.client
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread

import msgspec

from reconciler.service.settings import Webhook, split_webhook_url
from reconciler.service.store.database import Store
from reconciler.service.store.rows import select

USER_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"
FIRST_PAUSE, GROWTH, MOST_TRIES = 5, 4, 9
LOOK_SECONDS = 0.5
TIMEOUT_SECONDS = 10.0
AT_ONCE = 20


class WebhookNotice(msgspec.Struct, frozen=True, kw_only=True):
    """The notice that a job has ended. `tries` counts the deliveries that failed."""

    id: str
    job: str
    status: str
    created_at: int
    tries: int


def enable_notices(db: sqlite3.Connection) -> None:
    """Store a notice for every job that ends from now on."""
    db.execute("INSERT OR IGNORE INTO about VALUES ('webhook', 'on')")


def disable_notices(db: sqlite3.Connection) -> None:
    """Store no more notices, and delete those that are waiting."""
    db.execute("DELETE FROM about WHERE key = 'webhook'")
    db.execute("DELETE FROM notices")


def due_notices(db: sqlite3.Connection, now: int, most: int) -> tuple[WebhookNotice, ...]:
    """Return the notices that are due, oldest first."""
    return tuple(select(db, WebhookNotice, "notices", " WHERE due_at <= ? ORDER BY seq LIMIT ?", (now, most)))


def delete_notice(db: sqlite3.Connection, notice: str) -> None:
    """Delete a notice that was delivered or given up."""
    db.execute("DELETE FROM notices WHERE id = ?", (notice,))


def postpone_notice(db: sqlite3.Connection, notice: str, due_at: int) -> None:
    """Store that a delivery failed, and when the next one is due."""
    db.execute("UPDATE notices SET tries = tries + 1, due_at = ? WHERE id = ?", (due_at, notice))


WebhookPost = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to a URL and returns the status; raises OSError or HTTPException without an answer."""


def sign_notice(webhook: Webhook, notice: WebhookNotice, now: int) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of one delivery."""
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


class WebhookSender(msgspec.Struct, frozen=True, kw_only=True):
    """Delivers the notices of a store to a webhook."""

    store: Store
    webhook: Webhook
    clock: Callable[[], float]
    send: WebhookPost

    def deliver(self) -> int:
        """Try every due notice once. Return how many were delivered."""
        now = int(self.clock())
        with self.store.read() as db:
            due = due_notices(db, now, AT_ONCE)
        return sum(self._try(notice, now) for notice in due)

    def run(self, stop: Event) -> None:
        """Deliver until `stop` is set."""
        while not stop.wait(LOOK_SECONDS):
            # A store that is busy or missing is tried again.
            with suppress(sqlite3.OperationalError):
                self.deliver()

    def _try(self, notice: WebhookNotice, now: int) -> bool:
        body, headers = sign_notice(self.webhook, notice, now)
        try:
            heard = 200 <= self.send(self.webhook.url, body, headers) < 300
        except (OSError, http.client.HTTPException):
            heard = False
        with self.store.write() as db:
            if heard or notice.tries + 1 >= MOST_TRIES:
                delete_notice(db, notice.id)
            else:
                postpone_notice(db, notice.id, now + FIRST_PAUSE * GROWTH**notice.tries)
        return heard


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post once, without following redirects, and return the status."""
    parts = split_webhook_url(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST", parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, dict(headers)
        )
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def send_webhooks(store: Store, webhook: Webhook | None, clock: Callable[[], float]) -> Iterator[None]:
    """Deliver the notices of jobs that end in the meantime, and those that are still waiting."""
    with store.write() as db:
        if webhook is None:
            disable_notices(db)
        else:
            enable_notices(db)
    if webhook is None:
        yield
        return
    stop = Event()
    courier = WebhookSender(store=store, webhook=webhook, clock=clock, send=post)
    thread = Thread(target=courier.run, args=(stop,), name="webhook", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1.0)
