"""The old tool's validators of completions: common beginning, common ending, and the space in front."""

from reconciler.prepare_data.compat.affix import Task, common_prefix, common_suffix, free_ending, shown
from reconciler.prepare_data.compat.finding import Finding, Say
from reconciler.prepare_data.compat.prompts import GUIDE, said_of_suffix
from reconciler.prepare_data.compat.rows import task
from reconciler.prepare_data.compat.table import DiesHereError, Table

SHORTEST_PREFIX = 5


def find_prefix(table: Table) -> Finding:
    """Offer to cut a common beginning off every completion, leaving one space where it began with one."""
    completions = table.column("completion")
    prefix = common_prefix(completions)
    if len(prefix) < SHORTEST_PREFIX or all(completion == prefix for completion in completions):
        return Finding(name="common_prefix")
    space = " " if prefix.startswith(" ") else ""
    return Finding(
        name="common_completion_prefix",
        note=f"\n- All completions start with prefix `{prefix}`. Most of the time you should only add the output data"
        " into the completion, without any prefix",
        optional=f"Remove prefix `{prefix}` from all completions",
        change=lambda later, _: later.changed("completion", lambda text: space + text[len(prefix) :]),
    )


def find_ending(table: Table) -> Finding:
    """Offer an ending for every completion, or speak of the one that is there."""
    completions = table.column("completion")
    if task(table) is not Task.CONDITIONAL:
        return Finding(name="common_suffix")
    suffix = common_suffix(completions)
    if all(completion == suffix for completion in completions):
        what = (
            f"All completions are identical: `{suffix}`\nEnsure completions are different, otherwise the model will"
            f" just repeat `{suffix}`"
        )
        return Finding(name="common_suffix", error=what)
    free = free_ending(completions)
    if suffix:
        return Finding(name="common_completion_suffix", note=said_of_suffix("completion", completions, suffix, free))
    return Finding(
        name="common_completion_suffix",
        note="\n- Your data does not contain a common ending at the end of your completions. Having a common ending"
        " string appended to the end of the completion makes it clearer to the fine-tuned model where the completion"
        f" should end. See {GUIDE} for more detail and examples.",
        optional=f"Add a suffix ending `{shown(free)}` to all completions",
        change=lambda later, _: later.changed("completion", lambda text: text + free),
    )


def find_space(table: Table) -> Finding:
    """Offer a space in front of completions, unless all have one."""
    completions = table.column("completion")
    if len({completion[:1] for completion in completions}) == 1 and completions[0].startswith(" "):
        return Finding(name="completion_space_start")
    return Finding(
        name="completion_space_start",
        note="\n- The completion should start with a whitespace character (` `). This tends to produce better results"
        f" due to the tokenization we use. See {GUIDE} for more details",
        optional="Add a whitespace character to the beginning of the completion",
        change=_add_space,
    )


def _add_space(table: Table, _: Say) -> Table:
    if "" in table.column("completion"):
        raise DiesHereError("IndexError: string index out of range")
    return table.changed("completion", lambda text: text if text[0] == " " else " " + text)
