"""What to do about rows of a form: the steps or the mapping that make the API's form of them, or what to decide."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from reconciler.dataset.hints import (
    COHERE_ANSWERS,
    COMPLETIONS,
    CONTEXTS,
    find_named,
    plain_name,
    says_either_way,
    write_step,
    write_steps_inline,
)
from reconciler.dataset.recognise.forms import (
    API_FORMS,
    RowForm,
    find_images,
    find_judged,
    find_judgement,
    find_turn_weight,
    recognise_row,
)
from reconciler.dataset.recognise.pair_advice import (
    ASK_FOR_LABELS,
    Advice,
    advise_compared,
    advise_pairing,
    advise_pairs,
    cell_text,
    find_desired,
)
from reconciler.dataset.recognise.table_advice import advise_table, ask_for_choices, find_judging, holds_choices
from reconciler.dataset.row_checks import JsonObject
from reconciler.dataset.sensitive import mask_text
from reconciler.dataset.transcripts import WRITE_TURNS, find_turn_marks
from reconciler.domain import prepare as domain
from reconciler.domain.spec import Format
from reconciler.foundation.text import yaml_quoted

_SAMPLE_CHARACTERS = 24
_MASKED_CHARACTERS = 4_000
_MOST_COLUMNS = 12
_SAMPLES = 3


_MAY_BE_JUDGED = frozenset(RowForm) - {
    *(*API_FORMS, RowForm.PAIRS, RowForm.COMPARED, RowForm.LABELED, RowForm.JUDGED, RowForm.TEXT, RowForm.QUESTIONS),
}
_FOR_GRADERS = (
    'write each row for a grader: {"messages": [{"role": "user", "content": …}], "answer": …}, where the last turn is '
    "the question; a grader reads the other keys as `item.answer`"
)


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    """The form of some rows, and the way to the API's form.

    Shape:  `rows` of the `seen` rows have the form, which is the confidence; `format` is None where the form is not the
            API's. `steps` or `mapping` (field and template) make the API's form; where both are empty, `advice` says
            what to decide
    """

    form: RowForm | None
    reason: str
    rows: int
    seen: int
    format: Format | None = None
    steps: tuple[domain.Operation, ...] = ()
    mapping: tuple[tuple[str, str], ...] = ()
    advice: str = ""

    @property
    def confidence(self) -> float:
        return self.rows / self.seen if self.seen else 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of a Dataset that make the API's form."""
        fields = [f"{name}: {yaml_quoted(template)}" for name, template in self.mapping]
        return (*([write_steps_inline(self.steps)] if self.steps else []), *fields)

    @property
    def hint(self) -> str:
        """What to write into the Dataset, ready to be copied; else what to decide."""
        lines = self.lines
        add = f"add {', '.join(f'`{line}`' for line in lines)} to the Dataset" if lines else ""
        return "; ".join(part for part in (add, self.advice) if part)


def recognise_rows(values: Sequence[object], used_as: Format | None = None) -> Recognition | None:
    """Return the form that most of some rows have, the first of several; None where no row is an object with keys."""
    objects = [value for value in values if isinstance(value, dict) and value]
    if not objects:
        return None
    forms = Counter(recognise_row(value, used_as) for value in objects)
    form, rows = forms.most_common(1)[0]
    labeled = forms[RowForm.LABELED] + forms[RowForm.JUDGED]
    shown = [value for value in objects if recognise_row(value, used_as) is form]
    if labeled and form not in API_FORMS:
        # One judgement that says neither yes nor no is enough: only its author knows the scale.
        is_mixed = labeled > (form is RowForm.LABELED) * rows
        judged = [value for value in objects if find_judged(value)]
        key = next((key for row in objects if (key := find_judgement(row) or find_judged(row))), "")
        if (is_mixed and not judged) or _is_class(key, objects):
            return _recognise_without(key, objects, used_as)
        if is_mixed:
            form, shown = RowForm.JUDGED, judged
            rows = len(objects) - sum(count for each, count in forms.items() if each in API_FORMS or each is None)
    judging = find_judging(objects) if form in _MAY_BE_JUDGED else None
    if judging:
        return _recognise_judged(judging, objects, used_as)
    if form is None:
        return Recognition(form=None, reason="", rows=rows, seen=len(values), advice=_ask_for(shown, used_as))
    found = API_FORMS.get(form)
    advise = _ADVICE.get(form, _advise_nothing)
    if form in {RowForm.LABELED, RowForm.JUDGED} and used_as is Format.PREFERENCE:
        advise = advise_pairing
    steps, mapping, advice = advise(shown) if found is None else ((), (), "")
    if found is None and used_as is Format.REINFORCEMENT and form is not RowForm.QUESTIONS:
        # A mapping or a conversion would make the answer a turn, and leave the keys out that a grader reads.
        steps, mapping, advice = (), (), _FOR_GRADERS
    return Recognition(
        form=form,
        reason=_describe_reason(form, shown),
        rows=rows,
        seen=len(values),
        format=found,
        steps=steps,
        mapping=mapping,
        advice=advice,
    )


