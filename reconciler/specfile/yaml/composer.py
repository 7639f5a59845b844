"""YAML with line numbers. Builds plain data from the events of the parser, with a stack of its own.

Nothing here recurses, and the parser is asked for one event at a time. So deeply nested text is left at our limit, long
before it is deep enough to harm the parser in C.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec
import yaml

from reconciler.domain.errors import InputError, Place, Problem
from reconciler.specfile.yaml.document import Document, Mark, Path, Plain, resolve, whole
from reconciler.specfile.yaml.text import (
    MAX_BYTES,
    DocumentText,
    decode_text,
    explain_error,
    split_documents,
    without_directives,
)

MAX_DEPTH = 32
MAX_NODES = 100_000
"""Nodes of one file. A mebibyte of ordinary specs has about as many."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNATTACHED = -1
"""A step in a path that marks a value without a usable key. Nothing below it is kept."""
_NOTHING = {"", "---", "..."}
_SPLIT = "split it into several files"


class YamlFile(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of one file, as far as they could be read.

    Shape:  `broken` is the text of the rest
    """

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: tuple[str, ...] = ()


def read_yaml(raw: bytes, file: str, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> YamlFile:
    """Return the documents of a file, and every problem of its YAML."""
    try:
        text, found = decode_text(raw, file, max_bytes)
        parts = split_documents(text, file)
    except InputError as error:
        return YamlFile(problems=error.problems, broken=(raw[:max_bytes].decode("utf-8", "replace"),))
    documents, problems, broken, nodes = [], list(found), [], 0
    for part in parts:
        if part.text.strip() in _NOTHING:
            continue
        chunk, found = without_directives(part, file)
        composer = _Composer(file, chunk.lines_before, max_nodes - nodes)
        document = composer.compose(chunk)
        documents += [document] if document else []
        broken += [] if composer.whole else [chunk.text]
        problems += [*found, *composer.problems]
        nodes += composer.nodes
        if nodes > max_nodes:
            broken.append(text)
            break
    return YamlFile(documents=tuple(documents), problems=tuple(problems), broken=tuple(broken))


@dataclass(slots=True)
class _Frame:
    """A collection that is still open.

    Shape:  `key` is the key that waits for its value; `keyless` if the value has no usable key
    """

    holder: dict[str, Plain] | list[Plain]
    path: Path
    key: str | None = None
    keyless: bool = False
    is_key: bool = False

    @property
    def wants_key(self) -> bool:
        return isinstance(self.holder, dict) and self.key is None and not self.keyless

    @property
    def next_path(self) -> Path:
        if isinstance(self.holder, list):
            return (*self.path, len(self.holder))
        return (*self.path, _UNATTACHED if self.key is None else self.key)

    def put(self, value: Plain) -> None:
        if isinstance(self.holder, list):
            self.holder.append(value)
        elif self.key is not None:
            self.holder[self.key] = value
        self.key, self.keyless = None, False


class _Composer:
    """Composes one document. Its state is the stack of open collections."""

    def __init__(self, file: str, lines_before: int, nodes_left: int) -> None:
        self.problems: list[Problem] = []
        self.whole = True
        self.nodes = 0
        self._file, self._lines_before, self._nodes_left = file, lines_before, nodes_left
        self._stack: list[_Frame] = []
        self._root: Plain = None
        self._root_mark: Mark = (lines_before + 1, 1)
        self._keys: dict[Path, Mark] = {}
        self._values: dict[Path, Mark] = {}
        self._written: dict[Path, str] = {}
        self._void: set[Path] = set()

    def compose(self, chunk: DocumentText) -> Document | None:
        """Return the document; None when there is none, or it is no mapping."""
        try:
            for event in _events(chunk.text):
                if not self._take(event):
                    self.whole = False
                    return None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # The parser in Python raises other errors for an escape that is no character.
            self.whole = False
            self.problems.append(explain_error(error, chunk, self._file))
            return None
        if self._root is None:
            return None
        if not isinstance(self._root, dict):
            self._report(
                self._root_mark, "this document is not a mapping of fields", "begin it with 'kind: …'", "document"
            )
            return None
        return Document(
            file=self._file,
            data=self._root,
            keys=self._keys,
            values=self._values,
            written=self._written,
            void=frozenset(self._void),
        )

    def _take(self, event: yaml.Event) -> bool:
        """Add one event. Return False at a limit: then the rest is not read."""
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
            return True
        if not isinstance(event, yaml.NodeEvent):
            return True
        self.nodes += 1
        if self.nodes > self._nodes_left:
            self._report(self._mark(event), "the file holds too many values", _SPLIT, "too-large")
            return False
        if isinstance(event, yaml.AliasEvent):
            self._report(self._mark(event), "aliases are not used here", "write the value out", "alias")
            self._value(None, event, void=True)
            return True
        self._refuse_properties(event)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
            return True
        return self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event)

    def _open(self, holder: dict[str, Plain] | list[Plain], event: yaml.Event) -> bool:
        if len(self._stack) == MAX_DEPTH:
            what = f"values are nested more than {MAX_DEPTH} deep"
            self._report(
                self._mark(event), what, "no spec needs that depth: look for a bracket that is not closed", "too-deep"
            )
            return False
        parent = self._stack[-1] if self._stack else None
        if parent and parent.wants_key:
            self._bad_key(event, "a list or mapping")
            self._stack.append(_Frame(holder, (*parent.path, _UNATTACHED), is_key=True))
            return True
        path = parent.next_path if parent else ()
        self._value(holder, event)
        self._stack.append(_Frame(holder, path))
        return True

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.is_key:
            self._stack[-1].keyless = True

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text = str(event.value)
        try:
            value = resolve(text) if event.implicit[0] else whole(text)
        except ValueError as error:
            self._report(self._mark(event), str(error), "put quotes around a number that is meant as text", "value")
            self._value(None, event, void=True)
            return
        if self._stack and self._stack[-1].wants_key:
            self._key(value, event)
            return
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._written[self._next_path] = text
        self._value(value, event)

    def _key(self, value: Plain, event: yaml.ScalarEvent) -> None:
        frame = self._stack[-1]
        if not isinstance(value, str):
            self._bad_key(event, "nothing" if value is None else f"{event.value}, which is not text")
            frame.keyless = True
        elif value == "<<" and event.implicit[0]:
            self._report(self._mark(event), "merge keys are not used here", "write the fields out", "merge-key")
            frame.keyless = True
        elif value in frame.holder:
            line, column = self._keys[(*frame.path, value)]
            what = f"the field '{value[:64]}' is here twice, first at {line}:{column}"
            self._report(self._mark(event), what, "keep one of them", "duplicate-key")
            frame.keyless = True
        else:
            self._keys[(*frame.path, value)] = self._mark(event)
            frame.key = value

    def _value(self, value: Plain, event: yaml.Event, *, void: bool = False) -> None:
        if self._stack and self._stack[-1].wants_key:
            # Only an alias or an unusable number gets here. It has been reported, and is no key.
            self._stack[-1].keyless = True
            return
        path, mark = self._next_path, self._mark(event)
        # A value that is not written has no place, so the place of its key stands for it.
        empty = value is None and not void and _index(event.start_mark) == _index(event.end_mark)
        self._values[path] = self._keys.get(path, mark) if empty else mark
        if void:
            self._void.add(path)
        if self._stack:
            self._stack[-1].put(value)
        else:
            self._root, self._root_mark = value, mark

    def _refuse_properties(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._report(self._mark(event), "anchors are not used here", f"remove '&{event.anchor[:64]}'", "anchor")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._report(self._mark(event), "tags are not used here", "remove it: types follow from the field", "tag")

    def _bad_key(self, event: yaml.Event, found: str) -> None:
        self._report(self._mark(event), f"a field's name must be text, is {found}", "put quotes around it", "key")

    @property
    def _next_path(self) -> Path:
        return self._stack[-1].next_path if self._stack else ()

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        assert start is not None
        return self._lines_before + start.line + 1, start.column + 1

    def _report(self, mark: Mark, what: str, hint: str, rule: str) -> None:
        where = Place(file=self._file, line=mark[0], column=mark[1])
        self.problems.append(Problem(where=where, what=what, hint=hint, rule=f"yaml.{rule}"))


def _index(mark: object) -> object:
    return getattr(mark, "index", None)


def _events(text: str) -> Iterator[yaml.Event]:
    """Yield the parser's events.

    From PyYAML 6.0.4 on, the parser refuses a thousand open brackets before it yields the first of them. The text up
    to there is parsed once more, so that our own, lower bound is reported, in the right place.
    """
    count = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            yield event
            count += 1
    except yaml.MarkedYAMLError as error:
        if error.problem_mark is None or "maximum nesting depth" not in str(error.problem):
            raise
        yield from islice(yaml.parse(text[: error.problem_mark.index], Loader=_Loader), count, None)
