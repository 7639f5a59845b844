"""Patterns of files: what they find, and that many `**` cost no more than one."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.foundation.path_patterns import TooManyPathsError, match_paths

FILES = (
    *("a.csv", "b.json", "data/a.csv", "data/b.csv", "data/x/a.csv", "data/x/y/a.csv", "data/x/y/z/b.csv"),
    *(".hidden/a.csv", "data/.b.csv", "other/a[1].csv", "other/data/x/a.csv"),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    (home / "link").symlink_to("data")
    return home


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.csv", ["a.csv"]),
        ("data/*.csv", ["data/a.csv", "data/b.csv"]),
        ("data/**/a.csv", ["data/a.csv", "data/x/a.csv", "data/x/y/a.csv"]),
        ("data/**/**/**/a.csv", ["data/a.csv", "data/x/a.csv", "data/x/y/a.csv"]),
        ("**/x/**/b.csv", ["data/x/y/z/b.csv"]),
        ("link/*.csv", ["link/a.csv", "link/b.csv"]),
        ("l*/*.csv", ["link/a.csv", "link/b.csv"]),
        (".hidden/*.csv", [".hidden/a.csv"]),
        ("data/.b.*", []),
        ("other/a[[]1].csv", ["other/a[1].csv"]),
        ("?.json", ["b.json"]),
        ("nothing/**", []),
    ],
)
def test_what_a_pattern_finds(tree: Path, pattern: str, found: list[str]) -> None:
    assert match_paths(pattern, tree) == found


PARTS = st.sampled_from(["**", "*", "data", "x", "*.csv", "a*", "?", "[a-b].csv", "other"])


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_a_pattern_finds_what_the_standard_library_finds(tree: Path, parts: list[str]) -> None:
    pattern = "/".join((*parts, "*.csv"))
    with_library = {path.relative_to(tree).as_posix() for path in tree.glob(pattern)}
    assert match_paths(pattern, tree) == sorted(
        name for name in with_library if not any(part.startswith(".") for part in name.split("/"))
    )


READ: list[str] = []


def note_reads(event: str, arguments: tuple[object, ...]) -> None:
    if event == "os.scandir":
        READ.append(os.fspath(str(arguments[0])))


def test_each_directory_is_read_once_however_many_stars_there_are(tmp_path: Path) -> None:
    """The standard library reads a directory that is thirty levels deep thousands of times."""
    deep = tmp_path.joinpath(*["d"] * 30)
    deep.mkdir(parents=True)
    (deep / "a.csv").touch()
    sys.addaudithook(note_reads)
    READ.clear()
    assert len(match_paths("/".join(["**"] * 3 + ["d", "**", "*"] * 8 + ["**", "*.csv"]), tmp_path)) == 1
    assert len([path for path in READ if path.startswith(str(tmp_path))]) == 31


def test_a_pattern_that_looks_at_too_much_is_refused(tree: Path) -> None:
    with pytest.raises(TooManyPathsError):
        match_paths("**/*.csv", tree, most=5)
