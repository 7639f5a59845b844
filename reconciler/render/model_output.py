"""A finished model for other programs: its id in the format that they read, or a ready call to it.

A call never contains the key, only the variable that holds it. Untrusted text (the model's id, the prompt) is written
as one literal in ASCII, which every shell and interpreter reads as text.
"""

import json
import re
import shlex
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import assert_never

import msgspec

from reconciler.domain.lock import LockEntry
from reconciler.render.json_output import json_text
from reconciler.render.sanitize import clean

_LONGEST_ANSWER = 256
"""The API's own default for completions is 16 tokens, which cuts answers in the middle of a sentence."""

_TEMPLATES = Path(__file__).parent / "snippets"
_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SnippetLanguage(StrEnum):
    """The language of the call."""

    CURL = "curl"
    PYTHON = "python"
    NODE = "node"


class SnippetTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where the call goes.

    Shape:  `url_variable` and `key_variable` are names in the environment; `base_url` is the default of the first,
            None when there is none; `note` becomes a comment before the call
    """

    url_variable: str
    key_variable: str
    base_url: str | None = None
    note: tuple[str, ...] = ()


class SnippetPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """The prompt and the model; `is_completion` when the model was trained on prompts and completions."""

    model: str
    prompt: str
    system: str | None = None
    is_completion: bool = False

    @property
    def path(self) -> str:
        return "completions" if self.is_completion else "chat/completions"

    @property
    def body(self) -> dict[str, object]:
        """Return the body of the request."""
        if self.is_completion:
            return {"model": self.model, "prompt": self.prompt, "max_tokens": _LONGEST_ANSWER}
        opening = [{"role": "system", "content": self.system}] if self.system else []
        return {"model": self.model, "messages": [*opening, {"role": "user", "content": self.prompt}]}


def snippet_text(language: SnippetLanguage, prompt: SnippetPrompt, target: SnippetTarget) -> str:
    """Return the call as a text that runs as it is, ended by a newline."""
    template = (_TEMPLATES / f"{language}.txt").read_text("utf-8")
    answer = "text" if prompt.is_completion else "message.content"
    values = {"URL_VARIABLE": target.url_variable, "KEY_VARIABLE": target.key_variable, "PATH": prompt.path}
    values |= {"ANSWER": answer} | _language_values(language, prompt, target)
    comment = "//" if language is SnippetLanguage.NODE else "#"
    notes = "".join(f"{comment} {note}\n" for note in target.note)
    # One pass, so that nothing in a value is taken for a placeholder.
    return notes + _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _language_values(language: SnippetLanguage, prompt: SnippetPrompt, target: SnippetTarget) -> dict[str, str]:
    url, url_variable, key_variable = target.base_url, target.url_variable, target.key_variable
    match language:
        case SnippetLanguage.CURL:
            default = f":-{url}" if url else f":?set {url_variable}"
            return {"DEFAULT_URL": default, "BODY": shlex.quote(json_text(prompt.body))}
        case SnippetLanguage.PYTHON:
            variable = _python_text(url_variable)
            return {
                "URL": f"os.environ.get({variable}) or {_python_text(url)}" if url else f"os.environ[{variable}]",
                "KEY_VARIABLE": _python_text(key_variable),
                "METHOD": "completions" if prompt.is_completion else "chat.completions",
                "ARGUMENTS": "\n".join(f"    {name}={_python_text(value)}," for name, value in prompt.body.items()),
            }
        case SnippetLanguage.NODE:
            return {
                "DEFAULT_URL": f" || {json_text(url)}" if url else "",
                "REQUIRED": key_variable if url else f"{url_variable} and {key_variable}",
                "BODY": json_text(prompt.body),
            }
        case _:
            assert_never(language)


def _python_text(value: object) -> str:
    # A CI runner finds commands in the middle of a line; no other text can act once it is a literal in ASCII.
    return ascii(value).replace("##[", "\\x23\\x23[")


class ModelIdFormat(StrEnum):
    """Format of model ids: for a person or a shell, a program, a dotenv reader, a GitHub step."""

    PLAIN = "plain"
    JSON = "json"
    ENV = "env"
    GITHUB = "github"


def model_ids_text(
    entries: Sequence[LockEntry], id_format: ModelIdFormat, *, with_names: bool = False, delimiter: str = ""
) -> str:
    """Return the ids of models, each line ended.

    Shape:  plain is the id alone, or `name id` where several were asked for (`with_names`) or are there; env is
            `NAME_MODEL=id`, safe to source; github is `name=id` for $GITHUB_OUTPUT, with `delimiter`, a random word,
            around an id of several lines
    Raises: ValueError when an id of several lines meets a delimiter that is missing or stands in the id itself
    """
    match id_format:
        case ModelIdFormat.PLAIN:
            return _plain(entries, with_names)
        case ModelIdFormat.JSON:
            return json.dumps({entry.address.name: _entry(entry) for entry in entries}, indent=2) + "\n"
        case ModelIdFormat.ENV:
            return "".join(f"{_variable(entry)}={shlex.quote(clean(entry.model))}\n" for entry in entries)
        case ModelIdFormat.GITHUB:
            return "".join(_github(entry.address.name, entry.model, delimiter) for entry in entries)
        case _:
            assert_never(id_format)


def _plain(entries: Sequence[LockEntry], with_names: bool) -> str:
    if len(entries) == 1 and not with_names:
        return f"{clean(entries[0].model)}\n"
    column = max((len(entry.address.name) for entry in entries), default=0)
    return "".join(f"{entry.address.name:{column}}  {clean(entry.model)}\n" for entry in entries)


def _entry(entry: LockEntry) -> dict[str, object]:
    return {
        "model": entry.model,
        "job": entry.job,
        "digest": str(entry.stamp.digest),
        "provider": entry.provider,
        "service": entry.service,
        "finished_at": entry.finished_at,
    }


def _variable(entry: LockEntry) -> str:
    name = entry.address.name.replace("-", "_").replace(".", "_").upper()
    # No shell takes a variable that begins with a digit.
    return f"{'_' if name[:1].isdigit() else ''}{name}_MODEL"


def _github(name: str, value: str, delimiter: str) -> str:
    if not _CONTROL.search(value):
        return f"{name}={value}\n"
    if not delimiter or delimiter in value:
        raise ValueError(f"the output {name} has several lines and needs a delimiter that it does not contain")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
