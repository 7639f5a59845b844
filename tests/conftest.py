"""No test connects beyond this machine, and only tests marked `loopback` connect at all. Says which tests are slow."""

import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("reconciler.testing.contract")

# How long examples take depends on what else the machine does, so no test fails by that.
settings.register_profile("reconciler", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("reconciler")

SLOW = (
    "acceptance/",
    "ci/",
    "dataset/test_cache.py",
    "dataset/test_fast_path.py",
    "dataset/test_fast_path_pool.py",
    "dataset/test_garbage.py",
    "dataset/test_canonical.py",
    "dataset/test_measure.py",
    "dataset/test_tokens.py",
    "network/",
    "service/faults/",
    "service/legacy/test_fine_tunes.py",
    "service/test_engine.py",
    "service/test_responding.py",
    "service/test_running.py",
    "service/test_uploads.py",
    "service/test_worker.py",
    "simulation/test_every_outcome.py",
    "simulation/test_seeds.py",
    "specfile/test_arbitrary.py",
)
"""Folders and files that take most of the time: real training, real processes, large files, many histories.

scripts/check leaves them out, so that it is quick enough to run before each commit; the gate runs everything.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


_STATES = count()


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep our own files out of the developer's state directory, and those of each test apart."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / f"state-{next(_STATES)}"))


class SocketForbiddenError(RuntimeError):
    """A test opened a connection that it must not open."""


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
def no_operator_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's own keys, colours and services out of all tests, and of what several tests share."""
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
        environment.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
        yield
