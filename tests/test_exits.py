"""The number at the end: the gravest thing that happened."""

import pytest

from reconciler.cli import exit_codes
from reconciler.cli.execution import read_timeout
from reconciler.cli.failures import report_failure
from reconciler.domain.errors import (
    DeniedError,
    InputError,
    PolicyError,
    ReconcilerError,
    StalePlanError,
    TemporaryError,
    UnusablePlaceError,
    UsageError,
)
from reconciler.domain.event import Outcome
from reconciler.domain.observed import JobStatus
from reconciler.planner import make_plan
from tests.factories import a_job, a_model, desired, observed

NOTHING = make_plan(desired(), observed())
DONE, FAILED, UNKNOWN = Outcome.DONE, Outcome.FAILED, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError(()), 3),
        (StalePlanError("x"), 4),
        (PolicyError("x"), 5),
        (UsageError("x"), 64),
        (UnusablePlaceError("x"), 74),
        (TemporaryError("x"), 1),
        (DeniedError("x"), 1),
        (ReconcilerError("x"), 1),
    ],
)
def test_errors(error: ReconcilerError, code: int) -> None:
    assert exit_codes.of_error(error) == code


@pytest.mark.parametrize(
    ("outcomes", "statuses", "interrupted", "code"),
    [
        ([], [], False, 0),
        ([DONE], ["succeeded"], False, 0),
        ([DONE], ["running"], False, 7),
        ([DONE], ["a-new-word"], False, 7),
        ([DONE], ["failed"], False, 6),
        ([DONE], ["cancelled"], False, 6),
        ([DONE], ["failed", "running"], False, 6),
        ([FAILED], [], False, 1),
        ([DONE, FAILED], ["succeeded"], False, 8),
        ([DONE, FAILED], ["failed"], False, 8),
        ([DONE, FAILED, UNKNOWN], ["running"], False, 9),
        ([DONE, UNKNOWN], ["running"], True, 130),
    ],
)
def test_runs(outcomes: list[Outcome], statuses: list[str], interrupted: bool, code: int) -> None:
    ended = [JobStatus(status) for status in statuses]
    assert exit_codes.of_run(NOTHING, outcomes, ended, interrupted=interrupted, waited=True) == code


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (a_job(), 0),
        (a_job(status="failed"), 6),
        (a_job(status="cancelled"), 6),
        (a_job(answers=False), 6),
        (a_job(a_model(epochs=9), "running"), 7),
    ],
)
def test_a_model_that_is_held_or_waits_is_not_converged(job: object, code: int) -> None:
    plan = make_plan(desired(a_model()), observed(job))  # type: ignore[arg-type]  # a job, by its parameter
    assert exit_codes.of_run(plan, [], [], interrupted=False, waited=True) == code


def test_without_waiting_a_running_job_is_no_news() -> None:
    assert exit_codes.of_run(NOTHING, [DONE], [JobStatus("queued")], interrupted=False, waited=False) == 0


def test_plans() -> None:
    pending, refused = make_plan(desired(a_model()), observed()), make_plan(desired(), observed(a_job()))
    assert [exit_codes.of_plan(plan, detailed=True) for plan in (NOTHING, pending, refused)] == [0, 2, 5]
    assert [exit_codes.of_plan(plan, detailed=False) for plan in (NOTHING, pending, refused)] == [0, 0, 5]


@pytest.mark.parametrize(("text", "length"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), (None, None)])
def test_lengths_of_time(text: str | None, length: float | None) -> None:
    assert read_timeout(text) == length


@pytest.mark.parametrize("text", ["", "soon", "-5", "5 days", "1e9"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError, match="write 90"):
        read_timeout(text)


def test_a_lack_of_memory_is_a_sentence_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(MemoryError(), []) == 74
    assert "not enough memory" in capsys.readouterr().err
