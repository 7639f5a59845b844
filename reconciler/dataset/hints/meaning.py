"""What a key says that training would have to know, and the steps that use it.

Every place that meets such a key asks here: the checks of rows, conversions, mappings, and the proposals of `prepare`.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from reconciler.dataset.hints.names import (
    CONTEXTS,
    HISTORIES,
    IMAGES,
    MEDIA,
    ROW_WEIGHTS,
    SYSTEMS,
    THOUGHTS,
    TURN_WEIGHTS,
    judges_by_value,
    match_training,
    plain_name,
    read_judgement,
    says_either_way,
    says_judgement,
    says_rejected,
    says_split,
)
from reconciler.dataset.hints.step_text import write_step, write_steps_inline
from reconciler.domain.prepare import (
    Convert,
    DropColumns,
    DropTurnKeys,
    FillTemplate,
    Filter,
    Form,
    KeepColumns,
    Operation,
    PlaceImages,
    Rename,
    TurnWeight,
)
from reconciler.foundation.text import list_words, yaml_quoted

_KINDS: Mapping[str, tuple[Collection[str], str]] = {
    "image": (IMAGES, "an image that belongs to the question"),
    "media": (MEDIA, "sound or film, which training on chat does not read"),
    "system": ((*SYSTEMS, "instruction"), "a text for the system"),
    "history": (HISTORIES, "the turns before the question"),
    "context": (CONTEXTS, "a text that the question is about"),
    "thoughts": (THOUGHTS, "the thoughts before the answer"),
    "tools": (("tools", "functions"), "the functions that the model may call"),
    "scope": (ROW_WEIGHTS, "which turns, or how much of a row, are trained on"),
    "weight": (TURN_WEIGHTS, "what is trained on, or how much"),
}
_READS = {
    "system": ("system", "preamble"),
    "history": ("history",),
    "context": ("context",),
}
"""The keys of other conversions that hold a text of a kind."""


def kind_of(key: str, value: object = None) -> str:
    """Return the kind of what a key holds, by its name, or by a word in it; empty where neither shows one."""
    plain = plain_name(key)
    if says_split(key, value):
        return "split"
    found = next((kind for kind, (names, _) in _KINDS.items() if plain in names), "")
    if found:
        return found
    if says_judgement(key) or judges_by_value(key, value):
        return "judgement"
    return "rejected" if says_rejected(key) else ""


def describe_meaning(key: str, value: object = None) -> str:
    """Return what a key says about training."""
    kind = kind_of(key, value)
    if kind in _KINDS:
        return f"it holds {_KINDS[kind][1]}"
    if kind == "judgement":
        return "it says how good an answer is"
    if kind == "split":
        return "it says which rows are for training, and which are held out"
    return "it holds an answer that is not to be learned" if kind == "rejected" else "it says more about training"


def suggest_in_row(key: str, value: object, keys: Collection[str]) -> str:
    """Return the hint for a key of a row of chat, or of a prompt and a completion, which the API does not know."""
    kind, drop = kind_of(key, value), write_step(DropColumns((key,)))
    if kind == "split":
        keep = write_steps_inline((keep_training(key), DropColumns((key,))))
        return f"to train on the rows for training only, add `{keep}` to the Dataset; to train without it, add `{drop}`"
    if kind == "judgement":
        return f"where it judges the answers, keep those to learn with a `filter` on it; if not, leave it out: `{drop}`"
    if kind == "media":
        rest = write_step(Filter(column=key, present=False))
        return f"to leave such rows out, add `{rest}`; to train without it, where it is empty in all rows, add `{drop}`"
    steps = _find_steps(key, value, keys)
    if steps:
        return f"to use it, add `{write_steps_inline(steps)}` to the Dataset{_add_drop(key, steps)}"
    return f"{_describe_use(key, keys)}{_add_drop(key, steps)}"


def suggest_in_turn(key: str) -> str:
    """Return the hint for a key of a turn that training would have to know, and the API does not."""
    drop = f"to train without it, add `{write_step(DropTurnKeys((key,)))}`"
    kind = kind_of(key)
    if kind == "weight":
        step = write_step(TurnWeight(key=key))
        inverted = ", with `inverted: true` where 1 is a turn to leave out" if says_either_way(key) else ""
        return f"to use it, add `{step}`{inverted}; {drop}"
    if kind in ("thoughts", "context", "system"):
        return f"to use it, write it into the texts of the rows; {drop}"
    return f"{_describe_use(key, ())}; {drop}"


def keep_training(key: str) -> Filter:
    """Return the step that keeps the rows for training, by the key that says their part."""
    return Filter(column=key, matches=match_training(key))


def suggest_before_conversion(key: str, known: Collection[str], holder: Collection[str], value: object = None) -> str:
    """Return how to use a key that a conversion of rows leaves out, which reads the `known` keys of the `holder`."""
    if kind_of(key, value) == "split":
        return f"to train on the rows for training only, add `{write_step(keep_training(key))}` before this step"
    reads = next((each for each in _READS.get(kind_of(key), ()) if each in known and each not in holder), None)
    if reads is None and kind_of(key) == "context" and "input" in known and "input" not in holder:
        reads = "input"
    if reads is None and kind_of(key) == "context" and "system" in known and "system" not in holder:
        reads = "system"
    if reads:
        return f"to use it, add `{write_step(Rename(((key, reads),)))}` before this step"
    if kind_of(key) == "image" and "rejected" not in known:
        return f"to use it, add `{write_step(PlaceImages(key))}` after this step"
    if kind_of(key) == "image":
        rest = write_step(Filter(column=key, present=False))
        return f"training on preferences takes text only: to leave such rows out, add `{rest}` before this step"
    return _describe_use(key, (), value)


def suggest_in_mapping(key: str, fields: Mapping[str, str], value: object = None) -> str:
    """Return how to use a column that a mapping leaves out; `fields` are its templates, without turns."""
    kind = kind_of(key, value)
    if kind == "split":
        return f"to train on the rows for training only, add `{write_step(keep_training(key))}` to `prepare`"
    if kind == "system" and fields and "system" not in fields:
        return f"to use it, add `system: {yaml_quoted(f'{{{key}}}')}`"
    if kind == "image" and fields.keys() >= {"prompt", "completion"}:
        steps = write_steps_inline(place_after_templates(tuple(fields.items()), key))
        return f"to use it, write `{steps}` in place of {list_words(tuple(fields))}"
    if kind in ("weight", "scope", "judgement", "media"):
        return _describe_use(key, (), value)
    return "to use it, put the column into a template that is read"


def place_after_templates(fields: tuple[tuple[str, str], ...], key: str) -> tuple[Operation, ...]:
    """Return the steps that fill a prompt and a completion by templates, and put the images of a key into the turn."""
    names = tuple(name for name, _ in fields)
    convert = _convert(Form.PROMPT_COMPLETION)
    return FillTemplate(templates=fields), KeepColumns((*names, key)), convert, PlaceImages(key)


def _find_steps(key: str, value: object, keys: Collection[str]) -> tuple[Operation, ...]:
    kind, is_pair = kind_of(key), {"prompt", "completion"} <= set(keys)
    convert = _convert(Form.PROMPT_COMPLETION if is_pair else Form.CHAT)
    if not is_pair and "messages" not in keys:
        return ()
    if kind == "image" and _are_addresses(value):
        return (convert, PlaceImages(key)) if is_pair else (PlaceImages(key),)
    if kind == "system" and (key == "system" or "system" not in keys):
        return (convert,) if key == "system" else (Rename(((key, "system"),)), convert)
    if kind == "context" and not is_pair and "system" not in keys:
        return (Rename(((key, "system"),)), convert)
    if kind == "context" and is_pair and isinstance(value, str):
        names = (
            ("prompt", "instruction"),
            ("completion", "response"),
            *(((key, "context"),) if key != "context" else ()),
        )
        return (Rename(names), Convert(source=Form.DOLLY))
    if kind == "history" and is_pair:
        names = (
            ("prompt", "instruction"),
            ("completion", "output"),
            *(((key, "history"),) if key != "history" else ()),
        )
        return (Rename(names), Convert(source=Form.ALPACA))
    if kind == "weight" and not says_either_way(key) and (off := _say_off(value)) is not None:
        return (Filter(column=key, not_equals=off), DropColumns((key,)))
    return ()


def _rename(*names: tuple[str, str]) -> Rename:
    return Rename(tuple((old, new) for old, new in names if old != new))


def _convert(form: Form) -> Convert:
    return Convert(source=form)


def _are_addresses(value: object) -> bool:
    images = value if isinstance(value, list) else [value] if value else []
    return all(isinstance(each, str) and each.startswith(("https://", "http://", "data:image/")) for each in images)


def _say_off(value: object) -> str | None:
    # The cell of a row that is not trained on, as a filter compares it, where the cells say yes or no.
    if isinstance(value, bool):
        return "false"
    if isinstance(value, str) and read_judgement("loss", value) is not None:
        return {"1": "0", "1.0": "0.0", "true": "false", "yes": "no"}.get(value.lower(), value)
    if isinstance(value, int | float | Decimal) and value in (0, 1):
        return "0" if isinstance(value, int) else "0.0"
    return None


def _describe_use(key: str, keys: Collection[str], value: object = None) -> str:
    match kind_of(key, value):
        case "image":
            address = "write an https:// URL, or data:image/…;base64, for each image"
            return f"to use it, {address}, and place it with the step `place_images`"
        case "weight":
            return "rows have no weight here: keep those to train on with a `filter` on it, or give a source a `weight`"
        case "scope":
            return 'the API trains on each answer that has no weight 0: write `"weight": 0` on those to leave out'
        case "judgement":
            return "keep the answers to learn with a `filter` on it"
        case "rejected":
            return "train on both answers by `method: dpo`"
        case "history":
            return "to use it, write the turns into `messages`, before the question"
        case "tools":
            return "to use them, write the rows as chat, with `tools` beside `messages`"
        case "media":
            return "leave such rows out with a `filter` on it"
    return "to use it, write it into the texts of the rows"


def _add_drop(key: str, steps: tuple[Operation, ...]) -> str:
    if any(isinstance(step, DropColumns) for step in steps):
        return ""
    return f"; to train without it, add `{write_step(DropColumns((key,)))}`"
