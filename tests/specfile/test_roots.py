"""A directory with a Project of its own is a root of its own."""

from pathlib import Path

import pytest

from reconciler.domain.errors import InputError
from reconciler.specfile import find_roots
from reconciler.specfile.files import spec_files
from tests.specfile.trees import DATASET, write


def test_several_projects_are_several_roots(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/p.yaml": "# first\nkind: Project\nname: a\n",
            "b/deep/p.yml": f"{DATASET}---\r\nkind: 'Project'\r\nname: [broken\r\n",
            "c/d.yaml": DATASET,
            ".hidden/p.yaml": "kind: Project\n",
        },
    )
    assert find_roots(tmp_path) == (tmp_path / "a", tmp_path / "b" / "deep")


def test_one_project_or_none_is_one_root(tmp_path: Path) -> None:
    write(tmp_path, {"a/p.yaml": "kind: Project\nname: a\n", "b/d.yaml": DATASET})
    assert find_roots(tmp_path) == (tmp_path,)
    assert find_roots(tmp_path / "b") == (tmp_path / "b",)
    assert find_roots(tmp_path / "nowhere") == (tmp_path / "nowhere",)


def test_more_files_than_can_be_looked_at_are_an_error_with_a_way_on(tmp_path: Path) -> None:
    tree = {f"data/{at}.csv": "x" for at in range(30)} | {"specs/p.yaml": "kind: Project\nname: a\n"}
    write(tmp_path, tree)
    with pytest.raises(InputError) as error:
        find_roots(tmp_path, most=20)
    (problem,) = error.value.problems
    assert (problem.where.file, problem.rule) == (str(tmp_path), "spec.too-many")
    assert "more than 20 files" in problem.what
    assert "name the directory that holds the specs" in problem.hint
    assert find_roots(tmp_path / "specs", most=20) == (tmp_path / "specs",)


def test_a_root_is_read_within_the_same_bound(tmp_path: Path) -> None:
    root = write(tmp_path, {f"data/{at}.csv": "x" for at in range(30)} | {"p.yaml": "kind: Project\nname: a\n"})
    with pytest.raises(InputError) as error:
        spec_files(root, root, most=20)
    assert [(each.where.file, each.rule) for each in error.value.problems] == [(".", "spec.too-many")]
    assert spec_files(root, root, most=40) == ((root / "p.yaml",), ())


def test_the_tree_is_walked_once_and_hidden_directories_are_not(tmp_path: Path) -> None:
    write(tmp_path, {f".git/objects/{at}.yaml": "x" for at in range(30)})
    write(tmp_path, {f"specs/{at}.yaml": DATASET for at in range(8)} | {"specs/p.yml": "kind: Project\nname: a\n"})
    # The directory, its nine files, and the hidden directory by its name.
    assert find_roots(tmp_path, most=11) == (tmp_path / "specs",)


def test_an_ending_in_capitals_is_one_too(tmp_path: Path) -> None:
    write(tmp_path, {"a/P.YAML": "kind: Project\nname: a\n", "b/p.Yml": "kind: Project\nname: b\n"})
    assert find_roots(tmp_path) == (tmp_path / "a", tmp_path / "b")
