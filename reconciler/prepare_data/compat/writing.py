"""What the old tool wrote: file names, lines, the split, and the words about the next command."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from reconciler.prepare_data.compat.affix import Task, common_suffix, shown
from reconciler.prepare_data.compat.finding import Say
from reconciler.prepare_data.compat.output import line_of, write_new
from reconciler.prepare_data.compat.rows import task
from reconciler.prepare_data.compat.shuffle import shuffled
from reconciler.prepare_data.compat.table import Table

MOST_VALIDATION = 1000
TRAINING_SHARE = 0.8
UNITS = ((60, "seconds", 1), (3600, "minutes", 60), (86400, "hours", 3600))
SPLIT = "- [Recommended] Would you like to split into training and validation set? [Y/n]: "
PROCEED = "\n\nYour data will be written to a new JSONL file. Proceed [Y/n]: "

Accept = Callable[[str], bool]


def write_out(table: Table, file: str, say: Say, accept: Accept, *, is_changed: bool) -> None:
    """Write what has changed, or the two halves, and say which command takes it from here."""
    is_split = task(table) is Task.CLASSIFICATION and accept(SPLIT)
    suffix, ending = (shown(common_suffix(table.column(name))) for name in ("prompt", "completion"))
    stop = (
        f' Make sure to include `stop=["{ending}"]` so that the generated texts ends at the expected place.'
        if ending
        else ""
    )
    reminder = (
        f"After you’ve fine-tuned a model, remember that your prompt has to end with the indicator string `{suffix}`"
        " for the model to start generating completions, rather than continuing with the prompt."
    )
    if not is_changed and not is_split:
        say(f"\nYou can use your file for fine-tuning:\n{_command(file)}\n\n{reminder}{stop}\n")
    elif accept(PROCEED):
        names = _written(table, file, is_split)
        extra = f' -v "{names[1]}"{_metrics(table)}' if is_split else ""
        files = "s to `" + "` and `".join(names) if is_split else f" to `{names[0]}"
        say(f"\nWrote modified file{files}`\nFeel free to take a look!\n\nNow use that file when fine-tuning:\n")
        say(f"{_command(names[0])}{extra}\n\n{reminder if suffix else ''}{stop}\n")
    else:
        say("Aborting... did not write the file\n")
        return
    say(_time(table))


def _command(file: str) -> str:
    return f'> openai api fine_tunes.create -t "{file}"'


def _metrics(table: Table) -> str:
    counts = Counter(table.column("completion"))
    which = (
        f'positive_class "{max(counts, key=lambda name: counts[name])}"'
        if len(counts) == 2
        else f"n_classes {len(counts)}"
    )
    return f" --compute_classification_metrics --classification_{which}"


def _written(table: Table, file: str, is_split: bool) -> tuple[str, ...]:
    names = free_names(file, ("_train", "_valid") if is_split else ("",))
    halves = _halves(table) if is_split else (table,)
    write_new({Path(name): _text(half) for name, half in zip(names, halves, strict=True)})
    return names


def _halves(table: Table) -> tuple[Table, Table]:
    # The rest is found by label, as the old tool did: where labels repeat, it loses rows.
    count = max(len(table) - MOST_VALIDATION, int(len(table) * TRAINING_SHARE))
    training = table.at(shuffled(len(table))[:count])
    return training, table.without_labels(training.row_labels)


def _text(table: Table) -> str:
    lines = (line_of(*row) for row in table.only(("prompt", "completion")).rows)
    # The library behind the old tool wrote an empty line for an empty table.
    return "".join(lines) or "\n"


def free_names(file: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the prepared files: with the smallest number for which none of them exists."""
    number = 0
    while True:
        mark = f" ({number})" if number else ""
        names = tuple(f"{os.path.splitext(file)[0]}_prepared{suffix}{mark}.jsonl" for suffix in suffixes)
        if not any(os.path.lexists(name) for name in names):
            return names
        number += 1


def _time(table: Table) -> str:
    seconds = 140 + (1.44 * len(table) if task(table) is Task.CLASSIFICATION else 0.0515 * _size(table))
    unit, each = next(((unit, each) for limit, unit, each in UNITS if seconds < limit), ("days", 86400))
    return (
        f"Once your model starts training, it'll approximately take {round(seconds / each, 2)} {unit} to train a"
        " `curie` model, and less for `ada` and `babbage`. Queue will approximately take half an hour per job ahead of"
        " you.\n"
    )


def _size(table: Table) -> int:
    # What the library behind the old tool said that the table takes: two pointers a row, and then either the three
    # numbers of a range, or the labels with the hash table over them.
    rows = len(table)
    labels = range(rows) if table.labels is None else table.labels
    if isinstance(labels, range):
        return 16 * rows + 48 + sum(28 if number else 24 for number in (labels.start, labels.stop, labels.step))
    buckets = 4
    while buckets * 0.77 + 0.5 < rows:
        buckets *= 2
    return 24 * rows + 40 + 4 * max(1, buckets >> 5) + 16 * buckets
