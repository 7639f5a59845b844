"""Steps that change rows one by one: their columns, their texts, their turns, their form.

A step on texts first writes a number, true or false as text, as a template does. A value that is missing, null, a list
or an object stays as it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import assert_never

from reconciler.dataset.mapping import MOST_CHARACTERS, RowTooLargeError, Template, value_to_text
from reconciler.dataset.recognise import which_side, write_step
from reconciler.dataset.row_checks import JsonObject
from reconciler.dataset.steps import block_forms, preference_forms, text_forms, turns
from reconciler.dataset.steps.cells import Cells, is_text
from reconciler.dataset.steps.conversion import ConversionError, NoteUnread, note_nothing
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    ChoosePair,
    Convert,
    DropColumns,
    DropEmptyTurns,
    DropTurnKeys,
    EnsureLeadingSpace,
    FillTemplate,
    Filter,
    Form,
    JoinMessages,
    KeepColumns,
    LowerCase,
    MendCalls,
    MendImages,
    Operation,
    PlaceImages,
    RemovePrefix,
    RemoveSuffix,
    Rename,
    SetColumns,
    Strip,
    Target,
    TurnWeight,
)
from reconciler.foundation.text import yaml_quoted

Edit = Callable[[Cells], Cells]

EditingStep = (
    Rename
    | DropColumns
    | KeepColumns
    | SetColumns
    | FillTemplate
    | LowerCase
    | Strip
    | AddPrefix
    | AddSuffix
    | RemovePrefix
    | RemoveSuffix
    | EnsureLeadingSpace
    | JoinMessages
    | DropEmptyTurns
    | DropTurnKeys
    | TurnWeight
    | MendCalls
    | MendImages
    | PlaceImages
    | ChoosePair
    | Convert
)

_MOST_NAMED = 60
_JOINED_ROLES = ("system", "developer", "user", "assistant")

_TO_API: Mapping[Form, Callable[[JsonObject, NoteUnread], JsonObject]] = {
    Form.ALPACA: text_forms.alpaca_to_chat,
    Form.ANTHROPIC: block_forms.anthropic_to_chat,
    Form.BEDROCK: block_forms.bedrock_to_chat,
    Form.CHAT: text_forms.normalize_chat,
    Form.COHERE: text_forms.cohere_to_chat,
    Form.DOLLY: text_forms.dolly_to_chat,
    Form.PREFERENCE: preference_forms.pair_to_preference,
    Form.PROMPT_COMPLETION: text_forms.pair_to_chat,
    Form.SHAREGPT: text_forms.sharegpt_to_chat,
    Form.VERTEX: block_forms.vertex_to_chat,
}


class StepError(ReconcilerError):
    """A step that does not fit the rows: correct the step.

    Shape:  what is wrong, a way out, and the rule
    """

    def __init__(self, what: str, hint: str, rule: str = "prepare.taken-column") -> None:
        self.what = what
        self.hint = hint
        self.rule = rule
        super().__init__(what)


def find_carried(steps: Sequence[Operation], at: int) -> tuple[str, ...]:
    """Return the columns that the step at a place leaves alone, because of what other steps do with them.

    Those of images that later steps place go through a conversion. Those that earlier templates have read are not
    lost where `keep_columns` leaves them out.
    """
    if not isinstance(steps[at], KeepColumns):
        return tuple(step.column for step in steps[at + 1 :] if isinstance(step, PlaceImages))
    templates = [source for step in steps[:at] if isinstance(step, FillTemplate) for _, source in step.templates]
    return tuple(name for source in templates for name in Template.parse(source).columns)


def make_edit(step: EditingStep, note: NoteUnread = note_nothing, carried: Collection[str] = ()) -> Edit:
    """Return the function that applies a step to one row; a conversion and `keep_columns` note what they leave out.

    Shape:  a conversion leaves the `carried` columns as they are, beside what it makes; `keep_columns` does not note
            them, because a step before it has used them
    Raises: in that function, StepError when the step does not fit the row, and ConversionError when the row does not
            have the form that the step names, or cannot be written in the other form
    """
    match step:
        case Rename():
            return _rename_columns(dict(step.names))
        case DropColumns():
            dropped = frozenset(step.columns)
            return lambda cells: {column: value for column, value in cells.items() if column not in dropped}
        case KeepColumns():
            return _keep_columns(frozenset(step.columns), note, frozenset(carried))
        case SetColumns():
            values = dict(step.values)
            return _bound_size(lambda cells: {**cells, **values})
        case FillTemplate():
            templates = [(column, Template.parse(source)) for column, source in step.templates]
            return _bound_size(_fill_templates(templates))
        case LowerCase():
            return _edit_texts(step.columns, str.lower)
        case Strip():
            return _edit_texts(step.columns, str.strip)
        case AddPrefix():
            return _bound_size(_edit_texts((step.column,), lambda text: step.text + text))
        case AddSuffix():
            return _bound_size(_edit_texts((step.column,), lambda text: text + step.text))
        case RemovePrefix():
            return _edit_texts((step.column,), lambda text: text.removeprefix(step.text))
        case RemoveSuffix():
            return _edit_texts((step.column,), lambda text: text.removesuffix(step.text))
        case EnsureLeadingSpace():
            return _edit_texts(step.columns, lambda text: text if text.startswith(" ") else f" {text}")
        case JoinMessages():
            return _bound_size(_join_messages(step.separator))
        case DropEmptyTurns():
            return turns.drop_empty_turns(step.roles)
        case DropTurnKeys():
            return turns.drop_turn_keys(step.keys)
        case TurnWeight():
            return turns.set_turn_weights(step.key, step.inverted)
        case MendCalls():
            return turns.mend_calls
        case MendImages():
            return turns.mend_images
        case PlaceImages():
            return turns.place_images(step.column)
        case ChoosePair():
            return _choose_pair(step)
        case Convert():
            return _convert_rows(step, note, frozenset(carried))
    assert_never(step)


def _convert_rows(step: Convert, note: NoteUnread, carried: Collection[str]) -> Edit:
    convert = _TO_API[step.source]

    def edit(cells: Cells) -> Cells:
        kept = {column: value for column, value in cells.items() if column in carried}
        row = {column: value for column, value in cells.items() if column not in carried} if kept else cells
        made = convert(row, note)
        return {**(text_forms.chat_to_pair(made) if step.target is Target.COMPLETION else made), **kept}

    return edit


def _bound_size(edit: Edit) -> Edit:
    """Return an edit that refuses a row that it would make too large. Only steps that add text need it."""

    def edit_within_bounds(cells: Cells) -> Cells:
        try:
            edited = edit(cells)
            if sum(len(value) for value in edited.values() if isinstance(value, str)) > MOST_CHARACTERS:
                raise RowTooLargeError
        except RowTooLargeError:
            what = f"this step would make a row of more than {MOST_CHARACTERS >> 20} million characters"
            raise StepError(what, "repeat less text, or drop long rows before this step", "row.too-large") from None
        return edited

    return edit_within_bounds


def _fill_templates(templates: Sequence[tuple[str, Template]]) -> Edit:
    def edit(cells: Cells) -> Cells:
        made, left = dict[str, str](), MOST_CHARACTERS
        for column, template in templates:
            made[column] = template.render(cells, left)
            left -= len(made[column])
        return {**cells, **made}

    return edit


def _keep_columns(kept: frozenset[str], note: NoteUnread, used: frozenset[str]) -> Edit:
    known = kept | used

    def edit(cells: Cells) -> Cells:
        note(cells, known, "")
        return {column: value for column, value in cells.items() if column in kept}

    return edit


def _rename_columns(names: Mapping[str, str]) -> Edit:
    def edit(cells: Cells) -> Cells:
        renamed = {names.get(column, column): value for column, value in cells.items()}
        if len(renamed) < len(cells):
            taken = next(new for old, new in names.items() if old in cells and new in cells and new not in names)
            raise StepError(f"the column `{taken}` exists already", f"drop it first: `drop_columns: [{taken}]`")
        return renamed

    return edit


def _edit_texts(columns: Collection[str], change: Callable[[str], str]) -> Edit:
    def edit(cells: Cells) -> Cells:
        changed = {column: change(value_to_text(value)) for column in columns if is_text(value := cells.get(column))}
        return {**cells, **changed}

    return edit


def _choose_pair(step: ChoosePair) -> Edit:
    names = step.first, step.second

    def edit(cells: Cells) -> Cells:
        side = which_side(cells.get(step.column), names)
        if side is None:
            shown = value_to_text(cells.get(step.column))[:_MOST_NAMED]
            what = f"{yaml_quoted(shown)} names neither `{names[0]}` nor `{names[1]}`"
            raise ConversionError(step.column, what, _drop_ties(step.column, cells.get(step.column)))
        rest = {column: value for column, value in cells.items() if column not in {step.column, *names}}
        taken = next((name for name in ("chosen", "rejected") if rest.get(name) not in (None, "")), None)
        if taken:
            raise StepError(f"the column `{taken}` exists already", f"drop it first: `drop_columns: [{taken}]`")
        return {**rest, "chosen": cells.get(names[side]), "rejected": cells.get(names[1 - side])}

    return edit


def _drop_ties(column: str, value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= _MOST_NAMED:
        return f"to drop such rows, add `{write_step(Filter(column=column, not_equals=value))}` before this step"
    if value is None or value == "":
        return f"to drop such rows, add `{write_step(Filter(column=column, present=True))}` before this step"
    return "write the name of the better answer's column, or drop the row"


def _join_messages(separator: str) -> Edit:
    # Neighbouring turns that differ in nothing but their text become one; turns with calls or images stay apart.
    def edit(cells: Cells) -> Cells:
        messages = cells.get("messages")
        if not isinstance(messages, list):
            return cells
        joined: list[object] = []
        contents: list[list[str]] = []
        size = 0
        for message in messages:
            last = joined[-1] if joined else None
            if isinstance(last, dict) and isinstance(message, dict) and _can_join(last, message):
                contents[-1].append(message["content"])
                size += len(separator) + len(message["content"])
                if size > MOST_CHARACTERS:
                    raise RowTooLargeError
            else:
                joined.append(message)
                content = message.get("content") if isinstance(message, dict) else None
                contents.append([content] if isinstance(content, str) else [])
        whole = [
            {**message, "content": separator.join(parts)} if isinstance(message, dict) and len(parts) > 1 else message
            for message, parts in zip(joined, contents, strict=True)
        ]
        return {**cells, "messages": whole}

    return edit


def _can_join(last: Cells, message: Cells) -> bool:
    return (
        message.get("role") in _JOINED_ROLES
        and isinstance(last.get("content"), str)
        and isinstance(message.get("content"), str)
        and not (message.get("tool_calls") or message.get("function_call"))
        and {**last, "content": ""} == {**message, "content": ""}
    )
