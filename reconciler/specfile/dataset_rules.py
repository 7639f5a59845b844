"""The rules of one Dataset that a schema cannot state: its sources, templates and turns."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath, PureWindowsPath

from reconciler.domain.errors import Problem
from reconciler.specfile.expectations import expectation_problems
from reconciler.specfile.patterns import columns_of, template_fault
from reconciler.specfile.prepare import prepare_problems
from reconciler.specfile.schema.messages import quote
from reconciler.specfile.yaml import Document, Path, Plain

_OTHERS = {"system", "developer", "user"}
_NEVER_XLSX = {".csv", ".tsv", ".json", ".jsonl", ".txt"}
_ONLY_FOR = {
    "sheet": (_NEVER_XLSX, "only XLSX files have sheets"),
    "delimiter": ({".xlsx", ".json", ".jsonl"}, "only CSV and TSV files have delimiters"),
    "quote": ({".xlsx", ".json", ".jsonl"}, "only CSV and TSV files have quotes"),
    "cells": (_NEVER_XLSX, "only XLSX files store other values than they show"),
    "header": ({".json", ".jsonl"}, "only tables have headers"),
    "columns": ({".json", ".jsonl"}, "only tables have columns: rename keys with a step, `rename`"),
    "encoding": ({".xlsx"}, "a workbook defines its own encoding"),
}


def dataset_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the sources, steps, templates and turns of a Dataset."""
    yield from _source_problems(document)
    yield from prepare_problems(document)
    yield from expectation_problems(document)
    yield from _template_problems(document)
    yield from _turn_problems(document)


def sources_of(document: Document) -> tuple[tuple[Path, str], ...]:
    """Return every source as it is written, with its path in the document."""
    paths = [path for holder in _holders(document) for path in (holder, (*holder, "path"))]
    return tuple((path, text) for path in paths if (text := document.text(*path)) is not None)


def terms_of(document: Document) -> Iterator[tuple[Path, str, dict[str, Plain]]]:
    """Yield every source: its place in the document, the file, and its fields; none where it is only a path."""
    yield from _terms_at(document, sources_of(document))


def heldout_terms_of(document: Document) -> Iterator[tuple[Path, str, dict[str, Plain]]]:
    """Yield every held-out file as `terms_of` yields the sources."""
    yield from _terms_at(document, heldout_of(document))


def _terms_at(document: Document, files: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str, dict[str, Plain]]]:
    for path, source in files:
        holder = path[:-1] if path[-1] == "path" else path
        fields = document.get(*holder)
        yield holder, source, fields if isinstance(fields, dict) else {}


def heldout_of(document: Document) -> tuple[tuple[Path, str], ...]:
    """Return every held-out file as it is written, with its path in the document."""
    found = document.get("heldout")
    holders: list[Path] = [("heldout", at) for at in range(len(found) if isinstance(found, list) else 0)]
    paths = [path for holder in holders for path in (holder, (*holder, "path"))]
    return tuple((path, text) for path in paths if (text := document.text(*path)) is not None)


def repository_path(source: str, file: str) -> str:
    """Return a source relative to the repository, given relative to its spec file."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), source))


def _holders(document: Document) -> Iterator[Path]:
    found = document.get("source")
    yield from (("source", index) for index in range(len(found))) if isinstance(found, list) else (("source",),)


def _source_problems(document: Document) -> Iterator[Problem]:
    seen: dict[tuple[str, Plain], Path] = {}
    terms = (*terms_of(document), *heldout_terms_of(document))
    sheets = {(*holder, "path"): fields.get("sheet") for holder, _, fields in terms}
    for path, source in (*sources_of(document), *heldout_of(document)):
        key = repository_path(source, document.file), sheets.get(path)
        if fault := _source_fault(source, document.file):
            yield document.problem(path, *fault, "spec.source")
        elif key in seen:
            first = document.value_place(seen[key])
            what = f"{quote(source)} is listed twice, first at {first.line}:{first.column}"
            yield document.problem(path, what, "keep one of them", "spec.source")
        else:
            seen[key] = path
    endings = {PurePosixPath(source).suffix.lower() for _, source in sources_of(document)}
    if document.text("sheet") and endings and endings <= _NEVER_XLSX:
        hint = "remove it: only XLSX files have sheets"
        yield document.problem(("sheet",), "no source here has sheets", hint, "spec.source", at_key=True)
    for path, source, fields in terms:
        ending = PurePosixPath(source).suffix.lower()
        for field, (endings, why) in _ONLY_FOR.items():
            if field in fields and ending in endings:
                yield document.problem((*path, field), why, "remove it", "spec.source", at_key=True)
        if fields.get("header") is False and "columns" not in fields:
            what = "without a header, the columns have no names"
            hint = "name them in order: `columns: [text, label]`"
            yield document.problem((*path, "header"), what, hint, "spec.source", at_key=True)


def _source_fault(source: str, file: str) -> tuple[str, str] | None:
    inside = "name a file of this repository, relative to this spec file"
    if not source:
        return None
    if not source.isprintable() or source != source.strip():
        return (
            f"{quote(source)} contains characters that a path must not contain",
            "remove spaces at its ends and control characters",
        )
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source):
        return f"{quote(source)} is an address and not a file", f"download it into the repository, and {inside}"
    if source.startswith(("/", "~")) or PureWindowsPath(source).drive:
        return f"{quote(source)} is not relative", inside
    if "\\" in source:
        return (
            f"{quote(source)} has backslashes",
            f"write it with forward slashes: {quote(source.replace(chr(92), '/'))}",
        )
    if repository_path(source, file).split("/")[0] == "..":
        return f"{quote(source)} leads out of the repository", inside
    return None


def _template_problems(document: Document) -> Iterator[Problem]:
    templates = [(path, text) for path in _template_paths(document) if (text := document.text(*path)) is not None]
    faulty = False
    for path, text in templates:
        if fault := template_fault(text):
            faulty = True
            yield document.problem(path, *fault, "spec.template")
    constant = [path for path, text in templates if path in {("prompt",), ("completion",)} and not columns_of(text)]
    turns = [text for path, text in templates if path[0] == "messages"]
    if turns and not any(columns_of(text) for text in turns):
        constant.append(("messages",))
    for path in () if faulty else constant:
        what = "this names no column, so every row would be the same"
        yield document.problem(path, what, 'name columns in braces, such as "{subject}"', "spec.template")


def _template_paths(document: Document) -> Iterator[Path]:
    yield from (("system",), ("prompt",), ("completion",))
    turns = document.get("messages")
    for index in range(len(turns) if isinstance(turns, list) else 0):
        yield "messages", index, "content"


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
                path, what, "remove it: the model learns from assistant turns only", "spec.turns", at_key=True
            )
