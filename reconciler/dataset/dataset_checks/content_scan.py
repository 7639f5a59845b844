"""The scan of texts for what they should not hold: reserved tokens, secrets, personal data. Findings are masked.

Reserved tokens mark turns and ends for a model; inside a text they are read as marks, or are spelled out.

Secrets are keys of services, recognised by their form. A text that only looks like a secret is a warning; one with a
right checksum is an error.

Payment cards must pass Luhn's check and begin as their schemes do; bank accounts must pass theirs (modulo 97) and have
the length of their country. E-mail addresses that documents reserve for examples are ignored.

Source: OpenAI's tiktoken and Harmony response format; the model cards of Llama 3, Qwen and Phi; GitHub "Behind GitHub's
        new authentication token formats"; AWS "Understanding unique ID prefixes"; the token formats that Slack, Stripe,
        Google, GitLab, npm, PyPI, Hugging Face, SendGrid and OpenAI publish; RFC 7468; RFC 7519; ISO/IEC 7812-1 (Luhn),
        the schemes' issuer ranges; ISO 13616 and the SWIFT IBAN registry; RFC 2606; ITU-T E.164
"""

import base64
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.dataset.dataset_checks.example_row import ExampleRow, RowPlaces
from reconciler.domain.errors import Problem, Severity

# Bytes are searched first: the bar is rare, and a search for one byte costs almost nothing.
_BAR, _OPEN = b"|", b"<|"
_TOKEN = re.compile(r"<\|[a-z][a-z0-9_]{1,40}\|>")

_CARD = re.compile(r"(?<![\d.,-])(?:\d[ -]?){12,18}\d(?![\d-])")
_SCHEMES = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_EXAMPLE_DOMAINS = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)$", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w+.])\+[1-9](?:[ ().-]{0,2}\d){7,14}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip

_LEAST_ENTROPY = 3.0
"""Bits per character: invented examples (`xxxxxxxx`, `1234`) have fewer, random keys have more than 4."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC_CHARACTERS = 6


class _ContentFinding(NamedTuple):
    what: str
    severity: Severity = Severity.WARNING


class ContentScan:
    """Searches every text of a row."""

    def __init__(self, rule: str, hint: str, find: Callable[[str], Iterator[_ContentFinding]]) -> None:
        self._rule, self._hint, self._find = rule, hint, find

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        for path, text in example.texts:
            for what, severity in dict.fromkeys(self._find(text)):
                where, rule, hint = places[example.number], self._rule, self._hint
                yield Problem(where=where, path=path[:200], what=what, hint=hint, rule=rule, severity=severity)

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        return iter(())


def scan_for_reserved_tokens() -> ContentScan:
    """Return the scan for words that mark turns and ends for a model."""
    hint = "a model may take it for the end of a turn: remove it, unless the model should learn it"
    return ContentScan("text.reserved-token", hint, _find_reserved_tokens)


def scan_for_secrets() -> ContentScan:
    """Return the scan for keys and tokens of services: an error where a checksum proves one."""
    hint = "the model may repeat it to its users: remove it, and revoke it at its service"
    return ContentScan("text.secret", hint, _describe_secrets)


def scan_for_personal_data() -> ContentScan:
    """Return the scan for cards, accounts, e-mail addresses and telephone numbers."""
    return ContentScan("text.personal-data", "remove it, or replace it with invented data", _describe_personal_data)


def may_have_reserved_tokens(lines: bytes) -> bool:
    """Return whether lines can hold reserved tokens; fast, for every line of every dataset."""
    return _BAR in lines and _OPEN in lines


def _find_reserved_tokens(text: str) -> Iterator[_ContentFinding]:
    tokens = dict.fromkeys(_TOKEN.findall(text)) if "<|" in text else ()
    return (_ContentFinding(f"a reserved token: {token}") for token in tokens)


def _describe_secrets(text: str) -> Iterator[_ContentFinding]:
    for kind, shown, is_sure in find_secrets(text):
        what = f"{kind} ({shown}), proved by its checksum" if is_sure else f"what looks like {kind} ({shown})"
        yield _ContentFinding(what, Severity.ERROR if is_sure else Severity.WARNING)


def _describe_personal_data(text: str) -> Iterator[_ContentFinding]:
    return (_ContentFinding(f"what looks like {kind} ({shown})") for kind, shown in find_personal_data(text))


def find_personal_data(text: str) -> Iterator[tuple[str, str]]:
    """Yield the personal data in a text, each with its kind, and masked."""
    for found in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", found[0])
        if _SCHEMES.fullmatch(digits) and passes_luhn(digits):
            yield "a payment card", f"…{digits[-2:]}"
    for found in _IBAN.finditer(text):
        account = _account(found[0].replace(" ", ""))
        if account:
            yield "a bank account", f"{account[:2]}…{account[-2:]}"
    for found in _EMAIL.finditer(text) if "@" in text else ():
        domain = found[0].rpartition("@")[2]
        if not _EXAMPLE_DOMAINS.search(domain):
            yield "an e-mail address", f"{found[0][0]}…@…{domain[domain.rindex('.') :]}"
    for found in _PHONE.finditer(text) if "+" in text else ():
        yield "a telephone number", f"{found[0][:3]}…"


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of those before it."""
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _account(text: str) -> str | None:
    # Words in capitals may follow an account: the length of its country decides where it ends.
    account = text[: _IBAN_LENGTHS.get(text[:2], 0)]
    return account if len(account) >= 15 and len(account) == _IBAN_LENGTHS[text[:2]] and passes_mod97(account) else None


