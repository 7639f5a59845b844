"""Which files may be read: inside the repository, regular, and in the order given."""

import os
import sys
import time
from pathlib import Path

import pytest

from reconciler.dataset import MeasureCache, RowReport, SourceIndex, measure
from reconciler.dataset.pipeline import FIELDS_THAT_CHANGE_ROWS
from reconciler.dataset.sources import find_sources
from reconciler.domain.errors import InputError
from reconciler.domain.spec import DatasetSpec

from .factories import SPEC_PLACE, a_spec, chats, jsonl, only, problems_of, rules, write

ROWS = jsonl(chats(12))


def test_sources_are_read_in_the_order_given_and_patterns_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "data/2.jsonl", "data/10.jsonl", "data/deep/er/1.jsonl", "a.jsonl", "data/notes.txt"):
        write(tmp_path, name, ROWS)
    found = find_sources(a_spec("b.jsonl", "data/**/*.jsonl", "a.jsonl"), tmp_path, RowReport())
    assert [source.name for source in found] == [
        "b.jsonl",
        "data/10.jsonl",
        "data/2.jsonl",
        "data/deep/er/1.jsonl",
        "a.jsonl",
    ]


def test_several_sources_are_one_dataset(tmp_path: Path) -> None:
    rows = chats(20)
    write(tmp_path, "one.jsonl", jsonl(rows[:7]).rstrip())
    write(tmp_path, "two.jsonl", jsonl(rows[7:]))
    write(tmp_path, "all.jsonl", jsonl(rows))
    together, alone = measure(a_spec("one.jsonl", "two.jsonl"), tmp_path), measure(a_spec("all.jsonl"), tmp_path)
    turned = measure(a_spec("two.jsonl", "one.jsonl"), tmp_path)
    assert together == alone
    assert turned.training.digest != alone.training.digest


def test_a_file_name_with_pattern_characters_is_first_read_as_a_name(tmp_path: Path) -> None:
    write(tmp_path, "rows [1].jsonl", ROWS)
    assert measure(a_spec("rows [1].jsonl"), tmp_path).training.rows == 12


@pytest.mark.parametrize(
    "name",
    ["../rows.jsonl", "data/../../rows.jsonl", "/etc/hostname", "..\\rows.jsonl", "C:\\rows.jsonl", "../*.jsonl"],
)
def test_a_path_out_of_the_repository_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, "rows.jsonl", ROWS)
    inside = tmp_path / "repository"
    (inside / "data").mkdir(parents=True)
    problem = only(problems_of(a_spec(name), inside), "source.outside")
    assert problem.where == SPEC_PLACE
    assert name in problem.what


def test_a_link_out_of_the_repository_is_refused_and_one_within_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "secret/rows.jsonl", ROWS)
    inside = tmp_path / "repository"
    write(inside, "real/rows.jsonl", ROWS)
    (inside / "file.jsonl").symlink_to(tmp_path / "secret" / "rows.jsonl")
    (inside / "directory").symlink_to(tmp_path / "secret")
    (inside / "good.jsonl").symlink_to("real/rows.jsonl")
    (inside / "circle.jsonl").symlink_to("circle.jsonl")
    for name in ("file.jsonl", "directory/rows.jsonl", "directory/*.jsonl"):
        assert rules(problems_of(a_spec(name), inside)) == ["source.outside"]
    assert rules(problems_of(a_spec("circle.jsonl"), inside)) == ["source.unreadable"]
    assert measure(a_spec("good.jsonl"), inside).training.rows == 12


def test_the_repository_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "real/rows.jsonl", ROWS)
    (tmp_path / "link").symlink_to("real")
    assert measure(a_spec(), tmp_path / "link").training.rows == 12


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("data/ticket.csv", "did you mean `data/tickets.csv`?"),
        ("dta/tickets.csv", "did you mean `data`?"),
        ("data/zzz.csv", "files there: `other.jsonl`, `tickets.csv`"),
        ("data/*.tsv", "patterns start at the root"),
    ],
)
def test_a_missing_file_is_reported_with_the_existing_ones(tmp_path: Path, name: str, hint: str) -> None:
    write(tmp_path, "data/tickets.csv", b"")
    write(tmp_path, "data/other.jsonl", b"")
    problem = only(problems_of(a_spec(name), tmp_path), "source.missing")
    assert problem.where == SPEC_PLACE
    assert name in problem.what
    assert hint in problem.hint


def test_all_bad_sources_are_reported_in_one_run(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", ROWS)
    write(tmp_path, "bad.jsonl", b"nonsense\n")
    found = problems_of(a_spec("a.jsonl", "rows.jsonl", "../x", "bad.jsonl", "rows.parquet"), tmp_path)
    assert sorted(rules(found)) == ["json.syntax", "source.missing", "source.missing", "source.outside"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_path_that_is_not_a_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    began = time.monotonic()
    for name in ("pipe.jsonl", "folder.jsonl", "pip*.jsonl"):
        problem = only(problems_of(a_spec(name), tmp_path), "source.kind")
        assert problem.where == SPEC_PLACE
    assert time.monotonic() - began < 5


def test_an_unknown_extension_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    for name, hint in (("rows.xls", ".xlsx"), ("rows.ndjson", ".jsonl"), ("rows", "")):
        write(tmp_path, name, ROWS)
        problem = only(problems_of(a_spec(name), tmp_path), "source.extension")
        assert "`.csv`, `.json`, `.jsonl`, `.tsv`, `.xlsx`" in problem.what
        assert hint in problem.hint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to this user")
def test_a_file_without_read_permission_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", ROWS)
    (tmp_path / "rows.jsonl").chmod(0)
    assert rules(problems_of(a_spec(), tmp_path)) == ["source.unreadable"]


def test_a_file_that_changes_while_it_is_read_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", jsonl(chats(40_000)))

    def meddle(read_bytes: int) -> None:
        assert read_bytes > 0
        with (tmp_path / "rows.jsonl").open("ab") as file:
            file.write(b" ")

    with pytest.raises(InputError) as caught:
        measure(a_spec(), tmp_path, progress=meddle)
    assert only(caught.value.problems, "source.changed").where.file == "rows.jsonl"


GLOBS: list[str] = []


def note_globs(event: str, arguments: tuple[object, ...]) -> None:
    if event == "pathlib.Path.glob":
        GLOBS.append(str(arguments[1]))


def test_a_run_finds_the_files_of_a_dataset_once(tmp_path: Path) -> None:
    write(tmp_path, "rows/a.jsonl", jsonl(chats(12)))
    spec = a_spec("rows/*.jsonl")
    sys.addaudithook(note_globs)
    sources, cache = SourceIndex(tmp_path), MeasureCache(tmp_path / "cache")
    assert sources.names(spec) == ("rows/a.jsonl",)
    measure(spec, tmp_path, cache=cache, sources=sources)
    assert [pattern for pattern in GLOBS if pattern == "rows/*.jsonl"] == ["rows/*.jsonl"]


def test_every_field_of_a_spec_either_changes_rows_or_leaves_the_fast_path_open() -> None:
    others = {"name", "place", "sources", "format", "validation_share", "heldout", "expect", "checks", "allow"}
    others |= {"moved", "labels", "id", "description"}
    assert set(FIELDS_THAT_CHANGE_ROWS).isdisjoint(others)
    assert set(DatasetSpec.__struct_fields__) == {*FIELDS_THAT_CHANGE_ROWS, *others}
