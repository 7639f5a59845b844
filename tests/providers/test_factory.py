"""Opening a profile, and the cost of importing the package."""

import subprocess
import sys
from typing import Any

import pytest

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Provider
from reconciler.providers import PROFILES, needs_app, open_provider
from reconciler.testing import MemoryProvider

SERVED = {"RECONCILER_LOCAL_URL": "http://127.0.0.1:8123", "RECONCILER_LOCAL_KEY": "a-local-key"}


def test_importing_the_package_loads_no_http_library() -> None:
    code = "import reconciler.providers, sys; print({'httpx', 'asyncio'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_an_unknown_attribute_of_the_package_is_an_error() -> None:
    import reconciler.providers as providers

    with pytest.raises(AttributeError, match="nothing"):
        _ = providers.nothing


def test_profiles_are_data() -> None:
    assert set(PROFILES) == {"local", "openai", "openai-legacy", "azure", "compatible"}
    assert all(PROFILES[name].name == name for name in PROFILES)
    assert PROFILES["local"].capabilities.bases == {"tfidf-logreg"}
    assert "gpt-4.1-mini-2025-04-14" in PROFILES["openai"].capabilities.bases


@pytest.mark.parametrize(
    ("url", "closes"),
    [(None, True), ("https://api.openai.com/v1/", True), ("https://elsewhere.example.test/v1", False)],
)
def test_retirement_dates_apply_to_the_service_itself_and_not_to_compatible_servers(
    url: str | None, closes: bool
) -> None:
    environ = {"OPENAI_API_KEY": "key-of-a-test", **({"OPENAI_BASE_URL": url} if url else {})}
    with open_provider("openai", project="acme", environ=environ) as provider:
        assert bool(provider.capabilities.closes_on) is closes
        assert bool(provider.capabilities.retiring) is closes


def test_which_profiles_need_the_built_in_service() -> None:
    assert needs_app("local", {})
    assert needs_app("local", {"RECONCILER_LOCAL_URL": " "})
    assert not needs_app("local", SERVED)
    assert not needs_app("openai", {})
    assert not needs_app("nobody", {})


def test_an_unknown_profile_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'azur'.*local, openai"):
        open_provider("azur", project="acme", environ={})


def test_the_local_profile_without_its_service_is_an_error() -> None:
    with pytest.raises(UsageError, match="without its service"):
        open_provider("local", project="acme", environ={})


def test_the_local_profile_runs_in_this_process() -> None:
    """No key and no socket are needed: the application runs in this process and is closed at the end."""
    requests: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        requests.append((scope["path"], dict(scope["headers"]).get(b"authorization")))
        body = b'{"object": "list", "data": [], "has_more": false}'
        headers = [(b"openai-organization", b"org-here")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with open_provider("local", project="acme", environ={}, app=app) as provider:
        assert provider.name == "local"
        assert provider.observe().service == "local/org-here"
    assert sorted(requests) == [("/v1/files", None), ("/v1/fine_tuning/jobs", None), ("/v1/models", None)]


def test_both_providers_implement_the_port() -> None:
    """The type checker does this test; it fails when the assignment is not accepted."""
    providers: list[Provider] = [
        MemoryProvider(),
        open_provider("openai", project="acme", environ={"OPENAI_API_KEY": "key-of-a-test"}),
    ]
    assert [provider.name for provider in providers] == ["memory", "openai"]


def test_bounds_replace_those_of_the_profile() -> None:
    environ = {"OPENAI_API_KEY": "key-of-a-test"}
    bounds = {"list_lag": 60.0, "fresh": 20.0}
    with open_provider("openai", project="acme", environ=environ, bounds=bounds) as provider:
        set_bounds, usual = provider.capabilities, PROFILES["openai"].capabilities
    assert (set_bounds.list_lag_seconds, set_bounds.fresh_seconds) == (60.0, 20.0)
    assert (set_bounds.send_seconds, set_bounds.bases) == (usual.send_seconds, usual.bases)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [({"patience": 1.0}, "no bound 'patience'; there are fresh"), ({"send": 0.5}, "cannot be 0.5 seconds; it is 1")],
)
def test_a_bound_that_cannot_be_set_is_refused(bounds: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_provider("openai", project="acme", environ={"OPENAI_API_KEY": "key-of-a-test"}, bounds=bounds)
