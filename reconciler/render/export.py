"""Which model answers, in the form that the next program reads."""

import json
import re
import shlex
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from reconciler.domain.lock import Locked
from reconciler.render.sanitize import clean

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ModelIdFormat(StrEnum):
    """Who reads: a person or a shell, a program, a dotenv reader, a GitHub step."""

    PLAIN = "plain"
    JSON = "json"
    ENV = "env"
    GITHUB = "github"


def model_ids_text(entries: Sequence[Locked], format: ModelIdFormat, *, delimiter: str = "") -> str:  # noqa: A002 (the flag's word)
    """Return the ids of models, each line ended.

    Shape:  plain is the id alone, or `name id` where there are several; env is `NAME_MODEL=id`, safe to source;
            github is `name=id` for $GITHUB_OUTPUT, with `delimiter`, a random word, around an id of several lines
    Raises: ValueError when an id of several lines meets a delimiter that is missing or stands in the id itself
    """
    match format:
        case ModelIdFormat.PLAIN:
            return _plain(entries)
        case ModelIdFormat.JSON:
            return json.dumps({entry.address.name: _entry(entry) for entry in entries}, indent=2) + "\n"
        case ModelIdFormat.ENV:
            return "".join(f"{_variable(entry)}={shlex.quote(clean(entry.model))}\n" for entry in entries)
        case ModelIdFormat.GITHUB:
            return "".join(_github(entry.address.name, entry.model, delimiter) for entry in entries)
        case _:
            assert_never(format)


def _plain(entries: Sequence[Locked]) -> str:
    if len(entries) == 1:
        return f"{clean(entries[0].model)}\n"
    column = max((len(entry.address.name) for entry in entries), default=0)
    return "".join(f"{entry.address.name:{column}}  {clean(entry.model)}\n" for entry in entries)


def _entry(entry: Locked) -> dict[str, object]:
    return {
        "model": entry.model,
        "job": entry.job,
        "digest": str(entry.stamp.digest),
        "provider": entry.provider,
        "service": entry.service,
        "finished_at": entry.finished_at,
    }


def _variable(entry: Locked) -> str:
    name = entry.address.name.replace("-", "_").replace(".", "_").upper()
    # No shell takes a variable that begins with a digit.
    return f"{'_' if name[:1].isdigit() else ''}{name}_MODEL"


def _github(name: str, value: str, delimiter: str) -> str:
    if not _CONTROL.search(value):
        return f"{name}={value}\n"
    if not delimiter or delimiter in value:
        raise ValueError(f"the output {name} has several lines and needs a delimiter that it does not contain")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
