"""One thing that is wrong with a row."""

from collections.abc import Collection, Iterator

import msgspec

from reconciler.domain.errors import Severity
from reconciler.foundation.suggest import did_you_mean, list_words

JsonObject = dict[str, object]


class RowFinding(msgspec.Struct, frozen=True):
    """A rule that a row breaks, where in the row, and the way out.

    Shape:  `rule` is a stable name such as `chat.role`; `path` such as `messages[2].role`, empty for the row itself
    """

    rule: str
    path: str
    what: str
    hint: str = ""
    severity: Severity = Severity.ERROR


def find_unknown_keys(
    found: JsonObject, known: Collection[str], rule: str, path: str, hints: dict[str, str] | None = None
) -> Iterator[RowFinding]:
    """Report the keys that a service would not know what to do with."""
    for key in sorted(set(found).difference(known)):
        hint = (
            (hints or {}).get(key)
            or did_you_mean(key, set(known).difference(found))
            or f"leave it out; the keys here are {list_words(known)}"
        )
        yield RowFinding(rule, f"{path}.{key[:100]}".lstrip("."), "an unknown key", hint)


def describe_value(value: object) -> str:
    """Name what a value is, in JSON's words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "text" if value else "empty"
        case dict():
            return "an object"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return str(value)[:40]
