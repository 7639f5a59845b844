"""What a service has no field or no room for, by its capabilities: known before anything is sent. Pure.

The same rules stand before a plan and before a create, so that nothing is priced, reviewed or cancelled for a job that
our own client will not send.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.ports import Capabilities
from reconciler.domain.prepare import Convert
from reconciler.domain.spec import AUTO, FORMATS_OF, BaseRules, DatasetSpec, Format, Recipe, Turn

_SHOWN_BASES = 8
_TABLES = (".csv", ".tsv", ".xlsx")

_PLAIN = {Format.CHAT: "conversations", Format.COMPLETION: "prompts and completions", Format.PREFERENCE: "preferences"}


class RuleFault(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a spec that a service does not take, with the reason and a way on."""

    field: str
    what: str
    hint: str


def recipe_faults(recipe: Recipe, taken: Capabilities, service: str) -> Iterator[RuleFault]:
    """Yield every field of a recipe that a service has no place, or no room, for."""
    suffix = recipe.suffix or ""
    if len(suffix) > taken.suffix_length:
        what = f"the suffix has {len(suffix)} characters, and {service} takes {taken.suffix_length}"
        hint = "shorten the suffix, or leave it out to have one made of the model's name"
        yield RuleFault(field="suffix", what=what, hint=hint)
    if wrong := _find_wrong_signs(suffix, taken.suffix_signs):
        signs = " and ".join(taken.suffix_signs or ())
        what = f"the suffix holds {json.dumps(wrong, ensure_ascii=False)}, and {service} takes letters, digits, {signs}"
        yield RuleFault(field="suffix", what=what, hint="replace what it does not take")
    if recipe.seed is not None and "seed" in taken.missing_fields:
        hint = "remove seed from the Model, and from the Project's defaults"
        yield _no_field("seed", recipe.seed, service, hint)
    if taken.methods and recipe.method not in taken.methods:
        methods = " and ".join(taken.methods)
        yield _no_field("method", recipe.method, service, f"it knows {methods} training only: remove method")
    for name, value in recipe.hyperparameters:
        if taken.hyperparameters and name not in taken.hyperparameters and value != AUTO:
            hint = f"it knows {', '.join(taken.hyperparameters)}; others may stand in extra"
            yield _no_field(f"hyperparameters.{name}", value, service, hint)
    extra = json.loads(recipe.extra)
    for name in taken.missing_fields:
        if name in extra:
            yield _no_field(f"extra.{name}", extra[name], service, "remove it from extra")
    for name, values in taken.required_fields:
        yield from _check_required(name, values, extra, service)


def _find_wrong_signs(suffix: str, signs: str | None) -> str:
    """Return the signs of a suffix that a service does not take, each once."""
    if signs is None:
        return ""
    strange = (each for each in suffix if not (each.isascii() and each.isalnum()) and each not in signs)
    return "".join(dict.fromkeys(strange))


def _check_required(name: str, values: Sequence[str], extra: Mapping[str, object], service: str) -> Iterator[RuleFault]:
    stated = extra.get(name)
    if isinstance(stated, str) and stated.lower() in {value.lower() for value in values}:
        return
    listed = f"{', '.join(values[:-1])} or {values[-1]}"
    what = f"{service} creates no job without {name}" if stated is None else f"{service} has no {name} {stated!r}"
    example = f"`extra: {{{name}: {values[0]}}}`"
    yield RuleFault(field=f"extra.{name}", what=what, hint=f"write {example} into the Model; it is {listed}")


def row_fault(row_format: Format, taken: Capabilities, service: str, spec: DatasetSpec) -> RuleFault | None:
    """Return why rows of a format cannot be trained on; None when they can."""
    if not taken.formats or row_format in taken.formats:
        return None
    found = _PLAIN.get(row_format, f"rows of the format {row_format}")
    wanted = " and ".join(_PLAIN.get(each, each.value) for each in sorted(taken.formats) if each in _PLAIN)
    return RuleFault(
        field="format",
        what=f"its rows are {found}, and {service} trains on {wanted}",
        hint=_suggest_form(spec, row_format, Format.COMPLETION if Format.COMPLETION in taken.formats else None)
        or "use a Dataset of another format",
    )


