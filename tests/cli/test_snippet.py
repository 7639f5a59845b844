"""A snippet goes where this program would go: by the variables of the profile."""

import pytest

from reconciler.cli.models import describe_target
from reconciler.providers import find_profile


def test_a_public_service_has_its_address_and_its_variables() -> None:
    found = describe_target(find_profile("openai"))
    assert (found.url_variable, found.key_variable) == ("OPENAI_BASE_URL", "OPENAI_API_KEY")
    assert found.base_url == "https://api.openai.com/v1"


def test_of_two_names_for_an_address_the_one_in_use_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    assert describe_target(find_profile("openai-legacy")).url_variable == "OPENAI_API_BASE"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert describe_target(find_profile("openai-legacy")).url_variable == "OPENAI_BASE_URL"
