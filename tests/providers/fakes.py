"""Fake transports and clocks for the tests of transports."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
from hypothesis import HealthCheck, settings

anything = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""Settings of property tests: no clock decides whether a test is green."""

Reply = httpx.Response | Exception


@dataclass
class Clock:
    """A clock whose time passes only by sleeping, or when a test sets it."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.now += seconds


class Bottom(httpx.BaseTransport):
    """Returns its replies in order, the last one for ever, and records the requests."""

    def __init__(self, *replies: Reply | Callable[[httpx.Request], httpx.Response]) -> None:
        self._replies = list(replies)
        self.asked: list[httpx.Request] = []
        self.closed = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def close(self) -> None:
        self.closed += 1


class Parts(httpx.SyncByteStream):
    """A body in parts; an exception among them is raised in its place."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts = parts
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    def close(self) -> None:
        self.is_closed = True


def get(path: str = "/v1/models") -> httpx.Request:
    return httpx.Request("GET", f"https://api.example.test{path}")


def post(path: str = "/v1/fine_tuning/jobs") -> httpx.Request:
    return httpx.Request("POST", f"https://api.example.test{path}", content=b"{}")
