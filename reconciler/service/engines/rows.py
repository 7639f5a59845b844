"""Reads the rows of a job file and says everything that is wrong with them, by line. Knows no engine."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format
from reconciler.service.engines.port import DataError

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one line; beyond it no row is read, so that a file without line ends is not read whole."""

SHOWN = 5
"""Problems that a failed job spells out; the others are counted."""

_BOM = b"\xef\xbb\xbf"


class Faults:
    """What is wrong with one file, collected so that it can be said at once."""

    def __init__(self, param: str) -> None:
        self.param = param
        self._shown: list[str] = []
        self._count = 0

    def add(self, line: int, what: str) -> None:
        """Note a fault of a line."""
        self._count += 1
        if self._count <= SHOWN:
            self._shown.append(f"line {line}: {what}")

    def settle(self) -> None:
        """Return when nothing was wrong.

        Raises: DataError that names the first lines and counts the rest
        """
        if self._count:
            more = f" (and {self._count - SHOWN} more)" if self._count > SHOWN else ""
            raise DataError(
                f"invalid_{self.param}", self.param, f"{_title(self.param)}: {'; '.join(self._shown)}{more}"
            )


def enough(param: str, found: int, least: int) -> None:
    """Return when a file has as many examples as the API asks for.

    Raises: DataError
    """
    if found < least:
        message = f"{_title(param)} has {found} example(s), but must have at least {least} examples"
        raise DataError("invalid_n_examples", param, message)


def numbered_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, without a byte order mark; a line beyond `LONGEST_LINE` comes cut."""
    for number in count(1):
        line = handle.readline(LONGEST_LINE + 1)
        if not line:
            return
        yield number, line.removeprefix(_BOM) if number == 1 else line


def parsed(line: bytes, fail: Callable[[str], None]) -> dict[str, object] | None:
    """Read one line as a JSON object, or tell `fail` what it is instead."""
    from reconciler.dataset.canonical import LineError, parse

    if len(line) > LONGEST_LINE:
        fail(f"longer than {LONGEST_LINE} bytes")
        return None
    try:
        row = parse(line)
    except LineError as error:
        fail(f"{error.what} ({error.hint})" if error.hint else error.what)
        return None
    if not isinstance(row, dict):
        fail("not a JSON object")
        return None
    return row


def checked_rows(path: Path, faults: Faults) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the rows that keep the API's rules for their form, each with its line; faults are noted.

    Cost:   one row in memory
    """
    from reconciler.dataset.checks import check

    form: Format | None = None
    with path.open("rb") as handle:
        for number, line in numbered_lines(handle):
            row = parsed(line, lambda what, number=number: faults.add(number, what))  # type: ignore[misc]
            if row is None:
                continue
            # The first row says what the file is; a file that mixes forms is wrong in the other rows.
            form = form or (Format.CHAT if "messages" in row else Format.COMPLETION)
            wrong = [finding for finding in check(row, form) if finding.severity is Severity.ERROR]
            for finding in wrong:
                faults.add(number, f"{finding.path}: {finding.what}" if finding.path else finding.what)
            if not wrong:
                yield number, row


def _title(param: str) -> str:
    return param.replace("_", " ").capitalize()
