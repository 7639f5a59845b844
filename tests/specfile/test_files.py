"""Which files are read: those of the root, inside the repository, and no others."""

import os
from pathlib import Path

import pytest

from reconciler.domain.errors import InputError
from reconciler.specfile import find_workspace, read_specs
from tests.specfile.trees import DATASET, MODEL, problems_of, specs_of, write


def refused(root: Path, workspace: Path) -> str:
    with pytest.raises(InputError) as raised:
        read_specs(root, workspace)
    assert all(problem.hint and problem.rule for problem in raised.value.problems)
    return "\n".join(str(problem) for problem in raised.value.problems)


def test_the_workspace_is_the_repository_around_the_root(tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"specs/deep/a.yaml": "", ".git": "gitdir: elsewhere\n"}) / "specs" / "deep"
    assert find_workspace(root) == (tmp_path / "repo").resolve()
    assert find_workspace(root / "not" / "there") == (tmp_path / "repo").resolve()
    assert find_workspace(tmp_path / "repo") == (tmp_path / "repo").resolve()


def test_without_a_repository_it_is_the_current_directory_or_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "specs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert find_workspace(Path("specs")) == (tmp_path / "here").resolve()
    assert find_workspace(Path()) == (tmp_path / "here").resolve()
    assert find_workspace(tmp_path / "there") == (tmp_path / "there").resolve()


def test_every_yaml_file_of_the_tree_is_read_but_locks_and_hidden_ones(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a/b/c.yml": DATASET,
        "m.yaml": MODEL,
        "models.lock.yaml": "[",
        "a/models.lock.yaml": "[",
        ".schemas/x.yaml": "[",
        "a/.hidden/x.yaml": "[",
        ".pre-commit-config.yaml": "[",
        "data/x.json": "[",
        "notes.yaml.txt": "[",
    }
    found = specs_of(tmp_path, files)
    assert [spec.place.file for spec in found.datasets] == ["a/b/c.yml"]
    assert [spec.place.file for spec in found.models] == ["m.yaml"]


def test_a_root_below_the_workspace_is_named_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"specs/quick/d.yaml": DATASET})
    monkeypatch.chdir(tmp_path / "specs")
    found = read_specs(Path("quick"), tmp_path)
    assert found.root == "specs/quick"
    assert found.project.place.file == "specs/quick"
    assert found.datasets[0].sources == ("specs/quick/data/tickets.csv",)


def test_a_path_that_is_not_a_root_is_reported_with_a_next_step(tmp_path: Path) -> None:
    assert refused(tmp_path / "specs", tmp_path) == "specs  there is no such directory"
    write(tmp_path, {"file": ""})
    assert refused(tmp_path / "file", tmp_path) == "file  this is not a directory"
    (tmp_path / "loop").symlink_to("loop")
    assert refused(tmp_path / "loop", tmp_path) == "loop  there is no such directory"
    with pytest.raises(InputError) as raised:
        read_specs(tmp_path / "specs", tmp_path)
    assert "reconciler init" in raised.value.problems[0].hint


def test_nothing_outside_the_repository_is_read(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"d.yaml": DATASET})
    root = write(tmp_path / "repo" / "specs", {"m.yaml": MODEL})
    (root / "link.yaml").symlink_to(outside / "d.yaml")
    (root / "folder").symlink_to(outside)
    (root / "up.yaml").symlink_to("../../outside/d.yaml")
    assert refused(root, tmp_path / "repo").splitlines()[:3] == [
        "specs/folder  this link leads out of the repository",
        "specs/link.yaml  this link leads out of the repository",
        "specs/m.yaml:4:11  training: there is no Dataset named 'tickets'",
    ]
    (tmp_path / "repo" / "elsewhere").symlink_to(outside)
    assert refused(tmp_path / "repo" / "elsewhere", tmp_path / "repo").endswith("this is outside the repository")
    assert refused(outside, tmp_path / "repo").endswith("this is outside the repository")


def test_links_inside_the_repository_are_followed_once(tmp_path: Path) -> None:
    root = write(tmp_path, {"specs/m.yaml": MODEL, "common/d.yaml": DATASET, "one/p.txt": ""}) / "specs"
    (root / "common").symlink_to("../common")
    (root / "again").symlink_to("../common")
    (root / "self").symlink_to(".")
    (tmp_path / "common" / "back").symlink_to("../specs")
    found = read_specs(root, tmp_path)
    assert found.datasets[0].place.file == "common/d.yaml"
    assert found.datasets[0].sources == ("common/data/tickets.csv",)
    assert len(found.models) == 1


def test_unreadable_files_are_reported(tmp_path: Path) -> None:
    root = write(tmp_path, {"d.yaml": DATASET})
    os.mkfifo(root / "pipe.yaml")
    (root / "gone.yaml").symlink_to("nowhere")
    (root / "loop.yaml").symlink_to("loop.yaml")
    problem_lines = refused(root, root).splitlines()
    assert problem_lines[0] == "gone.yaml  this cannot be read: No such file or directory"
    assert problem_lines[1].startswith("loop.yaml  this cannot be read: ")
    assert problem_lines[2] == "pipe.yaml  this is not a regular file"
    assert len(problem_lines) == 3


def test_a_file_name_may_be_any_bytes(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("kind: Model\n")
    files = {problem.where.file for problem in problems_of(tmp_path, {})}
    assert files == {r"\xff.yaml"}


def test_a_file_that_is_too_large_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.yaml": b"#" * (1024 * 1024 + 1), "b.yaml": "kind: Projekt\n"}
    assert [str(problem) for problem in problems_of(tmp_path, files)] == [
        "a.yaml  the file is larger than 1,024 KiB",
        "b.yaml:1:7  kind: must be Project, Dataset or Model, is 'Projekt', did you mean 'Project'?",
    ]
