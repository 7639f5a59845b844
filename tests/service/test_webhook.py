"""Webhooks: signed for the official client, repeated until accepted, and sent for every end of a job."""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import openai
import pytest

from reconciler.domain.errors import UsageError
from reconciler.service import Webhook, read_webhook
from reconciler.service.store import Store
from reconciler.service.webhook import MOST_TRIES, WebhookSender, post, send_webhooks
from tests.service.service_fixtures import Json, Service, plain_rows

SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHRlc3Q="
URL = "https://example.org/hook?x=1"


class Post:
    """A fake sender that records every delivery and answers as the test defines."""

    def __init__(self, *answers: int | OSError) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, OSError):
            raise answer
        return answer


def listening(service: Service, send: Post, clock: float | None = None, secret: str = SECRET) -> WebhookSender:
    now = time.time() if clock is None else clock
    return WebhookSender(store=Store(service.root), webhook=read_webhook(URL, secret), clock=lambda: now, send=send)


@pytest.fixture
def webhook_service(service: Service) -> Service:
    """A service with a webhook."""
    with send_webhooks(Store(service.root), read_webhook("http://127.0.0.1:9/", SECRET), lambda: 0.0):
        pass
    return service


@pytest.mark.parametrize("secret", [SECRET, "plain text"])
def test_every_end_of_a_job_is_sent_once_and_the_official_client_accepts_it(
    webhook_service: Service, secret: str, tmp_path: Path
) -> None:
    jobs = [
        webhook_service.train(),
        webhook_service.train(b"{}\n"),
        webhook_service.train(plain_rows(f"wait for {tmp_path / 'never'}")),
    ]
    for job in jobs[:2]:
        webhook_service.done(job)
    webhook_service.post(f"/fine_tuning/jobs/{jobs[2]['id']}/cancel")
    send = Post()
    courier = listening(webhook_service, send, secret=secret)

    assert [courier.deliver(), courier.deliver()] == [3, 0]

    with openai.OpenAI(api_key="key", webhook_secret=secret) as client:
        events = [client.webhooks.unwrap(body, headers) for _, body, headers in send.sent]
        with pytest.raises(openai.InvalidWebhookSignatureError):
            client.webhooks.unwrap(send.sent[0][1] + b" ", send.sent[0][2])
    ends = {(event.data.id, event.type) for event in events}  # type: ignore[union-attr]
    words = ("succeeded", "failed", "cancelled")
    assert ends == {(job["id"], f"fine_tuning.job.{word}") for job, word in zip(jobs, words, strict=True)}
    assert len({headers["webhook-id"] for _, _, headers in send.sent}) == 3
    assert [json.loads(body)["id"] for _, body, _ in send.sent] == [head["webhook-id"] for _, _, head in send.sent]


def test_a_failed_delivery_is_repeated_later_with_the_same_id(webhook_service: Service) -> None:
    webhook_service.done(webhook_service.train())
    send = Post(500, OSError("no server there"), 302, 200)
    start = 4_000_000_000.0

    for wait in (0, 4, 5, 24, 25, 104, 105):
        listening(webhook_service, send, clock=start + wait).deliver()

    assert [int(headers["webhook-timestamp"]) - start for _, _, headers in send.sent] == [0, 5, 25, 105]
    assert len({headers["webhook-id"] for _, _, headers in send.sent}) == 1
    assert listening(webhook_service, send, clock=start * 2).deliver() == 0


def test_deliveries_that_always_fail_end_at_a_limit(webhook_service: Service) -> None:
    webhook_service.done(webhook_service.train())
    send = Post(*[500] * 50)

    for day in range(50):
        listening(webhook_service, send, clock=4_000_000_000.0 + day * 86400).deliver()

    assert len(send.sent) == MOST_TRIES


def test_without_a_webhook_no_delivery_is_stored(service: Service) -> None:
    service.done(service.train())
    store = Store(service.root)
    with send_webhooks(store, Webhook("http://127.0.0.1:9/", b"key"), lambda: 0.0):
        pass
    send = Post()

    listening(service, send).deliver()

    assert send.sent == []


def test_a_webhook_that_is_removed_and_added_gets_no_earlier_events(webhook_service: Service) -> None:
    webhook_service.done(webhook_service.train())
    with send_webhooks(Store(webhook_service.root), None, lambda: 0.0):
        pass
    send = Post()

    listening(webhook_service, send).deliver()

    assert send.sent == []


@pytest.mark.loopback
def test_a_webhook_is_delivered_over_a_connection() -> None:
    came: list[Json] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came.append({"path": self.path, "body": body, "id": self.headers["webhook-id"]})
            self.send_response(307)
            self.send_header("location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it overrides)
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        status = post(f"http://127.0.0.1:{server.server_port}/hook?a=b#c", b"{}", {"webhook-id": "evt_1"})
        thread.join()

    assert status == 307
    assert came == [{"path": "/hook?a=b", "body": b"{}", "id": "evt_1"}]


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://example.org/", SECRET),
        ("ftp://127.0.0.1/", SECRET),
        ("https://", SECRET),
        ("https://user:word@example.org/", SECRET),
        ("https://example.org:port/", SECRET),
        ("https://example.org/", None),
        ("https://example.org/", ""),
        ("https://example.org/", "whsec_no base64"),
    ],
)
def test_an_invalid_address_or_secret_is_refused(url: str, secret: str | None) -> None:
    with pytest.raises(UsageError):
        read_webhook(url, secret)


def test_a_secret_is_never_shown() -> None:
    assert "hidden" not in repr(Webhook(URL, b"hidden"))
