"""Describe schemas and values in messages: what a field must be, and what it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.foundation.text import nearest
from reconciler.specfile.yaml.document import resolve

_TYPES = {
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of fields",
    "null": "nothing",
}
# A message never repeats what may be a key, not even to say that it must not be here.
_SECRET = re.compile(
    r"(?i)\b(?:sk|pk|rk|hf|gsk|ghp|tgp)[-_][a-z0-9_-]{8,}|bearer\s|(?=\S*\d)(?=\S*[a-z])[a-z0-9+/_=]{32,}"
)
_LONGEST = 48

# What other tools, and the API itself, call our fields.
_SYNONYMS = {
    word: field
    for field, words in {
        "apiVersion": "api_version version",
        "kind": "type",
        "name": "id title",
        "labels": "tags metadata annotations",
        "base": "model base_model",
        "training": "dataset data train training_file training_data",
        "validation": "eval validation_file validation_data",
        "hyperparameters": "params parameters hyperparams",
        "n_epochs": "epochs epoch num_epochs num_train_epochs",
        "batch_size": "batch",
        "learning_rate_multiplier": "lr learning_rate lr_multiplier",
        "source": "file files path sources",
        "prompt": "input user question",
        "completion": "output answer label assistant",
        "system": "system_prompt",
        "messages": "turns",
        "content": "text",
        "max_new_jobs": "max_jobs",
        "max_cost_usd": "budget max_usd",
        "max_bytes": "max_upload_bytes",
        "provider": "profile service",
        "on_change": "onchange",
        "retries": "retry",
        "seed": "random_seed",
    }.items()
    for word in words.split()
}


def describe_schema(schema: Mapping[str, Any]) -> str:
    """Return what a value must be to fit a schema: `a whole number from 1 to 50`."""
    if "title" in schema:
        return str(schema["title"])
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return _join([str(each) for each in schema["enum"]])
    if "anyOf" in schema:
        return _join([describe_schema(each) for each in schema["anyOf"]])
    types = schema.get("type", ())
    return (
        _join([_describe_type(each, schema) for each in ([types] if isinstance(types, str) else types)])
        or "something else"
    )


def show_value(value: object, written: str | None = None) -> str:
    """Return a value as its author wrote it: shortened, on one line, and never a text that looks like a key."""
    if written is not None:
        return written[:_LONGEST]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return quote(value) if isinstance(value, str) else "empty" if value is None else str(value)


def quote(text: str) -> str:
    """Return a text in quotes: shortened, on one line, and never a text that looks like a key."""
    if looks_like_a_key(text):
        return "a text that looks like a key"
    line = "".join(each if each.isprintable() else " " for each in text[: _LONGEST + 1])
    return f"'{line[:_LONGEST]}…'" if len(line) > _LONGEST else f"'{line}'"


def looks_like_a_key(text: str) -> bool:
    """Return whether a text may be a key, which no message repeats."""
    return bool(_SECRET.search(text[:200]))


def advice(key: str, schema: Mapping[str, Any], *, in_list: bool = False) -> str:
    """Return what a field is for, with an example; of a value `in_list`, the example is the field with one item."""
    example = next(iter(schema.get("examples", ())), None)
    about = str(schema.get("description", ""))
    shown = _example([example] if in_list else example)
    return f"{about} For example: {key}: {shown}" if example is not None else about


def way_out(key: str, schema: Mapping[str, Any], value: object, *, in_list: bool = False) -> str:
    """Return what to do about a value of the wrong type."""
    if in_list:
        return advice(key, schema, in_list=True)
    wants_text = "string" in schema.get("type", ())
    if value is None:
        return f"give it a value, or remove it. {advice(key, schema)}"
    if wants_text and isinstance(value, bool):
        return "put quotes around it if it is meant as text"
    if wants_text and isinstance(value, dict) and len(value) == 1 and None in value.values():
        return f'braces begin a mapping unless they are in quotes: {key}: "{{{next(iter(value))[:_LONGEST]}}}"'
    if isinstance(value, str) and _is_number(value) and not wants_text:
        return f"remove the quotes. {advice(key, schema)}"
    return advice(key, schema)


def nearest_field(word: str, known: Iterable[str]) -> str | None:
    """Return the field that was probably meant, also by a word of another tool. None when none is near."""
    return nearest(word, known, _SYNONYMS)


def or_nearest(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?" for the end of a sentence. Empty when no known word is near."""
    near = nearest(word, known)
    return f", did you mean '{near}'?" if near else ""


def name_faults(text: str) -> str:
    """Return what is wrong with a text as a name."""
    odd = sorted({each for each in text if not (each.isascii() and each.isalnum()) and each not in "-_ "})
    found = [
        "capital letters" if any(each.isascii() and each.isupper() for each in text) else "",
        "spaces" if " " in text else "",
        "underscores" if "_" in text else "",
        *(quote(each) for each in odd[:3]),
        "a dash at an end" if text.strip("-") != text else "",
        f"{len(text)} characters" if len(text) > 63 else "",
    ]
    return _join([each for each in found if each], "and")


def _describe_type(name: str, schema: Mapping[str, Any]) -> str:
    if name == "string" and "maxLength" in schema:
        return f"text of at most {schema['maxLength']:,} characters"
    if name not in {"integer", "number"}:
        return _TYPES.get(name, name)
    noun = "a whole number" if name == "integer" else "a number"
    low, high = schema.get("minimum"), schema.get("maximum")
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None:
        return f"{noun} from {low} to {high}" if high is not None else f"{noun} of at least {low}"
    bounds = [f"above {over}"] * (over is not None) + [f"below {under}"] * (under is not None)
    return " ".join([noun, _join(bounds, "and")]).strip()


def _join(words: list[str], last: str = "or") -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def _is_number(text: str) -> bool:
    try:
        found = resolve(text)
    except ValueError:
        return False
    return isinstance(found, int | float) and not isinstance(found, bool)


def _example(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_example(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_example(each)}' for key, each in value.items())}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    needs_quotes = isinstance(value, str) and (set(value) & set("{}[]:\n") or resolve(value) != value)
    return '"' + str(value).replace("\n", "\\n") + '"' if needs_quotes else str(value)
