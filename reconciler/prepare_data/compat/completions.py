"""The old tool's validators of completions: common beginning, common ending, and the space in front."""

from reconciler.prepare_data.compat.affix import (
    TaskKind,
    choose_ending,
    find_common_prefix,
    find_common_suffix,
    show_line_breaks,
)
from reconciler.prepare_data.compat.finding import LegacyFinding, Print
from reconciler.prepare_data.compat.prompts import GUIDE, describe_suffix
from reconciler.prepare_data.compat.rows import guess_table_task
from reconciler.prepare_data.compat.table import LegacyCrashError, LegacyTable

SHORTEST_PREFIX = 5


def find_completion_prefix(table: LegacyTable) -> LegacyFinding:
    """Offer to cut a common beginning off every completion, leaving one space where it began with one."""
    completions = table.column("completion")
    prefix = find_common_prefix(completions)
    if len(prefix) < SHORTEST_PREFIX or all(completion == prefix for completion in completions):
        return LegacyFinding(name="common_prefix")
    space = " " if prefix.startswith(" ") else ""
    return LegacyFinding(
        name="common_completion_prefix",
        note=f"\n- All completions start with prefix `{prefix}`. Most of the time you should only add the output data"
        " into the completion, without any prefix",
        optional=f"Remove prefix `{prefix}` from all completions",
        change=lambda later, _: later.map_column("completion", lambda text: space + text[len(prefix) :]),
    )


def find_ending(table: LegacyTable) -> LegacyFinding:
    """Offer an ending for every completion, or speak of the one that is there."""
    completions = table.column("completion")
    if guess_table_task(table) is not TaskKind.CONDITIONAL:
        return LegacyFinding(name="common_suffix")
    suffix = find_common_suffix(completions)
    if all(completion == suffix for completion in completions):
        what = (
            f"All completions are identical: `{suffix}`\nEnsure completions are different, otherwise the model will"
            f" just repeat `{suffix}`"
        )
        return LegacyFinding(name="common_suffix", error=what)
    free = choose_ending(completions)
    if suffix:
        return LegacyFinding(
            name="common_completion_suffix", note=describe_suffix("completion", completions, suffix, free)
        )
    return LegacyFinding(
        name="common_completion_suffix",
        note="\n- Your data does not contain a common ending at the end of your completions. Having a common ending"
        " string appended to the end of the completion makes it clearer to the fine-tuned model where the completion"
        f" should end. See {GUIDE} for more detail and examples.",
        optional=f"Add a suffix ending `{show_line_breaks(free)}` to all completions",
        change=lambda later, _: later.map_column("completion", lambda text: text + free),
    )


def find_space(table: LegacyTable) -> LegacyFinding:
    """Offer a space in front of completions, unless all have one."""
    completions = table.column("completion")
    if len({completion[:1] for completion in completions}) == 1 and completions[0].startswith(" "):
        return LegacyFinding(name="completion_space_start")
    return LegacyFinding(
        name="completion_space_start",
        note="\n- The completion should start with a whitespace character (` `). This tends to produce better results"
        f" due to the tokenization we use. See {GUIDE} for more details",
        optional="Add a whitespace character to the beginning of the completion",
        change=_add_space,
    )


def _add_space(table: LegacyTable, _: Print) -> LegacyTable:
    if "" in table.column("completion"):
        raise LegacyCrashError("IndexError: string index out of range")
    return table.map_column("completion", lambda text: text if text[0] == " " else " " + text)
