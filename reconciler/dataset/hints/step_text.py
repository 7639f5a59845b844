"""Steps and mappings as the YAML of a spec, on one line each: for hints, and for the specs that `prepare` proposes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from reconciler.domain import prepare as domain
from reconciler.foundation.text import yaml_quoted, yaml_scalar

_NAMES: Mapping[type[domain.Operation], str] = {
    domain.Rename: "rename",
    domain.DropColumns: "drop_columns",
    domain.KeepColumns: "keep_columns",
    domain.SetColumns: "set",
    domain.FillTemplate: "template",
    domain.LowerCase: "lower_case",
    domain.Strip: "strip",
    domain.AddPrefix: "add_prefix",
    domain.AddSuffix: "add_suffix",
    domain.RemovePrefix: "remove_prefix",
    domain.RemoveSuffix: "remove_suffix",
    domain.EnsureLeadingSpace: "ensure_leading_space",
    domain.DropEmpty: "drop_empty",
    domain.Deduplicate: "deduplicate",
    domain.DropLong: "drop_long",
    domain.Filter: "filter",
    domain.Sample: "sample",
    domain.Limit: "limit",
    domain.JoinMessages: "join_messages",
    domain.DropEmptyTurns: "drop_empty_turns",
    domain.DropTurnKeys: "drop_turn_keys",
    domain.TurnWeight: "turn_weight",
    domain.MendCalls: "mend_calls",
    domain.MendImages: "mend_images",
    domain.PlaceImages: "place_images",
    domain.ChoosePair: "choose_pair",
    domain.PairLabels: "pair_labels",
    domain.Convert: "convert",
}


def write_step(step: domain.Operation) -> str:
    """Return a step as an item of a spec's `prepare` list has it, without the dash."""
    return f"{_NAMES[type(step)]}: {_write_value(step)}"


def write_steps_inline(steps: Sequence[domain.Operation]) -> str:
    """Return steps as the `prepare` list of a spec, on one line."""
    return f"prepare: [{', '.join(f'{{{write_step(step)}}}' for step in steps)}]"


def _write_value(step: domain.Operation) -> str:
    match step:
        case domain.Rename(pairs) | domain.FillTemplate(pairs):
            return _flow((key, yaml_quoted(value)) for key, value in pairs)
        case domain.SetColumns():
            return _flow((key, _scalar(value)) for key, value in step.values)
        case domain.AddPrefix() | domain.AddSuffix() | domain.RemovePrefix() | domain.RemoveSuffix():
            return f"{{column: {yaml_scalar(step.column)}, text: {yaml_quoted(step.text)}}}"
        case (
            domain.DropColumns()
            | domain.KeepColumns()
            | domain.LowerCase()
            | domain.Strip()
            | domain.EnsureLeadingSpace()
            | domain.DropEmpty()
            | domain.Deduplicate()
        ):
            return _list(step.columns) if step.columns else "true"
        case domain.DropEmptyTurns():
            return _list(step.roles)
        case domain.DropTurnKeys():
            return _list(step.keys)
        case domain.MendCalls() | domain.MendImages():
            return "true"
        case domain.PlaceImages():
            return yaml_scalar(step.column)
        case domain.Limit():
            return str(step.rows)
        case domain.JoinMessages():
            return f"{{separator: {yaml_quoted(step.separator)}}}"
        case domain.Convert():
            target = "" if step.target is domain.Target.CHAT else f", to: {step.target}"
            return f"{{from: {step.source}{target}}}"
        case domain.Filter():
            return _write_fields(step, {"is_in": "in", "least": "min", "most": "max"})
        case domain.TurnWeight() | domain.DropLong() | domain.Sample() | domain.ChoosePair() | domain.PairLabels():
            return _write_fields(step, {})
    assert_never(step)


def _write_fields(step: domain.Operation, words: Mapping[str, str]) -> str:
    defaults = dict(zip(step.__struct_fields__[::-1], step.__struct_defaults__[::-1], strict=False))
    fields = []
    for name in step.__struct_fields__:
        value = getattr(step, name)
        if name in defaults and value == defaults[name]:
            continue
        text = _list(value) if isinstance(value, tuple) else _scalar(value)
        fields.append(f"{words.get(name, name)}: {text}")
    return f"{{{', '.join(fields)}}}"


def _flow(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{yaml_quoted(key)}: {value}" for key, value in pairs) + "}"


def _list(words: Iterable[object]) -> str:
    return f"[{', '.join(map(_scalar, words))}]"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return yaml_scalar(value) if isinstance(value, str) else str(value)