def suggest_mapping(rows: Sequence[JsonObject]) -> str:
    """Return the hint of what the columns of a table need."""
    found = recognise_rows(rows)
    return found.hint if found and found.hint else ask_for_columns(rows)


def _ask_for(rows: Sequence[JsonObject], used_as: Format | None) -> str:
    if used_as is Format.REINFORCEMENT:
        return _FOR_GRADERS
    return _ask_for_answers(rows) if used_as is Format.PREFERENCE else ask_for_columns(rows)


def _ask_for_answers(rows: Sequence[JsonObject]) -> str:
    if not rows or len(rows[0]) < 3:
        return "`method: dpo` needs a question and two answers in a row: `prompt`, `chosen` and `rejected`"
    return (
        "write into the Dataset which columns to use: prepare: [{rename: {COLUMN: prompt, COLUMN: chosen, COLUMN: "
        "rejected}}, {convert: {from: preference}}], for what the model is asked, the better answer and the worse one; "
        f"{_list_columns(rows[0])}"
    )


def ask_for_columns(rows: Sequence[JsonObject]) -> str:
    """Return a form to fill in: the columns with a sample of each, where their names do not say what they hold."""
    first = rows[0] if rows else {}
    listed = next((key for key, value in first.items() if holds_choices(key, value)), None)
    if listed:
        return ask_for_choices(listed)
    if len(first) < 2:
        return "training needs two texts in a row: what the model is asked, and what it should answer"
    return (
        'write into the Dataset which columns to use: prompt: "{COLUMN}" for what the model is asked, completion: '
        f'"{{COLUMN}}" for what it should answer; {_list_columns(first)}'
    )


def _recognise_judged(key: str, rows: Sequence[JsonObject], used_as: Format | None) -> Recognition | None:
    rest = recognise_rows([_leave_out(key, row) for row in rows], used_as)
    if rest is None or used_as is Format.REINFORCEMENT:
        return rest
    shown = [row for row in rows if row.get(key) not in (None, "")]
    advice = _advise_key(key, rest)
    if used_as is Format.PREFERENCE:
        advice = ASK_FOR_LABELS
    reason = _describe_judging(key, shown)
    return msgspec.structs.replace(rest, reason=reason, format=None, steps=(), mapping=(), advice=advice)


def _list_columns(first: JsonObject) -> str:
    shown = [f"{name[:60]} ({_sample(value)})" for name, value in list(first.items())[:_MOST_COLUMNS]]
    more = f" and {len(first) - len(shown)} more" if len(first) > len(shown) else ""
    return f"the columns are {', '.join(shown)}{more}"


def _recognise_without(key: str, rows: Sequence[JsonObject], used_as: Format | None) -> Recognition | None:
    found = recognise_rows([_leave_out(key, row) for row in rows], used_as)
    if found is None or found.format is not None or not (found.steps or found.mapping):
        return found
    # A mapping would report the key as lost.
    return msgspec.structs.replace(found, steps=(domain.DropColumns((key,)), *found.steps))


def _leave_out(key: str, row: JsonObject) -> JsonObject:
    return {name: value for name, value in row.items() if name != key}


def _is_class(key: str, rows: Sequence[JsonObject]) -> bool:
    # A key that says no more than the answer does is the answer's class: it judges nothing.
    answer = find_named(COMPLETIONS, [name for name in rows[0] if name != key])
    if answer is None:
        return False
    pairs = {(cell_text(row.get(key)), cell_text(row.get(answer))) for row in rows}
    answers = {each for _, each in pairs}
    return len(rows) > len(answers) and len(pairs) == len(answers)


