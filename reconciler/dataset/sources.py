"""The files that a dataset is read from: regular files inside the repository, in the order that the spec gives."""

import glob
import os
import posixpath
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, takewhile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from reconciler.dataset.encodings import find_misread_name
from reconciler.dataset.report import RowReport
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong, Filter, Limit, Sample
from reconciler.domain.spec import DatasetSpec, Terms, WrittenField
from reconciler.foundation.path_patterns import MOST_VISITED, TooManyPathsError, match_paths
from reconciler.foundation.text import did_you_mean, list_words, nearest

_MOST_NEIGHBOURS = 10_000
"""Names in a directory that are compared with the name of a missing file."""

DEFAULT_TERMS = Terms()
"""The terms of a source that is only a path."""

_CHOOSING = (Deduplicate, DropEmpty, DropLong, Filter, Limit, Sample)
"""Steps that leave rows out. A held-out row stays one, whatever they would do with it."""


class Source(msgspec.Struct, frozen=True):
    """One file, or one sheet of a workbook: the name that places give it, its path, and how it is read and counted.

    Shape:  `seen` is the device and number of the file that was checked: the file that is read must be the same one;
            `field` is the entry of the spec that finds it
    """

    name: str
    path: Path
    terms: Terms = DEFAULT_TERMS
    seen: tuple[int, int] | None = None
    field: str = "source"

    @property
    def extension(self) -> str:
        return self.path.suffix.lower()

    def problem(
        self,
        rule: str,
        what: str,
        hint: str = "",
        *,
        line: int = 0,
        column: int = 0,
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """Return a problem of this file, or of a line of it."""
        where = Place(file=self.name, line=line, column=column)
        return Problem(where=where, what=what, hint=hint, rule=rule, severity=severity)


class Row(NamedTuple):
    """One row with the place it was read from.

    Shape:  `value` is what the source held; a table's rows are dicts of text by column
    """

    file: str
    line: int
    value: object

    def problem(self, rule: str, path: str, what: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        """Return a problem of this row; `path` is the path in it."""
        where = Place(file=self.file, line=self.line)
        return Problem(where=where, path=path, what=what, hint=hint, rule=rule, severity=severity)


class UnreadCell(str):
    """An empty cell of a table that holds something which is not read; `cause` is the warning about all such cells."""

    __slots__ = ("cause", "held")

    cause: Problem
    held: str

    @classmethod
    def of(cls, cause: Problem, held: str) -> "UnreadCell":
        """Return an empty cell; `held` says what it holds."""
        cell = cls()
        cell.cause, cell.held = cause, held
        return cell


class _Entry(NamedTuple):
    """One entry of a spec's `source`: its field in the spec, its path or pattern, and its terms."""

    field: str
    pattern: str
    terms: Terms


class SourceFiles(msgspec.Struct, frozen=True):
    """The files of one dataset, and what is wrong with those that may not be read."""

    files: tuple[Source, ...]
    problems: tuple[Problem, ...] = ()


class SourceIndex:
    """Finds the files of each dataset once, however often a run asks for them."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._found: dict[tuple[Place, *tuple[object, ...]], SourceFiles] = {}

    def find(self, spec: DatasetSpec) -> SourceFiles:
        """Return the files of a dataset.

        Shape:  a pattern expands in sorted order, without directories
        Cost:   reads directories the first time; later changes on disk are not seen, but `open_source` refuses to read
                another file than the one that was found
        """
        key = spec.place, spec.sources, spec.terms, spec.written
        if key not in self._found:
            problems: list[Problem] = []
            # The dataset of a held-out file has the place of the spec that holds it out, whose sources are found first.
            here = (found.files for (place, *_), found in self._found.items() if place == spec.place)
            taken = {
                *(self._workspace / name for name in spec.sources),
                *(source.path for files in here for source in files),
            }
            checked = [
                (entry, checked)
                for entry in _entries(spec)
                for source in _expand(entry, spec, self._workspace, taken, problems)
                if (checked := _check_source(source, entry, spec, self._workspace, problems))
            ]
            problems += _find_overlaps(checked, spec)
            self._found[key] = SourceFiles(_name_sheets(source for _, source in checked), tuple(problems))
        return self._found[key]

    def open(self, spec: DatasetSpec, report: RowReport) -> tuple[Source, ...]:
        """Return the files of a dataset that may be read, and report the others."""
        found = self.find(spec)
        for problem in found.problems:
            report.stop_reading(problem)
        return found.files

    def names(self, spec: DatasetSpec) -> tuple[str, ...]:
        """Return the names of a dataset's files within the repository, and of the files that links lead to."""
        home, files = self._workspace.resolve(), self.find(spec).files
        real = (source.path.resolve() for source in files)
        behind = (path.relative_to(home).as_posix() for path in real if path.is_relative_to(home))
        return tuple(
            dict.fromkeys((*(source.path.relative_to(self._workspace).as_posix() for source in files), *behind))
        )


def find_sources(spec: DatasetSpec, workspace: Path, report: RowReport) -> tuple[Source, ...]:
    """Return the files of a dataset that may be read, and report the others. For a single reading."""
    return SourceIndex(workspace).open(spec, report)


def spec_problem(
    spec: DatasetSpec, rule: str, path: str, what: str, hint: str = "", severity: Severity = Severity.ERROR
) -> Problem:
    """Return a problem of a field of a dataset's spec, at the place where its author wrote it."""
    field = spec.find_field(path)
    return Problem(where=field.place, path=field.path, what=what, hint=hint, rule=rule, severity=severity)


def advise_column(spec: DatasetSpec, column: str, columns: Collection[str]) -> str:
    """Return the hint for a column that no row has: the encoding by which a file has it, or the nearest name."""
    for stated in dict.fromkeys(each.encoding for each in spec.terms):
        encoding = find_misread_name(column, columns, stated)
        if encoding:
            return f"the file is read as {stated}, and has this column in another one: `encoding: {encoding}`"
    return did_you_mean(column, columns)


def held_out_datasets(spec: DatasetSpec) -> tuple[DatasetSpec, ...]:
    """Return a dataset for each held-out file of a spec, read as the sources of the spec are.

    Steps that edit rows are carried out, and none that leaves rows out or chooses among them.
    """
    steps = tuple(each for each in spec.prepare if not isinstance(each.operation, _CHOOSING))
    bare = replace(spec, terms=(), prepare=steps, validation_share=0.0, heldout=(), expect=(), checks=(), allow=())
    bare = replace(bare, heldout_terms=())
    return tuple(
        replace(
            bare,
            sources=(name,),
            terms=spec.heldout_terms[at : at + 1],
            written=tuple(_write_as_source(spec, f"heldout[{at}]")),
        )
        for at, name in enumerate(spec.heldout)
    )


def _write_as_source(spec: DatasetSpec, field: str) -> Iterator[tuple[str, WrittenField]]:
    # What is said of the only source of a held-out dataset is shown at the held-out file.
    yield from (each for each in spec.written if not each[0].startswith("source"))
    yield "source[0]", spec.find_field(field)
    for path, written in spec.written:
        if path.startswith(f"{field}."):
            yield f"source[0]{path.removeprefix(field)}", written


def _entries(spec: DatasetSpec) -> Iterator[_Entry]:
    terms = spec.terms or (DEFAULT_TERMS,) * len(spec.sources)
    for at, (pattern, each) in enumerate(zip(spec.sources, terms, strict=True)):
        yield _Entry(f"source[{at}]", pattern, each)


def _find_overlaps(found: Iterable[tuple[_Entry, Source]], spec: DatasetSpec) -> Iterator[Problem]:
    # A file that two entries name would be trained on twice, or by the weight of either. Its number is compared, so
    # that links and the case of letters do not hide it. Files that one entry finds twice are left to the row checks.
    first: dict[object, list[_Entry]] = {}
    reported: set[tuple[str, str]] = set()
    for entry, source in found:
        before = next((each for each in first.get(source.seen, ()) if _reads_same_rows(each, entry)), None)
        first.setdefault(source.seen, []).append(entry)
        if before and before.field != entry.field and (before.field, entry.field) not in reported:
            reported.add((before.field, entry.field))
            yield _overlap(before, entry, source, spec)


def _reads_same_rows(one: _Entry, other: _Entry) -> bool:
    return one.terms.sheet == other.terms.sheet or None in (one.terms.sheet, other.terms.sheet)


def _overlap(before: _Entry, entry: _Entry, source: Source, spec: DatasetSpec) -> Problem:
    earlier = spec.find_field(before.field)
    where = f"`{before.pattern}` ({earlier.place.line}:{earlier.place.column} {earlier.path})"
    if before.pattern == entry.pattern == source.name and source.extension == ".xlsx":
        what, hint = f"`{source.name}` is also named by {where}", "give each of the two its own `sheet`"
    else:
        what = f"`{entry.pattern}` finds `{source.name}`, which {where} finds too: its rows would be used twice"
        hint = "let one entry name each file: remove one, or write a pattern that leaves the file out"
    return spec_problem(spec, "source.overlap", entry.field, what, hint)


def _name_sheets(sources: Iterable[Source]) -> tuple[Source, ...]:
    # Two sheets of one workbook are two sources: their rows have places of their own.
    found = tuple(sources)
    counts = Counter(source.name for source in found)
    return tuple(
        replace(source, name=f"{source.name}[{source.terms.sheet}]")
        if counts[source.name] > 1 and source.terms.sheet
        else source
        for source in found
    )


def _expand(
    entry: _Entry, spec: DatasetSpec, workspace: Path, taken: Collection[Path], problems: list[Problem]
) -> Iterator[Source]:
    pattern, terms = entry.pattern, entry.terms
    if _leaves_repository(pattern):
        problems.append(_outside(pattern, entry, spec))
    elif os.path.lexists(workspace / pattern):
        yield Source(PurePosixPath(pattern).as_posix(), workspace / pattern, terms, field=entry.field)
    elif glob.has_magic(pattern):
        try:
            files = [name for name in match_paths(pattern, workspace) if not (workspace / name).is_dir()]
        except TooManyPathsError:
            what = f"`{pattern}` looks at more than {MOST_VISITED:,} files and directories"
            hint = "begin the pattern with the directory that holds the files"
            problems.append(spec_problem(spec, "source.too-many", entry.field, what, hint))
            return
        if not files:
            what, hint = f"no file matches `{pattern}`", _advise_pattern(pattern, spec, workspace, taken)
            problems.append(spec_problem(spec, "source.missing", entry.field, what, hint))
        yield from (Source(Path(name).as_posix(), workspace / name, terms, field=entry.field) for name in files)
    else:
        problems.append(_missing(entry, spec, workspace, taken))


def _leaves_repository(pattern: str) -> bool:
    windows = PureWindowsPath(pattern)
    return "\0" in pattern or pattern.startswith("/") or bool(windows.drive) or ".." in windows.parts


def _is_in_git_directory(parts: Iterable[str]) -> bool:
    # `git~1` is the short name that Windows gives the directory; there, dots and spaces at the end do not count.
    return any(part.rstrip(". ").lower() in {".git", "git~1"} for part in parts)


def _check_source(
    source: Source, entry: _Entry, spec: DatasetSpec, workspace: Path, problems: list[Problem]
) -> Source | None:
    name, home = source.name, workspace.resolve()
    try:
        real = source.path.resolve(strict=True)
        found = real.stat()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its links form a circle"
        problems.append(spec_problem(spec, "source.unreadable", entry.field, f"`{name}` cannot be read: {reason}"))
        return None
    if not real.is_relative_to(home):
        problems.append(_outside(name, entry, spec))
        return None
    if _is_in_git_directory(PurePosixPath(name).parts) or _is_in_git_directory(real.relative_to(home).parts):
        what = f"`{name}` is in git's own directory, which may hold credentials"
        hint = "name a file that is part of the repository's content"
        problems.append(spec_problem(spec, "source.git", entry.field, what, hint))
        return None
    if not stat.S_ISREG(found.st_mode):
        is_directory = stat.S_ISDIR(found.st_mode)
        kind = "a directory" if is_directory else "a pipe, a socket or a device"
        hint = f"to read every file in it, write a pattern such as `{name}/*.jsonl`" if is_directory else ""
        problems.append(spec_problem(spec, "source.kind", entry.field, f"`{name}` is {kind}, not a file", hint))
        return None
    return replace(source, seen=(found.st_dev, found.st_ino))


def _advise_pattern(pattern: str, spec: DatasetSpec, workspace: Path, taken: Collection[Path]) -> str:
    """Return the pattern that the author most likely means, as the spec would write it; else what is there."""
    home = posixpath.dirname(spec.place.file)
    written = posixpath.relpath(pattern, home)
    # A path that is meant from the root of the repository.
    if written != pattern and not _leaves_repository(written) and _finds_files(written, workspace, taken):
        return f"did you mean `{posixpath.relpath(written, home)}`? A pattern is relative to the spec's own file"
    parts = PurePosixPath(pattern).parts
    fixed = PurePosixPath(*takewhile(lambda part: not glob.has_magic(part), parts))
    there = workspace / fixed
    names = [each for each in _list_directory(there, directories=False) if there / each not in taken]
    if names:
        return f"files in `{posixpath.relpath(fixed, home)}`: {list_words(names, 5)}"
    return "" if there.is_dir() else f"there is no directory `{posixpath.relpath(fixed, home)}`"


def _finds_files(pattern: str, workspace: Path, taken: Collection[Path]) -> bool:
    try:
        found = match_paths(pattern, workspace)
    except TooManyPathsError:
        return False
    return bool(found) and not any(workspace / name in taken for name in found)


def _missing(entry: _Entry, spec: DatasetSpec, workspace: Path, taken: Collection[Path]) -> Problem:
    # A file that the spec already names cannot be the one that is meant: it would be named twice.
    name, path = entry.pattern, workspace / entry.pattern
    above = next((parent for parent in path.parents if parent.is_dir()), workspace)
    if above != path.parent:
        wanted = PurePosixPath(name).parts[len(above.relative_to(workspace).parts)]
        what, kind = f"there is no file `{name}`: no directory `{wanted}`", "directories"
    else:
        what, kind, wanted = f"there is no file `{name}`", "files", path.name
    names = [each for each in _list_directory(above, directories=kind == "directories") if above / each not in taken]
    near = nearest(wanted, names)
    if near:
        found = (above / near).relative_to(workspace).as_posix()
        hint = f"did you mean `{posixpath.relpath(found, posixpath.dirname(spec.place.file))}`?"
    else:
        hint = f"{kind} there: {list_words(names, 5)}" if names else ""
    return spec_problem(spec, "source.missing", entry.field, what, hint)


def _list_directory(directory: Path, directories: bool) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            some = islice(entries, _MOST_NEIGHBOURS)
            return sorted(
                entry.name for entry in some if entry.is_dir() == directories and not entry.name.startswith(".")
            )
    except OSError:
        return []


def _outside(name: str, entry: _Entry, spec: DatasetSpec) -> Problem:
    hint = "copy the data into the repository and name it by its path from there"
    return spec_problem(spec, "source.outside", entry.field, f"`{name}` leads out of the repository", hint)
