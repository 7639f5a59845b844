"""The pieces of Markdown of a review, and their distribution over comments.

GitHub accepts 65,536 characters in a comment. Blocks follow each other; one that is too long continues in the next
part. What does not fit into the last part is counted; a line is never cut in the middle.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import msgspec
from msgspec.structs import replace

from reconciler.render.sanitize import clean, code_block, markdown_code, markdown_text

PART_SIZE = 60_000
"""Characters of one part; the rest of a comment is for the marker and a line of the program that posts it."""

MOST_PARTS = 4
WHOLE_SIZE = PART_SIZE * MOST_PARTS
"""Characters of the whole in one text: at most three bytes each, so that it fits into a job summary of 1 MiB."""

CELL = 90
"""Characters of one value in a table."""

LINE = 300
"""Characters of one line in a list or a fence."""

_NAMES = 3
_GAP = "\n\n"
_CONTINUES = "_Continued in the next comment._"
_CONTINUED = "_Continued._"
_RESERVE = 400


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that belong together, and what surrounds those of them that are in one part.

    Shape:  each of `lines` is far shorter than a part; `rest` says what the lines are, for the count of those left out
    """

    lines: tuple[str, ...]
    around: Callable[[Sequence[str]], str] = "\n".join
    rest: str = "lines"

    @property
    def text(self) -> str:
        return self.around(self.lines)


def text_block(text: str) -> Block:
    """Return a block of one piece."""
    return Block(lines=(text,))


def size_of(text: str) -> int:
    """Return the length as GitHub counts it: characters beyond the first 65,536 of Unicode count twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_into_parts(
    blocks: Sequence[Block], footer: str, *, part_size: int = PART_SIZE, most_parts: int = MOST_PARTS
) -> tuple[str, ...]:
    """Return the blocks in as few parts as they need, each no longer than a part may be; the footer ends the last.

    Shape:  at least one part, and at most so many; what is left out is counted before the footer
    """
    parts, left = _PartWriter(part_size - _RESERVE - size_of(footer), most_parts), list[Block]()
    for block in blocks:
        over = block if left else parts.take(block)
        left += [over] if over and over.lines else []
    texts = parts.texts
    texts[-1] = _GAP.join(filter(None, [texts[-1], _left_out(left), footer]))
    return tuple(_add_continuations(texts))


class _PartWriter:
    """Fills parts one after another; the last one is open."""

    def __init__(self, capacity: int, most_parts: int) -> None:
        self._capacity = capacity
        self._most = most_parts
        self.texts = [""]

    def take(self, block: Block) -> Block | None:
        """Add a block to the parts; return what did not fit, or None."""
        over: Block | None = replace(block, lines=tuple(self._fitting_lines(block)))
        while over and over.lines:
            over = self._add(over)
            if over and len(self.texts) == self._most:
                return over
            if over:
                self.texts.append("")
        return None

    def _fitting_lines(self, block: Block) -> Iterator[str]:
        # A line that fits into no part is not cut, because a cut could leave markup open.
        for line in block.lines:
            is_short = len(line) < self._capacity // 8 or size_of(block.around((line,))) <= self._capacity
            yield line if is_short else "(one line is too long to be shown)"

    def _add(self, block: Block) -> Block | None:
        open_part = self.texts[-1]
        free = self._capacity - size_of(open_part) - len(_GAP)
        count = _count_fitting(block, free)
        # A few lines at the end of a full part are not worth the interruption.
        is_last = len(self.texts) == self._most
        if count < len(block.lines) and open_part and not is_last and free < self._capacity // 4:
            count = 0
        if count:
            shown = block.around(block.lines[:count])
            self.texts[-1] = f"{open_part}{_GAP}{shown}" if open_part else shown
        return replace(block, lines=block.lines[count:]) if count < len(block.lines) else None


def _count_fitting(block: Block, free: int) -> int:
    """Return how many lines of a block fit, by bisection."""
    # What surrounds the lines only adds to them, so the lines alone give an upper bound.
    high = sum(1 for size in accumulate(size_of(line) + 1 for line in block.lines) if size <= free + 1)
    if size_of(block.around(block.lines[:high])) <= free:
        return high
    return max(bisect_right(range(high), free, key=lambda count: size_of(block.around(block.lines[:count]))) - 1, 0)


def _left_out(left: Sequence[Block]) -> str:
    if not left:
        return ""
    counts: dict[str, int] = {}
    for block in left:
        counts[block.rest] = counts.get(block.rest, 0) + len(block.lines)
    missing = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return f"_Too long for comments: {missing} left out. The JSON and HTML formats of the plan hold them._"


def _add_continuations(texts: Sequence[str]) -> Iterator[str]:
    last = len(texts) - 1
    for at, text in enumerate(texts):
        yield _GAP.join([*([_CONTINUED] if at else []), text, *([_CONTINUES] if at < last else [])])


def code(text: str) -> str:
    """Return a name or an id, set as code."""
    return markdown_code(text, limit=CELL)


def sentence(text: str, limit: int = LINE) -> str:
    """Return a sentence as Markdown that shows as it is."""
    return markdown_text(text, limit=limit)


def diff_line(symbol: str, text: str) -> str:
    """Return a line of a diff block; the symbol in its first column decides its colour."""
    return f"{symbol} {clean(text, limit=LINE)}"


def diff_block(lines: Sequence[str]) -> str:
    """Return lines as a code block that GitHub colours as a diff."""
    return code_block("\n".join(lines), "diff")


def bullets(lines: Sequence[str]) -> str:
    """Return lines, each of them Markdown already, as a list."""
    return "\n".join(f"- {line}" for line in lines)


def collapse(summary: str, inside: Callable[[Sequence[str]], str]) -> Callable[[Sequence[str]], str]:
    """Return a function that puts lines behind a summary."""
    return lambda lines: f"<details><summary>{summary}</summary>\n\n{inside(lines)}\n\n</details>"


def list_names(addresses: Sequence[str]) -> str:
    """Return a few names, and the count of the rest."""
    shown = [code(each) for each in addresses[:_NAMES]]
    more = len(addresses) - _NAMES
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
