"""A key in every encoding and output, and the variables that count as keys."""

import base64
import html
import io
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from reconciler.cli.redaction import find_secrets
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


ORDINARY = {
    "HOME": "/home/someone",
    "LANG": "C.UTF-8",
    "CI": "true",
    "GITHUB_SHA": "0a1b2c3d4e" * 4,
    "OPENAI_API_KEY": "x",
    "PWD": "/home/someone/project",
    "OLDPWD": "/home/someone",
    "SSH_AUTH_SOCK": "/tmp/ssh-XXXX/agent.17",
    "XDG_SESSION_TYPE": "wayland",
    "DESKTOP_SESSION": "gnome-classic",
    "XDG_SESSION_ID": "c12345",
    "TERM": "xterm-256",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
    "TERM_SESSION_ID": "w0t0p0:11111111",
    "SHLVL": "1234",
    "TOKENIZERS_PARALLELISM": "false",
    "MAX_TOKENS": "4096",
    "KEYBOARD_LAYOUT": "qwertz",
    "HOTKEY": "ctrl-shift-p",
    "GOOGLE_APPLICATION_CREDENTIALS_FILE": "/etc/google.json",
    "SECRETS_DIR": "/run/secrets",
    "USE_AUTH": "enabled",
    "GITHUB_REPOSITORY": "Acme1/Models-Of-Our-Company",
    "GITHUB_WORKFLOW_REF": "acme/models/.github/workflows/plan.yml@refs/heads/main",
    "PATH": "/usr/local/bin:/usr/bin",
    "PYTHONPATH": "/srv/app",
    "HOSTNAME": "runner-abc123-project-77-concurrent-0",
    "UUID": "123e4567-e89b-12d3-a456-426614174000",
    "IMAGE": "sha256:" + "ab12" * 16,
    "AUTHOR": "someone",
    "SPIN": "fast!",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_variables_are_not_secrets(name: str) -> None:
    assert find_secrets({name: ORDINARY[name]}) == ()


FIRMS = ("ACME", "openai", "MyService", "CI_DEPLOY", "aws", "GITHUB", "db")
WORDS = (
    *(
        "API_KEY",
        "APIKEY",
        "KEY",
        "TOKEN",
        "ACCESS_TOKEN",
        "SECRET",
        "CLIENT_SECRET",
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PWD",
    ),
    *("PASSPHRASE", "PASSCODE", "CREDENTIALS", "CREDS", "AUTH", "PAT", "JWT", "COOKIE", "SESSION", "SESSION_ID", "SID"),
    *("BEARER", "PRIVATE_KEY", "SIGNING_KEY", "WEBHOOK_URL", "DSN", "SAS_TOKEN", "OTP", "HMAC", "AUTHORIZATION"),
)
VALUES = ("canary-value-1", "c4nary!", "hun7er2")


def spellings(firm: str, word: str) -> list[str]:
    """Return a name as environments, programs and people write it."""
    parts = [*firm.split("_"), *word.split("_")]
    camel = parts[0].lower() + "".join(part.capitalize() for part in parts[1:])
    return [f"{firm}_{word}", f"{firm}_{word}".lower(), f"{firm}_{word}_2", f"INPUT_{firm}-{word}".upper(), camel]


NAMES = sorted({name for firm in FIRMS for word in WORDS for name in spellings(firm, word)})


def test_every_spelling_of_a_secret_name_is_one() -> None:
    assert len(NAMES) > 900
    missed = [name for name in NAMES for value in VALUES if value not in find_secrets({name: value})]
    assert not missed


def test_a_short_password_is_removed_where_it_stands() -> None:
    stream = io.StringIO()
    Sink(stream, find_secrets({"DB_PASSWORD": "hun7er2", "LOGIN_PIN": "4711"})).line(
        "cannot log in with hun7er2 or 4711"
    )
    assert stream.getvalue() == f"cannot log in with {REDACTED} or {REDACTED}\n"


def test_a_value_with_the_shape_of_a_key_is_a_secret_whatever_its_name() -> None:
    """Made-up keys in the shapes of two services, and one without a prefix."""
    slack, key, plain = (
        "xox" + "b-17653672481-19874698323-pdFZKVeTuE8sk7oOHcbrzqgy",
        "s" + "k-" + "aB3dE6gH" * 6,
        "Zk3vQ9bT7xLm2NpR5sWy8DfGh4Jc",
    )
    assert find_secrets({"CHANNEL": slack, "SETTING": f"x={key};y", "ID": plain}) == (slack, key, plain)
