"""Each transport does its one thing."""

import threading
import traceback
from collections.abc import Callable

import httpx
import pytest

from reconciler.providers.http import is_final
from reconciler.providers.http.transport import (
    BufferedResponse,
    Deadline,
    NewConnection,
    NoRedirects,
    Redact,
    RedirectError,
    Retry,
    TooLargeError,
)
from reconciler.providers.profile import RetryPolicy
from reconciler.providers.rate_limit import RateLimiter, RateLimitTransport
from tests.providers.fake_service import refusal
from tests.providers.fakes import Bottom, Clock, Parts, get, post

PATIENCE = RetryPolicy(attempts=4, first_seconds=1, cap_seconds=3, longest_seconds=60)


def retrying(bottom: Bottom, clock: Clock, *, random: float = 0.0) -> Retry:
    return Retry(bottom, retries=PATIENCE, sleep=clock.sleep, random=lambda: random, is_final=is_final)


def busy(status: int = 503, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, headers=named)


FINE = httpx.Response(200, content=b"fine")


class TestRetry:
    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_a_request_to_a_busy_service_is_repeated(self, status: int) -> None:
        bottom, clock = Bottom(busy(status), busy(status), FINE), Clock()
        assert retrying(bottom, clock).handle_request(get()).status_code == 200
        assert clock.slept == [1, 2]

    @pytest.mark.parametrize(
        "error",
        [
            httpx.ConnectError("refused"),
            httpx.ConnectTimeout("late"),
            httpx.ReadTimeout("late"),
            httpx.ReadError("reset"),
            httpx.RemoteProtocolError("cut"),
        ],
    )
    def test_a_request_over_a_broken_connection_is_repeated(self, error: Exception) -> None:
        bottom, clock = Bottom(error, FINE), Clock()
        assert retrying(bottom, clock).handle_request(get()).status_code == 200

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
    def test_a_final_refusal_is_not_repeated(self, status: int) -> None:
        bottom, clock = Bottom(busy(status)), Clock()
        assert retrying(bottom, clock).handle_request(get()).status_code == status
        assert clock.slept == []

    def test_repetition_ends_at_its_limit(self) -> None:
        clock = Clock()
        bottom = Bottom(busy())
        assert retrying(bottom, clock).handle_request(get()).status_code == 503
        assert (len(bottom.asked), clock.slept) == (4, [1, 2, 3])

        failing = Bottom(httpx.ReadError("reset"))
        with pytest.raises(httpx.ReadError):
            retrying(failing, clock).handle_request(get())
        assert len(failing.asked) == 4

    def test_jitter_shortens_a_wait_by_a_quarter_at_most(self) -> None:
        clock = Clock()
        retrying(Bottom(busy(), FINE), clock, random=1.0).handle_request(get())
        assert clock.slept == [0.75]

    def test_a_post_is_never_repeated(self) -> None:
        """It is not repeated when the service is busy, when the connection breaks, or when the service asks for it."""
        for reply in (busy(503, x_should_retry="true"), busy(429, retry_after="1")):
            bottom = Bottom(reply, FINE)
            assert retrying(bottom, Clock()).handle_request(post()).status_code != 200
            assert len(bottom.asked) == 1
        bottom = Bottom(httpx.ConnectError("refused"), FINE)
        with pytest.raises(httpx.ConnectError):
            retrying(bottom, Clock()).handle_request(post())
        assert len(bottom.asked) == 1

    def test_a_delete_is_repeated(self) -> None:
        bottom = Bottom(httpx.ReadError("reset"), FINE)
        request = httpx.Request("DELETE", "https://api.example.test/v1/files/file-1")
        assert retrying(bottom, Clock()).handle_request(request).status_code == 200

    def test_the_service_may_set_the_wait(self) -> None:
        clock = Clock()
        retrying(Bottom(busy(429, retry_after="7"), busy(503, retry_after_ms="500"), FINE), clock).handle_request(get())
        assert clock.slept == [7, 0.5]

    def test_a_request_for_too_long_a_wait_is_not_waited_for(self) -> None:
        clock = Clock()
        assert retrying(Bottom(busy(429, retry_after="61")), clock).handle_request(get()).status_code == 429
        assert clock.slept == []

    def test_the_service_may_set_whether_to_repeat(self) -> None:
        please, never = busy(409, x_should_retry="true"), busy(503, x_should_retry="false")
        assert retrying(Bottom(please, FINE), Clock()).handle_request(get()).status_code == 200
        assert retrying(Bottom(never, FINE), Clock()).handle_request(get()).status_code == 503

    @pytest.mark.parametrize(
        ("code", "is_repeated"),
        [
            ("rate_limit_exceeded", True),
            ("slow_down", True),
            ("daily_rate_limit_exceeded", False),
            ("insufficient_quota", False),
            ("credit_balance_exhausted", False),
            ("organization_spend_limit_exceeded", False),
            ("project_spend_limit_exceeded", False),
            ("organization_usage_limit_exceeded", False),
        ],
    )
    def test_the_kinds_of_429_are_distinguished(self, code: str, is_repeated: bool) -> None:
        bottom = Bottom(lambda _: refusal(429, "too many", code=code), FINE)
        assert retrying(bottom, Clock()).handle_request(get()).status_code == (200 if is_repeated else 429)


