"""The old tool's recorded runs, and files that others made with it, are reproduced byte for byte."""

import json
import shutil
from pathlib import Path

import pytest

from tests.prepare_data.compat.cases import DATA, HERE, Case, cases, elsewhere, run

PUBLISHED = HERE / "published"


@pytest.mark.parametrize("case", [*cases(), *elsewhere()], ids=lambda case: case.id)
def test_a_recorded_run_comes_out_the_same(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare files, names, messages, the suggested command with its estimated time, and the exit code."""
    case.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    ran = run(case.argument, case.stdin)
    assert ran.code == case.exit
    assert ran.out == case.out
    assert case.left_in(tmp_path) == case.files
    if case.crashed:
        assert case.err.rstrip().endswith("IndexError: string index out of range")
        assert "IndexError: string index out of range" in ran.err
    else:
        assert ran.err == case.err


def test_all_recorded_runs_are_here() -> None:
    assert len({case.id for case in cases()}) == 52


@pytest.mark.parametrize(
    ("given", "put_as", "made"),
    [
        (PUBLISHED / "food-order.jsonl", "data.jsonl", {"data_prepared.jsonl": "food-order_prepared.jsonl"}),
        (DATA / "corpus/ports.jsonl", "data.jsonl", {"data_prepared.jsonl": "ports_prepared (1).jsonl"}),
        (
            DATA / "corpus/context-switching.xlsx",
            "labels.xlsx",
            {
                "labels_prepared_train.jsonl": "context-switching_prepared_train.jsonl",
                "labels_prepared_valid.jsonl": "context-switching_prepared_valid.jsonl",
            },
        ),
    ],
    ids=["food-order", "ports", "context-switching"],
)
def test_what_others_got_from_the_old_tool_is_what_we_give(
    given: Path, put_as: str, made: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(given, tmp_path / put_as)
    monkeypatch.chdir(tmp_path)
    assert run(put_as).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {put_as, *made}
    for name, published in made.items():
        assert (tmp_path / name).read_bytes() == (PUBLISHED / published).read_bytes()
        assert all(json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines())
