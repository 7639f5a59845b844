"""Reads and checks the rows of a job file, as questions and answers in plain text. Knows no engine."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format
from reconciler.service.engines.port import Classes, DataError, ModelQuestion

LONGEST_LINE = 64 * 1024 * 1024
"""The longest line, in bytes. A file without line ends is never read whole."""

SHOWN = 5
"""The number of problems that a failed job lists; the others are counted."""

WORD = r"\b\w+\b"
"""What counts as a word, for models that read words and for every count of tokens."""

_BOM = b"\xef\xbb\xbf"


RowCheck = Callable[[dict[str, object], Format], Iterable[Any]]
"""Returns the findings of a row, as the dataset package has them."""


class RowErrors:
    """The errors of one file, collected so that one message names them."""

    def __init__(self, param: str) -> None:
        self.param = param
        self._shown: list[str] = []
        self._count = 0

    def add(self, line: int, what: str) -> None:
        """Add an error of a line."""
        self._count += 1
        if self._count <= SHOWN:
            self._shown.append(f"line {line}: {what}")

    def raise_if_any(self) -> None:
        """Return when there was no error.

        Raises: DataError that names the first lines and counts the rest
        """
        if self._count:
            more = f" (and {self._count - SHOWN} more)" if self._count > SHOWN else ""
            raise DataError(
                f"invalid_{self.param}", self.param, f"{_title(self.param)}: {'; '.join(self._shown)}{more}"
            )


def check_count(param: str, found: int, least: int) -> None:
    """Return when a file has as many examples as the API requires.

    Raises: DataError
    """
    if found < least:
        message = f"{_title(param)} has {found} example(s), but must have at least {least} examples"
        raise DataError("invalid_n_examples", param, message)


def numbered_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, without a byte order mark. A line beyond `LONGEST_LINE` is cut."""
    for number in count(1):
        line = handle.readline(LONGEST_LINE + 1)
        if not line:
            return
        yield number, line.removeprefix(_BOM) if number == 1 else line


def parse_row(line: bytes, fail: Callable[[str], None]) -> dict[str, object] | None:
    """Return one line as a JSON object, or call `fail` with what is wrong and return None."""
    # Only uploads and training read rows: a service that starts does not wait for the dataset package.
    from reconciler.dataset import LineError, decode_json

    if len(line) > LONGEST_LINE:
        fail(f"longer than {LONGEST_LINE} bytes")
        return None
    try:
        row = decode_json(line)
    except LineError as error:
        fail(f"{error.what} ({error.hint})" if error.hint else error.what)
        return None
    if not isinstance(row, dict):
        fail("not a JSON object")
        return None
    return row


