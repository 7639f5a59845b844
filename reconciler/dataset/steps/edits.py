"""Steps that change a row: its columns, their texts, its turns, its form. Each returns the function that edits one row.

A step on texts writes a number, true or false as text first, as a template does. A value that is missing, null, a list
or an object stays.
"""

from collections.abc import Callable, Collection, Mapping

from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps import block_forms, text_forms
from reconciler.dataset.steps.cells import Cells, is_text
from reconciler.dataset.templates import Template, text_of
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

_JOINED_ROLES = ("system", "developer", "user", "assistant")

_TO_CHAT: Mapping[Form, Callable[[Object], Object]] = {
    Form.ALPACA: text_forms.alpaca_to_chat,
    Form.ANTHROPIC: block_forms.anthropic_to_chat,
    Form.CHAT: text_forms.normalize_chat,
    Form.PROMPT_COMPLETION: text_forms.pair_to_chat,
    Form.SHAREGPT: text_forms.sharegpt_to_chat,
    Form.VERTEX: block_forms.vertex_to_chat,
}


class StepError(ReconcilerError):
    """A step that does not fit the rows there are: mend the step.

    Shape:  what is wrong, and a way out
    """

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


def rename(step: Rename) -> Edit:
    """Return other names to columns, in their places.

    Raises: StepError, on a row that has a column of the new name already
    """
    names = dict(step.names)

    def edit(cells: Cells) -> Cells:
        renamed = {names.get(column, column): value for column, value in cells.items()}
        if len(renamed) < len(cells):
            taken = next(new for old, new in names.items() if old in cells and new in cells and new not in names)
            raise StepError(f"the column `{taken}` is there already", f"drop it first: `drop_columns: [{taken}]`")
        return renamed

    return edit


def drop_columns(step: DropColumns) -> Edit:
    """Leave columns out."""
    dropped = frozenset(step.columns)
    return lambda cells: {column: value for column, value in cells.items() if column not in dropped}


def keep_columns(step: KeepColumns) -> Edit:
    """Leave all other columns out."""
    kept = frozenset(step.columns)
    return lambda cells: {column: value for column, value in cells.items() if column in kept}


def set_columns(step: SetColumns) -> Edit:
    """Write the same values into every row."""
    values = dict(step.values)
    return lambda cells: {**cells, **values}


def fill_templates(step: FillTemplate) -> Edit:
    """Make columns of templates, all from the row as it was."""
    templates = [(column, Template.parse(source)) for column, source in step.templates]
    return lambda cells: {**cells, **{column: template.render(cells) for column, template in templates}}


def lower_case(step: LowerCase) -> Edit:
    """Write texts in lower case."""
    return _edit_columns(step.columns, str.lower)


def strip(step: Strip) -> Edit:
    """Cut white space from both ends."""
    return _edit_columns(step.columns, str.strip)


def add_prefix(step: AddPrefix) -> Edit:
    """Put a text before."""
    return _edit_columns((step.column,), lambda text: step.text + text)


def add_suffix(step: AddSuffix) -> Edit:
    """Put a text after."""
    return _edit_columns((step.column,), lambda text: text + step.text)


def remove_prefix(step: RemovePrefix) -> Edit:
    """Cut a text from the start."""
    return _edit_columns((step.column,), lambda text: text.removeprefix(step.text))


def remove_suffix(step: RemoveSuffix) -> Edit:
    """Cut a text from the end."""
    return _edit_columns((step.column,), lambda text: text.removesuffix(step.text))


def ensure_leading_space(step: EnsureLeadingSpace) -> Edit:
    """Put one space before what has none."""
    return _edit_columns(step.columns, lambda text: text if text.startswith(" ") else f" {text}")


def _edit_columns(columns: Collection[str], change: Callable[[str], str]) -> Edit:
    def edit(cells: Cells) -> Cells:
        changed = {column: change(text_of(value)) for column in columns if is_text(value := cells.get(column))}
        return {**cells, **changed}

    return edit


def join_messages(step: JoinMessages) -> Edit:
    """Make one turn of neighbours that differ in nothing but their text; turns with calls or images stay apart."""

    def edit(cells: Cells) -> Cells:
        messages = cells.get("messages")
        if not isinstance(messages, list):
            return cells
        joined: list[object] = []
        for message in messages:
            last = joined[-1] if joined else None
            if isinstance(last, dict) and isinstance(message, dict) and _can_join(last, message):
                joined[-1] = {**last, "content": f"{last['content']}{step.separator}{message['content']}"}
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
        and _besides_content(last) == _besides_content(message)
    )


def _besides_content(message: Cells) -> Cells:
    return {key: value for key, value in message.items() if key != "content"}


def convert(step: Convert) -> Edit:
    """Return the edit that writes a row in another form.

    Raises: ConversionError, on a row that does not have the form named or cannot be written in the other
    """
    to_chat = _TO_CHAT[step.source]
    if step.target is Target.CHAT:
        return to_chat
    return lambda row: text_forms.chat_to_pair(to_chat(row))
