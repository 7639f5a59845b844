"""Which values of the environment are secrets: by the names of variables, and by the shapes of their values.

A name is split into words: `OPENAI_API_KEY`, `dbPassword` and `GH_PAT` name secrets, `KEYBOARD_LAYOUT` does not.
A value with the shape of a key of a service, or that looks random, is a secret whatever its name.
"""

import re
from collections.abc import Iterator, Mapping

from reconciler.foundation import secret_shapes

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    {
        *("KEY", "KEYS", "APIKEY", "APITOKEN", "AUTHKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "LICENSEKEY"),
        *("TOKEN", "TOKENS", "AUTHTOKEN", "ACCESSTOKEN", "PAT", "JWT", "JWTS", "OTP", "TOTP", "HMAC", "NONCE", "SALT"),
        *("SECRET", "SECRETS", "CLIENTSECRET", "PASSWORD", "PASSWORDS", "PASSWD", "PASSWDS", "PASS", "PWD", "PW"),
        *("PASSPHRASE", "PASSCODE", "PIN", "CREDENTIAL", "CREDENTIALS", "CREDS", "CRED", "AUTH", "AUTHORIZATION"),
        *(
            "BEARER",
            "COOKIE",
            "COOKIES",
            "SESSION",
            "SESSIONID",
            "SID",
            "PRIVATE",
            "SIGNATURE",
            "SAS",
            "DSN",
            "WEBHOOK",
        ),
        *("NETRC", "PGPASS", "KUBECONFIG", "DOCKERCONFIGJSON", "PEM", "VAULT", "SIGNING", "ENCRYPTION"),
    }
)
_PASSWORDS = frozenset({"PASSWORD", "PASSWD", "PASS", "PWD", "PW", "PASSPHRASE", "PASSCODE", "PIN", "OTP"})
_ENDS_WITH_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIALS", "COOKIE")
_NO_SECRET = re.compile(
    r"(?:OLD)?PWD|XDG_.*|DBUS_.*|(?:GNOME_)?DESKTOP_SESSION(?:_ID)?|SESSION_MANAGER|SESSIONNAME|TERM_SESSION_ID|XAUTHORITY"
    r"|KEYMAP|KEYBOARD.*|SECURITYSESSIONID|PYTHONHASHSEED|.*MONKEY|.*TURKEY|.*HOTKEY|.*_SOCK|SHLVL|PIP_NO_INPUT"
)
_PATHS = frozenset({"FILE", "PATH", "DIR", "DIRECTORY", "HOME", "SOCK", "SOCKET", "NAME", "TYPE", "PROVIDER", "COUNT"})
_SETTINGS = frozenset({"TRUE", "FALSE", "NONE", "NULL", "AUTO", "DEFAULT", "ENABLED", "DISABLED", "ALWAYS", "NEVER"})
_A_PATH = re.compile(r"[~/.]|[A-Za-z]:[\\/]|unix:|file:")
_IN_ADDRESS = re.compile(r"(?<=://)[^/@:\s]*:([^/@\s]+)@")
_RANDOM = re.compile(r"[A-Za-z0-9+/_-]{24,512}={0,2}")
_JOINT = re.compile(r"[-_/]")
_LONGEST_WORD = 20
_LEAST_RANDOM = 3.9
_SHORTEST = 4
_SHORTEST_IN_ADDRESS = 6


def find_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets of an environment, each once."""
    return tuple(dict.fromkeys(secret for name, value in environ.items() for secret in _secrets_of(name, value)))


def _secrets_of(name: str, value: str) -> Iterator[str]:
    if is_secret_name(name) and _may_be_secret(name, value):
        yield value
    yield from (found[1] for found in _IN_ADDRESS.finditer(value) if len(found[1]) >= _SHORTEST_IN_ADDRESS)
    yield from (value[found.start : found.end] for found in secret_shapes.find_secrets(value))
    if looks_random(value):
        yield value


def is_secret_name(name: str) -> bool:
    """Return whether a variable of this name holds a secret."""
    if _NO_SECRET.fullmatch(name.upper()):
        return False
    words = [word.upper() for word in _WORD.findall(name)]
    return not _SECRET_WORDS.isdisjoint(words) or any(word.endswith(_ENDS_WITH_SECRET) for word in words)


def looks_random(value: str) -> bool:
    """Return whether a value looks like a generated key: long, of small and capital letters and digits, without a rule.

    Shape:  digests and ids in hexadecimal digits do not, since commits and runs have such names
    """
    # Names of branches, hosts and repositories are words with dashes, underscores or slashes between them.
    if not _RANDOM.fullmatch(value) or max(map(len, _JOINT.split(value))) < _LONGEST_WORD:
        return False
    kinds = (str.islower, str.isupper, str.isdigit)
    return all(any(map(kind, value)) for kind in kinds) and secret_shapes.entropy(value) >= _LEAST_RANDOM


def _may_be_secret(name: str, value: str) -> bool:
    # To take out a word such as `true`, or a small number, would damage every text.
    words = {word.upper() for word in _WORD.findall(name)}
    if len(value.strip()) < _SHORTEST or value.upper() in _SETTINGS:
        return False
    if value.isdecimal() and len(value) < 8 and words.isdisjoint(_PASSWORDS):
        return False
    return words.isdisjoint(_PATHS) or not _A_PATH.match(value)
