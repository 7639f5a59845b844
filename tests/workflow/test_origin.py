"""Where specs come from: one digest for each way to write the address of one repository."""

import subprocess
from pathlib import Path

import pytest

from reconciler.workflow import locate_setting
from reconciler.workflow.origin import find_origin, normalize_remote


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/specs.git",
        "https://github.com/acme/specs",
        "https://GitHub.com/acme/specs/",
        "https://x-access-token:secret@github.com/acme/specs.git",
        "git@github.com:acme/specs.git",
        "ssh://git@github.com/acme/specs.git",
        "ssh://git@github.com:22/acme/specs.git",
    ],
)
def test_the_ways_to_write_an_address_are_one_repository(url: str) -> None:
    assert normalize_remote(url) == "github.com/acme/specs"


def repository(root: Path, url: str) -> Path:
    (root / "specs").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", root], check=True)
    if url:
        subprocess.run(["git", "-C", root, "remote", "add", "origin", url], check=True)
    return root / "specs"


def test_clones_have_one_origin_and_other_repositories_and_roots_another(tmp_path: Path) -> None:
    first = repository(tmp_path / "one", "https://github.com/acme/specs.git")
    second = repository(tmp_path / "two", "git@github.com:acme/specs.git")
    other = repository(tmp_path / "three", "git@github.com:acme/others.git")
    (first.parent / "more").mkdir()
    found = [find_origin(locate_setting(root, {"PATH": "/usr/bin:/bin"})) for root in (first, second, other)]
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == 12
    assert find_origin(locate_setting(first.parent / "more", {"PATH": "/usr/bin:/bin"})) not in found


def test_without_a_remote_a_repository_is_known_by_its_first_commit_or_its_directory(tmp_path: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin"}
    roots = [repository(tmp_path / name, "") for name in ("one", "two")]
    empty = [find_origin(locate_setting(root, environ)) for root in roots]
    for root in roots:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        message = f"the first of {root.parent.name}"
        subprocess.run(["git", *author, "-C", root, "commit", "-q", "--allow-empty", "-m", message], check=True)
    found = [find_origin(locate_setting(root, environ)) for root in roots]
    assert len({*empty, *found}) == 4
    assert all(len(each) == 12 for each in (*empty, *found))
    subprocess.run(["git", *author, "-C", roots[0], "commit", "-q", "--allow-empty", "-m", "a second"], check=True)
    assert find_origin(locate_setting(roots[0], environ)) == found[0]


def test_without_a_repository_or_git_the_origin_is_unknown(tmp_path: Path) -> None:
    root = repository(tmp_path / "one", "")
    assert find_origin(locate_setting(root, {"PATH": ""})) == ""
    (tmp_path / "none").mkdir()
    assert find_origin(locate_setting(tmp_path / "none", {"PATH": "/usr/bin:/bin"})) == ""
