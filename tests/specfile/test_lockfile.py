"""The lock file is read back as written, and mistakes of manual edits are reported."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.domain.errors import InputError, UnusablePlaceError
from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.lock import Lock, LockedDataset, LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.specfile import check_lock_writable, read_lock, update_lock, write_lock
from tests.specfile.trees import write

HEX = "3f9c2ad1e0b4" * 5 + "3f9c"


def locked(
    name: str = "triage",
    *,
    service: str = "api.example.test/org-acme",
    model: str = "ft:gpt-4.1-mini-2025-04-14:acme::BxY12",
    finished_at: int | None = 1_790_000_000,
) -> LockEntry:
    return LockEntry(
        stamp=Stamp(Address(Kind.MODEL, name), Digest("v1", HEX)),
        provider="openai",
        service=service,
        job=JobId("ftjob-1"),
        model=ModelId(model),
        finished_at=finished_at,
    )


GOLDEN = f"""\
# Which model answered last, for each model of this spec root. Written by `reconciler apply`; commit it.
# It raises an alarm when a model disappears, and tells other tools what to call. It decides nothing: the service
# knows what exists. After a merge conflict or a damage: `reconciler lock rebuild`. Three dots end the file.
apiVersion: reconciler/v1
kind: Lock
models:
  - address: model/alpha
    digest: v1:{HEX}
    provider: openai
    service: "local: a \\"b\\""
    job: ftjob-1
    model: "no"
  - address: model/triage
    digest: v1:{HEX}
    provider: openai
    service: api.example.test/org-acme
    job: ftjob-1
    model: ft:gpt-4.1-mini-2025-04-14:acme::BxY12
    finished_at: "2026-09-21T14:13:20Z"
# Jobs that a plan cancelled. Wanted again, they are trained again without being asked.
cancelled:
  - ftjob-2
  - ftjob-3
