"""The table of decide.py, row by row."""

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address, Kind
from reconciler.domain.lock import LockEntry
from reconciler.domain.observed import JobError, JobId, ModelId, RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Keep, KeepReason, Options, Train
from reconciler.domain.spec import Adoption, OnChange
from reconciler.planner.decide import Decision, decide
from tests.factories import a_job, a_model, observed

WANTED = a_model(epochs=5)
OLDER = a_model(epochs=3)
SERVICE_FAULT = JobError(message="try later", code="server_error")
DATA_FAULT = JobError(message="bad rows", code="invalid_training_file")


def decisions_for(
    *jobs: RemoteJob,
    wanted: Model = WANTED,
    models: tuple[str, ...] | None = None,
    options: Options | None = None,
    cancelled_by_us: tuple[str, ...] = (),
    locked: LockEntry | None = None,
) -> list[Decision]:
    seen = observed(*jobs, models=models)
    ours = frozenset(JobId(job) for job in cancelled_by_us)
    return list(decide(wanted, seen.jobs, seen.models, options or Options(), ours, locked))


def kinds_of(decisions: list[Decision]) -> list[str]:
    """Each decision in a word, as the table has them."""
    return [decision.why if isinstance(decision, Keep) else type(decision).__name__.lower() for decision in decisions]


@pytest.mark.parametrize(
    ("jobs", "says"),
    [
        ([], ["train"]),
        ([a_job(WANTED)], ["ready"]),
        ([a_job(WANTED, "running")], ["training"]),
        ([a_job(WANTED, "validating_files")], ["training"]),
        ([a_job(WANTED, "queued")], ["training"]),
        ([a_job(WANTED, "paused")], ["training"]),
        ([a_job(WANTED, "deferred")], ["training"]),
        ([a_job(WANTED, answers=False)], ["missing"]),
        ([a_job(WANTED, "failed", error=DATA_FAULT)], ["failed"]),
        ([a_job(WANTED, "failed")], ["failed"]),
        ([a_job(WANTED, "cancelled")], ["cancelled"]),
        ([a_job(OLDER)], ["train"]),
        ([a_job(OLDER, "failed")], ["train"]),
        ([a_job(OLDER, "running")], ["busy"]),
        ([a_job(OLDER, "paused")], ["busy"]),
        ([a_job(OLDER, "some-new-word")], ["busy"]),
    ],
)
def test_the_table(jobs: list[RemoteJob], says: list[str]) -> None:
    """One job of the wanted stamp, or of another: every row of the table."""
    assert kinds_of(decisions_for(*jobs)) == says


@pytest.mark.parametrize("worse", ["failed", "cancelled", "running"])
def test_the_best_job_of_a_stamp_decides(worse: str) -> None:
    """A stamp that has succeeded once is ready, whatever else was tried."""
    decisions = decisions_for(a_job(WANTED, worse, id="ftjob-1"), a_job(WANTED, id="ftjob-2", age=5))
    assert KeepReason.READY in kinds_of(decisions)
    assert "train" not in kinds_of(decisions)


def test_going_back_costs_nothing() -> None:
    """The model of the older spec is still there, so wanting it again keeps it."""
    (keep,) = decisions_for(a_job(OLDER, id="ftjob-1", age=9), a_job(WANTED, id="ftjob-2"), wanted=OLDER)
    assert isinstance(keep, Keep)
    assert (keep.why, keep.job) == (KeepReason.READY, "ftjob-1")


@pytest.mark.parametrize(
    ("on_change", "says"),
    [(OnChange.WAIT, ["busy"]), (OnChange.SUPERSEDE, ["cancel", "train"]), (OnChange.PARALLEL, ["train"])],
)
def test_an_older_version_that_is_still_training(on_change: OnChange, says: list[str]) -> None:
    """What happens to it is the author's choice; waiting is the default."""
    wanted = a_model(epochs=5, on_change=on_change)
    assert kinds_of(decisions_for(a_job(OLDER, "running"), wanted=wanted)) == says


def test_a_superseding_job_says_what_it_superseded() -> None:
    """The new job carries the ids, so that going back later knows who cancelled."""
    wanted = a_model(epochs=5, on_change=OnChange.SUPERSEDE)
    cancel, train = decisions_for(a_job(OLDER, "running", id="ftjob-7"), wanted=wanted)
    assert isinstance(cancel, Cancel)
    assert cancel.reason is CancelReason.SUPERSEDED
    assert isinstance(train, Train)
    assert train.supersedes == ("ftjob-7",)


def test_superseded_and_wanted_again_is_trained() -> None:
    """A job that we cancelled ourselves is no reason to hold."""
    jobs = [a_job(OLDER, "cancelled", id="ftjob-1", age=9), a_job(WANTED, id="ftjob-2", supersedes=("ftjob-1",))]
    (train,) = decisions_for(*jobs, wanted=OLDER)
    assert isinstance(train, Train)
    assert train.excluded_jobs == ("ftjob-1",)
    assert kinds_of(
        decisions_for(a_job(OLDER, "cancelled", id="ftjob-1"), wanted=OLDER, cancelled_by_us=("ftjob-1",))
    ) == ["train"]


