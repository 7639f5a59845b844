"""The fields of one step, aligned, each before and after."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from reconciler.domain.plan import Change
from reconciler.render.sanitize import clean
from reconciler.render.style import Style
from reconciler.render.terminal.layout import pad, width_of

KNOWN_LATER = "(known after apply)"
FORCES = "# forces a new job"

_ONE_LINE = 80
"""A change that would be longer shows before and after below each other."""

_VALUE = 400
_LONG_DIGEST = re.compile(r"\bv\d+:([0-9a-f]{12})[0-9a-f]*")


class StepField(msgspec.Struct, frozen=True):
    """One line of a step: cleaned already, with the symbol that goes before it and a remark behind it."""

    symbol: str
    name: str
    values: tuple[str, ...]
    remark: str = ""


def value_field(name: str, value: str, symbol: str = "+") -> StepField:
    """A field with one value."""
    return StepField(symbol, _name(name), (_value(value),))


def change_field(change: Change, remark: str = "") -> StepField:
    """A field that was added, removed, or is another than before."""
    name = _name(change.field)
    match change.before, change.after:
        case None, after:
            return StepField("+", name, (_value(after or ""),), remark)
        case before, None:
            return StepField("-", name, (_value(before or ""), "(not set)"), remark)
        case before, after:
            return StepField("~", name, (_value(before or ""), _value(after or "")), remark)


def field_lines(fields: Sequence[StepField], style: Style) -> Iterator[str]:
    """Yield the lines of fields, their values in one column."""
    column = max((width_of(field.name) for field in fields), default=0)
    for field in fields:
        start = f"      {style.symbol(field.symbol, field.symbol)} {pad(field.name, column)} = "
        remark = f"  {style.yellow(field.remark)}" if field.remark else ""
        plain = " → ".join(field.values) + (f"  {field.remark}" if field.remark else "")
        if len(field.values) > 1 and 11 + column + width_of(plain) > _ONE_LINE:
            yield start + field.values[0]
            yield f"{' ' * (column + 9)}→ {' → '.join(field.values[1:])}{remark}"
        else:
            yield start + " → ".join(field.values) + remark


def _name(field: str) -> str:
    # The API's own names say enough, and a long prefix pushes every value to the right.
    return clean(field.removeprefix("hyperparameters."))


def _value(text: str) -> str:
    return _LONG_DIGEST.sub(r"\1", clean(text, limit=_VALUE)) or '""'
