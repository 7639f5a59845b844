"""The old tool's validators of prompts and completions: their case, their common start and end, the first space.

Lengths are counted in characters, not in bytes.
"""

from collections.abc import Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase

from reconciler.prepare_data.compat.table import (
    NO_FINDING,
    LegacyCrashError,
    LegacyFinding,
    LegacyTable,
    Print,
    TaskKind,
    guess_table_task,
)

GUIDE = "https://platform.openai.com/docs/guides/fine-tuning/preparing-your-dataset"
LONG_AFFIX = 10
LONG_PREFIX = 12
SHORTEST_PREFIX = 5
SEPARATORS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n")
LAST_SEPARATOR = "\n\n### =>\n\n"
ENDINGS = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%")
LAST_ENDING = " [END]"
_UPPER = ascii_uppercase.encode()
_LOWER = ascii_lowercase.encode()


def find_upper(column: str, table: LegacyTable) -> LegacyFinding:
    """Offer to lower the case of a column of mostly capital letters."""
    if not is_mostly_upper(table.column(column)):
        return NO_FINDING
    return LegacyFinding(
        note=f"\n- More than a third of your `{column}` column/key is uppercase. Uppercase {column}s tends to perform"
        " worse than a mixture of case encountered in normal language. We recommend to lower case the data if that"
        f" makes sense in your domain. See {GUIDE} for more details",
        optional=f"Lowercase all your data in column/key `{column}`",
        change=lambda later, _: later.map_column(column, str.lower),
    )


def find_separator(table: LegacyTable) -> LegacyFinding:
    """Offer to add a separator to the end of every prompt, or describe the one that exists."""
    prompts = table.column("prompt")
    if guess_table_task(table) is TaskKind.OPEN_ENDED:
        return NO_FINDING
    free, suffix = choose_separator(prompts), find_common_suffix(prompts)
    if all(prompt == suffix for prompt in prompts):
        what = (
            f"All prompts are identical: `{suffix}`\nConsider leaving the prompts blank if you want to do open-ended"
            " generation, otherwise ensure prompts are different"
        )
        return LegacyFinding(name="common_suffix", error=what)
    if suffix:
        return LegacyFinding(note=_describe_suffix("prompt", prompts, suffix, free))
    return LegacyFinding(
        note="\n- Your data does not contain a common separator at the end of your prompts. Having a separator string"
        " appended to the end of the prompt makes it clearer to the fine-tuned model where the completion should"
        f" begin. See {GUIDE} for more detail and examples. If you intend to do open-ended generation, then you should"
        " leave the prompts empty",
        optional=f"Add a suffix separator `{show_line_breaks(free)}` to all prompts",
        change=lambda later, _: later.map_column("prompt", lambda text: text + free),
    )


def find_prompt_prefix(table: LegacyTable) -> LegacyFinding:
    """Offer to remove a long common start of prompts; report a short one."""
    prompts = table.column("prompt")
    prefix = find_common_prefix(prompts)
    if not prefix or all(prompt == prefix for prompt in prompts):
        return NO_FINDING
    note = f"\n- All prompts start with prefix `{prefix}`"
    if len(prefix) <= LONG_PREFIX:
        return LegacyFinding(note=note)
    return LegacyFinding(
        note=f"{note}. Fine-tuning doesn't require the instruction specifying the task, or a few-shot example scenario."
        " Most of the time you should only add the input data into the prompt, and the desired output into the"
        " completion",
        optional=f"Remove prefix `{prefix}` from all prompts",
        change=lambda later, _: later.map_column("prompt", lambda text: text[len(prefix) :]),
    )


def find_completion_prefix(table: LegacyTable) -> LegacyFinding:
    """Offer to remove a common start of completions; keep one space where it begins with a space."""
    completions = table.column("completion")
    prefix = find_common_prefix(completions)
    if len(prefix) < SHORTEST_PREFIX or all(completion == prefix for completion in completions):
        return NO_FINDING
    space = " " if prefix.startswith(" ") else ""
    return LegacyFinding(
        note=f"\n- All completions start with prefix `{prefix}`. Most of the time you should only add the output data"
        " into the completion, without any prefix",
        optional=f"Remove prefix `{prefix}` from all completions",
        change=lambda later, _: later.map_column("completion", lambda text: space + text[len(prefix) :]),
    )


