"""Which files may be read: inside the repository, regular, and in the order given."""

import os
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from openpyxl import Workbook

from reconciler.dataset import MeasureCache, RowReport, SourceIndex, measure
from reconciler.dataset.pipeline import FIELDS_THAT_CHANGE_ROWS
from reconciler.dataset.sources import find_sources
from reconciler.domain.errors import InputError
from reconciler.domain.spec import DatasetSpec, Terms

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
        ("data/ticket.csv", "did you mean `../data/tickets.csv`?"),
        ("dta/tickets.csv", "did you mean `../data`?"),
        ("data/zzz.csv", "files there: `other.jsonl`, `tickets.csv`"),
        ("data/*.tsv", "files in `../data`: `other.jsonl`, `tickets.csv`"),
        ("specs/data/*.csv", "did you mean `../data/*.csv`? A pattern is relative to the spec's own file"),
        ("nowhere/*.csv", "there is no directory `../nowhere`"),
    ],
)
def test_a_missing_file_is_reported_with_the_existing_ones(tmp_path: Path, name: str, hint: str) -> None:
    write(tmp_path, "data/tickets.csv", b"")
    write(tmp_path, "data/other.jsonl", b"")
    problem = only(problems_of(a_spec(name), tmp_path), "source.missing")
    assert problem.where == SPEC_PLACE
    assert name in problem.what
    assert hint in problem.hint


def test_the_hint_of_a_pattern_names_no_file_that_the_spec_names_already(tmp_path: Path) -> None:
    write(tmp_path, "data/tickets.jsonl", ROWS)
    twice = a_spec("data/tickets.jsonl", "specs/data/*.jsonl")
    assert only(problems_of(twice, tmp_path), "source.missing").hint == "there is no directory `data`"


def test_the_hint_of_a_pattern_finds_the_files_when_it_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "data/tickets.jsonl", ROWS)
    hint = only(problems_of(a_spec("specs/data/*.jsonl"), tmp_path), "source.missing").hint
    followed = os.path.normpath(f"specs/{hint.split('`')[1]}")
    assert measure(a_spec(followed), tmp_path).training.rows == 12


def test_a_file_that_the_spec_names_is_not_the_one_that_was_meant(tmp_path: Path) -> None:
    write(tmp_path, "data/tickets.jsonl", ROWS)
    twice = a_spec("data/tickets.jsonl", "data/ticket.jsonl")
    assert only(problems_of(twice, tmp_path), "source.missing").hint == ""
    held_out = replace(a_spec("data/tickets.jsonl"), heldout=("data/ticket.jsonl",))
    assert only(problems_of(held_out, tmp_path), "source.missing").hint == ""
    write(tmp_path, "data/tickets2.jsonl", ROWS)
    hint = only(problems_of(held_out, tmp_path), "source.missing").hint
    assert hint == "did you mean `../data/tickets2.jsonl`?"


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
    if event == "os.scandir":
        GLOBS.append(str(arguments[0]))


def test_a_run_finds_the_files_of_a_dataset_once(tmp_path: Path) -> None:
    write(tmp_path, "rows/a.jsonl", jsonl(chats(12)))
    spec = a_spec("rows/*.jsonl")
    sys.addaudithook(note_globs)
    sources, cache = SourceIndex(tmp_path), MeasureCache(tmp_path / "cache")
    assert sources.names(spec) == ("rows/a.jsonl",)
    measure(spec, tmp_path, cache=cache, sources=sources)
    assert GLOBS.count(str(tmp_path / "rows")) == 1


def test_every_field_of_a_spec_either_changes_rows_or_leaves_the_fast_path_open() -> None:
    others = {
        "name",
        "place",
        "sources",
        "format",
        "validation_share",
        "heldout",
        "heldout_terms",
        "expect",
        "checks",
        "allow",
    }
    others |= {"moved", "labels", "id", "description", "written", "used_as"}
    assert set(FIELDS_THAT_CHANGE_ROWS).isdisjoint(others)
    assert set(DatasetSpec.__struct_fields__) == {*FIELDS_THAT_CHANGE_ROWS, *others}


HARD = "prompt,completion\n" + "".join(f"hard {at},answer {at}\n" for at in range(6))
EASY = "prompt,completion\n" + "".join(f"easy {at},answer {at}\n" for at in range(6))


