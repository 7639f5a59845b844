"""What to do about columns with a question and an answer: the templates, and what else the columns say."""

from collections.abc import Sequence

from reconciler.dataset.hints import (
    CHOICES,
    COMPLETIONS,
    CONTEXTS,
    PROMPTS,
    SYSTEMS,
    describe_meaning,
    find_choices,
    find_meaning,
    find_named,
    judges_by_value,
    keep_training,
    kind_of,
    needs_decision,
    place_after_templates,
    plain_name,
    read_judgement,
    suggest_in_mapping,
)
from reconciler.dataset.recognise.pair_advice import Advice
from reconciler.dataset.row_checks import JsonObject
from reconciler.dataset.transcripts import WRITE_TURNS, find_turn_marks
from reconciler.domain import prepare as domain
from reconciler.foundation.text import list_words


def advise_table(rows: Sequence[JsonObject]) -> Advice:
    """Return the templates of a question and its answer, and what to decide about the other columns."""
    row = rows[0]
    texts = [key for key, value in row.items() if isinstance(value, str)]
    answer = find_named(COMPLETIONS, texts) or ""
    others = [key for key in texts if key != answer]
    asked = find_named(PROMPTS, others) or ""
    context = find_named(CONTEXTS, others)
    system = find_named(SYSTEMS, others)
    named = {answer, asked, context, system}
    columns = dict.fromkeys(key for row in rows for key in row if key not in named)
    held = {key: [value for row in rows if (value := row.get(key)) or value == 0] for key in columns}
    rest = {key: value for key in columns if (value := find_meaning(key, held[key])) is not None}
    splits = tuple(key for key, value in rest.items() if kind_of(key, value) == "split")
    turn_marks = next((found for row in rows if (found := find_turn_marks(str(row.get(asked, ""))))), "")
    if turn_marks:
        return (), (), f"the texts of `{asked}` are conversations, marked by {turn_marks}: {WRITE_TURNS}"
    choices = find_choices(columns)
    if answer and not choices and (listed := next((key for key in row if holds_choices(key, row[key])), None)):
        return (), (), ask_for_choices(listed)
    # A judgement beside a class is as likely a fact about what is classified; documents stand behind their context.
    judged = tuple(key for key in rest if kind_of(key) == "judgement" or (context and plain_name(key) == "documents"))
    drop: tuple[domain.Operation, ...] = tuple(map(keep_training, splits))
    drop += (domain.DropColumns((*splits, *judged)),) if splits or judged else ()
    notes = [f"this trains without {list_words(judged)}; to use them, name them in a template"] if judged else []
    notes += [f"this leaves out the rows that `{key}` holds out" for key in splits]
    notes += [_describe_yes_or_no(key) for key in row if key not in named and _says_yes_or_no(key, rows)]
    without = "; ".join(notes)
    prompt = f"{{{context}}}\n\n{{{asked}}}" if context and context != asked else f"{{{asked}}}"
    if choices:
        names = any(row.get(answer) in choices.values() for row in rows)
        prompt += "\n\n" + "\n".join(f"{name if names else mark}. {{{name}}}" for mark, name in choices.items())
        marks = {*choices, *choices.values(), *(row.get(name) for row in rows for name in choices.values())}
        if not all(str(row.get(answer)).strip().upper() in marks or row.get(answer) in marks for row in rows):
            return (), (), ask_for_choices(*choices.values())
    pair = (("prompt", prompt), ("completion", f"{{{answer}}}"))
    fields = (("system", f"{{{system}}}"), *pair) if system else pair
    others = [key for key in rest if key not in (*judged, *splits)]
    if len(others) == 1 and kind_of(others[0]) == "image":
        return (*drop, *place_after_templates(fields, others[0])), (), without
    if others:
        uses = (f"`{key}`: {describe_meaning(key)}; {suggest_in_mapping(key, dict(pair))}" for key in others)
        return (), (), f"decide on what says more about training: {'; '.join(uses)}"
    return drop, fields, without


def _says_yes_or_no(key: str, rows: Sequence[JsonObject]) -> bool:
    # Yes in some rows and no in others, in a column whose name does not say what about.
    held = [value for row in rows if (value := row.get(key)) not in (None, "")]
    return {read_judgement(key, value) for value in held} == {True, False} and not needs_decision(key, held[0])


def _describe_yes_or_no(key: str) -> str:
    return f"this trains whatever `{key}` says: where it says which answers to learn, keep those with a `filter` first"


def holds_choices(key: str, value: object) -> bool:
    """Return whether a key holds a list of answers to choose from."""
    return plain_name(key) in CHOICES and isinstance(value, list | dict)


def ask_for_choices(*names: str) -> str:
    """Return how to write rows whose answers to choose from no template can write into the question."""
    verb = "holds" if len(names) == 1 else "hold"
    return (
        f"{list_words(names)} {verb} the answers to choose from, and no step writes them into the question: write each "
        'row as {"prompt": "QUESTION\\n\\nA. …\\nB. …", "completion": "B"}, or its prompt without them and the text of '
        "the right one as its completion"
    )


def find_judging(rows: Sequence[JsonObject]) -> str | None:
    """Return the first column of which every cell judges, whatever its name."""
    for key in dict.fromkeys(name for row in rows for name in row):
        held = [value for row in rows if (value := row.get(key)) not in (None, "")]
        if held and all(judges_by_value(key, value) for value in held):
            return key
    return None
