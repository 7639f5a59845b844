"""The scan of texts for what they should not hold: reserved tokens, secrets, personal data. Findings are masked.

Reserved tokens mark turns and ends for a model; inside a text they are read as marks, or are spelled out.

Secrets are recognised by their shape. A text that only looks like a secret is a warning; one with a right checksum is
an error.

Source: OpenAI's tiktoken and Harmony response format; the model cards of Llama 3, Qwen and Phi
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.dataset.dataset_checks.example_row import ExampleRow, RowPlaces
from reconciler.dataset.sensitive import find_personal_data
from reconciler.dataset.transcripts import find_turn_words
from reconciler.domain.errors import Problem, Severity
from reconciler.foundation.secret_shapes import find_secrets

# Bytes are searched first: the bar is rare, and a search for one byte costs almost nothing.
_BAR, _OPEN = b"|", b"<|"
_TOKEN = re.compile(r"<\|[a-z][a-z0-9_]{1,40}\|>")
_WORDS = ("[INST]", "[/INST]", "<<SYS>>", "<start_of_turn>", "<end_of_turn>", "<think>", "</think>")
"""Marks of turns that other families of models know: Llama 2, Mistral, Gemma; and of thoughts: DeepSeek, Qwen."""
_MARKS = (b"INST]", b"<<SYS>>", b"_of_turn>", b"think>")


class _ContentFinding(NamedTuple):
    what: str
    severity: Severity = Severity.WARNING


class ContentScan:
    """Searches every text of a row."""

    def __init__(self, rule: str, hint: str, find: Callable[[str], Iterator[_ContentFinding]]) -> None:
        self._rule, self._hint, self._find = rule, hint, find

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        for path, text in example.texts:
            for what, severity in dict.fromkeys(self._find(text)):
                where, rule, hint = places[example.number], self._rule, self._hint
                yield Problem(where=where, path=path[:200], what=what, hint=hint, rule=rule, severity=severity)

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        return iter(())


def scan_for_reserved_tokens() -> ContentScan:
    """Return the scan for words that mark turns and ends for a model."""
    hint = "a model may take it for the end of a turn, or of its thoughts: remove it, unless the model should learn it"
    return ContentScan("text.reserved-token", hint, _find_reserved_tokens)


def scan_for_turn_words() -> ContentScan:
    """Return the scan for conversations that are written into one text."""
    hint = "write each turn with its role, without these words: the model would learn them as a part of the text"
    return ContentScan("text.transcript", hint, _describe_turn_words)


def scan_for_secrets() -> ContentScan:
    """Return the scan for keys and tokens of services: an error where a checksum proves one."""
    hint = "the model may repeat it to its users: remove it, and revoke it at its service"
    return ContentScan("text.secret", hint, _describe_secrets)


def scan_for_personal_data() -> ContentScan:
    """Return the scan for cards, accounts, e-mail addresses, telephone and identity numbers."""
    return ContentScan("text.personal-data", "remove it, or replace it with invented data", _describe_personal_data)


def may_have_reserved_tokens(lines: bytes) -> bool:
    """Return whether lines can hold reserved tokens; fast, for every line of every dataset."""
    return (_BAR in lines and _OPEN in lines) or any(mark in lines for mark in _MARKS)


def _find_reserved_tokens(text: str) -> Iterator[_ContentFinding]:
    tokens = _TOKEN.findall(text) if "<|" in text else []
    tokens += [mark for mark in _WORDS if mark in text]
    tokens = list(dict.fromkeys(tokens))
    return (_ContentFinding(f"a reserved token: {token}") for token in tokens)


def _describe_turn_words(text: str) -> Iterator[_ContentFinding]:
    if words := find_turn_words(text):
        yield _ContentFinding(f"a conversation in one text, marked by {words}")


def _describe_secrets(text: str) -> Iterator[_ContentFinding]:
    for kind, shown, is_sure, _, _ in find_secrets(text):
        what = f"{kind} ({shown}), proved by its checksum" if is_sure else f"what looks like {kind} ({shown})"
        yield _ContentFinding(what, Severity.ERROR if is_sure else Severity.WARNING)


def _describe_personal_data(text: str) -> Iterator[_ContentFinding]:
    return (_ContentFinding(f"what looks like {kind} ({shown})") for kind, shown, _, _ in find_personal_data(text))
