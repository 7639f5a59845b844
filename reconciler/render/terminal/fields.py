"""The fields of one step, aligned, each before and after."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from reconciler.domain.plan import Change
from reconciler.render.sanitize import clean
from reconciler.render.style import Paint
from reconciler.render.terminal.layout import padded, width_of

KNOWN_LATER = "(known after apply)"
FORCES = "# forces a new job"

_ONE_LINE = 80
"""A change that would be longer shows before and after below each other."""

_VALUE = 400
_LONG_DIGEST = re.compile(r"\bv\d+:([0-9a-f]{12})[0-9a-f]*")


class Field(msgspec.Struct, frozen=True):
    """One line of a step: cleaned already, with the symbol that goes before it and a remark behind it."""

    symbol: str
    name: str
    values: tuple[str, ...]
    remark: str = ""


def given(name: str, value: str, symbol: str = "+") -> Field:
    """A field with one value."""
    return Field(symbol, _name(name), (_value(value),))


def changed(change: Change, remark: str = "") -> Field:
    """A field that was added, removed, or is another than before."""
    name = _name(change.field)
    match change.before, change.after:
        case None, after:
            return Field("+", name, (_value(after or ""),), remark)
        case before, None:
            return Field("-", name, (_value(before or ""), "(not set)"), remark)
        case before, after:
            return Field("~", name, (_value(before or ""), _value(after or "")), remark)


def field_lines(fields: Sequence[Field], paint: Paint) -> Iterator[str]:
    """Yield the lines of fields, their values in one column."""
    column = max((width_of(field.name) for field in fields), default=0)
    for field in fields:
        start = f"      {paint.symbol(field.symbol, field.symbol)} {padded(field.name, column)} = "
        remark = f"  {paint.yellow(field.remark)}" if field.remark else ""
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
