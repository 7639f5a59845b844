"""Cached measures: the same result without reading, and only for an unchanged state."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import MeasureCache, measure
from reconciler.dataset.cache import LEAST_BYTES, SETTLED_NS
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import InputError
from reconciler.domain.spec import DatasetSpec, Terms

from .factories import a_chat, a_spec, chats, jsonl, write

ROWS = LEAST_BYTES // 40
LATER_NS = 10 * SETTLED_NS


class Watched:
    """Measures with a cache, and returns whether the rows were read."""

    def __init__(self, directory: Path, workspace: Path) -> None:
        self.files = directory
        self.workspace = workspace
        self.cache = make_cache(directory, workspace)

    def __call__(self, spec: DatasetSpec, minimum: int | None = None) -> tuple[DatasetMeasure, bool]:
        progress: list[int] = []
        got = measure(spec, self.workspace, minimum=minimum, cache=self.cache, progress=progress.append)
        return got, bool(progress)

    @property
    def entries(self) -> list[Path]:
        return sorted(self.files.glob("*")) if self.files.exists() else []


def make_cache(directory: Path, workspace: Path, version: str = "1") -> MeasureCache:
    """Return a cache whose clock is ten times as late as its files need to settle."""

    def clock() -> int:
        touched = [path.stat() for path in workspace.rglob("*") if path.is_file()]
        return max(max(each.st_mtime_ns, each.st_ctime_ns) for each in touched) + LATER_NS

    return MeasureCache(directory, version, clock=clock)


@pytest.fixture
def measured(tmp_path: Path) -> Watched:
    workspace = tmp_path / "work"
    workspace.mkdir()
    write(workspace, "rows.jsonl", big("answer"))
    return Watched(tmp_path / "cache", workspace)


def big(answer: str) -> bytes:
    """Return more than a MiB of rows with one repeated, so that reading reports progress."""
    return jsonl([*(a_chat(f"question {at}", answer * 20) for at in range(ROWS)), a_chat("question 0", answer * 20)])


def test_an_unchanged_file_is_not_read_again_and_has_the_same_measure(measured: Watched) -> None:
    first, read = measured(a_spec(share=0.2))
    assert read
    assert first.warnings
    assert measured(a_spec(share=0.2)) == (first, False)
    assert len(measured.entries) == 1
    assert first == measure(a_spec(share=0.2), measured.workspace)


def test_without_a_cache_rows_are_read(measured: Watched) -> None:
    measured(a_spec())
    progress: list[int] = []
    measure(a_spec(), measured.workspace, progress=progress.append)
    assert progress


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(big("another")),
        lambda path: path.write_bytes(path.read_bytes() + jsonl([a_chat("new")])),
        lambda path: os.utime(path, ns=(0, 0)),
        lambda path: (
            path.rename(path.with_name("old")) and write(path.parent, path.name, path.with_name("old").read_bytes())
        ),
    ],
    ids=["content", "length", "time", "inode"],
)
def test_a_touched_file_is_read_again(measured: Watched, change: Callable[[Path], object]) -> None:
    measured(a_spec())
    change(measured.workspace / "rows.jsonl")
    again, read = measured(a_spec())
    assert read
    assert again == measure(a_spec(), measured.workspace)


@pytest.mark.skipif(os.name == "nt", reason="the time of the last change of any kind is known on Unix")
def test_an_edit_that_keeps_size_and_time_is_noticed(measured: Watched) -> None:
    measured(a_spec())
    path = measured.workspace / "rows.jsonl"
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"answer", b"ANSWER"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert measured(a_spec())[1]


@pytest.mark.parametrize(
    "other", [a_spec(share=0.5), replace(a_spec(), description="x"), replace(a_spec(), terms=(Terms(weight=2),))]
)
def test_another_spec_is_measured_again(measured: Watched, other: DatasetSpec) -> None:
    measured(a_spec())
    assert measured(other)[1]


def test_another_minimum_or_release_is_measured_again(measured: Watched) -> None:
    measured(a_spec())
    assert measured(a_spec(), minimum=1)[1]
    measured.cache = make_cache(measured.files, measured.workspace, "2")
    assert measured(a_spec())[1]


def test_an_additional_file_of_a_pattern_is_measured(measured: Watched) -> None:
    first, _ = measured(a_spec("*.jsonl"))
    write(measured.workspace, "more.jsonl", jsonl(chats(3)))
    second, read = measured(a_spec("*.jsonl"))
    assert read
    assert second.training.rows == first.training.rows + 3


def test_files_that_have_just_changed_are_not_cached(measured: Watched) -> None:
    """A change within the same clock tick would not be noticed."""
    path = measured.workspace / "rows.jsonl"
    touched = max(path.stat().st_mtime_ns, path.stat().st_ctime_ns)
    measured.cache = MeasureCache(measured.files, clock=lambda: touched + SETTLED_NS - 1)
    measured(a_spec())
    assert measured(a_spec())[1]
    assert not measured.entries
    measured.cache = MeasureCache(measured.files, clock=lambda: touched + SETTLED_NS)
    measured(a_spec())
    assert measured.entries


def test_a_file_that_changes_while_it_is_read_is_not_cached(measured: Watched) -> None:
    path = measured.workspace / "rows.jsonl"

    def touch(_size: int) -> None:
        os.utime(path)

    with pytest.raises(InputError):
        measure(a_spec(), measured.workspace, cache=measured.cache, progress=touch)
    assert not measured.entries


def test_a_dataset_with_problems_is_not_cached(measured: Watched) -> None:
    write(measured.workspace, "rows.jsonl", big("answer") + b"nonsense\n")
    for _ in range(2):
        with pytest.raises(InputError):
            measured(a_spec())
    assert not measured.entries


def test_a_small_dataset_leaves_nothing_behind(measured: Watched) -> None:
    write(measured.workspace, "small.jsonl", jsonl(chats(10)))
    measured(a_spec("small.jsonl"))
    assert not measured.entries


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: whole[:-10],
        lambda whole: whole.replace(b'"rows":', b'"rows":1'),
        lambda whole: b"\xff\xfe" + whole,
        lambda whole: b"[" * 100_000,
        lambda whole: bytes(4096),
    ],
)
def test_a_damaged_entry_is_a_miss_and_is_replaced(measured: Watched, spoil: Callable[[bytes], bytes]) -> None:
    first, _ = measured(a_spec())
    (entry,) = measured.entries
    entry.write_bytes(spoil(entry.read_bytes()))
    assert measured(a_spec()) == (first, True)
    assert measured(a_spec()) == (first, False)


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"state": 1}', b"nonsense", b"1e999"])
def test_an_entry_of_another_form_is_a_miss_even_with_a_valid_seal(measured: Watched, body: bytes) -> None:
    import hashlib

    first, _ = measured(a_spec())
    (entry,) = measured.entries
    entry.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    assert measured(a_spec()) == (first, True)


def test_without_write_permission_nothing_is_cached_and_nothing_fails(measured: Watched) -> None:
    measured.files.write_text("a file where the directory should be")
    assert measured(a_spec())[1]
    assert measured(a_spec())[1]


def test_the_cache_directory_is_created_before_the_first_entry(measured: Watched) -> None:
    made: list[bool] = []
    measured.cache = replace(measured.cache, make_home=lambda: made.append(measured.files.exists()))
    measured(a_spec())
    assert made == [False]
    assert measured.entries
