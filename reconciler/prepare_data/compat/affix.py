"""What the texts of a column have in common, and which separators they leave free. Counts characters, not bytes."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from string import ascii_lowercase, ascii_uppercase

SEPARATORS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n")
LAST_SEPARATOR = "\n\n### =>\n\n"
ENDINGS = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%")
LAST_ENDING = " [END]"

_UPPER = ascii_uppercase.encode()
_LOWER = ascii_lowercase.encode()


class TaskKind(StrEnum):
    """What the rows are most likely meant to teach."""

    OPEN_ENDED = "open-ended generation"
    CLASSIFICATION = "classification"
    CONDITIONAL = "conditional generation"


def guess_task(prompts: Iterable[str], completions: Sequence[str]) -> TaskKind:
    """Return the task: no prompts at all, few different answers (under a third of the rows), or anything else."""
    if not any(prompts):
        return TaskKind.OPEN_ENDED
    return TaskKind.CLASSIFICATION if len(set(completions)) < len(completions) / 3 else TaskKind.CONDITIONAL


def find_common_prefix(texts: Sequence[str]) -> str:
    """Return the longest text that all of them begin with."""
    if not texts:
        return ""
    # What the first and the last in order share, all in between share.
    first, last = min(texts), max(texts)
    differing = (place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(differing, len(first))]


def find_common_suffix(texts: Sequence[str]) -> str:
    """Return the longest text that all of them end with."""
    return find_common_prefix([text[::-1] for text in texts])[::-1]


def choose_separator(prompts: Sequence[str]) -> str:
    """Return the first usual separator that no prompt contains; the plain arrow only if no prompt has line breaks."""
    several_lines = any("\n" in prompt for prompt in prompts)
    for separator in SEPARATORS:
        if separator == SEPARATORS[0] and several_lines:
            continue
        if not any(separator in prompt for prompt in prompts):
            return separator
    return LAST_SEPARATOR


def choose_ending(completions: Sequence[str]) -> str:
    """Return the first usual ending that no completion contains."""
    free = (ending for ending in ENDINGS if not any(ending in completion for completion in completions))
    return next(free, LAST_ENDING)


def is_mostly_upper(texts: Iterable[str]) -> bool:
    """Return whether more than a third of the letters that have a case are upper case."""
    upper = lower = 0
    for text in texts:
        if text.isascii():
            raw = text.encode()
            upper += len(raw) - len(raw.translate(None, _UPPER))
            lower += len(raw) - len(raw.translate(None, _LOWER))
        else:
            upper += sum(char.isupper() and char.isalpha() for char in text)
            lower += sum(char.islower() and char.isalpha() for char in text)
    return upper * 2 > lower


def show_line_breaks(text: str) -> str:
    """Write line breaks as `\\n`, as the old tool did in most of its messages."""
    return text.replace("\n", "\\n")
