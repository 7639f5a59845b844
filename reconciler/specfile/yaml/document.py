"""A document once read: plain data, and the place of every key and value in it."""

from collections.abc import Mapping

import msgspec

from reconciler.domain.errors import Place, Problem

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]
Mark = tuple[int, int]
"""Line and column, both from 1."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Plain data with marks.

    Shape:  `keys` and `values` say where each path stands; `written` keeps numbers as their author wrote them;
            `void` are paths whose value could not be used and has been reported already
    """

    file: str
    data: dict[str, Plain]
    keys: Mapping[Path, Mark]
    values: Mapping[Path, Mark]
    written: Mapping[Path, str] = msgspec.field(default_factory=dict)
    void: frozenset[Path] = frozenset()

    @property
    def place(self) -> Place:
        """Where the document begins."""
        return self.value_place(())

    def key_place(self, path: Path) -> Place:
        """Where a field's key stands; for an item of a list, where the item stands."""
        return self._at(self.keys.get(path) or self._nearest_value(path))

    def value_place(self, path: Path) -> Place:
        """Where a value stands, or the nearest thing around it."""
        return self._at(self._nearest_value(path))

    def get(self, *path: str | int) -> Plain:
        """Return the value at a path; None where there is none."""
        found: Plain = self.data
        for step in path:
            if isinstance(found, dict) and isinstance(step, str):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int):
                found = found[step]
            else:
                return None
        return found

    def text(self, *path: str | int) -> str | None:
        """Return the text at a path; None where there is none, or something else."""
        found = self.get(*path)
        return found if isinstance(found, str) else None

    def problem(self, path: Path, what: str, hint: str, rule: str, *, at_key: bool = False) -> Problem:
        """Say what is wrong with one field of this document."""
        where = self.key_place(path) if at_key else self.value_place(path)
        return Problem(where=where, what=what, path=dotted(path), hint=hint, rule=rule)

    def _nearest_value(self, path: Path) -> Mark:
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]

    def _at(self, mark: Mark) -> Place:
        return Place(file=self.file, line=mark[0], column=mark[1])


def dotted(path: Path) -> str:
    """Write a path as people do: `messages[2].role`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