def test_two_live_jobs_of_one_stamp_leave_the_first() -> None:
    """The younger twin is cancelled in sight, whatever order the list came in."""
    old, young = a_job(WANTED, "running", id="ftjob-1", age=9), a_job(WANTED, "queued", id="ftjob-2")
    for jobs in ([old, young], [young, old]):
        cancel, keep = decisions_for(*jobs)
        assert isinstance(cancel, Cancel)
        assert (cancel.job.id, cancel.reason, cancel.kept) == ("ftjob-2", CancelReason.DUPLICATE, "ftjob-1")
        assert isinstance(keep, Keep)
        assert keep.job == "ftjob-1"


def test_a_succeeded_twin_beats_an_older_running_one() -> None:
    """What is ready is kept, and the twin that still costs is cancelled."""
    cancel, keep = decisions_for(a_job(WANTED, "running", id="ftjob-1", age=9), a_job(WANTED, id="ftjob-2"))
    assert isinstance(cancel, Cancel)
    assert cancel.job.id == "ftjob-1"
    assert isinstance(keep, Keep)
    assert keep.why is KeepReason.READY


@pytest.mark.parametrize(
    ("job", "options"),
    [
        (a_job(WANTED, "failed", error=DATA_FAULT), Options(retry=frozenset({"triage"}))),
        (a_job(WANTED, "cancelled"), Options(retry=frozenset({"triage"}))),
        (a_job(WANTED, answers=False), Options(replace=frozenset({"triage"}))),
    ],
)
def test_held_models_are_trained_when_asked(job: RemoteJob, options: Options) -> None:
    """The job that was held is named as spent, so that it cannot be adopted."""
    (train,) = decisions_for(job, options=options)
    assert isinstance(train, Train)
    assert train.excluded_jobs == (job.id,)


def test_asking_to_replace_never_replaces_what_answers() -> None:
    """--replace is for models that are gone; one that answers is never paid for twice."""
    assert kinds_of(decisions_for(a_job(WANTED), options=Options(replace=frozenset({"triage"})))) == ["ready"]
    assert kinds_of(decisions_for(a_job(WANTED, "running"), options=Options(retry=frozenset({"triage"})))) == [
        "training"
    ]


@pytest.mark.parametrize(
    ("retries", "errors", "says"),
    [
        (0, [SERVICE_FAULT], "failed"),
        (1, [SERVICE_FAULT], "train"),
        (1, [SERVICE_FAULT, SERVICE_FAULT], "failed"),
        (2, [SERVICE_FAULT, SERVICE_FAULT], "train"),
        (5, [DATA_FAULT], "failed"),
        (5, [SERVICE_FAULT, DATA_FAULT], "failed"),
    ],
)
def test_retries_cover_the_services_own_errors_only(retries: int, errors: list[JobError], says: str) -> None:
    """The same data would fail again; the service's bad day may be over."""
    wanted = a_model(epochs=5, retries=retries)
    jobs = [a_job(wanted, "failed", id=f"ftjob-{n}", error=error, age=n) for n, error in enumerate(errors)]
    assert kinds_of(decisions_for(*jobs, wanted=wanted)) == [says]


RECORDED = LockEntry(
    stamp=WANTED.stamp, provider="openai", service="api.example.test", job=JobId("ftjob-9"), model=ModelId("ft:kept")
)
REPLACE, RETRY = Options(replace=frozenset({"triage"})), Options(retry=frozenset({"triage"}))
ADOPTING = replace(WANTED, adopt=Adoption(job=JobId("ftjob-theirs"), digest=WANTED.stamp.digest))


@pytest.mark.parametrize(
    ("jobs", "models", "wanted", "says"),
    [
        ([], ("ft:kept",), WANTED, "ready"),
        ([], (), WANTED, "train"),
        ([], ("ft:kept",), OLDER, "train"),
        ([a_job(WANTED, "failed")], ("ft:kept",), WANTED, "ready"),
        ([a_job(WANTED, "running")], ("ft:kept",), WANTED, "training"),
        ([a_job(OLDER, "running")], ("ft:kept",), WANTED, "ready"),
    ],
)
def test_a_job_whose_record_is_gone_is_known_by_the_lock_and_its_model(
    jobs: list[RemoteJob], models: tuple[str, ...], wanted: Model, says: str
) -> None:
    """Nothing is paid for twice because a service forgets jobs: the model of the wanted stamp is there."""
    for options in (Options(), REPLACE, RETRY):
        assert kinds_of(decisions_for(*jobs, wanted=wanted, models=models, options=options, locked=RECORDED)) == [says]


