"""Rows for a base that chooses one of its training answers: few answers, each in several rows, and text only.

The service would find the same, when the rows are uploaded and the job begins.
"""

from collections.abc import Iterator

from xxhash import xxh3_64_intdigest

from reconciler.dataset.dataset_checks.example_row import ExampleRow, RowKeys, RowPlaces
from reconciler.dataset.digest import choose_part
from reconciler.dataset.sources import spec_problem
from reconciler.domain.desired import Part
from reconciler.domain.errors import Problem
from reconciler.domain.spec import AnswerSet, DatasetSpec, Format

_TEXT_BASE = "remove the row, or train a language model: {}"


class AnswerSetCheck:
    """The answers so far on the training side of a dataset.

    Cost:   16 bytes a row
    """

    def __init__(self, spec: DatasetSpec, limits: AnswerSet) -> None:
        self._spec = spec
        self._limits = limits
        self._answers = RowKeys()
        self._has_word = False

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        """Take a row, and yield what it holds beyond text."""
        what = _find_more_than_text(example)
        if what:
            hint = _TEXT_BASE.format(self._limits.other)
            what = f"{what}, and {self._limits.base} reads and answers text only"
            yield Problem(where=places[example.number], what=what, hint=hint, rule="answers.text")
        if choose_part(example.key, self._spec.validation_share) is Part.TRAINING and example.completion is not None:
            self._answers.add(xxh3_64_intdigest(example.completion.encode(errors="surrogatepass")))
            self._has_word = self._has_word or any(map(_is_word, _question(example)))

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        """Yield why the answers are no closed set."""
        rows, answers = len(self._answers), self._answers.count_different()
        why = self._find_fault(rows, answers)
        if rows and why and self._limits.is_learned:
            what = f"{why}; {self._limits.base} chooses one of the answers of its rows, and cannot write text"
            hint = (
                f"give labels or fixed replies, each in {self._limits.rows_each} rows or more; to learn free text,"
                f" train a language model: {self._limits.other}"
            )
            yield spec_problem(self._spec, "answers.closed", "source", what, hint)

    def _find_fault(self, rows: int, answers: int) -> str:
        if answers < self._limits.least:
            return "every row has the same answer"
        if answers * self._limits.rows_each > rows:
            return f"there are {answers} different answers in {rows} rows"
        if answers > self._limits.most:
            return f"there are {answers} different answers, and at most {self._limits.most} are learned"
        return "" if self._has_word else "no row has a word before its answer"


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _question(example: ExampleRow) -> str:
    if example.format is Format.COMPLETION:
        return example.prompt or ""
    turns = _turns(example)[:-1]
    return "\n".join(str(turn.get("content")) for turn in turns if turn.get("role") not in ("system", "developer"))


def _turns(example: ExampleRow) -> list[dict[str, object]]:
    turns = example.row.get("messages")
    return [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []


def _find_more_than_text(example: ExampleRow) -> str:
    if example.format is not Format.CHAT:
        return ""
    if example.row.get("tools") or example.row.get("functions"):
        return "the row offers tools"
    turns = _turns(example)
    if any(turn.get("tool_calls") or turn.get("function_call") for turn in turns):
        return "the row calls a tool"
    if any(isinstance(turn.get("content"), list) for turn in turns):
        return "a message has content in parts"
    if turns and turns[-1].get("role") != "assistant":
        return "the last message is not from the assistant"
    return "the last message has the weight 0" if turns and turns[-1].get("weight") == 0 else ""
