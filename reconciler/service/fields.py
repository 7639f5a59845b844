"""Reads fields out of a request's JSON object. Null means unset, as every client of the API takes it."""

from collections.abc import Collection, Mapping

from reconciler.service.errors import bad_type, bad_value, missing, unknown_argument

Json = Mapping[str, object]


def only(body: Json, known: Collection[str], at: str = "") -> None:
    """Refuse any field that is not known, so that nothing is silently ignored."""
    for name in body:
        if name not in known:
            raise unknown_argument(at + name)


def text(body: Json, name: str, *, at: str = "", low: int = 0, high: int = 1 << 20) -> str | None:
    """Return a string of `low` to `high` characters, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise bad_type(at + name, "a string", value)
    if not low <= len(value) <= high:
        raise bad_value(at + name, f"expected {low} to {high} characters, got {len(value)}.", "string_length")
    return value


def required_text(body: Json, name: str) -> str:
    """Return a string that has to be there."""
    value = text(body, name)
    if value is None:
        raise missing(name)
    return value


def whole(body: Json, name: str, low: int, high: int, *, at: str = "") -> int | None:
    """Return an integer within bounds, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_type(at + name, "an integer", value)
    if not low <= value <= high:
        raise bad_value(at + name, f"expected an integer from {low} to {high}, got {value}.", "out_of_range")
    return value


def number(body: Json, name: str, low: float, high: float) -> float | None:
    """Return a number within bounds, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_type(name, "a number", value)
    if not low <= value <= high:
        raise bad_value(name, f"expected a number from {low} to {high}, got {value}.", "out_of_range")
    return value


def flag(body: Json, name: str) -> bool:
    """Return a boolean, false when it is unset."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_type(name, "a boolean", value)
    return bool(value)


def table(body: Json, name: str, *, at: str = "") -> dict[str, object] | None:
    """Return a JSON object, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bad_type(at + name, "an object", value)
    return value


def texts(body: Json, name: str, most: int) -> tuple[str, ...]:
    """Return a string or a list of strings as a tuple, empty when it is unset."""
    value = body.get(name)
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise bad_type(name, "a string or an array of strings", value)
    if len(items) > most:
        raise bad_value(name, f"expected at most {most} items, got {len(items)}.", "array_above_max_length")
    return tuple(items)