def entries(*found: tuple[str, Terms]) -> DatasetSpec:
    """Return the spec of some source entries."""
    return replace(a_spec(*(path for path, _ in found)), terms=tuple(terms for _, terms in found))


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_that_two_entries_find_is_an_error_that_names_both(tmp_path: Path, turned: bool) -> None:
    """Neither weight may hold for the rows of both, or be lost."""
    write(tmp_path, "data/a-hard.csv", HARD)
    write(tmp_path, "data/b.csv", EASY)
    pairs = [("data/a-hard.csv", Terms(weight=3)), ("data/*.csv", Terms())]
    problem = only(problems_of(entries(*(reversed(pairs) if turned else pairs)), tmp_path), "source.overlap")
    assert problem.path == "source[1]"
    assert all(f"`{path}`" in problem.what for path, _ in pairs)
    assert "source[0]" in problem.what


@pytest.mark.parametrize(
    ("first", "second"),
    [("data/*.csv", "data/a*"), ("./data/a.csv", "data/a.csv"), ("data/a.csv", "link.csv"), ("data/a.csv", "*k.csv")],
)
def test_an_overlap_is_found_behind_patterns_and_links(tmp_path: Path, first: str, second: str) -> None:
    write(tmp_path, "data/a.csv", HARD)
    (tmp_path / "link.csv").symlink_to("data/a.csv")
    assert rules(problems_of(a_spec(first, second), tmp_path)).count("source.overlap") == 1


def test_each_entry_keeps_its_own_weight_and_delimiter(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", HARD)
    write(tmp_path, "b.csv", EASY.replace(",", ";"))
    spec = entries(("a.csv", Terms(weight=3)), ("b.csv", Terms(delimiter=";", weight=2)))
    assert measure(spec, tmp_path).training.rows == 3 * 6 + 2 * 6


def a_book(directory: Path, **sheets: str) -> None:
    """Write a workbook with two columns, and twelve rows a sheet that begin with its word."""
    book = Workbook()
    for title, word in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(["prompt", "completion"])
        for at in range(12):
            sheet.append([f"{word} {at}", f"{word} {at}"])
    del book["Sheet"]
    book.save(directory / "b.xlsx")


def test_two_sheets_of_a_workbook_are_two_sources_with_places_of_their_own(tmp_path: Path) -> None:
    a_book(tmp_path, One="a", Two="b")
    found = measure(entries(("b.xlsx", Terms(sheet="One", weight=2)), ("b.xlsx", Terms(sheet="Two"))), tmp_path)
    assert (found.training.rows, found.warnings) == (36, ())
    a_book(tmp_path, One="a", Two="a")
    spec = entries(("b.xlsx", Terms(sheet="One")), ("b.xlsx", Terms(sheet="Two")))
    repeated = only(problems_of(spec, tmp_path), "rows.duplicate")
    assert (repeated.where.file, repeated.where.line) == ("b.xlsx[Two]", 2)
    assert "b.xlsx[One]:2" in repeated.what
    assert SourceIndex(tmp_path).names(spec) == ("b.xlsx",)


def test_a_workbook_named_twice_needs_two_sheets(tmp_path: Path) -> None:
    a_book(tmp_path, One="a", Two="b")
    for one, two in (("One", "One"), ("One", None), (None, None)):
        found = problems_of(entries(("b.xlsx", Terms(sheet=one)), ("b.xlsx", Terms(sheet=two))), tmp_path)
        assert "its own `sheet`" in only(found, "source.overlap").hint


@pytest.mark.parametrize("weight", [1, 1.5, 2, 5])
def test_repeats_are_reported_whatever_the_weight(tmp_path: Path, weight: float) -> None:
    rows = chats(300)
    write(tmp_path, "rows.jsonl", jsonl([*rows[:200], rows[3], *rows[200:], rows[7]]))
    warning = only(measure(entries(("rows.jsonl", Terms(weight=weight))), tmp_path).warnings, "rows.duplicate")
    assert (warning.where.line, "rows.jsonl:4" in warning.what) == (201, True)
    write(tmp_path, "rows.jsonl", jsonl(rows))
    assert measure(entries(("rows.jsonl", Terms(weight=weight))), tmp_path).warnings == ()
