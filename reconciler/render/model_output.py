"""A ready call to a model, in the caller's language. The key is never in it, only the variable that holds it.

What comes from elsewhere (the model's id, what is said to it) is written as one literal in ASCII, which no shell and
no interpreter can take for anything but text.
"""

import json
import re
import shlex
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

import msgspec

from reconciler.domain.lock import Locked
from reconciler.render.json_output import json_text
from reconciler.render.sanitize import clean

_LONGEST_ANSWER = 256
"""The API's own default for completions is 16 tokens, which cuts answers in the middle of a sentence."""


class SnippetLanguage(StrEnum):
    """In what the call is written."""

    CURL = "curl"
    PYTHON = "python"
    NODE = "node"


class SnippetTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where the call goes.

    Shape:  `url_variable` and `key_variable` are names in the environment; `base_url` is where it goes when the first
            is not set, None when there is no such place; `note` is said first, as a comment
    """

    url_variable: str
    key_variable: str
    base_url: str | None = None
    note: tuple[str, ...] = ()


class SnippetPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of which model; `is_completion` when it was trained on prompts and completions."""

    model: str
    prompt: str
    system: str | None = None
    is_completion: bool = False

    @property
    def path(self) -> str:
        return "completions" if self.is_completion else "chat/completions"

    @property
    def body(self) -> dict[str, object]:
        """Return the request as the API takes it."""
        if self.is_completion:
            return {"model": self.model, "prompt": self.prompt, "max_tokens": _LONGEST_ANSWER}
        opening = [{"role": "system", "content": self.system}] if self.system else []
        return {"model": self.model, "messages": [*opening, {"role": "user", "content": self.prompt}]}


def snippet_text(language: SnippetLanguage, question: SnippetPrompt, service: SnippetTarget) -> str:
    """Return the call as a text that runs as it stands, ended by a newline."""
    match language:
        case SnippetLanguage.CURL:
            return _curl(question, service)
        case SnippetLanguage.PYTHON:
            return _python(question, service)
        case SnippetLanguage.NODE:
            return _node(question, service)
        case _:
            assert_never(language)


def _curl(question: SnippetPrompt, service: SnippetTarget) -> str:
    otherwise = f":-{service.base_url}" if service.base_url else f":?set {service.url_variable}"
    lines = [
        f'base="${{{service.url_variable}{otherwise}}}"',
        f'curl --silent --show-error --fail-with-body "${{base%/}}/{question.path}" \\',
        f'  --header "Authorization: Bearer ${{{service.key_variable}:?set {service.key_variable}}}" \\',
        "  --header 'Content-Type: application/json' \\",
        f"  --data-raw {shlex.quote(json_text(question.body))}",
    ]
    return _with_notes("#", service, lines)


def _python(question: SnippetPrompt, service: SnippetTarget) -> str:
    kind = "completions" if question.is_completion else "chat.completions"
    answer = "text" if question.is_completion else "message.content"
    variable = _python_text(service.url_variable)
    url = f"os.environ[{variable}]"
    if service.base_url:
        url = f"os.environ.get({variable}) or {_python_text(service.base_url)}"
    lines = [
        "import os",
        "",
        "from openai import OpenAI  # pip install openai",
        "",
        "client = OpenAI(",
        f"    base_url={url},",
        f"    api_key=os.environ[{_python_text(service.key_variable)}],",
        ")",
        f"response = client.{kind}.create(",
        *(f"    {name}={_python_text(value)}," for name, value in question.body.items()),
        ")",
        f"print(response.choices[0].{answer})",
    ]
    return _with_notes("#", service, lines)


def _node(question: SnippetPrompt, service: SnippetTarget) -> str:
    answer = "text" if question.is_completion else "message.content"
    otherwise = f" || {json_text(service.base_url)}" if service.base_url else ""
    lines = [
        "// Node 18 or newer; nothing has to be installed.",
        "async function main() {",
        f"  const base = process.env.{service.url_variable}{otherwise};",
        f"  const key = process.env.{service.key_variable};",
        f'  if (!base || !key) throw new Error("set {_required_variables(service)}");',
        f'  const response = await fetch(base.replace(/\\/+$/, "") + "/{question.path}", {{',
        '    method: "POST",',
        '    headers: { "Authorization": `Bearer ${key}`, "Content-Type": "application/json" },',
        f"    body: JSON.stringify({json_text(question.body)}),",
        "  });",
        "  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);",
        "  const answer = await response.json();",
        f"  console.log(answer.choices[0].{answer});",
        "}",
        "main().catch((error) => {",
        "  console.error(error.message);",
        "  process.exitCode = 1;",
        "});",
    ]
    return _with_notes("//", service, lines)


def _required_variables(service: SnippetTarget) -> str:
    return service.key_variable if service.base_url else f"{service.url_variable} and {service.key_variable}"


def _with_notes(comment: str, service: SnippetTarget, lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in (*(f"{comment} {note}" for note in service.note), *lines))


def _python_text(value: object) -> str:
    # A CI runner finds commands in the middle of a line; no other text can act once it is a literal in ASCII.
    return ascii(value).replace("##[", "\\x23\\x23[")


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
