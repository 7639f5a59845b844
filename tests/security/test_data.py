"""Hostile files in place of datasets: outside files, links, bombs and swaps are refused and never sent."""

import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.dataset import RowReport, measure, open_lines
from reconciler.dataset.readers.stream import open_source
from reconciler.dataset.sources import find_sources
from reconciler.domain.desired import Dataset, Part
from reconciler.domain.errors import InputError
from reconciler.domain.spec import ColumnMapping
from tests.dataset.factories import a_chat, a_spec, chats, jsonl, problems_of, rules, write

ROWS = jsonl(chats(12))


def outside(root: Path) -> Path:
    """A file outside the repository."""
    there = root.parent / f"{root.name}-outside"
    there.mkdir()
    (there / "secret.jsonl").write_bytes(ROWS)
    return there


def a_link_to_a_file(root: Path) -> None:
    (root / "rows.jsonl").symlink_to(outside(root) / "secret.jsonl")


def a_link_in_two_steps(root: Path) -> None:
    (root / "step").symlink_to(outside(root))
    (root / "rows.jsonl").symlink_to("step/secret.jsonl")


def a_link_to_git(root: Path) -> None:
    write(root, ".git/objects.jsonl", ROWS)
    (root / "rows.jsonl").symlink_to(".git/objects.jsonl")


def a_pipe(root: Path) -> None:
    os.mkfifo(root / "rows.jsonl")


def a_device_in_the_repository(root: Path) -> None:
    (root / "rows.jsonl").symlink_to("/dev/zero")


def a_directory(root: Path) -> None:
    (root / "rows.jsonl").mkdir()


