"""A ready call to a model, in the caller's language. The key is never in it, only the variable that holds it.

What comes from elsewhere (the model's id, what is said to it) is written as one literal in ASCII, which no shell and
no interpreter can take for anything but text.
"""

import shlex
from enum import StrEnum
from typing import assert_never

import msgspec

from reconciler.render.json_output import json_text

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
