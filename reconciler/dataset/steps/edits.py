"""Steps that change rows one by one: their columns, their texts, their turns, their form.

A step on texts first writes a number, true or false as text, as a template does. A value that is missing, null, a list
or an object stays as it is.
"""

from collections.abc import Callable, Collection, Mapping
from typing import assert_never

from reconciler.dataset.mapping import Template, value_to_text
from reconciler.dataset.row_checks import JsonObject
from reconciler.dataset.steps import block_forms, text_forms
from reconciler.dataset.steps.cells import Cells, is_text
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    Convert,
    DropColumns,
    EnsureLeadingSpace,
    FillTemplate,
    Form,
    JoinMessages,
    KeepColumns,
    LowerCase,
    RemovePrefix,
    RemoveSuffix,
    Rename,
    SetColumns,
    Strip,
    Target,
)

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
    | Convert
)

_JOINED_ROLES = ("system", "developer", "user", "assistant")

_TO_CHAT: Mapping[Form, Callable[[JsonObject], JsonObject]] = {
    Form.ALPACA: text_forms.alpaca_to_chat,
    Form.ANTHROPIC: block_forms.anthropic_to_chat,
    Form.CHAT: text_forms.normalize_chat,
    Form.PROMPT_COMPLETION: text_forms.pair_to_chat,
    Form.SHAREGPT: text_forms.sharegpt_to_chat,
    Form.VERTEX: block_forms.vertex_to_chat,
}


class StepError(ReconcilerError):
    """A step that does not fit the rows: correct the step.

    Shape:  what is wrong, and a way out
    """

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


def make_edit(step: EditingStep) -> Edit:
    """Return the function that applies a step to one row.

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
            kept = frozenset(step.columns)
            return lambda cells: {column: value for column, value in cells.items() if column in kept}
        case SetColumns():
            values = dict(step.values)
            return lambda cells: {**cells, **values}
        case FillTemplate():
            templates = [(column, Template.parse(source)) for column, source in step.templates]
            return lambda cells: {**cells, **{column: template.render(cells) for column, template in templates}}
        case LowerCase():
            return _edit_texts(step.columns, str.lower)
        case Strip():
            return _edit_texts(step.columns, str.strip)
        case AddPrefix():
            return _edit_texts((step.column,), lambda text: step.text + text)
        case AddSuffix():
            return _edit_texts((step.column,), lambda text: text + step.text)
        case RemovePrefix():
            return _edit_texts((step.column,), lambda text: text.removeprefix(step.text))
        case RemoveSuffix():
            return _edit_texts((step.column,), lambda text: text.removesuffix(step.text))
        case EnsureLeadingSpace():
            return _edit_texts(step.columns, lambda text: text if text.startswith(" ") else f" {text}")
        case JoinMessages():
            return _join_messages(step.separator)
        case Convert():
            to_chat = _TO_CHAT[step.source]
            return to_chat if step.target is Target.CHAT else lambda row: text_forms.chat_to_pair(to_chat(row))
    assert_never(step)


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


def _join_messages(separator: str) -> Edit:
    # Neighbouring turns that differ in nothing but their text become one; turns with calls or images stay apart.
    def edit(cells: Cells) -> Cells:
        messages = cells.get("messages")
        if not isinstance(messages, list):
            return cells
        joined: list[object] = []
        for message in messages:
            last = joined[-1] if joined else None
            if isinstance(last, dict) and isinstance(message, dict) and _can_join(last, message):
                joined[-1] = {**last, "content": f"{last['content']}{separator}{message['content']}"}
            else:
                joined.append(message)
        return {**cells, "messages": joined}

    return edit


def _can_join(last: Cells, message: Cells) -> bool:
    return (
        message.get("role") in _JOINED_ROLES
        and isinstance(last.get("content"), str)
        and isinstance(message.get("content"), str)
        and not (message.get("tool_calls") or message.get("function_call"))
        and {**last, "content": ""} == {**message, "content": ""}
    )
