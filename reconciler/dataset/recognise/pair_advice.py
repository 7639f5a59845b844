"""What to do about answers that are compared or judged, where a model learns from preferences."""

from collections.abc import Collection, Sequence

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.hints import (
    COMPLETIONS,
    PROMPTS,
    SYSTEMS,
    TIES,
    WINNERS,
    desired_values,
    find_named,
    find_pair,
    find_sides,
    has_meaning,
    plain_name,
    says_rejected,
)
from reconciler.dataset.recognise.forms import find_judged, find_judgement, turns_of
from reconciler.dataset.row_checks import JsonObject
from reconciler.domain import prepare as domain
from reconciler.foundation.text import list_words

_READ = ("prompt", "question", "instruction", "input", "system", "history", "tools")
"""The keys that `convert: {from: preference}` reads beside turns and answers."""

Advice = tuple[tuple[domain.Operation, ...], tuple[tuple[str, str], ...], str]
"""The steps, the mapping (field and template), and what to decide."""


ASK_FOR_LABELS = (
    "write `pair_labels` with the column of the label, its values of desired answers, and the column of the answers; "
    "then `convert: {from: preference}`"
)


def advise_pairs(rows: Sequence[JsonObject]) -> Advice:
    """Return the steps that make preference rows of better and worse answers."""
    row = rows[0]
    pair = find_pair(row)
    if pair:
        better: str | None = pair[0]
        worse = pair[1]
    else:
        worse = next(key for key in row if says_rejected(key))
        better = None if turns_of(row) else find_named(COMPLETIONS, [key for key in row if key != worse])
    names = [(old, new) for old, new in ((better, "chosen"), (worse, "rejected")) if old and old != new]
    names += _name_question(row, {better, worse})
    is_asked = _has_question(row) or any(new == "prompt" for _, new in names)
    answer = row[worse]
    if not is_asked and isinstance(answer, str) and not answer.lstrip().startswith("Human:"):
        return (), (), "there is no question beside the two answers: add a column `prompt` that holds it"
    return _convert_pairs(names), (), "train with `method: dpo`"


def _has_question(row: JsonObject) -> bool:
    return bool(turns_of(row)) or any(key in row for key in ("prompt", "instruction", "question"))


def _name_question(row: JsonObject, answers: Collection[str | None]) -> list[tuple[str, str]]:
    if turns_of(row) or "prompt" in row or "instruction" in row:
        return []
    others = [key for key in row if key not in answers]
    asked = find_named(PROMPTS, others)
    names = [(asked, "prompt")] if asked and asked != "question" else []
    system = find_named(SYSTEMS, others)
    return names + ([(system, "system")] if system and system != "system" else [])


def _convert_pairs(names: list[tuple[str, str]], *before: domain.Operation) -> tuple[domain.Operation, ...]:
    rename = (domain.Rename(tuple(names)),) if names else ()
    return (*before, *rename, domain.Convert(source=domain.Form.PREFERENCE))


def advise_compared(rows: Sequence[JsonObject]) -> Advice:
    """Return the steps that choose the better of two answers by the column that names it."""
    row = rows[0]
    first, second = find_sides(row) or ("", "")
    column = find_named(WINNERS, [key for key in row if key not in {first, second}]) or ""
    choose = domain.ChoosePair(column=column, first=first, second=second)
    names = _name_question(row, {first, second, column})
    held = dict.fromkeys(value for row in rows if isinstance(value := row.get(column), str))
    ties = [value for value in held if plain_name(value) in TIES]
    drop = [domain.Filter(column=column, not_equals=value) for value in ties]
    advice = "train with `method: dpo`"
    if ties:
        advice += f"; rows whose `{column}` is {list_words(tuple(ties))} are dropped: neither answer is better"
    return _convert_pairs(names, *drop, choose), (), advice


def advise_pairing(rows: Sequence[JsonObject]) -> Advice:
    """Return the steps that make pairs of answers to one question, by the label of each."""
    row = rows[0]
    key, desired = find_desired(rows)
    turns = next((name for name, value in row.items() if value and value == turns_of(row)), None)
    answer = None if turns else find_named(COMPLETIONS, [name for name in row if name != key])
    if not desired or not (turns or answer):
        return (), (), ASK_FOR_LABELS
    before = (domain.Rename(((turns, "messages"),)),) if turns and turns != "messages" else ()
    pair = domain.PairLabels(column=key, desired=desired, answer=answer or "completion")
    names = _name_question(row, {key, answer})
    advice = "this pairs a desired with an undesired answer to one question, and leaves out those without a partner"
    has_partners = _has_partners(rows, key, desired, turns or answer or "")
    others = () if has_partners else _find_unread(rows, {key, answer, turns, *(old for old, _ in names)})
    if others:
        # Two rows have one question when all else in them is equal, and the conversion reads nothing of these.
        rest = [{name: value for name, value in row.items() if name not in others} for row in rows]
        if _has_partners(rest, key, desired, turns or answer or ""):
            before, has_partners = (domain.DropColumns(others), *before), True
            advice += f"; {list_words(others)} would make questions differ"
    if not has_partners:
        advice += "; no two of the rows seen have one question: where that holds for all, use `method: supervised`"
    return _convert_pairs(names, *before, pair), (), advice


def _find_unread(rows: Sequence[JsonObject], used: Collection[str | None]) -> tuple[str, ...]:
    columns = dict.fromkeys(name for row in rows for name in row if name not in used)
    return tuple(
        name
        for name in columns
        if name not in _READ and not any(row.get(name) and has_meaning(name, row[name]) for row in rows)
    )


def _has_partners(rows: Sequence[JsonObject], key: str, desired: Collection[str], answer: str) -> bool:
    sides: dict[str, set[bool]] = {}
    for row in rows:
        held = row.get(answer)
        before = held[:-1] if isinstance(held, list) else None
        asked = {**{name: value for name, value in row.items() if name not in {key, answer}}, answer: before}
        sides.setdefault(write_canonical_text(asked), set()).add(cell_text(row.get(key)) in desired)
    return any(len(each) == 2 for each in sides.values())


def find_desired(rows: Sequence[JsonObject]) -> tuple[str, tuple[str, ...]]:
    """Return the column that judges, and its values that say yes; none where a value says neither."""
    key = find_judgement(rows[0]) or find_judged(rows[0]) or ""
    values = desired_values(key, [row[key] for row in rows if row.get(key) is not None])
    return key, tuple(cell_text(value) for value in values[True]) if values else ()


def cell_text(value: object) -> str:
    """Return a cell as the text that steps compare."""
    return value if isinstance(value, str) else write_canonical_text(value)
