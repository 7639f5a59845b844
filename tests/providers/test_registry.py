"""Every service is found by its name, in one registry that installed packages extend."""

import json
from importlib import resources
from pathlib import Path

import pytest

from reconciler.domain.errors import UsageError
from reconciler.providers import PROFILE_NAMES, PROFILES, find_profile, open_provider
from reconciler.providers.http import Dialect
from reconciler.providers.registry import GROUP, load_dialect
from reconciler.specfile import schema_text
from tests.toy_service.dialect import TOY


def install(place: Path, value: str) -> None:
    """Lay out a package that brings the profile `toy`."""
    info = place / "toy-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\ntoy = {value}\n")


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_names_a_dialect(name: str) -> None:
    assert isinstance(load_dialect(find_profile(name)), Dialect)


def test_an_installed_package_brings_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "tests.toy_service.dialect:TOY")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_profile("toy") == TOY
    with open_provider("toy", project="acme", environ={"TOY_KEY": "key-of-a-test"}) as provider:
        assert provider.name == "toy"


@pytest.mark.parametrize("value", ["tests.toy_service.dialect:NOTHING", "no.such.package:TOY", "json:dumps"])
def test_an_entry_point_that_leads_to_no_profile_is_refused(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, value)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="toy"):
        find_profile("toy")


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="local, openai, openai-legacy"):
        find_profile("opnai")


def test_every_price_list_is_for_a_registered_service() -> None:
    lists = [path for path in (resources.files("reconciler") / "prices").iterdir() if path.name.endswith(".json")]
    services = {json.loads(path.read_text())["service"] for path in lists}
    # What a server of one's own costs is known to its owner alone, and what Azure asks for a base is not published.
    assert services == set(PROFILES) - {"azure", "compatible"}


def test_the_examples_of_the_schema_are_profiles() -> None:
    """The schema lists no profiles, because packages may bring more; its examples are those built in."""
    provider = json.loads(schema_text("spec"))["$defs"]["provider"]
    assert "enum" not in provider
    assert set(provider["examples"]) == set(PROFILES)


def test_the_names_of_profiles_include_installed_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "toy" not in PROFILE_NAMES
    install(tmp_path, "tests.toy_service.dialect:TOY")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "toy" in PROFILE_NAMES
    assert {*PROFILES, "toy"} <= set(PROFILE_NAMES)
    assert len(PROFILE_NAMES) == len(list(PROFILE_NAMES))