def test_a_job_that_only_the_lock_knows_is_marked() -> None:
    (keep,) = decisions_for(models=("ft:kept",), locked=RECORDED)
    assert isinstance(keep, Keep)
    assert (keep.job, keep.model, keep.status) == ("ftjob-9", "ft:kept", None)
    assert "no longer listed" in keep.detail


def test_a_paused_job_is_waited_for_and_says_how_it_goes_on() -> None:
    (keep,) = decisions_for(a_job(WANTED, "paused", id="ftjob-3"))
    assert isinstance(keep, Keep)
    assert "/fine_tuning/jobs/ftjob-3/resume" in keep.hint


def test_an_unknown_word_is_shown_as_the_service_says_it() -> None:
    (keep,) = decisions_for(a_job(WANTED, "deferred"))
    assert isinstance(keep, Keep)
    assert "deferred" in keep.detail


@pytest.mark.parametrize("on_change", OnChange)
@pytest.mark.parametrize("options", [Options(), REPLACE, RETRY])
@pytest.mark.parametrize(
    "jobs",
    [
        [],
        [a_job(WANTED)],
        [a_job(WANTED, "running"), a_job(WANTED, "running", id="ftjob-2")],
        [a_job(OLDER, "running")],
        [a_job(WANTED, "failed")],
        [a_job(WANTED, "cancelled")],
        [a_job(WANTED, answers=False)],
    ],
)
def test_a_suspended_model_is_left_alone_whatever_there_is_or_is_asked(
    jobs: list[RemoteJob], options: Options, on_change: OnChange
) -> None:
    wanted = replace(a_model(epochs=5, on_change=on_change), is_suspended=True)
    assert kinds_of(decisions_for(*jobs, wanted=wanted, options=options)) == ["suspended"]


def test_suspending_is_no_part_of_the_digest() -> None:
    assert replace(WANTED, is_suspended=True).stamp == WANTED.stamp
    assert ADOPTING.stamp == WANTED.stamp


@pytest.mark.parametrize(
    ("wanted", "options", "says"),
    [
        (ADOPTING, Options(), "missing"),
        (ADOPTING, RETRY, "missing"),
        (ADOPTING, REPLACE, "train"),
        (replace(ADOPTING, adopt=Adoption(job=JobId("ftjob-theirs"), digest=OLDER.stamp.digest)), Options(), "train"),
    ],
)
def test_an_adopted_job_that_cannot_be_seen_is_not_paid_for_again(wanted: Model, options: Options, says: str) -> None:
    """It is paid for again only for another recipe than the wanted one, or on request."""
    assert kinds_of(decisions_for(wanted=wanted, options=options)) == [says]


@pytest.mark.parametrize("on_change", OnChange)
def test_an_adopted_job_is_never_cancelled(on_change: OnChange) -> None:
    """Neither for a newer version nor as a twin: it bears no stamp of ours."""
    wanted = a_model(epochs=5, on_change=on_change)
    older = replace(a_job(OLDER, "running"), is_adopted=True)
    twins = [a_job(WANTED, "running", id="ftjob-1", age=9), replace(a_job(WANTED, "queued"), is_adopted=True)]
    assert "cancel" not in kinds_of(decisions_for(older, wanted=wanted))
    assert "cancel" not in kinds_of(decisions_for(*twins, wanted=wanted))


def test_a_keep_says_where_its_job_came_from() -> None:
    moved = replace(a_job(WANTED), moved_from=Address(Kind.MODEL, "sorter"))
    for job, says in ((moved, "moved from sorter"), (replace(a_job(WANTED), is_adopted=True), "adopted job ftjob-1")):
        (keep,) = decisions_for(job)
        assert isinstance(keep, Keep)
        assert keep.detail == says


@pytest.mark.parametrize(
    ("job", "plain", "retried", "replaced"),
    [
        (None, "train", "train", "train"),
        (a_job(WANTED), "ready", "ready", "ready"),
        (a_job(WANTED, "running"), "training", "training", "training"),
        (a_job(WANTED, "paused"), "training", "training", "training"),
        (a_job(WANTED, "deferred"), "training", "training", "training"),
        (a_job(WANTED, "failed"), "failed", "train", "failed"),
        (a_job(WANTED, "cancelled"), "cancelled", "train", "cancelled"),
        (a_job(WANTED, answers=False), "missing", "missing", "train"),
        (a_job(OLDER, "running"), "busy", "busy", "busy"),
    ],
)
def test_each_flag_asks_for_its_own_rows_and_no_others(
    job: RemoteJob | None, plain: str, retried: str, replaced: str
) -> None:
    """--retry is for what failed or was cancelled, --replace for what was deleted; neither pays for what is there."""
    jobs = [job] if job else []
    others = Options(retry=frozenset({"other"}), replace=frozenset({"other"}))
    for options, says in ((Options(), plain), (RETRY, retried), (REPLACE, replaced), (others, plain)):
        assert kinds_of(decisions_for(*jobs, options=options)) == [says]