def _advise_nothing(_rows: Sequence[JsonObject]) -> Advice:
    return (), (), ""


def _convert(source: domain.Form) -> Callable[[Sequence[JsonObject]], Advice]:
    return lambda rows: ((*_weigh_turns(rows), domain.Convert(source=source), *_place_images(rows)), (), "")


def _weigh_turns(rows: Sequence[JsonObject]) -> tuple[domain.Operation, ...]:
    weights = {key for row in rows if (key := find_turn_weight(row))}
    return tuple(domain.TurnWeight(key=key) for key in sorted(weights) if not says_either_way(key))


def _place_images(rows: Sequence[JsonObject]) -> tuple[domain.Operation, ...]:
    # They stand beside the turns, or beside what becomes turns: a conversion before this step carries them along.
    keys = dict.fromkeys(key for row in rows if (key := find_images(row)))
    return tuple(domain.PlaceImages(column=key) for key in sorted(keys))


def _advise_chat(rows: Sequence[JsonObject]) -> Advice:
    masks = sorted({key for row in rows if (key := find_turn_weight(row)) and says_either_way(key)})
    if masks:
        key = masks[0]
        what = f"write `turn_weight: {{key: {key}}}` into `prepare` where 1 is a turn to train on, "
        return (), (), f"{what}with `inverted: true` where 1 is a turn to leave out"
    return _convert(domain.Form.CHAT)(rows)


def _advise_calls(rows: Sequence[JsonObject]) -> Advice:
    return (*_weigh_turns(rows), domain.MendCalls(), *_place_images(rows)), (), ""


def _advise_questions(_rows: Sequence[JsonObject]) -> Advice:
    answer = "add the answer that the model should learn"
    return (), (), f"{answer}, or add `format: reinforcement` where a grader judges what the model answers"


def _advise_labeled(rows: Sequence[JsonObject]) -> Advice:
    key, desired = find_desired(rows)
    if not desired:
        return (), (), f"`{key}` says which answers are desired: keep those with a `filter` on `{key}`"
    keep = (
        domain.Filter(column=key, equals=desired[0]) if len(desired) == 1 else domain.Filter(column=key, is_in=desired)
    )
    rest = recognise_rows([_leave_out(key, row) for row in rows])
    steps: tuple[domain.Operation, ...] = (keep, domain.DropColumns((key,)))
    if rest and rest.form is RowForm.COMPLETION:
        steps = (*steps, domain.Convert(source=domain.Form.PROMPT_COMPLETION))
    pairs, _, _ = advise_pairing(rows)
    why = "this trains on the desired answers only"
    if pairs:
        why += f"; to train by `method: dpo` on pairs instead, write `{write_steps_inline(pairs)}`"
    return steps + (rest.steps if rest else ()), rest.mapping if rest else (), why


def _advise_judged(rows: Sequence[JsonObject]) -> Advice:
    key = find_judged(rows[0]) or ""
    return (), (), _advise_key(key, recognise_rows([_leave_out(key, row) for row in rows]))


def _advise_key(key: str, rest: Recognition | None) -> str:
    drop = domain.DropColumns((key,))
    if rest and rest.form is RowForm.COMPLETION:
        rest = msgspec.structs.replace(rest, steps=(domain.Convert(source=domain.Form.PROMPT_COMPLETION),))
    add = msgspec.structs.replace(rest, steps=(drop, *rest.steps)).hint if rest else f"add `{write_step(drop)}`"
    keep = f"where `{key}` says how good an answer is, keep those to learn with a `filter` on it, as the first step"
    return f"{keep}; then, and where it says something else, {add}"


def _advise_alpaca(rows: Sequence[JsonObject]) -> Advice:
    context = next((key for row in rows for key in row if plain_name(key) in CONTEXTS and row[key]), None)
    if context and any("input" in row for row in rows):
        return (), (), f'write the columns into templates, such as prompt: "{{instruction}} {{input}} {{{context}}}"'
    rename = (domain.Rename(((context, "input"),)),) if context else ()
    return (*rename, domain.Convert(source=domain.Form.ALPACA), *_place_images(rows)), (), ""


