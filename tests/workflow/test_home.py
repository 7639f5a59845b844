"""Where our own files are kept: per user, by checkout, with the journal shared by all checkouts."""

import shutil
from pathlib import Path

import pytest

from reconciler.cli.app import run
from reconciler.workflow.home import check_home, find_home, make_home


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_STATE_HOME": "/x/state", "HOME": "/home/u"}, "/x/state/reconciler"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/u"}, "/home/u/"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/u"}, "/home/u/"),
    ],
)
def test_own_files_are_in_the_state_directory_of_the_user(environ: dict[str, str], expected: str) -> None:
    home = find_home(Path("/srv/support"), environ)
    assert str(home.shared).startswith(expected)
    assert home.shared.name == "reconciler"
    assert home.directory.parent == home.shared / "repositories"
    assert home.directory.name.startswith("support-")
    assert not home.is_chosen


def test_a_chosen_directory_holds_everything() -> None:
    home = find_home(Path("/srv/support"), {"RECONCILER_HOME": "own", "XDG_STATE_HOME": "/x"})
    assert (home.directory, home.shared, home.is_chosen) == (Path("own"), Path("own"), True)


def test_two_checkouts_share_the_journal_and_nothing_else(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    first, second = (find_home(tmp_path / name / "support", environ) for name in ("a", "b"))
    assert first.shared == second.shared
    assert first.directory != second.directory


def test_a_checkout_has_one_place_whichever_link_leads_to_it(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find_home(tmp_path / "link", environ) == find_home(tmp_path / "real", environ)


def test_own_files_are_for_their_owner_only(tmp_path: Path) -> None:
    home = find_home(tmp_path, {"XDG_STATE_HOME": str(tmp_path / "deep" / "state")})
    make_home(home.directory)
    assert home.directory.stat().st_mode & 0o077 == 0
    assert (home.directory / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize("command", ["plan", "apply", "output", "status"])
def test_a_link_that_leads_nowhere_is_an_error_and_nothing_is_made(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, target = tmp_path / "home", tmp_path / "elsewhere" / "home"
    home.symlink_to(target)
    monkeypatch.setenv("RECONCILER_HOME", str(home))
    root = tmp_path / "specs"
    # A checkout whose specs were applied has a lock file, from which `output` answers without any state.
    checkout = Path(__file__).parents[2] / "specs" / "quickstart"
    shutil.copytree(checkout, root, ignore=shutil.ignore_patterns("*.lock.yaml"))
    words = [command, str(root)] if command in {"plan", "apply"} else [command, "--specs", str(root)]
    assert run([*words, *(["--auto-approve"] if command == "apply" else [])]) == 74
    assert f"{home} is a link to {target}, which does not exist" in capsys.readouterr().err
    assert not target.parent.exists()
    target.mkdir(parents=True)
    check_home(find_home(tmp_path / "checkout", {"RECONCILER_HOME": str(home)}), tmp_path / "checkout", {})