...
"""


def test_the_file_is_sorted_and_readable(tmp_path: Path) -> None:
    alpha = locked("alpha", service='local: a "b"', model="no", finished_at=None)
    lock = Lock(entries=(locked(), alpha), cancelled=(JobId("ftjob-3"), JobId("ftjob-2")))
    write_lock(tmp_path / "models.lock.yaml", lock)
    assert (tmp_path / "models.lock.yaml").read_text() == GOLDEN
    back = read_lock(tmp_path / "models.lock.yaml")
    assert back == Lock(entries=(alpha, locked()), cancelled=(JobId("ftjob-2"), JobId("ftjob-3")))


def test_the_datasets_of_a_model_are_read_back_and_are_optional_for_older_files(tmp_path: Path) -> None:
    sides = tuple(
        LockedDataset(stamp=Stamp(Address(Kind.DATASET, name), Digest("v1", HEX)), rows=count)
        for name, count in (("tickets", 9), ("tickets.validation", 0))
    )
    path = tmp_path / "models.lock.yaml"
    write_lock(path, Lock(entries=(replace(locked(), datasets=sides), locked("older"))))

    older, triage = read_lock(path).entries

    assert (older.datasets, triage.datasets) == ((), sides)
    assert (
        f"      - address: dataset/tickets.validation\n        digest: v1:{HEX}\n        rows: 0\n" in path.read_text()
    )


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("address: model/tickets", 3),
        ("address: dataset/a.b", 3),
        ("digest: abc", 4),
        ("rows: -1", 5),
        ("rows: many", 5),
    ],
)
def test_malformed_dataset_entries_are_reported_with_their_place(tmp_path: Path, wrong: str, line: int) -> None:
    sides = (LockedDataset(stamp=Stamp(Address(Kind.DATASET, "tickets"), Digest("v1", HEX)), rows=9),)
    path = tmp_path / "models.lock.yaml"
    write_lock(path, Lock(entries=(replace(locked(), datasets=sides),)))
    lines = path.read_text().splitlines()
    at = lines.index("    datasets:")
    field = wrong.partition(":")[0]
    for offset in (1, 2, 3):
        if f" {field}:" in lines[at + offset]:
            lines[at + offset] = lines[at + offset].partition(field)[0] + wrong
    path.write_text("\n".join(lines) + "\n")

    with pytest.raises(InputError) as caught:
        read_lock(path)

    assert [problem.where.line for problem in caught.value.problems] == [at + line - 1]


def test_no_file_is_an_empty_lock(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    assert read_lock(path) == Lock()
    write_lock(path, Lock())
    assert "models: []" in path.read_text()
    assert read_lock(path) == Lock()


def test_a_lock_that_was_cut_anywhere_is_an_error_that_says_how_to_mend_it(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    write_lock(path, Lock(entries=(locked("alpha"), locked("beta")), cancelled=(JobId("ftjob-2"), JobId("ftjob-3"))))
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError) as raised:
            read_lock(path)
        if raised.value.problems[0].rule == "lock.cut":
            assert "lock rebuild" in raised.value.problems[0].hint
        assert str(raised.value.problems[0].where).startswith("models.lock.yaml")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_lock_of_an_earlier_version_has_no_last_line(tmp_path: Path, end: str) -> None:
    path = tmp_path / "models.lock.yaml"
    write_lock(path, Lock(entries=(locked(),)))
    text = path.read_text().replace("\n...\n", end)
    path.write_text(text.replace(" Three dots end the file.", ""))
    assert read_lock(path) == Lock(entries=(locked(),))


def test_line_ends_of_another_system_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    write_lock(path, Lock(entries=(locked(),)))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_lock(path) == Lock(entries=(locked(),))


def test_a_damaged_lock_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    path.write_text("# Which model answered l")
    with pytest.raises(InputError, match="its end is missing"):
        update_lock(path, lambda now: Lock(entries=(locked(),)))
    assert path.read_text() == "# Which model answered l"


def test_a_lock_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "specs").write_text("a file in the way")
    path = tmp_path / "specs" / "models.lock.yaml"
    for use in (lambda: update_lock(path, lambda now: now), lambda: check_lock_writable(path)):
        with pytest.raises(UnusablePlaceError, match=r"models\.lock\.yaml cannot be written \("):
            use()


def test_to_ask_whether_a_lock_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check_lock_writable(tmp_path / "models.lock.yaml")
    assert list(tmp_path.iterdir()) == []


def test_runs_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"

    def add(number: int) -> None:
        update_lock(path, lambda now: replace(now, entries=(*now.entries, locked(f"model-{number}"))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(read_lock(path).entries) == 24
    assert [each.name for each in tmp_path.iterdir()] == ["models.lock.yaml"]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    services=st.lists(WORDS, max_size=3, unique=True), model=WORDS, finished=st.none() | st.integers(0, 253402300799)
)
def test_any_id_of_a_service_is_read_back(
    tmp_path: Path, services: list[str], model: str, finished: int | None
) -> None:
    entries = tuple(locked(service=each, model=model, finished_at=finished) for each in sorted(services))
    lock = Lock(entries=entries, cancelled=(JobId(model),))
    write_lock(tmp_path / "models.lock.yaml", lock)
    assert read_lock(tmp_path / "models.lock.yaml") == lock


@pytest.mark.parametrize("seconds", [10**18, -(10**18), 2**62])
def test_an_impossible_time_is_left_out(tmp_path: Path, seconds: int) -> None:
    write_lock(tmp_path / "models.lock.yaml", Lock(entries=(locked(finished_at=seconds),)))
    assert read_lock(tmp_path / "models.lock.yaml").entries == (locked(finished_at=None),)


def test_an_unchanged_lock_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    write_lock(path, Lock(entries=(locked(),)))
    before = path.stat().st_ino
    write_lock(path, Lock(entries=(locked(),)))
    assert path.stat().st_ino == before
    write_lock(path, Lock())
    assert path.stat().st_ino != before
    assert [each.name for each in tmp_path.iterdir()] == ["models.lock.yaml"]


def test_a_failed_write_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.yaml"
    path.mkdir()
    with pytest.raises(OSError, match=r"models\.lock\.yaml"):
        write_lock(path, Lock(entries=(locked(),)))
    assert [each.name for each in tmp_path.iterdir()] == ["models.lock.yaml"]


def test_writing_never_follows_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"victim": "mine"})
    (tmp_path / "models.lock.yaml").symlink_to("victim")
    write_lock(tmp_path / "models.lock.yaml", Lock())
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "models.lock.yaml").is_symlink()


def test_reading_never_leaves_the_repository(tmp_path: Path) -> None:
    root = write(tmp_path, {"secret": "kind: Lock\n", "repo/.git/x": "", "repo/specs/a.yaml": ""}) / "repo" / "specs"
    (root / "models.lock.yaml").symlink_to("../../secret")
    with pytest.raises(InputError) as raised:
        read_lock(root / "models.lock.yaml")
    assert [str(each) for each in raised.value.problems] == [
        "specs/models.lock.yaml  this link leads out of the repository"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: Lock", "kind: Model", ":5:7  kind: must be Lock, is 'Model'"),
        ("apiVersion: reconciler/v1", "apiVersion: v9", ":4:13  apiVersion: must be reconciler/v1, is 'v9'"),
        ("model/alpha", "dataset/alpha", ":7:14  models[0].address: must be an address such as model/support-triage, "),
        (f"v1:{HEX}", "v1:x", ":8:13  models[0].digest: must be a digest: a version, a colon and 12 to 64 hex digits"),
        ("    job: ftjob-1\n    model: ft", "    model: ft", ":13:5  models[1].job: this is missing"),
        ("2026-09-21T", "2026-13-21T", ":19:18  models[1].finished_at: '2026-13-21T14:13:20Z' is not a date and time"),
        ("2026-09-21T14", "2026-09-21 14", ":19:18  models[1].finished_at: must be a time in UTC such as"),
        ("model/alpha", "model/triage", ":13:5  models[1]: 'model/triage' is locked twice on one service"),
        (
            "    provider: openai",
            "    provder: openai",
            ":9:5  models[0].provder: unknown field, did you mean 'provider'",
        ),
        ("  - ftjob-2", "  - []", ":22:5  cancelled[0]: must be text, is a list"),
        ("cancelled:", "<<<<<<< ours\ncancelled:", ":21:1  a merge conflict is left in the file"),
        ("# Jobs", "---\nkind: Lock\nmodels: []\n# Jobs", ":21:1  a lock file holds one document"),
    ],
)
def test_mistakes_in_a_lock_are_reported_with_their_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    text = GOLDEN.replace('service: "local: a \\"b\\""', "service: api.example.test/org-acme")
    assert old in text
    path = write(tmp_path, {"models.lock.yaml": text.replace(old, new, 1)}) / "models.lock.yaml"
    with pytest.raises(InputError) as raised:
        read_lock(path)
    problem_lines = [str(problem) for problem in raised.value.problems]
    assert any(f"models.lock.yaml{expected}" in each for each in problem_lines), problem_lines
    assert all(problem.hint for problem in raised.value.problems)
