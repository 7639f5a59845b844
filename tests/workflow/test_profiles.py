"""Where the operator's file of services lies, and where it must not lie."""

from pathlib import Path

import pytest

from reconciler.domain.errors import UsageError
from reconciler.workflow.profiles import open_catalog

TEXT = "kind: Profile\nname: {name}\nurl: https://{host}.example/v1\n"


def write(path: Path, name: str = "acme", host: str = "one") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEXT.format(name=name, host=host), encoding="utf-8")
    return path


def test_the_file_of_the_user_is_found(tmp_path: Path) -> None:
    workspace = tmp_path / "checkout"
    write(tmp_path / "home/.config/reconciler/profiles.yaml")
    assert open_catalog(workspace, {"HOME": str(tmp_path / "home")}).find("acme").base_url == "https://one.example/v1"


def test_a_chosen_directory_and_a_chosen_file_come_first(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path / "home")}
    write(tmp_path / "home/.config/reconciler/profiles.yaml")
    write(tmp_path / "config/reconciler/profiles.yaml", host="two")
    environ["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    assert open_catalog(tmp_path / "checkout", environ).find("acme").base_url == "https://two.example/v1"
    environ["RECONCILER_PROFILES"] = str(write(tmp_path / "other.yaml", name="other", host="three"))
    catalog = open_catalog(tmp_path / "checkout", environ)
    assert catalog.find("other").base_url == "https://three.example/v1"
    with pytest.raises(UsageError, match="no provider profile 'acme'"):
        catalog.find("acme")


def test_without_a_file_there_are_the_built_in_services(tmp_path: Path) -> None:
    assert "acme" not in open_catalog(tmp_path, {"HOME": str(tmp_path / "nowhere")})
    assert "acme" not in open_catalog(tmp_path, {})


@pytest.mark.parametrize("how", ["plain", "by a link"])
def test_a_file_in_the_repository_is_refused(tmp_path: Path, how: str) -> None:
    """A pull request could change it, and so have a key sent to its author."""
    workspace = tmp_path / "checkout"
    path = write(workspace / "profiles.yaml")
    if how == "by a link":
        (tmp_path / "elsewhere.yaml").symlink_to(path)
        path = tmp_path / "elsewhere.yaml"
    catalog = open_catalog(workspace, {"RECONCILER_PROFILES": str(path)})
    with pytest.raises(UsageError, match="lies in the repository of the specs"):
        catalog.find("acme")


def test_a_file_that_is_named_and_is_not_there_is_an_error(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path / "checkout", {"RECONCILER_PROFILES": str(tmp_path / "none.yaml")})
    with pytest.raises(UsageError, match="No such file"):
        catalog.find("acme")