def passes_mod97(account: str) -> bool:
    """Return whether the check digits of an account are right."""
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


class Secret(NamedTuple):
    """A secret as it may be shown; `is_sure` when its checksum is right."""

    kind: str
    masked: str
    is_sure: bool = False


class _SecretForm(NamedTuple):
    # The pattern is compiled at the first text with the hint: most runs search for no secrets.
    kind: str
    hint: str
    pattern: str
    judge: Callable[[str], bool | None] = lambda found: False if entropy(found) >= _LEAST_ENTROPY else None


def _github(found: str) -> bool | None:
    """Return True for a token with a right checksum; None for another, which is only a word like a token."""
    body, check = found[4:-_CRC_CHARACTERS], found[-_CRC_CHARACTERS:]
    return True if base62(zlib.crc32(body.encode())) == check else None


def _token_of_web(found: str) -> bool | None:
    head = found.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return None
    return False if isinstance(header, dict) and "alg" in header else None


def _any(_found: str) -> bool | None:
    return False


_FORMS = (
    _SecretForm("a GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36}\b", _github),
    _SecretForm("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    _SecretForm("an AWS access key", "IA", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    _SecretForm("a Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{20,250}"),
    _SecretForm(
        "a Slack webhook", "hooks.slack", r"\bhooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"
    ),
    _SecretForm("a key of OpenAI's form", "sk-", r"\bsk-(?:[a-z]{2,12}-)?[A-Za-z0-9_-]{32,200}"),
    _SecretForm("a Stripe key", "k_", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{20,200}\b"),
    _SecretForm("a Google key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _SecretForm("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,100}"),
    _SecretForm("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b", _github),
    _SecretForm("a PyPI token", "pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{50,500}"),
    _SecretForm("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{34}\b"),
    _SecretForm("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    _SecretForm(
        "a JSON web token", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}", _token_of_web
    ),
    _SecretForm("a private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY(?: BLOCK)?-----", _any),
    _SecretForm("a password in an address", "://", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:[^\s:/@]{6,100}@"),
)


def find_secrets(text: str) -> Iterator[Secret]:
    """Yield the secrets in a text, masked."""
    for form in _FORMS:
        if form.hint not in text:
            continue
        for found in re.finditer(form.pattern, text):
            is_sure = form.judge(found[0])
            if is_sure is not None:
                yield Secret(form.kind, mask_secret(found[0]), is_sure)


def mask_secret(secret: str) -> str:
    """Return the beginning of a secret, enough to find it and not enough to use it."""
    return f"{secret[:4]}…"


def entropy(text: str) -> float:
    """Return the bits per character of a text, by the counts of its characters."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def base62(number: int) -> str:
    """Write a checksum as GitHub's tokens end with it."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(_CRC_CHARACTERS, "0")
