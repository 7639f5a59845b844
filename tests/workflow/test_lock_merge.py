"""Runs that overlap write one lock file: each adds what it changed to what the file holds now."""

from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.lock import Lock, LockEntry, is_same_account, merge_locks
from reconciler.domain.observed import JobId, ModelId
from reconciler.specfile import read_lock, update_lock

NAMES = ("alpha", "beta", "gamma")
SERVICES = ("api.example/org-one", "api.example/org-two")


def entry(name: str, run: int, service: str = SERVICES[0]) -> LockEntry:
    """Return what a run records of a model; later runs finish later."""
    return LockEntry(
        stamp=Stamp(Address(Kind.MODEL, name), Digest("v1", f"{run:064x}")),
        provider="openai",
        service=service,
        job=JobId(f"ftjob-{name}-{run}"),
        model=ModelId(f"ft:{name}:{run}"),
        finished_at=1000 + run,
    )


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One apply: what `--target` chose, the account, the models that left the specs, and the jobs it cancelled."""

    targets: frozenset[str]
    service: str
    removed: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()


RUNS = st.builds(
    Run,
    targets=st.frozensets(st.sampled_from(NAMES), max_size=3),
    service=st.sampled_from(SERVICES),
    cancelled=st.frozensets(st.sampled_from(["ftjob-x", "ftjob-y", "ftjob-z"]), max_size=2),
)


def result_of(run: Run, number: int, before: Lock) -> Lock:
    fresh = {(each.address, each.service): each for each in (entry(name, number, run.service) for name in run.targets)}
    kept = {(each.address, each.service): each for each in before.entries}
    cancelled = {*before.cancelled, *map(JobId, run.cancelled)}
    return Lock(entries=tuple((kept | fresh).values()), cancelled=tuple(sorted(cancelled)))


@settings(max_examples=300)
@given(runs=st.lists(RUNS, min_size=1, max_size=5), order=st.data())
def test_whatever_order_runs_read_and_write_in_nothing_is_lost(runs: list[Run], order: st.DataObject) -> None:
    steps = [(number, kind) for number in range(len(runs)) for kind in ("read", "write")]
    on_disk, held, written = Lock(), dict[int, Lock](), 0
    expected: dict[tuple[str, str], int] = {}
    while steps:
        open_steps = [step for step in steps if step[1] == "read" or step[0] in held]
        number, kind = step = order.draw(st.sampled_from(open_steps))
        steps.remove(step)
        if kind == "read":
            held[number] = on_disk
        else:
            written += 1
            on_disk = merge_locks(held[number], result_of(runs[number], written, held[number]), on_disk)
            expected |= {(name, runs[number].service): written for name in runs[number].targets}
    found = {(each.address.name, each.service): each.finished_at for each in on_disk.entries}
    assert found == {key: 1000 + number for key, number in expected.items()}
    assert set(on_disk.cancelled) == {job for run in runs for job in run.cancelled}


def test_a_model_that_left_the_specs_leaves_the_lock_unless_another_run_has_trained_it_since() -> None:
    before = Lock(entries=(entry("alpha", 1), entry("beta", 1)))
    mine = Lock(entries=(entry("alpha", 1),))
    assert merge_locks(before, mine, before) == mine
    newer = Lock(entries=(entry("alpha", 1), entry("beta", 2)))
    assert merge_locks(before, mine, newer) == newer


def test_of_two_runs_that_overlap_on_one_model_the_one_that_finished_later_counts() -> None:
    early, late = Lock(entries=(entry("alpha", 1),)), Lock(entries=(entry("alpha", 2),))
    assert merge_locks(Lock(), early, late) == merge_locks(Lock(), late, early) == late


def test_a_run_that_knew_the_newer_model_may_go_back_to_the_older_one() -> None:
    early, late = Lock(entries=(entry("alpha", 1),)), Lock(entries=(entry("alpha", 2),))
    assert merge_locks(late, early, late) == early


def test_a_cancelled_job_that_one_run_takes_off_the_record_stays_off() -> None:
    before = Lock(cancelled=(JobId("a"), JobId("b")))
    merged = merge_locks(
        before, Lock(cancelled=(JobId("b"),)), replace(before, cancelled=(*before.cancelled, JobId("c")))
    )
    assert merged.cancelled == ("b", "c")


def test_two_runs_with_different_targets_both_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    before = read_lock(path)
    for name in ("alpha", "beta"):
        mine = Lock(entries=(entry(name, 1),), cancelled=(JobId(f"ftjob-{name}"),))
        update_lock(path, lambda now, mine=mine: merge_locks(before, mine, now))  # type: ignore[misc]
    assert [each.address.name for each in read_lock(path).entries] == ["alpha", "beta"]
    assert read_lock(path).cancelled == ("ftjob-alpha", "ftjob-beta")


def test_an_organization_decides_whose_an_entry_is_and_else_the_address() -> None:
    assert is_same_account("127.0.0.1:8000/org-a", "localhost:8000/org-a")
    assert is_same_account("local/org-a", "127.0.0.1:8000/org-a")
    assert not is_same_account("api.example/org-a", "api.example/org-b")
    assert is_same_account("api.example", "api.example/org-a"), "a header that is missing once"
    assert not is_same_account("api.example", "other.example")
    assert not is_same_account("api.example", "other.example/org-a")
    assert is_same_account("api.example/org-a", "api.example/org-a/p"), "a lock of a version that wrote no project"
    assert not is_same_account("api.example/org-a/p", "api.example/org-a/q")
    assert not is_same_account("api.example//p", "api.example/org-a/q")
    assert is_same_account("api.example//p", "api.example/org-a/p")
    assert is_same_account("api.example/org-a/p", "localhost/org-a/p")
