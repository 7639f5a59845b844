"""What a service has no field or no room for, by its capabilities: known before anything is sent. Pure.

The same rules stand before a plan and before a create, so that nothing is priced, reviewed or cancelled for a job that
our own client will not send.
"""

import json
from collections.abc import Iterator

import msgspec

from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import AUTO, Format, Recipe

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


def row_fault(row_format: Format, taken: Capabilities, service: str) -> RuleFault | None:
    """Return why rows of a format cannot be trained on; None when they can."""
    if not taken.formats or row_format in taken.formats:
        return None
    found = _PLAIN.get(row_format, f"rows of the format {row_format}")
    wanted = " and ".join(_PLAIN.get(each, each.value) for each in sorted(taken.formats) if each in _PLAIN)
    hint = "give the Dataset 'format: completion', with rows or templates of a prompt and a completion"
    return RuleFault(
        field="format",
        what=f"its rows are {found}, and {service} trains on {wanted}",
        hint=hint if Format.COMPLETION in taken.formats else "use a Dataset of another format",
    )


def _no_field(field: str, value: object, service: str, hint: str) -> RuleFault:
    what = f"{service} has no field for {field} ({value}), and leaving it out would make another model"
    return RuleFault(field=field, what=what, hint=hint)
