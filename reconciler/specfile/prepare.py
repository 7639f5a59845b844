"""What one Dataset says of its preparation: the rules that a schema cannot state."""

import re
from collections.abc import Iterator, Mapping

from reconciler.domain.errors import Problem
from reconciler.specfile.schema.messages import quoted
from reconciler.specfile.templates import template_fault
from reconciler.specfile.yaml.document import Document, Path

_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")


def prepare_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the steps of a Dataset, one by one."""
    steps = document.get("prepare")
    for at, step in enumerate(steps if isinstance(steps, list) else ()):
        for name, said in step.items() if isinstance(step, dict) else ():
            if not isinstance(said, dict):
                continue
            path: Path = ("prepare", at, name)
            if name == "template":
                yield from _templates(document, path, said)
            elif name == "rename":
                yield from _renames(document, path, said)
            elif name == "filter":
                yield from _filter(document, path, said)


def _templates(document: Document, path: Path, said: Mapping[str, object]) -> Iterator[Problem]:
    for column, template in said.items():
        if isinstance(template, str) and (fault := template_fault(template)):
            yield document.problem((*path, column), *fault, "spec.template")


def _renames(document: Document, path: Path, said: Mapping[str, object]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for old, new in said.items():
        if isinstance(new, str) and first.setdefault(new, old) != old:
            what = f"two columns cannot both be called {quoted(new)}; {quoted(first[new])} already is"
            yield document.problem((*path, old), what, "give each its own name", "spec.prepare")


def _filter(document: Document, path: Path, said: Mapping[str, object]) -> Iterator[Problem]:
    least, most = said.get("min"), said.get("max")
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        what = "no number is at least 'min' and at most 'max'"
        yield document.problem((*path, "max"), what, "swap them", "spec.prepare")
    pattern = said.get("matches")
    if isinstance(pattern, str) and (fault := pattern_fault(pattern)):
        yield document.problem((*path, "matches"), *fault, "spec.prepare")


def pattern_fault(pattern: str) -> tuple[str, str] | None:
    """Return what is wrong with a regular expression, and a hint; None when nothing is."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        at = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        reason = error.msg if isinstance(error, re.error) else "it is too large"
        return f"this is no regular expression: {reason}{at}", "write it as Python's module re reads it"
    if _repeats_a_repetition(pattern):
        what = "a repeated group holds a repetition, as in '(a+)+': some texts would take for ever to match"
        return what, "repeat the group or what is in it, and not both"
    return None


def _repeats_a_repetition(pattern: str) -> bool:
    # Only groups count: what stands in a class of characters, or behind a backslash, is no sign.
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    inside = [False]
    at = 0
    while at < len(plain):
        if plain[at] == "(":
            inside.append(False)
        elif plain[at] == ")" and len(inside) > 1:
            repeats = inside.pop()
            if repeats and _UNBOUNDED.match(plain, at + 1):
                return True
            inside[-1] = inside[-1] or repeats
        elif _UNBOUNDED.match(plain, at):
            inside[-1] = True
        at += 1
    return False