def base_faults(
    recipe: Recipe, measured: DatasetMeasure, taken: Capabilities, spec: DatasetSpec
) -> Iterator[RuleFault]:
    """Yield why a base cannot learn by a method, or from the rows of a dataset; nothing for a base without rules.

    Shape:  `field` is `method` of the model, `format` or `source` of the dataset
    """
    rules = next((each for each in taken.base_rules if each.holds_for(recipe.base)), None)
    if rules is None:
        return
    if recipe.method not in rules.methods:
        others = [each for each in taken.base_rules if recipe.method in each.methods]
        what = f"{recipe.base} does not learn by {recipe.method}; it learns by {' and '.join(rules.methods)}"
        yield RuleFault(field="method", what=what, hint=_name_bases(others, f"learn by {recipe.method}"))
    elif measured.format not in rules.formats and measured.format in FORMATS_OF.get(recipe.method, ()):
        found = _PLAIN.get(measured.format, measured.format.value)
        wanted = " and ".join(_PLAIN.get(each, each.value) for each in rules.formats)
        what = f"its rows are {found}, and {recipe.base} learns from {wanted}"
        step = _suggest_form(spec, measured.format, rules.formats[0])
        others = [each for each in taken.base_rules if measured.format in each.formats]
        hint = f"{step}; or {_name_bases(others, f'learn from {found}')}" if step else ""
        yield RuleFault(field="format", what=what, hint=hint or _name_bases(others, f"learn from {found}"))
    sides = (measured.training, measured.validation)
    count = sum(side.images.count for side in sides if side and side.images)
    if count and not rules.sees_images:
        what = (
            f"its rows hold {count} {'image' if count == 1 else 'images'}, and {recipe.base} does not learn from them"
        )
        hint = _name_bases([each for each in taken.base_rules if each.sees_images], "see images")
        yield RuleFault(field="source", what=what, hint=hint)


def _suggest_form(spec: DatasetSpec, found: Format, wanted: Format | None) -> str:
    """Return how a Dataset gets rows of the wanted format, by its mapping where it has one; empty where it cannot."""
    if (found, wanted) == (Format.COMPLETION, Format.CHAT):
        step = "add the step `convert: {from: prompt_completion}` to the Dataset's `prepare`"
        return "write `format: chat` into the Dataset" if spec.mapping else step
    if (found, wanted) != (Format.CHAT, Format.COMPLETION):
        return ""
    if spec.mapping:
        return _suggest_pair(spec, spec.mapping.turns)
    # The columns `prompt` and `completion` of a table are mapped without templates.
    is_table = all(source.lower().endswith(_TABLES) for source in spec.sources)
    if is_table and not any(isinstance(each.operation, Convert) for each in spec.prepare):
        return "write `format: completion` into the Dataset"
    return "add the step `convert: {from: chat, to: completion}` to the Dataset's `prepare`"


def _suggest_pair(spec: DatasetSpec, turns: Sequence[Turn]) -> str:
    before = [turn for turn in turns[:-2] if turn.role in ("system", "developer")]
    if [turn.role for turn in turns[-2:]] != ["user", "assistant"] or len(turns) != len(before) + 2:
        return "a prompt and a completion hold one question and one answer: use a Dataset of such rows"
    has_messages = spec.find_field("messages[0].content").path.startswith("messages")
    if not before and not has_messages:
        return "write `format: completion` into the Dataset"
    prompt = "\n\n".join(turn.content for turn in (*before, turns[-2]))
    fields = f"`prompt: {json.dumps(prompt, ensure_ascii=False)}`"
    if has_messages:
        fields += f", `completion: {json.dumps(turns[-1].content, ensure_ascii=False)}`"
    gone = "messages" if has_messages else "system"
    return f"remove `{gone}`, and write {fields}, `format: completion` into the Dataset"


def _name_bases(rules: Sequence[BaseRules], how: str) -> str:
    names = [base for each in rules for base in each.bases]
    more = len(names) - _SHOWN_BASES
    shown = ", ".join(names[:_SHOWN_BASES]) + (f" and {more} more" if more > 0 else "")
    return f"the bases that {how} are {shown}" if names else f"no base of this service is known to {how}"


def _no_field(field: str, value: object, service: str, hint: str) -> RuleFault:
    what = f"{service} has no field for {field} ({value}), and leaving it out would make another model"
    return RuleFault(field=field, what=what, hint=hint)
