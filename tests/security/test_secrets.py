"""A key in every encoding and output, and the variables that count as keys."""

import base64
import html
import io
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from reconciler.cli.console import find_secrets
from reconciler.render import Sink, clean
from reconciler.render.sanitize import code_block, html_text, markdown_code, markdown_text
from reconciler.render.sink import REDACTED

KEYS = {
    "plain": "canary-0123456789abcdef",
    "like a key": "ck-proj-abc_DEF__0123~xyz",
    "with everything": 'cánary/+"k\'ey" 7f3\\&=9a#1 @me :x: $y$ %41 a|b `c` <d> [e](f) *g* www.h',
}
WAYS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "cleaned": clean,
    "Markdown": markdown_text,
    "Markdown code": markdown_code,
    "a fence": code_block,
    "HTML": html_text,
    "HTML by the library": html.escape,
    "Markdown in HTML": lambda key: html_text(markdown_text(key)),
    "JSON": json.dumps,
    "JSON in JSON": lambda key: json.dumps(json.dumps({"key": key})),
    "a URL": lambda key: quote(key, safe=""),
    "a form": quote_plus,
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of a header": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "HEX": lambda key: key.encode().hex().upper(),
    "a repr": repr,
    "a command's message": lambda key: key.replace("%", "%25"),
    "a command's property": lambda key: key.replace("%", "%25").replace(":", "%3A").replace(",", "%2C"),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_removed_in_every_encoding(way: str, key: str) -> None:
    dressed = WAYS[way](key)
    stream = io.StringIO()
    Sink(stream, (key,)).line(f"before {dressed} after")
    output = stream.getvalue()
    assert REDACTED in output
    assert not any(part in output for part in pieces(dressed)), output


def pieces(dressed: str) -> list[str]:
    """Return the middle of an encoded key, in parts that are long enough to be useful."""
    middle = dressed[8:-8]
    return [middle[at : at + 10] for at in range(max(len(middle) - 9, 1))] if len(middle) > 8 else [middle]


@pytest.mark.parametrize(
    "name",
    [
        *("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "AZURE_OPENAI_API_KEY", "TOGETHER_API_KEY", "RECONCILER_LOCAL_KEY"),
        *("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "HF_TOKEN"),
        *("AWS_SECRET_ACCESS_KEY", "OPENAI_WEBHOOK_SECRET", "PGPASSWORD", "MYSQL_PWD", "MY_PASSPHRASE"),
        *("GOOGLE_CREDENTIALS", "my_password", "NPM_AUTH", "SSH_PRIVATE_KEY"),
    ],
)
def test_the_value_of_a_variable_with_such_a_name_is_in_no_output(name: str) -> None:
    assert "canary-value" in find_secrets({name: "canary-value", "HOME": "/home/someone", "PATH": "/usr/bin"})


def test_the_password_inside_an_address_is_a_secret_too() -> None:
    found = find_secrets(
        {"HTTPS_PROXY": "http://user:canary-word@proxy.example.test:3128", "DATABASE_URL": "postgres://h"}
    )
    assert found == ("canary-word",)


def test_ordinary_variables_are_not_secrets() -> None:
    ordinary = {"HOME": "/home/someone", "LANG": "C.UTF-8", "CI": "true", "GITHUB_SHA": "0" * 40, "OPENAI_API_KEY": "x"}
    assert find_secrets(ordinary) == ()