def find_ending(table: LegacyTable) -> LegacyFinding:
    """Offer to add an ending to every completion, or describe the one that exists."""
    completions = table.column("completion")
    if guess_table_task(table) is not TaskKind.CONDITIONAL:
        return NO_FINDING
    suffix = find_common_suffix(completions)
    if all(completion == suffix for completion in completions):
        what = (
            f"All completions are identical: `{suffix}`\nEnsure completions are different, otherwise the model will"
            f" just repeat `{suffix}`"
        )
        return LegacyFinding(name="common_suffix", error=what)
    free = choose_ending(completions)
    if suffix:
        return LegacyFinding(note=_describe_suffix("completion", completions, suffix, free))
    return LegacyFinding(
        note="\n- Your data does not contain a common ending at the end of your completions. Having a common ending"
        " string appended to the end of the completion makes it clearer to the fine-tuned model where the completion"
        f" should end. See {GUIDE} for more detail and examples.",
        optional=f"Add a suffix ending `{show_line_breaks(free)}` to all completions",
        change=lambda later, _: later.map_column("completion", lambda text: text + free),
    )


def find_space(table: LegacyTable) -> LegacyFinding:
    """Offer to add a space to the start of completions, unless all have one."""
    completions = table.column("completion")
    if len({completion[:1] for completion in completions}) == 1 and completions[0].startswith(" "):
        return NO_FINDING
    return LegacyFinding(
        note="\n- The completion should start with a whitespace character (` `). This tends to produce better results"
        f" due to the tokenization we use. See {GUIDE} for more details",
        optional="Add a whitespace character to the beginning of the completion",
        change=_add_space,
    )


def _add_space(table: LegacyTable, _: Print) -> LegacyTable:
    if "" in table.column("completion"):
        raise LegacyCrashError("IndexError: string index out of range")
    return table.map_column("completion", lambda text: text if text[0] == " " else " " + text)


def _describe_suffix(column: str, texts: list[str], suffix: str, free: str) -> str:
    """Return the note on a common ending: that it exists, is long, or occurs a second time."""
    note = f"\n- All {column}s end with suffix `{show_line_breaks(suffix)}`"
    if len(suffix) > LONG_AFFIX:
        shorter = show_line_breaks(free)
        note += f". This suffix seems very long. Consider replacing with a shorter suffix, such as `{shorter}`"
    if any(suffix in text[: -len(suffix)] for text in texts):
        strongly = "strongly suggest" if column == "prompt" else "suggest"
        unique = "suffix" if column == "prompt" else "ending"
        note += (
            f"\n  WARNING: Some of your {column}s contain the suffix `{suffix}` more than once. We {strongly} that you"
            f" review your {column}s and add a unique {unique}"
        )
    return note


def find_common_prefix(texts: Sequence[str]) -> str:
    """Return the longest text that all of them begin with."""
    if not texts:
        return ""
    # All texts between the first and the last in order share what these two share.
    first, last = min(texts), max(texts)
    differing = (place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(differing, len(first))]


def find_common_suffix(texts: Sequence[str]) -> str:
    """Return the longest text that all of them end with."""
    return find_common_prefix([text[::-1] for text in texts])[::-1]


def choose_separator(prompts: Sequence[str]) -> str:
    """Return the first usual separator that no prompt contains; the arrow only when no prompt has line breaks."""
    has_line_breaks = any("\n" in prompt for prompt in prompts)
    for separator in SEPARATORS:
        if separator == SEPARATORS[0] and has_line_breaks:
            continue
        if not any(separator in prompt for prompt in prompts):
            return separator
    return LAST_SEPARATOR


def choose_ending(completions: Sequence[str]) -> str:
    """Return the first usual ending that no completion contains."""
    free = (ending for ending in ENDINGS if not any(ending in completion for completion in completions))
    return next(free, LAST_ENDING)


def is_mostly_upper(texts: Iterable[str]) -> bool:
    """Return whether more than a third of the letters with a case are upper case."""
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
