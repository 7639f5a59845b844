"""No test reaches beyond this machine, and only tests marked `loopback` reach as far as that."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest


class SocketForbiddenError(RuntimeError):
    """A test opened a connection that it has no business with."""


@pytest.fixture(autouse=True)
def no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid connections: any at all, or beyond loopback where the test is marked `loopback`."""
    real = socket.socket.connect
    loopback = request.node.get_closest_marker("loopback") is not None

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family == socket.AF_UNIX or (loopback and host in {"127.0.0.1", "::1", "localhost"}):
            return real(self, address)
        raise SocketForbiddenError(f"a test tried to connect to {address!r}")

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True, scope="session")
def no_operator_settings() -> Iterator[None]:
    """The developer's own keys, colours and services are no part of any test, nor of what several tests share."""
    names = (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "OPENAI_IDENTITY_PROVIDER_ID",
        "OPENAI_SERVICE_ACCOUNT_ID",
        "OPENAI_IDENTITY_AUDIENCE",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "RECONCILER_BOUNDS",
        "RECONCILER_ENV",
        "RECONCILER_HOME",
        "RECONCILER_JOURNAL",
        "RECONCILER_STRICT",
        "RECONCILER_LOCAL_URL",
        "RECONCILER_LOCAL_KEY",
        "COLUMNS",
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "CI",
        "GITHUB_ACTIONS",
        "GITHUB_OUTPUT",
    )
    with pytest.MonkeyPatch.context() as environment:
        for name in names:
            environment.delenv(name, raising=False)
        yield