def iterate_checked_rows(path: Path, errors: RowErrors, check_row: RowCheck) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the rows that follow the API's rules for their format, each with its line. Collect all errors.

    Cost:   one row in memory
    """
    form: Format | None = None
    with path.open("rb") as handle:
        for number, line in numbered_lines(handle):
            row = parse_row(line, lambda what, number=number: errors.add(number, what))  # type: ignore[misc]
            if row is None:
                continue
            # The first row decides the format; in a file that mixes formats the other rows are wrong.
            form = form or (Format.CHAT if "messages" in row else Format.COMPLETION)
            wrong = [finding for finding in check_row(row, form) if finding.severity is Severity.ERROR]
            for finding in wrong:
                errors.add(number, f"{finding.path}: {finding.what}" if finding.path else finding.what)
            if not wrong:
                yield number, row


def _title(param: str) -> str:
    return param.replace("_", " ").capitalize()


INSTRUCTING = frozenset({"system", "developer"})


class NotTextError(ValueError):
    """A row or a request that holds more than text."""


class TrainingExample(msgspec.Struct, frozen=True, kw_only=True):
    """A question and the answer to learn."""

    line: int
    question: ModelQuestion
    answer: str


def read_training(path: Path) -> tuple[TrainingExample, ...]:
    """Read a training file whole.

    Raises: DataError when a row breaks a rule or holds more than text, or when there are too few
    """
    return _read_examples(path, "training_file")


def read_validation(path: Path) -> tuple[TrainingExample, ...]:
    """Read a validation file whole.

    Raises: DataError when a row breaks a rule or holds more than text, or when there is none
    """
    return _read_examples(path, "validation_file")


def make_question(messages: Sequence[Mapping[str, object]]) -> ModelQuestion:
    """Join the messages of a conversation to one question, with the system and developer messages kept apart.

    Raises: NotTextError for calls, images and anything else that is not text
    """
    texts = [(message.get("role") in INSTRUCTING, _message_text(message)) for message in messages]
    return ModelQuestion(
        text="\n".join(text for instructs, text in texts if not instructs),
        instructions="\n".join(text for instructs, text in texts if instructs),
    )


def _read_examples(path: Path, param: str) -> tuple[TrainingExample, ...]:
    # As above: only training needs the row checks.
    from reconciler.dataset.row_checks import MINIMUM_EXAMPLES, check_row

    errors = RowErrors(param)
    examples = []
    for line, row in iterate_checked_rows(path, errors, check_row):
        try:
            examples.append(_chat_example(line, row) if "messages" in row else _completion_example(line, row))
        except NotTextError as error:
            errors.add(line, str(error))
    errors.raise_if_any()
    check_count(param, len(examples), MINIMUM_EXAMPLES if param == "training_file" else 1)
    return tuple(examples)


def _completion_example(line: int, row: Mapping[str, object]) -> TrainingExample:
    return TrainingExample(line=line, question=ModelQuestion(text=str(row["prompt"])), answer=str(row["completion"]))


def _chat_example(line: int, row: Mapping[str, object]) -> TrainingExample:
    for name in ("tools", "functions"):
        if row.get(name):
            raise NotTextError(f"{name}: this base model does not support tool calls")
    messages = row["messages"]
    assert isinstance(messages, list)
    last = messages[-1]
    if last["role"] != "assistant":
        raise NotTextError("messages: the last message must be from the assistant")
    if last.get("weight") == 0:
        raise NotTextError("messages: this base model learns the last message only, and its weight is 0")
    for each in messages:
        if isinstance(each.get("content"), list):
            raise NotTextError("messages: this base model supports content that is a string only, no parts or images")
    return TrainingExample(line=line, question=make_question(messages[:-1]), answer=_message_text(last))


def _message_text(message: Mapping[str, object]) -> str:
    if message.get("tool_calls") or message.get("function_call"):
        raise NotTextError("messages: this base model does not support tool calls")
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return "".join(_part_text(part) for part in parts)


def _part_text(part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise NotTextError("messages: this base model supports text content only")


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(re.findall(WORD, text))


def visible_text(question: ModelQuestion, *, reads_instructions: bool) -> str:
    """Return the text that a model reads: instructions are read only where they differ between training rows."""
    return f"{question.instructions}\n{question.text}" if reads_instructions else question.text


def check_classes(classes: Classes, training: Sequence[str], validation: Sequence[str]) -> None:
    """Return when the rows have the classes that the job says they have.

    Raises: DataError
    """
    if classes.positive is not None and classes.positive not in validation:
        what = f"The specified positive class '{classes.positive}' is not among the classes of the validation file"
        raise _refusal(f"{what}: {_list_classes(set(validation))}")
    # A class that only one of the files has is a class too, so the two files are counted together.
    found = {*training, *validation}
    if len(found) != classes.count:
        what = (
            "The number of classes in the files does not match the number of classes specified in the hyperparameters"
        )
        raise _refusal(f"{what}: {len(found)} found, {classes.count} specified; they are {_list_classes(found)}")


def _refusal(message: str) -> DataError:
    return DataError("invalid_validation_file", "validation_file", message)


def _list_classes(classes: set[str]) -> str:
    first = ", ".join(repr(each) for each in sorted(classes)[:5])
    return f"{first} and {len(classes) - 5} more" if len(classes) > 5 else first
