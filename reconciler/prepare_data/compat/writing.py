"""Writes prepared files as the old tool did: their names, lines and split, and the message about the next command.

Files appear beside the input, all or none, and never in place of another file.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.prepare_data.compat.table import LegacyTable, Print, TaskKind, guess_table_task
from reconciler.prepare_data.compat.text_validators import find_common_suffix, show_line_breaks

MOST_VALIDATION = 1000
TRAINING_SHARE = 0.8
UNITS = ((60, "seconds", 1), (3600, "minutes", 60), (86400, "hours", 3600))
SPLIT = "- [Recommended] Would you like to split into training and validation set? [Y/n]: "
PROCEED = "\n\nYour data will be written to a new JSONL file. Proceed [Y/n]: "
_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'[\x00-\x1f"\\/]')
_WORDS = 624
_MASK = 0xFFFFFFFF
Accept = Callable[[str], bool]


def write_prepared_table(table: LegacyTable, file: str, write: Print, accept: Accept, *, is_changed: bool) -> None:
    """Write the rows when they changed or are split, and print the command to use next."""
    is_split = guess_table_task(table) is TaskKind.CLASSIFICATION and accept(SPLIT)
    suffix, ending = (show_line_breaks(find_common_suffix(table.column(name))) for name in ("prompt", "completion"))
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
        write(f"\nYou can use your file for fine-tuning:\n{_format_command(file)}\n\n{reminder}{stop}\n")
    elif accept(PROCEED):
        names = _write_files(table, file, is_split)
        extra = f' -v "{names[1]}"{_format_metrics(table)}' if is_split else ""
        files = "s to `" + "` and `".join(names) if is_split else f" to `{names[0]}"
        write(f"\nWrote modified file{files}`\nFeel free to take a look!\n\nNow use that file when fine-tuning:\n")
        write(f"{_format_command(names[0])}{extra}\n\n{reminder if suffix else ''}{stop}\n")
    else:
        write("Aborting... did not write the file\n")
        return
    write(_estimate_time(table))


def _format_command(file: str) -> str:
    return f'> openai api fine_tunes.create -t "{file}"'


def _format_metrics(table: LegacyTable) -> str:
    counts = Counter(table.column("completion"))
    which = (
        f'positive_class "{max(counts, key=lambda name: counts[name])}"'
        if len(counts) == 2
        else f"n_classes {len(counts)}"
    )
    return f" --compute_classification_metrics --classification_{which}"


def _write_files(table: LegacyTable, file: str, is_split: bool) -> tuple[str, ...]:
    names = choose_names(file, ("_train", "_valid") if is_split else ("",))
    halves = _split(table) if is_split else (table,)
    write_new_files({Path(name): _format_table(half) for name, half in zip(names, halves, strict=True)})
    return names


def _split(table: LegacyTable) -> tuple[LegacyTable, LegacyTable]:
    # The old tool found the rest by label, so it loses rows where labels repeat.
    count = max(len(table) - MOST_VALIDATION, int(len(table) * TRAINING_SHARE))
    training = table.take(shuffle(len(table))[:count])
    return training, table.drop_labels(training.row_labels)


def _format_table(table: LegacyTable) -> str:
    # Compact lines, with `/` escaped and characters beyond ASCII as they are.
    pairs = zip(table.column("prompt"), table.column("completion"), strict=True)
    lines = (f'{{"prompt":"{_escape(prompt)}","completion":"{_escape(answer)}"}}\n' for prompt, answer in pairs)
    # pandas wrote an empty line for an empty table.
    return "".join(lines) or "\n"


def choose_names(file: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the prepared files, with the smallest number for which none of them exists."""
    number = 0
    while True:
        mark = f" ({number})" if number else ""
        names = tuple(f"{os.path.splitext(file)[0]}_prepared{suffix}{mark}.jsonl" for suffix in suffixes)
        if not any(os.path.lexists(name) for name in names):
            return names
        number += 1


def write_new_files(files: Mapping[Path, str]) -> None:
    """Write files that do not exist yet. Each appears under its name only when all of them are written.

    Raises: OSError, such as FileExistsError; then no file is left behind
    """
    drafts: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for path, text in files.items():
            draft = path.with_name(f".{path.name}.{os.getpid()}.part")
            drafts.append((draft, path))
            with open(draft, "x", encoding="utf-8", newline="") as file:
                file.write(text)
        for draft, path in drafts:
            _publish(draft, path)
            made.append(path)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    # A link refuses a name that exists; a rename would replace the file.
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links: create the name first, then move the content there.
        path.touch(exist_ok=False)
        draft.replace(path)


def shuffle(count: int, seed: int = 42) -> list[int]:
    """Return the numbers below `count` in the order of numpy's `RandomState(seed).permutation(count)`.

    Source: M. Matsumoto and T. Nishimura's init_genrand; numpy's legacy `shuffle` with its masked rejection
    """
    generator = random.Random()  # noqa: S311 - an order that must repeat, not a secret
    generator.setstate((3, (*_seed_state(seed), _WORDS), None))
    order = list(range(count))
    for place in range(count - 1, 0, -1):
        other = _draw_below(generator, place)
        order[place], order[other] = order[other], order[place]
    return order


def _seed_state(seed: int) -> list[int]:
    state = [seed & _MASK]
    for number in range(1, _WORDS):
        before = state[-1]
        state.append((1812433253 * (before ^ (before >> 30)) + number) & _MASK)
    return state


def _draw_below(generator: random.Random, most: int) -> int:
    mask = (1 << most.bit_length()) - 1
    while (number := generator.getrandbits(32) & mask) > most:
        pass
    return number


def _estimate_time(table: LegacyTable) -> str:
    seconds = 140 + (
        1.44 * len(table) if guess_table_task(table) is TaskKind.CLASSIFICATION else 0.0515 * _estimate_size(table)
    )
    unit, each = next(((unit, each) for limit, unit, each in UNITS if seconds < limit), ("days", 86400))
    return (
        f"Once your model starts training, it'll approximately take {round(seconds / each, 2)} {unit} to train a"
        " `curie` model, and less for `ada` and `babbage`. Queue will approximately take half an hour per job ahead of"
        " you.\n"
    )


def _estimate_size(table: LegacyTable) -> int:
    # The memory that pandas reported for the table: two pointers a row, and either the three numbers of a range, or the
    # labels with their hash table.
    rows = len(table)
    labels = range(rows) if table.labels is None else table.labels
    if isinstance(labels, range):
        return 16 * rows + 48 + sum(28 if number else 24 for number in (labels.start, labels.stop, labels.step))
    buckets = 4
    while buckets * 0.77 + 0.5 < rows:
        buckets *= 2
    return 24 * rows + 40 + 4 * max(1, buckets >> 5) + 16 * buckets


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", text)
