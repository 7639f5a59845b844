"""`--no-cache`: what an earlier run measured is not believed, nor is anything remembered."""

import json
from pathlib import Path

import pytest

from reconciler.cli.app import run
from reconciler.workflow import check_specs, locate_setting


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A dataset large enough to be remembered, and too fresh for it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    rows = ({"prompt": f"question {at} " * 20, "completion": " answer"} for at in range(1500))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "specs" / "all.yaml").write_text("kind: Dataset\nname: rows\nsource: ../rows.jsonl\n")
    return tmp_path


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["apply", "--auto-approve"]])
def test_every_command_that_reads_datasets_takes_the_flag(workspace: Path, command: list[str]) -> None:
    codes = [run(["-C", str(workspace), *command, *flag]) for flag in ([], ["--no-cache"])]
    assert codes == [0, 0]


def test_what_is_measured_is_the_same_with_and_without_a_cache(workspace: Path) -> None:
    settings = [locate_setting(workspace / "specs", {}, use_cache=use_cache) for use_cache in (True, True, False)]
    first, *others = [check_specs(setting).measures for setting in settings]
    assert all(other == first for other in others)
    assert first["rows"].training.rows == 1500
