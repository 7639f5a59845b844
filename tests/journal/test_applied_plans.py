"""Saved plans are applied once, and the id in a saved plan names a mark and no other file."""

from pathlib import Path

import pytest

from reconciler.domain.errors import StalePlanError, UnusablePlaceError
from reconciler.journal import check_unapplied, mark_applied
from reconciler.workflow.home import make_home


@pytest.mark.parametrize("plan", ["../../planted", "/planted", "..", "", "a/b"])
def test_an_id_that_is_a_path_makes_no_file(tmp_path: Path, plan: str) -> None:
    home = tmp_path / "deep" / "home"
    with pytest.raises(UnusablePlaceError, match="not a name of ours"):
        mark_applied(home, plan, make_home)
    with pytest.raises(UnusablePlaceError, match="not a name of ours"):
        check_unapplied([home], plan)
    assert not (tmp_path / "planted").exists()


def test_a_plan_that_one_checkout_applied_is_applied_in_no_other(tmp_path: Path) -> None:
    mark_applied(tmp_path / "shared", "0a1b2c3d4e5f6071", make_home)
    with pytest.raises(StalePlanError, match="applied already"):
        check_unapplied([tmp_path / "other", tmp_path / "shared"], "0a1b2c3d4e5f6071")
    with pytest.raises(StalePlanError, match="applied already"):
        mark_applied(tmp_path / "shared", "0a1b2c3d4e5f6071", make_home)


def test_marks_are_not_kept_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "applied").symlink_to(tmp_path)
    with pytest.raises(UnusablePlaceError, match="it is a link"):
        check_unapplied([tmp_path / "home"], "0a1b2c3d4e5f6071")
