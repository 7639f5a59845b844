"""The package's source as data: modules, imports, functions and classes, read once for the tests of its structure."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "reconciler"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported module, and the names that are taken from it.

    Shape:  `is_deferred` imports stand inside a function; `is_for_types` ones inside `if TYPE_CHECKING`
    """

    module: str
    names: tuple[str, ...]
    line: int
    is_deferred: bool
    is_for_types: bool


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def package(self) -> str:
        """The name of the package below `reconciler`, or nothing for `reconciler` itself."""
        parts = self.path.relative_to(PACKAGE).parts
        return parts[0] if len(parts) > 1 else ""

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, is_deferred=False, is_for_types=False))

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @property
    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    @property
    def public_names(self) -> frozenset[str]:
        """The names in `__all__`; none without it."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets):
                return frozenset(ast.literal_eval(node.value))
        return frozenset()


def _imports(node: ast.AST, *, is_deferred: bool, is_for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, (), child.lineno, is_deferred, is_for_types)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "imports are absolute"
            names = tuple(alias.name for alias in child.names)
            yield Import(child.module or "", names, child.lineno, is_deferred, is_for_types)
        else:
            yield from _imports(
                child,
                is_deferred=is_deferred or isinstance(child, Function),
                is_for_types=is_for_types or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)),
            )


@cache
def modules() -> dict[str, Module]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    return found


def edges() -> dict[str, set[str]]:
    """Return, for each module, the modules of the package that it imports, at the top or inside a function."""
    known = modules()
    graph: dict[str, set[str]] = {name: set() for name in known}
    for module in known.values():
        for each in module.imports:
            # The root names for type checkers what it loads on demand: a list, and no dependency.
            if each.is_for_types and module.name == "reconciler":
                continue
            targets = {full for name in each.names if (full := f"{each.module}.{name}") in known}
            # Names beside the modules come from the package's `__init__`.
            if each.module in known and len(targets) < max(1, len(each.names)):
                targets.add(each.module)
            graph[module.name] |= targets - {module.name}
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            group = [stack.pop()]
            while group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found
