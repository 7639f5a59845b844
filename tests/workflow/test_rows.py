"""Row diffs in a plan; a failure to compute them leaves only the row diffs out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import open_lines
from reconciler.domain.errors import DeniedError
from reconciler.domain.observed import FileId
from reconciler.domain.plan import Options
from reconciler.domain.ports import Done
from reconciler.domain.row_diff import RowDiff, RowsUnknown
from reconciler.render.plan_words import training_text
from reconciler.testing import MemoryProvider
from reconciler.workflow import check_specs, locate_setting
from reconciler.workflow.plan import PreparedPlan, prepare_plan
from reconciler.workflow.rows import add_row_diffs

SPECS = """\
kind: Dataset
name: tickets
source: tickets.jsonl
{more}
---
kind: Model
name: triage
base: some-base
training: tickets
"""


class Denying(MemoryProvider):
    """A service that takes files and gives none back."""

    def content(self, file: FileId, most_bytes: int | None = None) -> Iterator[bytes]:
        raise DeniedError("not allowed to read it", status=403)


def write(root: Path, numbers: range, more: str = "") -> None:
    specs = root / "specs"
    specs.mkdir(exist_ok=True)
    (specs / "all.yaml").write_text(SPECS.format(more=more))
    rows = (f'{{"prompt":"message {n} of order{n * 7}","completion":"c{n}"}}\n' for n in numbers)
    (specs / "tickets.jsonl").write_text("".join(rows))


def planned(root: Path, provider: MemoryProvider) -> PreparedPlan:
    setting = locate_setting(root / "specs", {"RECONCILER_HOME": str(root / "home")})
    return prepare_plan(setting, check_specs(setting), Options(), provider)


def converge(root: Path, provider: MemoryProvider) -> None:
    """Send what the plan sends, and let the job succeed."""
    prepared = planned(root, provider)
    (model,) = prepared.desired.models
    files = []
    for dataset in model.datasets:
        sent = provider.upload(dataset, open_lines(dataset, prepared.setting.workspace))
        assert isinstance(sent, Done)
        files.append(sent.value.id)
    made = provider.create_job(model, files[0], files[1] if files[1:] else None, ())
    assert isinstance(made, Done)
    provider.finish(made.value.id)


def rows_of(prepared: PreparedPlan) -> list[RowDiff | RowsUnknown]:
    return [step.rows for step in prepared.plan.steps if step.rows]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    write(tmp_path, range(20))
    return tmp_path


def test_a_first_upload_has_nothing_to_be_compared_with(workspace: Path) -> None:
    provider = MemoryProvider()

    assert rows_of(add_row_diffs(planned(workspace, provider), provider)) == []
    assert not (workspace / "home").exists()


def test_rows_are_added_to_the_step_and_the_rest_of_the_plan_stays(workspace: Path) -> None:
    provider = MemoryProvider()
    converge(workspace, provider)
    write(workspace, range(2, 23))
    plain = planned(workspace, provider)

    with_rows = add_row_diffs(plain, provider)

    (rows,) = rows_of(with_rows)
    assert isinstance(rows, RowDiff)
    assert (rows.rows_before, rows.rows_after, rows.added, rows.removed) == (20, 21, 3, 2)
    assert with_rows.plan.basis == plain.plan.basis
    assert [replace(step, rows=None) for step in with_rows.plan.steps] == list(plain.plan.steps)


def test_both_sides_of_a_split_are_compared_together(workspace: Path) -> None:
    """A split that is new moves no row, and neither does one that was there before."""
    provider = MemoryProvider()
    converge(workspace, provider)
    for numbers in (range(20), range(60)):
        write(workspace, numbers, "split: {validation: 0.3}")
        (rows,) = rows_of(add_row_diffs(planned(workspace, provider), provider))
        assert isinstance(rows, RowDiff)
        assert (rows.rows_before, rows.added, rows.removed, rows.moved) == (20, len(numbers) - 20, 0, 0)
        if len(numbers) == 20:
            converge(workspace, provider)


def test_a_service_that_gives_no_file_back_costs_only_the_rows(workspace: Path) -> None:
    provider = Denying()
    converge(workspace, provider)
    write(workspace, range(21))

    (rows,) = rows_of(add_row_diffs(planned(workspace, provider), provider))

    assert isinstance(rows, RowsUnknown)
    assert "not allowed to read it" in rows.why


def test_what_is_not_the_file_that_it_says_is_not_compared(workspace: Path) -> None:
    provider = MemoryProvider()
    converge(workspace, provider)
    provider.contents = {file: content.replace(b"c1", b"c2") for file, content in provider.contents.items()}
    write(workspace, range(21))

    (rows,) = rows_of(add_row_diffs(planned(workspace, provider), provider))

    assert isinstance(rows, RowsUnknown)
    assert "not what its name and size say" in rows.why


def test_a_large_file_is_not_fetched_unasked(workspace: Path) -> None:
    provider = MemoryProvider()
    converge(workspace, provider)
    write(workspace, range(21))

    (rows,) = rows_of(add_row_diffs(planned(workspace, provider), provider, most_bytes=100))

    assert isinstance(rows, RowsUnknown)
    assert "data diff service:tickets tickets" in rows.why
    assert not (workspace / "home").exists()


def test_a_directory_that_cannot_be_written_costs_only_the_rows(workspace: Path) -> None:
    provider = MemoryProvider()
    converge(workspace, provider)
    write(workspace, range(21))
    (workspace / "home").write_text("in the way")

    (rows,) = rows_of(add_row_diffs(planned(workspace, provider), provider))

    assert isinstance(rows, RowsUnknown)
    assert "could not be kept here" in rows.why


SPLIT, WIDER = "split: {validation: 0.3}", "split: {validation: 0.6}"


@pytest.mark.parametrize(
    ("before", "after"), [("", SPLIT), (SPLIT, ""), (SPLIT, WIDER)], ids=["added", "removed", "changed"]
)
def test_a_split_that_takes_rows_out_of_the_training_file_is_counted(workspace: Path, before: str, after: str) -> None:
    """Of the dataset no row changes; of what is trained on, some go or come."""
    provider = MemoryProvider()
    write(workspace, range(20), before)
    converge(workspace, provider)
    first = planned(workspace, provider).checked.measures["tickets"].training.rows
    write(workspace, range(20), after)
    prepared = planned(workspace, provider)
    (rows,) = rows_of(add_row_diffs(prepared, provider))
    second = prepared.checked.measures["tickets"].training.rows
    assert isinstance(rows, RowDiff)
    assert first != second
    assert (rows.training_before, rows.training_after, rows.has_other_share) == (first, second, True)
    assert f"{first} → {second} in the training file" in training_text(rows)


def test_without_a_split_the_training_file_needs_no_words(workspace: Path) -> None:
    provider = MemoryProvider()
    converge(workspace, provider)
    write(workspace, range(25))
    (rows,) = rows_of(add_row_diffs(planned(workspace, provider), provider))
    assert isinstance(rows, RowDiff)
    assert (rows.training_before, rows.training_after, training_text(rows)) == (20, 25, "")
