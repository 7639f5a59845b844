"""What texts should not hold: reserved tokens, secrets, personal data. Shown masked, with the path in the row."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.dataset.dataset_checks import content_scan
from reconciler.dataset.dataset_checks.example_row import ExampleRow
from reconciler.dataset.dataset_checks.row_index import RowPlaces
from reconciler.dataset.dataset_checks.secrets import find_secrets
from reconciler.domain.errors import Problem, Severity


class _ContentFinding(NamedTuple):
    what: str
    severity: Severity = Severity.WARNING


class ContentScan:
    """Looks into every text of a row."""

    def __init__(self, rule: str, hint: str, find: Callable[[str], Iterator[_ContentFinding]]) -> None:
        self._rule, self._hint, self._find = rule, hint, find

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        for path, text in example.texts:
            for what, severity in dict.fromkeys(self._find(text)):
                where = places[example.number]
                yield Problem(
                    where=where, path=path[:200], what=what, hint=self._hint, rule=self._rule, severity=severity
                )

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        return iter(())


def scan_for_reserved_tokens() -> ContentScan:
    """Look for words that mark turns and ends for a model."""
    return ContentScan("text.reserved-token", content_scan.HINT, _describe_reserved_tokens)


def scan_for_secrets() -> ContentScan:
    """Look for keys and tokens of services: an error where a checksum proves one."""
    hint = "whoever may use the model may get it to say this: take it out, and make it invalid where it was made"
    return ContentScan("text.secret", hint, _describe_secrets)


def scan_for_personal_data() -> ContentScan:
    """Look for cards, accounts, e-mail addresses and telephone numbers."""
    hint = "take it out, or put a made-up one in its place"
    return ContentScan("text.personal-data", hint, _describe_personal_data)


def _describe_reserved_tokens(text: str) -> Iterator[_ContentFinding]:
    return (
        _ContentFinding(f"a reserved token: {token}")
        for token in (content_scan.find_reserved_tokens(text) if "<|" in text else ())
    )


def _describe_secrets(text: str) -> Iterator[_ContentFinding]:
    for kind, shown, is_sure in find_secrets(text):
        what = f"{kind} ({shown}), proved by its checksum" if is_sure else f"what looks like {kind} ({shown})"
        yield _ContentFinding(what, Severity.ERROR if is_sure else Severity.WARNING)


def _describe_personal_data(text: str) -> Iterator[_ContentFinding]:
    return (_ContentFinding(f"what looks like {kind} ({shown})") for kind, shown in find_personal_data(text))


# Seen as bytes first: the bar is rare, and looking for one byte costs next to nothing.
_BAR, _OPEN = b"|", b"<|"
_TOKEN = re.compile(r"<\|[a-z][a-z0-9_]{1,40}\|>")

HINT = "a model may take it for the end of a turn: cut it out, unless teaching it is the purpose"


def may_have_reserved_tokens(lines: bytes) -> bool:
    """Return whether it is worth looking into some lines."""
    return _BAR in lines and _OPEN in lines


def find_reserved_tokens(text: str) -> list[str]:
    """Return the reserved tokens that a text spells, each once, in their order."""
    return list(dict.fromkeys(_TOKEN.findall(text)))


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


def find_personal_data(text: str) -> Iterator[tuple[str, str]]:
    """Yield what is personal in a text, each as its kind and masked."""
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
    # Words in capitals may follow an account: what counts is the length that its country gives it.
    account = text[: _IBAN_LENGTHS.get(text[:2], 0)]
    return account if len(account) >= 15 and len(account) == _IBAN_LENGTHS[text[:2]] and passes_mod97(account) else None


def passes_mod97(account: str) -> bool:
    """Return whether the check digits of an account are right."""
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
