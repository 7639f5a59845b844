"""What the old tool wrote: file names, lines, the split, and the words about the next command."""

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

Accept = Callable[[str], bool]


def write_prepared_table(table: LegacyTable, file: str, say: Print, accept: Accept, *, is_changed: bool) -> None:
    """Write what has changed, or the two halves, and say which command takes it from here."""
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
        say(f"\nYou can use your file for fine-tuning:\n{_format_command(file)}\n\n{reminder}{stop}\n")
    elif accept(PROCEED):
        names = _write_files(table, file, is_split)
        extra = f' -v "{names[1]}"{_format_metrics(table)}' if is_split else ""
        files = "s to `" + "` and `".join(names) if is_split else f" to `{names[0]}"
        say(f"\nWrote modified file{files}`\nFeel free to take a look!\n\nNow use that file when fine-tuning:\n")
        say(f"{_format_command(names[0])}{extra}\n\n{reminder if suffix else ''}{stop}\n")
    else:
        say("Aborting... did not write the file\n")
        return
    say(_estimate_time(table))


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
    # The rest is found by label, as the old tool did: where labels repeat, it loses rows.
    count = max(len(table) - MOST_VALIDATION, int(len(table) * TRAINING_SHARE))
    training = table.take(shuffle(len(table))[:count])
    return training, table.drop_labels(training.row_labels)


def _format_table(table: LegacyTable) -> str:
    lines = (format_row(*row) for row in table.select(("prompt", "completion")).rows)
    # The library behind the old tool wrote an empty line for an empty table.
    return "".join(lines) or "\n"


def choose_names(file: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the prepared files: with the smallest number for which none of them exists."""
    number = 0
    while True:
        mark = f" ({number})" if number else ""
        names = tuple(f"{os.path.splitext(file)[0]}_prepared{suffix}{mark}.jsonl" for suffix in suffixes)
        if not any(os.path.lexists(name) for name in names):
            return names
        number += 1


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


_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'[\x00-\x1f"\\/]')


def format_row(prompt: str, completion: str) -> str:
    """Write a row as the old tool did: compact, `/` escaped, what is not ASCII as it is."""
    return f'{{"prompt":"{_escape(prompt)}","completion":"{_escape(completion)}"}}\n'


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", text)


def write_new_files(files: Mapping[Path, str]) -> None:
    """Write files that do not exist yet: each appears under its name only when all of them are written.

    Raises: OSError, FileExistsError among them, with nothing left behind
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
    # A link refuses a name that is taken, where a rename would put itself in its place.
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links: there the name is taken first, and the content follows.
        path.touch(exist_ok=False)
        draft.replace(path)


_WORDS = 624
_MASK = 0xFFFFFFFF


def shuffle(count: int, seed: int = 42) -> list[int]:
    """Return the numbers below `count` in the order of numpy's `RandomState(seed).permutation(count)`.

    Source: M. Matsumoto and T. Nishimura's init_genrand; numpy's legacy `shuffle` with its masked rejection
    """
    generator = random.Random()  # noqa: S311 - an order to be repeated, nothing to be guessed
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
