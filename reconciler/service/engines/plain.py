"""Reads rows and requests as plain text: for engines that know nothing but a text and its answer.

A question is the text of every turn before the answer, one after the other, with the standing instructions (system
and developer turns) kept apart. Texts and answers are taken as they are: nothing is stripped from either.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from reconciler.service.engines.port import Question
from reconciler.service.engines.rows import Faults, checked_rows, enough

INSTRUCTING = frozenset({"system", "developer"})


class NotPlainError(ValueError):
    """A row or a request that is more than text."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A question and the answer that is to be learned."""

    line: int
    question: Question
    answer: str


def read_training(path: Path) -> tuple[Example, ...]:
    """Read a training file whole.

    Raises: DataError when a row breaks a rule or is more than text, or when there are too few
    """
    from reconciler.dataset.checks import MINIMUM_EXAMPLES

    examples = _read(path, "training_file")
    enough("training_file", len(examples), MINIMUM_EXAMPLES)
    return examples


def read_validation(path: Path) -> tuple[Example, ...]:
    """Read a validation file whole.

    Raises: DataError when a row breaks a rule or is more than text, or when there is none
    """
    examples = _read(path, "validation_file")
    enough("validation_file", len(examples), 1)
    return examples


def question_of(messages: Sequence[Mapping[str, object]]) -> Question:
    """Put the turns of a conversation into one question.

    Raises: NotPlainError for calls, images and anything else that is not text
    """
    texts = [(message.get("role") in INSTRUCTING, _text(message)) for message in messages]
    return Question(
        text="\n".join(text for instructs, text in texts if not instructs),
        instructions="\n".join(text for instructs, text in texts if instructs),
    )


def _read(path: Path, param: str) -> tuple[Example, ...]:
    faults = Faults(param)
    examples = tuple(_examples(path, faults))
    faults.settle()
    return examples


def _examples(path: Path, faults: Faults) -> Iterator[Example]:
    for line, row in checked_rows(path, faults):
        try:
            yield _chat(line, row) if "messages" in row else _completion(line, row)
        except NotPlainError as error:
            faults.add(line, str(error))


def _completion(line: int, row: Mapping[str, object]) -> Example:
    return Example(line=line, question=Question(text=str(row["prompt"])), answer=str(row["completion"]))


def _chat(line: int, row: Mapping[str, object]) -> Example:
    for name in ("tools", "functions"):
        if row.get(name):
            raise NotPlainError(f"{name}: this base model does not support tool calls")
    messages = row["messages"]
    assert isinstance(messages, list)
    last = messages[-1]
    if last["role"] != "assistant":
        raise NotPlainError("messages: the last message must be from the assistant")
    if last.get("weight") == 0:
        raise NotPlainError("messages: this base model learns the last message only, and its weight is 0")
    for each in messages:
        if isinstance(each.get("content"), list):
            raise NotPlainError("messages: this base model supports content that is a string only, no parts or images")
    return Example(line=line, question=question_of(messages[:-1]), answer=_text(last))


def _text(message: Mapping[str, object]) -> str:
    if message.get("tool_calls") or message.get("function_call"):
        raise NotPlainError("messages: this base model does not support tool calls")
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return "".join(_part(part) for part in parts)


def _part(part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise NotPlainError("messages: this base model supports text content only")
