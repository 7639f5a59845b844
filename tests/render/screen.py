"""A small terminal emulator: what a person sees of what was written."""

import re
from io import StringIO

from reconciler.render.text import width_of

_PIECE = re.compile(r"\x1b\[(\d*)([AJKm])|(\r)|(\n)|([^\x1b\r\n])")


class Screen(StringIO):
    """Keeps rows of a given width, wraps what is too long, and knows the movements that a live line needs."""

    def __init__(self, columns: int = 80) -> None:
        super().__init__()
        self.columns = columns
        self.rows: list[str] = [""]
        self.at = (0, 0)
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        for count, order, back, down, char in _PIECE.findall(text):
            self._do(int(count or 1), order, back, down, char)
        return super().write(text)

    def reflow(self, columns: int) -> None:
        """Make the terminal narrower: rows that are too long are wrapped, and the cursor moves along."""
        rows: list[str] = []
        for row in self.rows:
            rows += [row[i : i + columns] for i in range(0, max(len(row), 1), columns)]
        self.columns, self.rows = columns, rows
        self.at = (len(rows) - 1, len(rows[-1]))

    @property
    def seen(self) -> list[str]:
        return [row.rstrip() for row in self.rows]

    def _do(self, count: int, order: str, back: str, down: str, char: str) -> None:
        row, column = self.at
        if char:
            if column + width_of(char) > self.columns:
                self._go(row + 1, 0)
                row, column = self.at
            line = self.rows[row].ljust(column)
            self.rows[row] = line[:column] + char + line[column + 1 :]
            self.at = (row, column + 1)
        elif back:
            self.at = (row, 0)
        elif down:
            self._go(row + 1, 0)
        elif order == "A":
            self.at = (max(row - count, 0), column)
        elif order == "K":
            self.rows[row] = self.rows[row][:column]
        elif order == "J":
            self.rows[row:] = [self.rows[row][:column]]

    def _go(self, row: int, column: int) -> None:
        self.rows += [""] * (row + 1 - len(self.rows))
        self.at = (row, column)
