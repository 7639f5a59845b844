"""What is noted of every row, and what that comes to. Answers and system prompts are counted up to a bound."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate

from xxhash import xxh3_64_intdigest

from reconciler.domain.stats import Bin, Label, Labels, Spread, SystemPrompts

LONGEST_LABEL = 60
"""Characters of an answer that may be a label."""

MOST_LABELS = 100
"""Different answers in a dataset of labels: with more of them, answers are texts."""

MOST_PROMPTS = 10_000
"""Different system prompts that are counted."""

SHOWN_LABELS = 20

_SYSTEM = ("system", "developer")


class AnswerCounts:
    """The answers of all rows, as long as they may be labels."""

    def __init__(self) -> None:
        self._seen: Counter[str] | None = Counter()

    def add(self, answer: str | None) -> None:
        """Take the answer of one row in; None where it has none."""
        if self._seen is None:
            return
        if answer is None or len(answer) > LONGEST_LABEL:
            self._seen = None
            return
        self._seen[answer] += 1
        if len(self._seen) > MOST_LABELS:
            self._seen = None

    def summarize(self) -> Labels | None:
        """Return the labels; None when answers are texts: long, many, or most of them there only once."""
        seen = self._seen
        if not seen or 2 * len(seen) > seen.total():
            return None
        by_number = sorted(seen.items(), key=lambda label: (-label[1], label[0]))
        most = tuple(Label(text=text, rows=rows) for text, rows in by_number[:SHOWN_LABELS])
        return Labels(kinds=len(seen), most=most)


class SystemPromptCounts:
    """The system prompts of all rows."""

    def __init__(self) -> None:
        self._rows = 0
        self._characters = 0
        self._seen: Counter[int] = Counter()
        self._texts: dict[int, str] = {}
        self._are_all = True

    def add(self, row: Mapping[str, object]) -> None:
        """Take one row in."""
        said = [text for role, text in read_turn_texts(row) if role in _SYSTEM]
        if not said:
            return
        prompt = "\n".join(said)
        self._rows += 1
        self._characters += sum(map(len, said))
        key = xxh3_64_intdigest(prompt.encode(errors="surrogatepass"))
        if key in self._seen or len(self._seen) < MOST_PROMPTS:
            self._seen[key] += 1
            self._texts.setdefault(key, prompt[:LONGEST_LABEL])
        else:
            self._are_all = False

    def summarize(self, characters: int) -> SystemPrompts | None:
        """Return the system prompts of rows with so many characters in all; None when no row has one."""
        if not self._rows:
            return None
        key, rows = max(self._seen.items(), key=lambda each: (each[1], self._texts[each[0]]))
        return SystemPrompts(
            rows=self._rows,
            kinds=len(self._seen) if self._are_all else None,
            most=Label(text=self._texts[key], rows=rows),
            share=self._characters / characters if characters else 0.0,
        )


def read_turns(row: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the turns of a conversation; none where a row is no conversation."""
    within = row.get("input")
    held = row.get("messages", within.get("messages") if isinstance(within, Mapping) else None)
    return [turn for turn in held if isinstance(turn, Mapping)] if isinstance(held, list) else []


def read_turn_texts(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the role and the text of each turn of a row; the text parts of one turn are one text."""
    for turn in read_turns(row):
        yield str(turn.get("role")), _join_parts(turn.get("content"))


def read_answer(row: Mapping[str, object]) -> str | None:
    """Return what a row teaches to answer: its completion, or the last turn when that is the assistant's."""
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


_BINS = 10
_STEPS = (1, 2, 5)


def compute_spread(seen: Counter[int], like: Spread | None = None) -> Spread:
    """Return the spread of values, each with how often it was seen; all zero when none was.

    Shape:  the bins end where those of `like` do, so that both may be compared
    """
    values = sorted(seen)
    if not values:
        return Spread(total=0, least=0, median=0, p95=0, most=0, bins=())
    p95 = _quantile(seen, values, 95)
    return Spread(
        total=sum(value * seen[value] for value in values),
        least=values[0],
        median=_quantile(seen, values, 50),
        p95=p95,
        most=values[-1],
        bins=tuple(_bins(seen, values, *(_choose_bins(p95) if like is None or not like.bins else _bins_of(like)))),
    )


def _quantile(seen: Counter[int], values: list[int], percent: int) -> int:
    sums = accumulate(seen[value] for value in values)
    wanted = percent * seen.total()
    return next(value for value, rows in zip(values, sums, strict=True) if 100 * rows >= wanted)


def _choose_bins(p95: int) -> tuple[int, int]:
    # As wide as shows most rows well; what a few long rows are beyond is one bin.
    width = _round_up(-(-p95 // _BINS) or 1)
    return width, -(-p95 // width) or 1


def _bins_of(like: Spread) -> tuple[int, int]:
    ends = [each.most for each in like.bins if each.most is not None]
    return ends[0], len(ends)


def _bins(seen: Counter[int], values: list[int], width: int, last: int) -> Iterator[Bin]:
    rows = Counter[int]()
    for value in values:
        rows[min(-(-value // width) or 1, last + 1)] += seen[value]
    yield from (Bin(most=at * width, rows=rows[at]) for at in range(1, last + 1))
    if rows[last + 1]:
        yield Bin(most=None, rows=rows[last + 1])


def _round_up(width: int) -> int:
    ten = 1
    while True:
        for step in _STEPS:
            if step * ten >= width:
                return step * ten
        ten *= 10
