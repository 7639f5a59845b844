"""What one Dataset says of its sources and columns: the rules that a schema cannot state."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from reconciler.domain.errors import Problem
from reconciler.spec.contract.wording import quoted
from reconciler.spec.yaml12.document import Document, Path

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<column>[^{}]*)\}")
_OTHERS = {"system", "developer", "user"}
_NEVER_XLSX = {".csv", ".tsv", ".json", ".jsonl", ".txt"}


def dataset_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the sources, templates and turns of a Dataset."""
    yield from _source_problems(document)
    yield from _template_problems(document)
    yield from _turn_problems(document)


def sources_of(document: Document) -> tuple[tuple[Path, str], ...]:
    """Give every source as it is written, with its path in the document."""
    found = document.get("source")
    if isinstance(found, list):
        return tuple((("source", index), each) for index, each in enumerate(found) if isinstance(each, str))
    return ((("source",), found),) if isinstance(found, str) else ()


def repository_path(source: str, file: str) -> str:
    """Turn a source that is relative to its spec file into one that is relative to the repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), source))


def columns_of(template: str) -> tuple[str, ...]:
    """Name the columns of a template, in order."""
    return tuple(found["column"] for found in _PIECE.finditer(template) if found["column"] is not None)


def _source_problems(document: Document) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for path, source in sources_of(document):
        if fault := _source_fault(source, document.file):
            yield document.problem(path, *fault, "spec.source")
        elif (whole := repository_path(source, document.file)) in seen:
            first = document.value_place(seen[whole])
            what = f"{quoted(source)} is listed twice, first at {first.line}:{first.column}"
            yield document.problem(path, what, "keep one of them", "spec.source")
        else:
            seen[whole] = path
    endings = {PurePosixPath(source).suffix.lower() for _, source in sources_of(document)}
    if document.text("sheet") and endings and endings <= _NEVER_XLSX:
        hint = "remove it: only XLSX files have sheets"
        yield document.problem(("sheet",), "no source here has sheets", hint, "spec.source", at_key=True)


def _source_fault(source: str, file: str) -> tuple[str, str] | None:
    inside = "name a file of this repository, relative to this spec file"
    if not source:
        return None
    if not source.isprintable() or source != source.strip():
        return (
            f"{quoted(source)} holds characters that no path should",
            "remove spaces at its ends and control characters",
        )
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source):
        return f"{quoted(source)} is an address and not a file", f"fetch it into the repository, and {inside}"
    if source.startswith(("/", "~")) or PureWindowsPath(source).drive:
        return f"{quoted(source)} is not relative", inside
    if "\\" in source:
        return (
            f"{quoted(source)} has backslashes",
            f"write it with forward slashes: {quoted(source.replace(chr(92), '/'))}",
        )
    if repository_path(source, file).split("/")[0] == "..":
        return f"{quoted(source)} leads out of the repository", inside
    return None


def _template_problems(document: Document) -> Iterator[Problem]:
    templates = [(path, text) for path in _template_paths(document) if (text := document.text(*path)) is not None]
    faulty = False
    for path, text in templates:
        if fault := _template_fault(text):
            faulty = True
            yield document.problem(path, *fault, "spec.template")
    constant = [path for path, text in templates if path in {("prompt",), ("completion",)} and not columns_of(text)]
    turns = [text for path, text in templates if path[0] == "messages"]
    if turns and not any(columns_of(text) for text in turns):
        constant.append(("messages",))
    for path in () if faulty else constant:
        what = "this names no column, so every row would say the same"
        yield document.problem(path, what, 'name columns in braces, such as "{subject}"', "spec.template")


def _template_paths(document: Document) -> Iterator[Path]:
    yield from (("system",), ("prompt",), ("completion",))
    turns = document.get("messages")
    for index in range(len(turns) if isinstance(turns, list) else 0):
        yield "messages", index, "content"


def _template_fault(text: str) -> tuple[str, str] | None:
    if any(not name.strip() for name in columns_of(text)):
        return "these braces name no column", "write the column's name between them, or double braces that are meant"
    rest = _PIECE.sub("", text)
    if "{" in rest:
        return "a brace is opened and not closed", "close it after the column's name, or double it if it is meant"
    if "}" in rest:
        return "a brace is closed that was not opened", "open it before the column's name, or double it if it is meant"
    return None


def _turn_problems(document: Document) -> Iterator[Problem]:
    turns = document.get("messages")
    if not isinstance(turns, list) or not turns:
        return
    last = len(turns) - 1
    roles = [document.text("messages", index, "role") for index in range(last + 1)]
    if roles[last] in _OTHERS:
        what = "the last turn must be the assistant's"
        hint = "add a turn with 'role: assistant' and the answer to learn"
        yield document.problem(("messages", last, "role"), what, hint, "spec.turns")
    for index, role in enumerate(roles):
        path: Path = ("messages", index, "weight")
        if document.get(*path) is not None and role in _OTHERS:
            what = "only an assistant's turn has a weight"
            yield document.problem(
                path, what, "remove it: other turns are never learned from", "spec.turns", at_key=True
            )
