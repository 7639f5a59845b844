"""A directory with a Project of its own is a root of its own."""

from pathlib import Path

from reconciler.specfile import find_roots
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
