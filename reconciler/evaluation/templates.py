"""Fills in templates: `{{item.field}}` from the row, `{{sample.output_text}}` and `{{sample.output_json.path}}`."""

import json
import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class NoSuchVariableError(ValueError):
    """A template names what neither the item nor the sample has."""


class NoJsonSampleError(ValueError):
    """A template looks into a sample that is no JSON."""


def fill_template(template: str, item: Mapping[str, object], sample: str) -> str:
    """Put values in the places of a template; a text as it is, anything else as JSON.

    Raises: NoSuchVariableError, NoJsonSampleError
    """
    return _PLACE.sub(lambda place: _as_text(_value(place[1], item, sample)), template)


def _value(path: str, item: Mapping[str, object], sample: str) -> object:
    root, *steps = path.split(".")
    if root == "item" and steps:
        return _walk(item, steps, path)
    if root == "sample" and steps == ["output_text"]:
        return sample
    if root == "sample" and steps[:1] == ["output_json"]:
        try:
            return _walk(json.loads(sample), steps[1:], path)
        except (json.JSONDecodeError, RecursionError) as error:
            raise NoJsonSampleError(f"the sample is no JSON: {error}") from error
    raise NoSuchVariableError(path)


def _walk(value: object, steps: list[str], path: str) -> object:
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,6}", step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise NoSuchVariableError(path)
    return value


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