def _advise_text(rows: Sequence[JsonObject]) -> Advice:
    marks = find_turn_marks(str(rows[0].get("text")))
    if marks:
        return (), (), f"the texts are conversations, marked by {marks}: {WRITE_TURNS}"
    return (), (), "plain text has no question and no answer: write each row as a prompt and a completion"


def _advise_cohere(rows: Sequence[JsonObject]) -> Advice:
    if any(row.get(key) for row in rows for key in COHERE_ANSWERS):
        return (domain.Convert(source=domain.Form.COHERE),), (), ""
    add = "add the answer to `message` to each row, as the key `response`; then add"
    return (), (), f"{add} `prepare: [{{convert: {{from: cohere}}}}]` to the Dataset"


def _advise_oasst(_rows: Sequence[JsonObject]) -> Advice:
    row = '{"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}]}'
    join = "join the messages from a first one to a last answer, by `parent_id`, to one row, with `prompter` as `user`"
    return (), (), f"{join}: {row}; of several answers to one message, take the one with the best `rank`"


def _advise_tree(_rows: Sequence[JsonObject]) -> Advice:
    row = '{"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}]}'
    follow = "follow `replies` from `prompt` to a last answer, and write their `text` as one row, with `prompter` as"
    return (), (), f"{follow} `user`: {row}; of several replies to one message, take the one with the best `rank`"


_ADVICE: Mapping[RowForm, Callable[[Sequence[JsonObject]], Advice]] = {
    RowForm.QUESTIONS: _advise_questions,
    RowForm.PAIRS: advise_pairs,
    RowForm.COMPARED: advise_compared,
    RowForm.LABELED: _advise_labeled,
    RowForm.JUDGED: _advise_judged,
    RowForm.IMAGES: _advise_chat,
    RowForm.WEIGHTED: _advise_chat,
    RowForm.CALLS: _advise_calls,
    RowForm.CHAT_WORDS: _advise_chat,
    RowForm.ANTHROPIC: _convert(domain.Form.ANTHROPIC),
    RowForm.BEDROCK: _convert(domain.Form.BEDROCK),
    RowForm.SHAREGPT: _convert(domain.Form.SHAREGPT),
    RowForm.VERTEX: _convert(domain.Form.VERTEX),
    RowForm.COHERE: _advise_cohere,
    RowForm.OASST: _advise_oasst,
    RowForm.OASST_TREE: _advise_tree,
    RowForm.ALPACA: _advise_alpaca,
    RowForm.TURN_PAIRS: _convert(domain.Form.PROMPT_COMPLETION),
    RowForm.DOLLY: _convert(domain.Form.DOLLY),
    RowForm.CONTEXT: advise_table,
    RowForm.TABLE: advise_table,
    RowForm.TEXT: _advise_text,
}


def _describe_reason(form: RowForm, rows: Sequence[JsonObject]) -> str:
    row = rows[0]
    match form:
        case RowForm.LABELED:
            return f"`{find_judgement(row)}` says of each answer whether it is desired"
        case RowForm.JUDGED:
            return _describe_judging(find_judged(row) or "", rows)
        case RowForm.IMAGES:
            return f"`{find_images(row)}` stands beside the turns"
        case RowForm.WEIGHTED:
            return f"turns have the key `{find_turn_weight(row)}`"
    return f"the keys are {', '.join(f'`{key[:60]}`' for key in list(row)[:_MOST_COLUMNS])}"


def _describe_judging(key: str, rows: Sequence[JsonObject]) -> str:
    values = list(dict.fromkeys(_sample(row[key]) for row in rows if row.get(key) is not None))
    more = ", …" if len(values) > _SAMPLES else ""
    return f"`{key}` may say how good each answer is: it holds {', '.join(values[:_SAMPLES])}{more}"


def _sample(value: object) -> str:
    if isinstance(value, str):
        # Masked before it is cut: what is left of a key would not be known as one.
        value = mask_text(value[:_MASKED_CHARACTERS])
        short = value if len(value) <= _SAMPLE_CHARACTERS else f"{value[:_SAMPLE_CHARACTERS]}…"
        return yaml_quoted(short)
    return "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else cell_text(value)
