"""The format of a dataset's rows: as the spec states it, or as the first row shows it."""

from collections import deque
from collections.abc import Collection, Iterator
from itertools import chain

from reconciler.dataset.report import RowReport
from reconciler.dataset.row_checks import API_KEYS
from reconciler.dataset.sources import Row
from reconciler.domain.errors import Problem
from reconciler.domain.spec import DatasetSpec, Format
from reconciler.foundation.text import list_words

_PROMPTS = ("prompt", "question", "instruction", "input", "query", "user_prompt", "text", "user", "message", "subject")
_COMPLETIONS = (
    *("completion", "answer", "output", "response", "label"),
    *("category", "intent", "classification", "assistant"),
)

_CONVERT = "with `prepare: [{{convert: {{from: {0}}}}}]` they become chat"
_KNOWN_SHAPES = (
    ({"chosen", "rejected"}, "these are preference pairs: the API names them `preferred_output` and "
     "`non_preferred_output`, a list of one turn each, beside `input` with the `messages` so far"),
    ({"conversations"}, f"this is the ShareGPT form: {_CONVERT.format('sharegpt')}"),
    ({"conversation"}, "this is like the ShareGPT form: rename the column to `conversations`, and "
     + _CONVERT.format("sharegpt")),
    ({"contents"}, f"these are Vertex AI's contents and parts: {_CONVERT.format('vertex')}"),
    ({"instruction", "output"}, f"this is the Alpaca form: {_CONVERT.format('alpaca')}"),
    ({"text"}, "plain text has no prompt and no answer: chat training needs both"),
)  # fmt: skip
_PREFERENCE = {"input", "preferred_output", "non_preferred_output"}


def detect_format(rows: Iterator[Row], spec: DatasetSpec, report: RowReport) -> tuple[Format, Iterator[Row]]:
    """Return the format, and the rows from the first on; no rows, and a problem, when their format is unknown."""
    if spec.format:
        return spec.format, rows
    if spec.mapping:
        return Format.CHAT if spec.mapping.turns else Format.COMPLETION, rows
    first = next(rows, None)
    if first is None:
        return Format.CHAT, rows
    found = recognise_format(first.value)
    if found:
        return found, chain((first,), rows)
    report.stop_reading(_unknown_format(first))
    read_to_end(rows)
    return Format.CHAT, iter(())


def recognise_format(value: object) -> Format | None:
    """Return the format that a row's keys show; None when they show none."""
    keys = set(value) if isinstance(value, dict) else set()
    if isinstance(value, dict) and "messages" in keys:
        is_for_grader = keys - API_KEYS and _ends_with_question(value["messages"])
        return Format.REINFORCEMENT if is_for_grader else Format.CHAT
    if keys & _PREFERENCE >= _PREFERENCE - {"input"}:
        return Format.PREFERENCE
    return Format.COMPLETION if {"prompt", "completion"} <= keys else None


def read_to_end(rows: Iterator[Row]) -> None:
    """Read the other rows only for the problems of their reading, so that one run reports all of them."""
    deque(rows, maxlen=0)


def suggest_mapping(columns: Collection[str]) -> str:
    """Return the hint of the mapping that these columns most likely need."""
    if len(columns) < 2:
        return "training needs two texts in a row: what the model is asked, and what it should answer"
    prompt, completion = _likely_pair(columns)
    return f'map them: prompt: "{{{prompt}}}", completion: "{{{completion}}}"'


def _ends_with_question(messages: object) -> bool:
    # Chat ends with an answer. A row that ends with a question, and has other keys, is for a grader.
    last = messages[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, dict) and last.get("role") == "user"


def _likely_pair(columns: Collection[str]) -> tuple[str, str]:
    # By their names, and then by their order.
    by_lower = {column.lower(): column for column in reversed(list(columns))}
    completion = next((by_lower[name] for name in _COMPLETIONS if name in by_lower), "")
    others = [column for column in columns if column != completion]
    prompt = next((by_lower[name] for name in _PROMPTS if by_lower.get(name) in others), "") or others[0]
    return prompt, completion or next(column for column in others if column != prompt)


def _unknown_format(row: Row) -> Problem:
    value = row.value
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "a single value"
        hint = "if the file is one list of rows, name it .json" if isinstance(value, list) else "write each row as {…}"
        return row.problem("row.not-an-object", "", f"the row is {kind}, not an object", hint)
    hint = next((words for keys, words in _KNOWN_SHAPES if keys <= set(value)), "")
    keys = f"rows have neither `messages` nor `prompt` and `completion`; their keys are {list_words(tuple(value))}"
    what = keys if value else "the row is an empty object"
    return row.problem("format.unknown", "", what, hint or suggest_mapping(tuple(value)))