class TestPace:
    def test_requests_keep_their_distance(self) -> None:
        clock = Clock()
        gate = RateLimiter(spacing=2, longest=60, clock=clock, sleep=clock.sleep)
        transport = RateLimitTransport(Bottom(FINE), gate)
        for _ in range(3):
            transport.handle_request(get())
        assert clock.slept == [2, 2]

    def test_a_wait_applies_to_all_transports_of_a_gate(self) -> None:
        """A wait that one transport receives holds for all transports with the same gate."""
        clock = Clock()
        gate = RateLimiter(spacing=0, longest=60, clock=clock, sleep=clock.sleep)
        RateLimitTransport(Bottom(busy(429, retry_after="5")), gate).handle_request(get())
        RateLimitTransport(Bottom(FINE), gate).handle_request(post())
        assert clock.slept == [5]

    def test_a_used_up_allowance_is_waited_for(self) -> None:
        clock = Clock()
        spent = busy(200, x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="1500ms")
        transport = RateLimitTransport(
            Bottom(spent, FINE), RateLimiter(spacing=0, longest=60, clock=clock, sleep=clock.sleep)
        )
        transport.handle_request(get())
        transport.handle_request(get())
        assert clock.slept == [1.5]

    def test_a_wait_of_days_is_limited(self) -> None:
        clock = Clock()
        transport = RateLimitTransport(
            Bottom(busy(503, retry_after="86400"), FINE),
            RateLimiter(spacing=0, longest=60, clock=clock, sleep=clock.sleep),
        )
        transport.handle_request(get())
        transport.handle_request(get())
        assert clock.slept == [60]

    def test_a_request_that_cannot_wait_is_not_sent(self) -> None:
        """A create that is sent long after its observation would depend on an outdated observation."""
        clock, bottom = Clock(), Bottom(busy(429, retry_after="31"), FINE)
        gate = RateLimiter(spacing=0, longest=60, clock=clock, sleep=clock.sleep)
        RateLimitTransport(bottom, gate).handle_request(get())
        with pytest.raises(httpx.PoolTimeout, match="nothing was sent"):
            RateLimitTransport(bottom, gate, most_seconds=30).handle_request(post())
        assert clock.slept == []
        assert RateLimitTransport(bottom, gate, most_seconds=31).handle_request(post()).status_code == 200

    def test_threads_wait_at_one_gate(self) -> None:
        clock = Clock()
        gate = RateLimiter(spacing=1, longest=60, clock=clock, sleep=clock.sleep)
        threads = [threading.Thread(target=gate.wait_for_turn) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert clock.now >= 1007


class TestDeadline:
    def make(self, bottom: Bottom, clock: Clock, total: float = 10) -> Deadline:
        return Deadline(bottom, connect=2, read=5, total=total, clock=clock)

    def test_the_limits_are_passed_to_the_socket(self) -> None:
        bottom = Bottom(FINE)
        self.make(bottom, Clock()).handle_request(get())
        assert bottom.asked[0].extensions["timeout"] == {"connect": 2, "pool": 2, "read": 5, "write": 5}

    def test_no_limit_is_longer_than_the_total(self) -> None:
        bottom = Bottom(FINE)
        self.make(bottom, Clock(), total=3).handle_request(get())
        assert bottom.asked[0].extensions["timeout"]["read"] == 3

    def test_a_very_slow_answer_is_cut_off(self) -> None:
        clock = Clock()
        response = self.make(Bottom(httpx.Response(200, stream=Parts(b"a", b"b", b"c"))), clock).handle_request(get())
        parts = response.iter_bytes()
        assert next(parts) == b"a"
        clock.now += 11
        with pytest.raises(httpx.ReadTimeout, match="longer than 10 seconds"):
            next(parts)

    def test_a_very_slow_request_is_cut_off(self) -> None:
        clock = Clock()

        def slow(request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            for _ in request.stream:
                clock.now += 6
            return FINE

        request = httpx.Request("POST", "https://api.example.test/", stream=Parts(b"a", b"b", b"c"))
        with pytest.raises(httpx.WriteTimeout):
            self.make(Bottom(slow), clock).handle_request(request)


class TestNoRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_an_error_that_says_so(self, status: int) -> None:
        bottom = Bottom(httpx.Response(status, headers={"location": "https://elsewhere.test/"}))
        with pytest.raises(RedirectError, match="redirects are not followed") as caught:
            NoRedirects(bottom).handle_request(get())
        assert caught.value.status == status
        assert len(bottom.asked) == 1

    def test_everything_else_passes(self) -> None:
        assert NoRedirects(Bottom(FINE)).handle_request(get()) is FINE


class TestWhole:
    def test_the_body_is_read_and_the_connection_is_released(self) -> None:
        body = Parts(b"fi", b"ne")
        response = BufferedResponse(Bottom(httpx.Response(200, stream=body)), 100).handle_request(get())
        assert (response.content, body.is_closed) == (b"fine", True)

    def test_a_body_that_is_too_large_is_an_error(self) -> None:
        body = Parts(*[b"x" * 60] * 1000)
        with pytest.raises(TooLargeError):
            BufferedResponse(Bottom(httpx.Response(200, stream=body)), 100).handle_request(get())
        assert body.is_closed

    def test_a_short_body_is_a_connection_failure(self) -> None:
        cut = httpx.Response(200, headers={"content-length": "10"}, stream=Parts(b"only"))
        with pytest.raises(httpx.RemoteProtocolError, match="4 of 10"):
            BufferedResponse(Bottom(cut), 100).handle_request(get())

    @pytest.mark.parametrize("stated", ["9" * 5000, "٩" * 30], ids=["digits", "other-digits"])
    def test_a_length_that_no_body_has_is_a_connection_failure(self, stated: str) -> None:
        cut = httpx.Response(200, headers=[(b"content-length", stated.encode())], stream=Parts(b"only"))
        with pytest.raises(httpx.RemoteProtocolError, match="4 of"):
            BufferedResponse(Bottom(cut), 100).handle_request(get())

    @pytest.mark.parametrize(("stated", "body"), [("0004", b"only"), ("0", b""), ("000", b"")])
    def test_a_length_may_begin_with_zeros(self, stated: str, body: bytes) -> None:
        whole = httpx.Response(200, headers={"content-length": stated}, stream=Parts(body))
        assert BufferedResponse(Bottom(whole), 100).handle_request(get()).content == body

    def test_a_body_that_breaks_is_closed(self) -> None:
        body = Parts(b"fi", httpx.ReadError("reset"))
        with pytest.raises(httpx.ReadError):
            BufferedResponse(Bottom(httpx.Response(200, stream=body)), 100).handle_request(get())
        assert body.is_closed


class TestRedact:
    SECRET = "a-canary-in-a-key"

    def make(self, bottom: httpx.BaseTransport) -> Redact:
        return Redact(bottom, lambda parts: (part.replace(self.SECRET.encode(), b"[hidden]") for part in parts))

    def test_an_error_keeps_its_type_and_loses_the_secret(self) -> None:
        error = httpx.LocalProtocolError(f"Illegal header value b'Bearer {self.SECRET}'")
        with pytest.raises(httpx.LocalProtocolError) as caught:
            self.make(Bottom(error)).handle_request(get())
        assert "[hidden]" in str(caught.value)
        assert caught.value.__context__ is None
        assert self.SECRET not in "".join(traceback.format_exception(caught.value))

    def test_an_answer_that_repeats_the_secret_is_cleaned(self) -> None:
        echo = httpx.Response(401, content=f"bad key {self.SECRET}!".encode())
        assert self.make(Bottom(echo)).handle_request(get()).content == b"bad key [hidden]!"

    def test_an_error_in_the_middle_of_an_answer_hides_the_secret(self) -> None:
        body = Parts(b"a", httpx.ReadError(f"reset by {self.SECRET}"))
        response = self.make(Bottom(httpx.Response(200, stream=body))).handle_request(get())
        with pytest.raises(httpx.ReadError) as caught:
            response.read()
        assert self.SECRET not in "".join(traceback.format_exception(caught.value))

    def test_a_redirect_keeps_its_status(self) -> None:
        bottom = NoRedirects(Bottom(httpx.Response(307)))
        with pytest.raises(RedirectError) as caught:
            self.make(bottom).handle_request(get())
        assert caught.value.status == 307


class TestFresh:
    def test_every_request_has_a_transport_of_its_own(self) -> None:
        made: list[Bottom] = []

        def make() -> Bottom:
            made.append(Bottom(httpx.Response(200, stream=Parts(b"fine"))))
            return made[-1]

        transport = NewConnection(make)
        for _ in range(2):
            response = transport.handle_request(post())
            assert made[-1].closed == 0
            response.read()
            response.close()
        assert [bottom.closed for bottom in made] == [1, 1]
        assert made[0].asked[0].headers["connection"] == "close"

    def test_a_transport_that_fails_is_closed_too(self) -> None:
        bottom = Bottom(httpx.ConnectError("refused"))
        with pytest.raises(httpx.ConnectError):
            NewConnection(lambda: bottom).handle_request(post())
        assert bottom.closed == 1


def test_all_attempts_of_a_read_together_take_no_longer_than_the_bound_of_a_call() -> None:
    """Each attempt is passed on with the same end, so the last one does not begin a whole call of its own."""
    clock, ends = Clock(), list[float]()

    def slow(request: httpx.Request) -> httpx.Response:
        ends.append(request.extensions["ends_at"])
        clock.sleep(40)
        return httpx.Response(503)

    bottom = Deadline(httpx.MockTransport(slow), connect=10, read=60, total=100, clock=clock)
    reads = Retry(
        bottom,
        retries=PATIENCE,
        sleep=clock.sleep,
        random=lambda: 0.0,
        is_final=lambda _: False,
        clock=clock,
        most_seconds=100,
    )
    began = clock()
    reads.handle_request(httpx.Request("GET", "https://svc.test/v1/files"))
    assert len(ends) > 1
    assert {end - began for end in ends} == {100}
