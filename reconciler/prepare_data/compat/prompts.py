"""The old tool's validators of prompts: their case, their common ending and their common beginning."""

from collections.abc import Callable

from reconciler.prepare_data.compat.affix import (
    TaskKind,
    choose_separator,
    find_common_prefix,
    find_common_suffix,
    is_mostly_upper,
    show_line_breaks,
)
from reconciler.prepare_data.compat.finding import LegacyFinding
from reconciler.prepare_data.compat.rows import guess_table_task
from reconciler.prepare_data.compat.table import LegacyTable

GUIDE = "https://platform.openai.com/docs/guides/fine-tuning/preparing-your-dataset"
LONG_AFFIX = 10
LONG_PREFIX = 12


def find_upper(column: str) -> Callable[[LegacyTable], LegacyFinding]:
    """Return the validator that offers to lower the case of a column."""

    def validator(table: LegacyTable) -> LegacyFinding:
        if not is_mostly_upper(table.column(column)):
            return LegacyFinding(name="lower_case")
        return LegacyFinding(
            name="lower_case",
            note=f"\n- More than a third of your `{column}` column/key is uppercase. Uppercase {column}s tends to"
            " perform worse than a mixture of case encountered in normal language. We recommend to lower case the data"
            f" if that makes sense in your domain. See {GUIDE} for more details",
            optional=f"Lowercase all your data in column/key `{column}`",
            change=lambda later, _: later.map_column(column, str.lower),
        )

    return validator


def find_separator(table: LegacyTable) -> LegacyFinding:
    """Offer a separator at the end of every prompt, or speak of the one that is there."""
    prompts = table.column("prompt")
    if guess_table_task(table) is TaskKind.OPEN_ENDED:
        return LegacyFinding(name="common_suffix")
    free, suffix = choose_separator(prompts), find_common_suffix(prompts)
    if all(prompt == suffix for prompt in prompts):
        what = (
            f"All prompts are identical: `{suffix}`\nConsider leaving the prompts blank if you want to do open-ended"
            " generation, otherwise ensure prompts are different"
        )
        return LegacyFinding(name="common_suffix", error=what)
    if suffix:
        return LegacyFinding(name="common_completion_suffix", note=describe_suffix("prompt", prompts, suffix, free))
    return LegacyFinding(
        name="common_completion_suffix",
        note="\n- Your data does not contain a common separator at the end of your prompts. Having a separator string"
        " appended to the end of the prompt makes it clearer to the fine-tuned model where the completion should"
        f" begin. See {GUIDE} for more detail and examples. If you intend to do open-ended generation, then you should"
        " leave the prompts empty",
        optional=f"Add a suffix separator `{show_line_breaks(free)}` to all prompts",
        change=lambda later, _: later.map_column("prompt", lambda text: text + free),
    )


def describe_suffix(column: str, texts: list[str], suffix: str, free: str) -> str:
    """Return the words about a common ending: that it is there, is long, or occurs a second time."""
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


def find_prompt_prefix(table: LegacyTable) -> LegacyFinding:
    """Offer to cut a long common beginning off every prompt; mention a short one."""
    prompts = table.column("prompt")
    prefix = find_common_prefix(prompts)
    if not prefix or all(prompt == prefix for prompt in prompts):
        return LegacyFinding(name="common_prefix")
    note = f"\n- All prompts start with prefix `{prefix}`"
    if len(prefix) <= LONG_PREFIX:
        return LegacyFinding(name="common_prompt_prefix", note=note)
    return LegacyFinding(
        name="common_prompt_prefix",
        note=f"{note}. Fine-tuning doesn't require the instruction specifying the task, or a few-shot example scenario."
        " Most of the time you should only add the input data into the prompt, and the desired output into the"
        " completion",
        optional=f"Remove prefix `{prefix}` from all prompts",
        change=lambda later, _: later.map_column("prompt", lambda text: text[len(prefix) :]),
    )