def a_socket(root: Path) -> None:
    import socket

    here = os.getcwd()
    os.chdir(root)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("rows.jsonl")
    os.chdir(here)


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to a file outside": (a_link_to_a_file, "source.outside"),
    "a link to a link outside": (a_link_in_two_steps, "source.outside"),
    "a link into .git": (a_link_to_git, "source.git"),
    "a pipe": (a_pipe, "source.kind"),
    "a device": (a_device_in_the_repository, "source.outside"),
    "a directory": (a_directory, "source.kind"),
    "a socket": (a_socket, "source.kind"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_file_outside_the_repository_is_refused(tmp_path: Path, name: str) -> None:
    make, rule = PLACES[name]
    root = tmp_path / "repository"
    root.mkdir()
    make(root)
    assert rules(problems_of(a_spec(), root)) == [rule]


PATHS = {
    "dots": ("../rows.jsonl", "source.outside"),
    "dots that come back": ("data/../../repository/rows.jsonl", "source.outside"),
    "dots and a pattern": ("../*/rows.jsonl", "source.outside"),
    "absolute": ("/etc/passwd", "source.outside"),
    "a drive": ("C:\\Windows\\win.ini", "source.outside"),
    "a share": ("\\\\evil.example.test\\share\\x.csv", "source.outside"),
    "a null byte": ("rows.jsonl\0.csv", "source.outside"),
    "a descriptor": ("/dev/fd/0", "source.outside"),
    "a home": ("~/rows.jsonl", "source.missing"),
    "a variable": ("$HOME/rows.jsonl", "source.missing"),
    "an address": ("https://evil.example.test/rows.jsonl", "source.missing"),
    "a command": ("rows.jsonl|cat", "source.missing"),
    "an option": ("--upload-pack=x.jsonl", "source.missing"),
    "git's own": (".git/rows.jsonl", "source.git"),
    "git's own in capitals": (".GIT/rows.jsonl", "source.git"),
    "git's own as Windows has it": ("git~1/rows.jsonl", "source.git"),
    "git's own of a submodule": ("sub/.git/rows.jsonl", "source.git"),
    "git's own by a pattern": (".git/*.jsonl", "source.git"),
    "the keys of this user": ("keys.pem", "source.extension"),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_out_of_the_repository_is_refused(tmp_path: Path, name: str) -> None:
    path, rule = PATHS[name]
    root = tmp_path / "repository"
    for known in (".git", ".GIT", "git~1", "sub/.git"):
        write(root, f"{known}/rows.jsonl", ROWS)
    write(root, "keys.pem", b"x")
    assert rules(problems_of(a_spec(path), root)) == [rule]


def a_workbook(**parts: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"xl/workbook.xml": b"<workbook/>", **parts}.items():
            archive.writestr(name, content)
    return made.getvalue()


def a_lying_workbook(true_size: int, claimed_size: int) -> bytes:
    """Return a workbook whose directory claims another size for a part."""
    content = a_workbook(**{"xl/worksheets/sheet1.xml": b"0" * true_size})
    return content.replace(true_size.to_bytes(4, "little"), claimed_size.to_bytes(4, "little"))


BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "lists in lists": ("rows.jsonl", lambda: b"[" * 3_000_000, "json."),
    "objects in objects": ("rows.jsonl", lambda: b'{"a":' * 600_000, "json."),
    "a list in a list file": ("rows.json", lambda: b"[" * 3_000_000, "json."),
    "a number of a million digits": ("rows.jsonl", lambda: b'{"messages": ' + b"9" * 1_000_000 + b"}\n", ""),
    "a line without an end": ("rows.jsonl", lambda: b'{"messages": "' + b"a" * (17 << 20), "text.line-length"),
    "a cell without an end": ("rows.csv", lambda: b'a,b\n"' + b"a" * (17 << 20), ""),
    "a million columns": ("rows.csv", lambda: b"," * 1_000_000 + b"\n", ""),
    "a workbook that says it unpacks to 4 GB": (
        "rows.xlsx",
        lambda: a_lying_workbook(70_001, 0xFFFFFFF0),
        "file.size",
    ),
    "a workbook with a far cell": (
        "rows.xlsx",
        lambda: a_workbook(
            **{"xl/worksheets/sheet1.xml": b'<sheetData><row r="1"><c r="A1"/></row><c r="XFD1048576"/></sheetData>'}
        ),
        "",
    ),
    "a workbook of entities": (
        "rows.xlsx",
        lambda: a_workbook(
            **{"xl/sharedStrings.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'}
        ),
        "",
    ),
    "a zip inside a text": ("rows.jsonl", a_workbook, "file.kind"),
    "compressed": ("rows.jsonl", lambda: b"\x1f\x8b\x08" + bytes(100), "file.kind"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_bounds(tmp_path: Path, name: str) -> None:
    file, content, rule = BOMBS[name]
    write(tmp_path, file, content())
    mapping = ColumnMapping(prompt="{a}", completion="{b}")
    is_table = file.endswith((".csv", ".xlsx"))
    tracemalloc.start()
    try:
        found = problems_of(a_spec(file, mapping=mapping if is_table else None), tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300 * 1024 * 1024
    assert any(problem.rule.startswith(rule) for problem in found)
    assert all(len(problem.what) < 1_000 for problem in found)


def test_a_template_can_use_columns_only(tmp_path: Path) -> None:
    write(tmp_path, "rows.csv", "x,y\n" + "a,b\n" * 12)
    for template in ("{x.__class__}", "{x[0]}", "{0}", "{}", "{x!r}", "{x:>9999999999}"):
        found = problems_of(a_spec("rows.csv", mapping=ColumnMapping(prompt=template, completion="{y}")), tmp_path)
        assert found, template


def test_a_file_that_was_swapped_after_its_check_is_not_read(tmp_path: Path) -> None:
    """The replacement may be another file, a link to the outside, or a pipe without a writer."""
    root = tmp_path / "repository"
    root.mkdir()
    secret = outside(root) / "secret.jsonl"
    for swap in (
        lambda path: path.write_bytes(ROWS),
        lambda path: path.symlink_to(secret),
        lambda path: os.mkfifo(path),
    ):
        path = root / write(root, "rows.jsonl", ROWS)
        (source,) = find_sources(a_spec(), root, RowReport())
        kept = path.rename(root / "kept")
        swap(path)
        with pytest.raises(OSError, match="in its place"):
            open_source(source)
        path.unlink()
        kept.unlink()


def test_a_file_that_is_swapped_during_reading_is_read_from_the_open_file(tmp_path: Path) -> None:
    """The file is opened once; another file under its name is a change, and the last block is withheld."""
    rows = jsonl(a_chat(f"question {at} {'x' * 10_000}") for at in range(400))
    path = tmp_path / write(tmp_path, "rows.jsonl", rows)
    dataset = of(tmp_path)
    blocks = open_lines(dataset, tmp_path)
    first = next(blocks)
    path.rename(tmp_path / "kept")
    path.write_bytes(jsonl([{"messages": "stolen"}]))
    given = [first]
    with pytest.raises(InputError) as caught:
        given.extend(blocks)
    assert "source.changed" in {problem.rule for problem in caught.value.problems}
    assert b"stolen" not in b"".join(given)
    assert len(b"".join(given)) < dataset.measure.size_bytes


def test_rows_that_changed_after_they_were_measured_are_not_sent_completely(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", ROWS)
    dataset = of(tmp_path)
    write(tmp_path, "rows.jsonl", ROWS.replace(b"answer 11", b"stolen"))
    with pytest.raises(InputError):
        list(open_lines(dataset, tmp_path))


def of(root: Path) -> Dataset:
    """Return the training side of the present rows.jsonl."""
    found = measure(a_spec(), root)
    return Dataset(spec=a_spec(), part=Part.TRAINING, format=found.format, measure=found.training)
