"""Validation rows change no weights on the built-in service: they do not retrain, also after an upgrade."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.domain.desired import DatasetMeasure, Desired
from reconciler.domain.spec import Specs
from tests.acceptance.conftest import Repository
from tests.acceptance.test_life import DATASET, MODEL, ROWS, apply_specs, has_empty_plan, write_specs

HELD_OUT = "kind: Dataset\nname: exam\nsource: exam.csv\n"
WITH_EXAM = MODEL + "validation: exam\n"
EXAM = "prompt,completion\n" + "".join(f"apple of row {n},fruit\nstone of row {n},rock\n" for n in range(6))


@pytest.fixture
def examined(repository: Repository) -> Repository:
    """A repository whose model is validated with rows of their own."""
    repository.write("specs/letters.csv", "prompt,completion\n" + ROWS)
    repository.write("specs/exam.csv", EXAM)
    write_specs(repository, DATASET, HELD_OUT, WITH_EXAM)
    return repository


def test_changed_validation_rows_train_nothing_and_the_plan_says_so(examined: Repository) -> None:
    apply_specs(examined)
    examined.write("specs/exam.csv", EXAM.replace("row 3", "row 33"))
    assert has_empty_plan(examined)
    shown = examined.run("plan")
    assert "the validation rows changed" in shown.out + shown.err
    examined.write("specs/letters.csv", "prompt,completion\n" + ROWS + "apple number 99,fruit\n")
    changed = examined.run("plan", "--detailed-exitcode")
    assert changed.code == 2
    assert "retrain" in changed.out


@pytest.mark.parametrize("with_lock", [True, False])
def test_jobs_of_the_older_digests_train_nothing_after_an_upgrade(
    examined: Repository, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    joined = Desired.join

    def join_as_before(specs: Specs, measures: Mapping[str, DatasetMeasure], _: Any) -> Desired:
        return joined(specs, measures, ())

    with monkeypatch.context() as older:
        older.setattr(Desired, "join", staticmethod(join_as_before))
        apply_specs(examined)
    lock = examined.root / "specs" / "models.lock.yaml"
    assert "v1:" in lock.read_text()
    if not with_lock:
        lock.unlink()
    assert has_empty_plan(examined)
    assert examined.run("apply", "--auto-approve").code == 0
    examined.write("specs/exam.csv", EXAM.replace("row 3", "row 33"))
    assert examined.run("plan", "--detailed-exitcode").code == 2
