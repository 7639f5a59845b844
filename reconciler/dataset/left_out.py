"""The keys and columns that a conversion or a mapping leaves out: counted, and named when the pass is over."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from reconciler.dataset.hints import (
    TURN_WEIGHTS,
    describe_meaning,
    find_choices,
    is_for_training,
    judges_by_value,
    needs_decision,
    plain_name,
    says_either_way,
    says_split,
    suggest_before_conversion,
    suggest_in_mapping,
    write_step,
)
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.prepare import DropColumns, DropTurnKeys, Operation, TurnWeight
from reconciler.foundation.text import list_words, yaml_quoted

_MOST_KEYS = 1000
"""Keys that are counted; rows may have keys without end."""


class LeftOut:
    """The keys that are left out of rows: by their path, in how many rows each holds something.

    Shape:  a path has no positions: `messages[].loss`; `holders` has, by path, the keys that are read of its object,
            and those of the first such object
    """

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.holders: dict[str, tuple[Collection[str], Collection[str]]] = {}
        self.rows = Counter[str]()
        self.entered = 0
        self._row: set[str] = set()
        self._open: set[str] = set()

    def note(self, holder: dict[str, object], known: Collection[str], path: str = "") -> None:
        """Note the keys of an object of this row that are not known, and hold something."""
        for key, value in holder.items():
            # The order matters: a table may have thousands of empty cells. Of what counts as false, 0 and false hold
            # something.
            if value != "" and key not in known and (value or value == 0):
                place = f"{path}.{key[:100]}".lstrip(".")
                if place in self.values or len(self.values) < _MOST_KEYS:
                    if place not in self.values or place in self._open:
                        self._keep_value(place, key, value)
                    self.holders.setdefault(place, (known, tuple(holder)))
                    self._row.add(place)

    def _keep_value(self, place: str, key: str, value: object) -> None:
        # One row that is held out decides, and one word that does not judge: until then, the value may change.
        if place not in self._open or not judges_by_value(key, value):
            self.values[place] = value
        is_open = judges_by_value(key, value) or (says_split(key, value) and is_for_training(key, value))
        (self._open.add if is_open else self._open.discard)(place)

    def end_row(self) -> None:
        """Count a row, and its keys."""
        self.entered += 1
        if self._row:
            self.rows.update(self._row)
            self._row = set()

    def skip_row(self) -> None:
        """Count nothing of a row that could not be written: its problem is reported."""
        self._row = set()

    def forget(self) -> None:
        """Count no key: a mapping that names wrong columns uses others than its author meant."""
        self.rows.clear()


IN_CONVERSION = ("prepare.lost-key", "prepare.left-out")
IN_MAPPING = ("mapping.lost-key", "mapping.left-out")


def describe_left_out(
    left_out: LeftOut, rules: tuple[str, str], *, fields: Mapping[str, str] | None = None, is_decided: bool = False
) -> Iterator[Problem]:
    """Yield an error for each key that says something which training would have to know, and a note of the others.

    Shape:  `rules` are those of the error and of the note; `fields` are those of a mapping, with their templates, None
            for a step; where the author has decided, there are notes only
    """
    others = []
    choices = {} if is_decided else find_choices(left_out.rows)
    if choices:
        yield _describe_choices(left_out, choices, rules[0], fields)
    for path, count in sorted(left_out.rows.items()):
        if path in choices.values():
            continue
        key = path.rpartition(".")[2]
        value = left_out.values[path]
        if not is_decided and needs_decision(key, value):
            meaning = describe_meaning(key, value)
            what = f"`{path}` is left out, and {count} of {left_out.entered} rows have it; {meaning}"
            yield Problem(where=Place(file=""), what=what, hint=_suggest(left_out, path, fields), rule=rules[0])
        else:
            others.append((path, count))
    if others:
        most = max(count for _, count in others)
        what = f"{list_words([path for path, _ in others])} left out, in up to {most} of {left_out.entered} rows"
        yield Problem(where=Place(file=""), what=what, rule=rules[1], severity=Severity.INFO)


def _describe_choices(
    left_out: LeftOut, choices: Mapping[str, str], rule: str, fields: Mapping[str, str] | None
) -> Problem:
    names = tuple(choices.values())
    count = max(left_out.rows[name] for name in names)
    what = f"{list_words(names)} are left out, and {count} of {left_out.entered} rows have them; "
    what += "they hold the answers to choose from"
    use = "write them into the text of the question"
    if fields and "prompt" in fields:
        lines = (f"{mark}. {{{name}}}" for mark, name in choices.items())
        template = "\n".join((fields["prompt"], "", *lines))
        use = f"to use them, write `prompt: {yaml_quoted(template)}`"
    hint = f"{use}; to train without them, add `{write_step(DropColumns(names))}`"
    hint += " before this step" if fields is None else ""
    return Problem(where=Place(file=""), what=what, hint=hint, rule=rule)


def _suggest(left_out: LeftOut, path: str, fields: Mapping[str, str] | None) -> str:
    holder, _, key = path.rpartition(".")
    if holder and (not holder.endswith("[]") or "." in holder):
        return "take it out of the rows, or write it into the texts"
    drop: Operation = DropTurnKeys((key,)) if holder else DropColumns((key,))
    if holder and says_either_way(key):
        either = "where 1 is a turn to train on, with `inverted: true` where 1 is one to leave out"
        return f"add `turn_weight: {{key: {key}}}` before this step {either}"
    if holder:
        is_weight = plain_name(key) in TURN_WEIGHTS
        use = f"to use it, add `{write_step(TurnWeight(key=key))}` before this step; " if is_weight else ""
    elif fields is not None:
        use = f"{suggest_in_mapping(key, fields, left_out.values[path])}; "
    else:
        use = f"{suggest_before_conversion(key, *left_out.holders[path], left_out.values[path])}; "
    return f"{use}to train without it, add `{write_step(drop)}`{' before this step' if fields is None else ''}"
