"""Counts over the rows of a dataset: labels, system prompts, and the spread of a number. Memory is bounded.

The spread is exact. It counts each different value: n different lengths need n²/2 bytes of rows at least, so a file of
a GiB has fewer than fifty thousand.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate

from xxhash import xxh3_64_intdigest

from reconciler.dataset.sensitive import mask_text
from reconciler.domain.stats import Bin, Label, Labels, Spread, SystemPrompts

LONGEST_LABEL = 60
"""A longer answer is a text, not a label."""

MOST_LABELS = 100
"""With more different answers than this, answers are texts, not labels."""

MOST_PROMPTS = 10_000
"""Different system prompts that are counted."""

SHOWN_LABELS = 20

_SYSTEM = ("system", "developer")
_BINS = 10
_BIN_STEPS = (1, 2, 5)


class AnswerCounts:
    """The number of rows for each answer, while answers may be labels."""

    def __init__(self) -> None:
        self._counts: Counter[str] | None = Counter()

    def add(self, answer: str | None) -> None:
        """Count the answer of one row; None where the row has none."""
        if self._counts is None:
            return
        if answer is None or len(answer) > LONGEST_LABEL:
            self._counts = None
            return
        self._counts[answer] += 1
        if len(self._counts) > MOST_LABELS:
            self._counts = None

    def summarize(self) -> Labels | None:
        """Return the labels; None when answers are texts: long, many, or mostly different."""
        counts = self._counts
        if not counts or 2 * len(counts) > counts.total():
            return None
        by_count = sorted(counts.items(), key=lambda label: (-label[1], label[0]))
        most = tuple(Label(text=mask_text(text), rows=rows) for text, rows in by_count[:SHOWN_LABELS])
        return Labels(kinds=len(counts), most=most)


class SystemPromptCounts:
    """The number of rows for each system prompt."""

    def __init__(self) -> None:
        self._rows = 0
        self._characters = 0
        self._counts: Counter[int] = Counter()
        self._texts: dict[int, str] = {}
        self._are_all = True

    def add(self, row: Mapping[str, object]) -> None:
        """Count the system prompt of one row."""
        texts = [text for role, text in read_turn_texts(row) if role in _SYSTEM]
        if not texts:
            return
        prompt = "\n".join(texts)
        self._rows += 1
        self._characters += sum(map(len, texts))
        key = xxh3_64_intdigest(prompt.encode(errors="surrogatepass"))
        if key in self._counts or len(self._counts) < MOST_PROMPTS:
            self._counts[key] += 1
            self._texts.setdefault(key, prompt[:LONGEST_LABEL])
        else:
            self._are_all = False

    def summarize(self, characters: int) -> SystemPrompts | None:
        """Return what is known of the system prompts, of rows with so many characters; None when no row has one."""
        if not self._rows:
            return None
        key, rows = max(self._counts.items(), key=lambda prompt: (prompt[1], self._texts[prompt[0]]))
        return SystemPrompts(
            rows=self._rows,
            kinds=len(self._counts) if self._are_all else None,
            most=Label(text=mask_text(self._texts[key]), rows=rows),
            share=self._characters / characters if characters else 0.0,
        )


def read_turns(row: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the turns of a conversation; empty where a row is not a conversation."""
    request = row.get("input")
    messages = row.get("messages", request.get("messages") if isinstance(request, Mapping) else None)
    return [turn for turn in messages if isinstance(turn, Mapping)] if isinstance(messages, list) else []


def read_turn_texts(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the role and the text of each turn of a row; text parts of one turn are joined."""
    for turn in read_turns(row):
        yield str(turn.get("role")), _join_parts(turn.get("content"))


def read_answer(row: Mapping[str, object]) -> str | None:
    """Return the answer that a row teaches: its completion, or the last turn when it is the assistant's."""
    completion = row.get("completion")
    if isinstance(completion, str):
        return completion.strip()
    role, text = next(reversed(list(read_turn_texts(row))), ("", ""))
    return text if role == "assistant" and text else None


def _join_parts(content: object) -> str:
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def compute_spread(counts: Counter[int], like: Spread | None = None) -> Spread:
    """Return the spread of values, each with its count; all zero when there are none.

    Shape:  bins end where those of `like` do, so that both can be compared
    """
    values = sorted(counts)
    if not values:
        return Spread(total=0, least=0, median=0, p95=0, most=0, bins=())
    p95 = _quantile(counts, values, 95)
    return Spread(
        total=sum(value * counts[value] for value in values),
        least=values[0],
        median=_quantile(counts, values, 50),
        p95=p95,
        most=values[-1],
        bins=tuple(_bins(counts, values, *(_choose_bins(p95) if like is None or not like.bins else _bins_of(like)))),
    )


def _quantile(counts: Counter[int], values: list[int], percent: int) -> int:
    sums = accumulate(counts[value] for value in values)
    wanted = percent * counts.total()
    return next(value for value, rows in zip(values, sums, strict=True) if 100 * rows >= wanted)


def _choose_bins(p95: int) -> tuple[int, int]:
    # Bins are wide enough to show most rows; one more bin holds the few rows beyond the 95th percentile.
    width = _round_up(-(-p95 // _BINS) or 1)
    return width, -(-p95 // width) or 1


def _bins_of(like: Spread) -> tuple[int, int]:
    ends = [found.most for found in like.bins if found.most is not None]
    return ends[0], len(ends)


def _bins(counts: Counter[int], values: list[int], width: int, last: int) -> Iterator[Bin]:
    rows = Counter[int]()
    for value in values:
        rows[min(-(-value // width) or 1, last + 1)] += counts[value]
    yield from (Bin(most=at * width, rows=rows[at]) for at in range(1, last + 1))
    if rows[last + 1]:
        yield Bin(most=None, rows=rows[last + 1])


def _round_up(width: int) -> int:
    ten = 1
    while True:
        for step in _BIN_STEPS:
            if step * ten >= width:
                return step * ten
        ten *= 10
