"""The catalogue of rules has every rule of the code, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.dataset.row_checks import RULES

PACKAGE = Path(__file__).parents[2] / "reconciler"
RULE = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")
RULE_ARGUMENTS = {"RowFinding": 0, "problem": 0, "spec_problem": 1}
"""The functions that state a rule, with the position of its argument."""
FAMILIES = {rule.partition(".")[0] for rule in RULES}


def texts(path: Path) -> Iterator[str]:
    """Return every text of a file that may be a rule's id, with a star for composed parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


def stated(path: Path) -> Iterator[str]:
    """Return what a file passes as a rule by that name, whatever its form."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "rule" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            rules = node.args[RULE_ARGUMENTS[name] :][:1] if name in RULE_ARGUMENTS else []
            yield from (str(rule.value) for rule in rules if isinstance(rule, ast.Constant))


FILES = [
    path
    for package in ("dataset", "prepare_data")
    for path in sorted((PACKAGE / package).rglob("*.py"))
    if path.name != "finding.py"
]


def test_every_rule_of_the_code_is_in_the_catalogue() -> None:
    for path in FILES:
        used = {text for text in texts(path) if RULE.fullmatch(text) and text.partition(".")[0] in FAMILIES}
        missing = {*used, *stated(path)} - RULES.keys()
        assert not missing, f"{path.name}: say in row_checks/rules.json what these mean: {sorted(missing)}"


def test_every_rule_of_the_catalogue_is_in_the_code() -> None:
    stated_rules = {text for path in FILES for text in texts(path)}
    composed = {
        rule
        for rule in RULES
        if f"{rule.partition('.')[0]}.*" in stated_rules or (rule.endswith(".row") and "*.row" in stated_rules)
    }
    assert composed <= {rule for rule in RULES if rule.startswith("completion.") or rule.endswith(".row")}
    gone = RULES.keys() - stated_rules - composed
    assert not gone, f"no rule of the code is called {sorted(gone)}"


def test_each_rule_has_a_meaning_of_one_sentence() -> None:
    for rule, meaning in RULES.items():
        assert RULE.fullmatch(rule)
        assert meaning.endswith("."), rule
