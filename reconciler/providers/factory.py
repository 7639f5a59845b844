"""Opens a profile: reads where it is and who asks, and stacks the transports that lead there."""

import math
import random
import ssl
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import cast

import httpx

from reconciler.domain.errors import UsageError
from reconciler.providers.http.asgi import AsgiApp, ASGITransport
from reconciler.providers.http.auth import Endpoint, SignedTransport, read_endpoint
from reconciler.providers.http.client import Client, Transports
from reconciler.providers.http.dialect import Dialect
from reconciler.providers.http.errors import is_final
from reconciler.providers.http.provider import HttpProvider
from reconciler.providers.http.transport import (
    BufferedResponse,
    Deadline,
    NewConnection,
    NoRedirects,
    Redact,
    Retry,
    SingleEncoding,
    WrappingTransport,
)
from reconciler.providers.network import NetworkTransport
from reconciler.providers.profile import Profile, with_bounds, without_vendor_dates
from reconciler.providers.rate_limit import RateLimiter, RateLimitTransport
from reconciler.providers.registry import find_profile, load_dialect, needs_app

_NO_BOUNDS: Mapping[str, float] = MappingProxyType({})


class Shared(WrappingTransport):
    """A transport that others own: closing this one leaves it open."""

    def close(self) -> None:
        """Its owner closes it."""


def open_provider(
    profile: str | Profile,
    *,
    project: str,
    environ: Mapping[str, str],
    app: object | None = None,
    bounds: Mapping[str, float] = _NO_BOUNDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    transport: httpx.BaseTransport | None = None,
    origin: str = "",
    environment: str | None = None,
    ends_at: float = math.inf,
) -> HttpProvider:
    """Return the service of a profile, ready to be asked; close it when done.

    Shape:  `profile` is a name, or a profile that no registry knows; `app` is an ASGI application, for a profile that
            `needs_app`; `transport` takes the place of the network; `bounds` take the place of the profile's own, in
            seconds by name; `origin` is a digest of where the specs come from, and `environment` the one that works,
            which new jobs bear; no call but a create that was sent goes on after `ends_at` by `clock`
    Raises: UsageError for a profile or variable that cannot be used, DeniedError when the key is missing
    """
    found = profile if isinstance(profile, Profile) else find_profile(profile)
    endpoint = read_endpoint(found, environ, make=partial(Shared, transport) if transport else None, clock=clock)
    if endpoint.url.host != httpx.URL(found.base_url).host:
        found = without_vendor_dates(found)
    if transport is None and needs_app(found, environ):
        if app is None:
            raise UsageError(f"the profile {found.name} runs inside this program and was opened without its service")
        transport = ASGITransport(cast(AsgiApp, app))
    found = with_bounds(found, bounds)
    dialect = load_dialect(found)
    if not isinstance(dialect, Dialect):
        raise UsageError(f"the profile {found.name} names {found.dialect}, which is no Dialect")
    transports = _stack_transports(found, endpoint, transport, clock, sleep, ends_at)
    client = Client(endpoint, transports, found.key_variable, clock, dialect.proofs)
    return HttpProvider(client, dialect, found, project=project, sleep=sleep, origin=origin, environment=environment)


def _stack_transports(
    profile: Profile,
    endpoint: Endpoint,
    given: httpx.BaseTransport | None,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    ends_at: float,
) -> Transports:
    bounds, retries, capabilities = profile.timeouts, profile.retries, profile.capabilities
    limiter = RateLimiter(spacing=profile.spacing_seconds, longest=retries.longest_seconds, clock=clock, sleep=sleep)
    kept, make = _bottoms(endpoint, given, clock)

    def bound_time(bottom: httpx.BaseTransport, read: float, total: float, end: float = ends_at) -> httpx.BaseTransport:
        signed = SingleEncoding(SignedTransport(bottom, endpoint))
        return Deadline(signed, connect=bounds.connect_seconds, read=read, total=total, clock=clock, ends_at=end)

    def guard(inner: httpx.BaseTransport, most_seconds: float | None = None) -> httpx.BaseTransport:
        return RateLimitTransport(NoRedirects(inner), limiter, most_seconds, ends_at)

    def send_once(
        read: float, total: float, most_seconds: float | None = None, end: float = ends_at
    ) -> httpx.BaseTransport:
        bounded = bound_time(NewConnection(make), read, total, end)
        return guard(BufferedResponse(bounded, bounds.answer_bytes), most_seconds)

    reads = guard(BufferedResponse(bound_time(kept, bounds.read_seconds, bounds.total_seconds), bounds.answer_bytes))
    repeated = Retry(
        reads,
        ends_at=ends_at,
        retries=retries,
        sleep=sleep,
        random=random.random,
        is_final=is_final,
        clock=clock,
        most_seconds=bounds.total_seconds,
    )
    hide = endpoint.credentials.hide
    return Transports(
        reads=Redact(repeated, hide),
        writes=Redact(send_once(bounds.read_seconds, bounds.total_seconds), hide),
        # Bounds that never two jobs rests on: how long a create waits to leave, and how long for its answer. One that
        # left is not given up before that, because its job would be unknown then.
        creates=Redact(
            send_once(bounds.read_seconds, capabilities.send_seconds, capabilities.delay_seconds, math.inf), hide
        ),
        # A service may look through a whole file before it says anything.
        uploads=Redact(send_once(bounds.total_seconds, bounds.upload_seconds), hide),
        answers=Redact(guard(bound_time(Shared(kept), bounds.read_seconds, bounds.total_seconds)), hide),
    )


def _bottoms(
    endpoint: Endpoint, given: httpx.BaseTransport | None, clock: Callable[[], float]
) -> tuple[httpx.BaseTransport, Callable[[], httpx.BaseTransport]]:
    """Return the transport that keeps connections, and what makes one for a single request."""
    if given is not None:
        return given, lambda: Shared(given)
    trust = _trust(endpoint)
    return NetworkTransport(trust, clock), lambda: NetworkTransport(trust, clock, keeps_connections=False)


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    # Reading all certificate authorities takes longer than a request to this machine, which needs none of them.
    return httpx.create_ssl_context() if endpoint.url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
