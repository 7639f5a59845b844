"""One thing that is wrong with a row, and the catalogue of all rules of the data checks.

The texts of the rules are data, in `rules.json`. A test keeps it complete; a page of docs shows it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from reconciler.dataset.hints import describe_meaning, has_meaning, suggest_in_row, suggest_in_turn
from reconciler.domain.errors import Severity
from reconciler.foundation.text import did_you_mean, list_words, yaml_scalar

JsonObject = dict[str, object]

RULES: Mapping[str, str] = json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))
"""Every rule by its id, with its meaning."""

JUDGED = frozenset(
    {
        "chat.arguments",
        "chat.empty-turn",
        "chat.image-type",
        "chat.name",
        "chat.no-user",
        "expect.rows",
        "leak.alike",
        "leak.prompt",
        "leak.same",
        "leak.split",
        "mapping.unused",
        "preference.same",
        "row.empty-system",
        "row.nested-cell",
        "row.placeholder",
        "rows.alike",
        "rows.contradiction",
        "rows.duplicate",
        "rows.near-duplicate",
        "rows.too-long",
        "rows.unsearched",
        "table.header-missing",
        "table.swallowed-rows",
        "text.blank-line",
        "text.damaged",
        "text.personal-data",
        "text.reserved-token",
        "text.secret",
        "text.transcript",
        "xlsx.cells",
        "xlsx.digits",
        "xlsx.errors",
        "xlsx.hidden",
        "xlsx.merged",
    }
)
"""The rules that a spec's `allow` may name, because the author decides whether their findings matter. No service
accepts rows that break one of the others."""


_MOST_UNKNOWN = 100
"""Unknown keys of one object that are reported one by one; rows may have keys without end."""


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
    unknown = sorted(set(found).difference(known))
    if len(unknown) > _MOST_UNKNOWN:
        what = f"{len(unknown):,} unknown keys, of which the first {_MOST_UNKNOWN} are looked at"
        yield RowFinding(rule, path, what, "leave them out, or write the rows again with the keys that services know")
    for key in unknown[:_MOST_UNKNOWN]:
        what, hint = "an unknown key", (hints or {}).get(key, "")
        if not hint and has_meaning(key, found[key]) and (not path or (_is_turn(path) and found[key] not in (0, 1))):
            what = f"an unknown key; {describe_meaning(key, found[key])}"
            hint = suggest_in_turn(key) if path else suggest_in_row(key, found[key], found)
        hint = (
            hint
            or did_you_mean(key, set(known).difference(found))
            or f"{_ask_for_weight(path, key, found[key])}leave it out{_name_step(path, key)}; "
            f"the keys here are {list_words(known)}"
        )
        yield RowFinding(rule, f"{path}.{key[:100]}".lstrip("."), what, hint)


def _name_step(path: str, key: str) -> str:
    if not path:
        return f" with the step `drop_columns: [{yaml_scalar(key[:100])}]`"
    return f" with the step `drop_turn_keys: [{yaml_scalar(key[:100])}]`" if _is_turn(path) else ""


def _ask_for_weight(path: str, key: str, value: object) -> str:
    # Yes or no on a turn may say whether it is trained on. Its author knows, and its name does not show it.
    if not _is_turn(path) or value not in (0, 1):
        return ""
    step = f"`turn_weight: {{key: {yaml_scalar(key[:100])}}}`"
    return f"if it says which turns are trained on, use the step {step} instead; if not, "


def _is_turn(path: str) -> bool:
    return path.startswith("messages[") and path.endswith("]") and "." not in path


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
