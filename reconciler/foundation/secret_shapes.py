"""Secrets by their shape: the one table of what keys of services look like, for the checks of rows and for all outputs.

A form has a word that its texts contain, so that most texts are passed over with a few searches for words. A text that
has the form may still be harmless: an example of a document, a placeholder, a name. The judge of the form decides.

Source: GitHub "Behind GitHub's new authentication token formats"; AWS "Understanding unique ID prefixes"; the formats
        that the other services publish for scanners of secrets; RFC 6750; RFC 7468; RFC 7519; RFC 7617
"""

import base64
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

_LEAST_ENTROPY = 3.0
"""Bits per character: invented examples (`xxxxxxxx`, `1234`) have fewer, random keys have more than 4."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC_CHARACTERS = 6

_PLACEHOLDER = re.compile(
    r"example|sample|placeholder|change.?me|your|dummy|redacted|insert|replace|todo|fixme|foobar|lorem|fake|not.?a.?real"
    r"|^hunter2$|correct.?horse.?battery.?staple|x{4}|\*{3}|\.{3}|…|<|>|^\$|\$[({]|(?-i:\$[A-Z_]{3,}(?![A-Za-z0-9]))|\{|\}|%[a-z_]+%|\(|\)|\[|\]|os\.environ|process\.env|getenv|1234567|abcdefg|0{6}",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"[A-Za-z]+(?:[-_ .]?[a-z]+)*[,.;:!?]?|(?:[a-z_]+|[A-Z_]+)(?:\.(?:[a-z_]+|[A-Z_]+))+"
    r"|\d{1,5}|(?:true|false|none|null|required|optional)\b.*"
)
_PROSE = re.compile(
    r"[A-Za-z]+(?:[-_./’][A-Za-z]+)*"
    r"|\d+-?(?:char|digit|letter|word|symbol|bit|byte|second|minute|hour|day|time)\w*"
    r"|(?:sha|md[45]|base\d|utf|pbkdf|argon|aes|rsa|rot\d|oauth|https?|hmac|[bs]crypt|ascii|iso|rfc|[2m]fa|wpa|ipv)[\w/-]*"
    r"|[^A-Za-z]*|[^@]+@[^@]+|.*://.*",
    re.IGNORECASE,
)
"""What follows `the password is` in a sentence that gives no password away."""

_CONSONANTS = re.compile(r"[b-df-hj-np-tv-xz]{5}", re.IGNORECASE)
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_EXAMPLE_PASSWORDS = frozenset(
    {"pass", "password", "passwd", "passwort", "secret", "open sesame", "opensesame", "test"}
)
_ASSIGNED = re.compile(r"[^\W\d_](?:[a-zà-ÿ]{7,}[!?#$%*+]+|[a-zà-ÿ]{11,})")
_NAMES_IN_CODE = re.compile(
    r"pass|pwd|secret|token|(?<!mon)key|user|auth|cred|login|config|setting|environ|param|input|textfield|value|variab|string|text"
    r"|request|response|crypt|encod|hash|require|option|missing|invalid|incorrect|wrong|important|forgot|defined|specif"
    r"|ident|inform|generat|default|charact|database|server|client|account|vault|admin|service|manage|pflicht|erforder"
    r"|(?:ation|able|ible|ment|ities|ness|ings?)[!?]*$",
    re.IGNORECASE,
)
"""Words of programs and sentences that stand after `password=` in the place of one."""

_EXAMPLES_IN_ADDRESSES = re.compile(
    r"pass|pwd|secret|token|key|user|cred|login|test|guest|admin|postgres|rabbit|mongo|maria|root", re.IGNORECASE
)
"""Names and programs that stand in an address in the place of a password, as in `postgres:postgres@localhost`."""


Judge = Callable[[str], bool | None]
"""Returns True for a text that a checksum proves, False for one that looks like a secret, None for another."""


class Secret(NamedTuple):
    """A secret within a text, as it may be shown; `is_sure` when its checksum is right."""

    kind: str
    masked: str
    is_sure: bool = False
    start: int = 0
    end: int = 0


class _SecretForm(NamedTuple):
    # The pattern is compiled at the first text with the hint. Where it has a group, the group is the secret.
    kind: str
    hints: tuple[str, ...]
    pattern: str
    judge: Judge


def _looks_random(found: str) -> bool | None:
    return False if entropy(found) >= _LEAST_ENTROPY and not _PLACEHOLDER.search(found) else None


def _judge_github(found: str) -> bool | None:
    """Return True for a token with a right checksum. Another may be a token of a newer kind, or one with an error."""
    body, check = found[4:-_CRC_CHARACTERS], found[-_CRC_CHARACTERS:]
    return True if base62(zlib.crc32(body.encode())) == check else _looks_random(body)


def _judge_web_token(found: str) -> bool | None:
    head = found.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return None
    return False if isinstance(header, dict) and "alg" in header else None


def _judge_basic(found: str) -> bool | None:
    try:
        pair = base64.b64decode(found.rstrip("=") + "=" * (-len(found.rstrip("=")) % 4), validate=True).decode()
    except ValueError:
        return None
    user, colon, password = pair.partition(":")
    if not (colon and user and len(password) >= 4 and pair.isprintable()):
        return None
    return None if password.lower() in _EXAMPLE_PASSWORDS or _PLACEHOLDER.search(password) else False


def _judge_openai(found: str) -> bool | None:
    # Names of classes begin so, too: a key has digits, and is not words with dashes between them.
    body = found[3:]
    is_key = sum(map(str.isdigit, body)) >= 3 and max(map(len, re.split(r"[-_]", body))) >= 16
    return _looks_random(found) if is_key else None


def _judge_password(found: str) -> bool | None:
    """Return None for a word, a call, a variable or a placeholder in the place of a password."""
    # A closing bracket after it belongs to the sentence; an opening one within it makes it a call.
    found = found.rstrip(").]}>") if "(" not in found else found
    if len(found) < 6 or _PLACEHOLDER.search(found) or _is_word(found) or len(set(found)) < 4:
        return None
    kinds = (str.islower, str.isupper, str.isdigit)
    variety = sum(any(map(kind, found)) for kind in kinds) + any(not char.isalnum() for char in found)
    return False if variety >= 2 and entropy(found) >= 2.2 else None


def _judge_assigned_word(found: str) -> bool | None:
    """Judge a single word after `password=`: words run together, or one with a sign, that no program would have."""
    bare = found.rstrip(").]}>")
    if _judge_password(found) is not None or _PLACEHOLDER.search(bare) or _NAMES_IN_CODE.search(bare):
        return None
    return False if _ASSIGNED.fullmatch(bare) and entropy(bare) >= 2.2 else None


def _judge_address(found: str) -> bool | None:
    """Judge the password of an address, where letters alone are one, too; names stand there in examples."""
    if found.isalpha() and _EXAMPLES_IN_ADDRESSES.search(found) and not _is_scrambled(found):
        return None
    is_word = found.isalpha() and not found.isupper() and not _PLACEHOLDER.search(found) and entropy(found) >= 2.2
    return False if is_word else _looks_random(found)


def _judge_told_password(found: str) -> bool | None:
    """Judge the word after `the password is`, where sentences go on with other words."""
    bare = found.rstrip(".,;:!?)]}…")
    if len(bare) < 6 or _PLACEHOLDER.search(bare) or (_PROSE.fullmatch(bare) and not _is_scrambled(bare)):
        return None
    kinds = (str.islower, str.isupper, str.isdigit)
    variety = sum(any(map(kind, bare)) for kind in kinds) + any(not char.isalnum() for char in bare)
    has_both = any(map(str.isalpha, bare)) and any(map(str.isdigit, bare)) and len(bare) >= 8
    return False if (variety >= 3 or has_both or _is_scrambled(bare)) and entropy(bare) >= 2.2 else None


def _judge_foreign_password(found: str) -> bool | None:
    """Judge what follows a word for password of another language, where words of that language stand, too."""
    return _judge_told_password(found) if any(map(str.isdigit, found)) else None


def _is_word(found: str) -> bool:
    return _WORDS.fullmatch(found) is not None and not _is_scrambled(found)


def _is_scrambled(found: str) -> bool:
    """Return whether capitals stand among letters as they do by chance, and not at the beginnings of words."""
    humps = _HUMPS.findall(found)
    longest = 3.2 if _CONSONANTS.search(found) else 2.8
    return len(humps) >= 4 and sum(map(len, humps)) < longest * len(humps) and entropy(found) >= 2.5


def _accept(_found: str) -> bool | None:
    return False


def _form(kind: str, hint: str | tuple[str, ...], pattern: str, judge: Judge = _looks_random) -> _SecretForm:
    return _SecretForm(kind, (hint,) if isinstance(hint, str) else hint, pattern, judge)


_NAMES_OF_PASSWORDS = (
    r"[PpSsAaEeCcTt](?i:(?<=p)(?:ass(?:word|wd)|(?<![a-z]p)(?:ass(?:phrase|code)?|wd)|rivate[_-]?key)"
    r"|(?<=s)(?:ecret(?:[_-]?(?:access[_-]?)?key)?|(?:ession|igning)[_-]?key)"
    r"|(?<=a)(?:pi[_-]?(?:key|token)|(?:ccess|uth|ccount)[_-]?key)"
    r"|(?<=e)ncryption[_-]?key|(?<=c)lient[_-]?key|(?<=t)oken)"
)
"""The first letter stands by itself, outside of what ignores case: so Python's engine skips to it."""

_SEPARATOR = r"[\\\"'`]{0,2}[ \t]{0,3}(?::=|=>|[:=])[ \t]{0,3}[\\\"'`]{0,2}"
_FORMS = (
    _form("a GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36}\b", _judge_github),
    _form("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    _form("an AWS access key", ("AKIA", "ASIA", "ABIA", "ACCA"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    _form("a Slack token", ("xox", "xapp-"), r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{20,250}"),
    _form(
        "a webhook",
        "hooks.slack",
        r"\bhooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{6,}/[AB][A-Z0-9]{6,}/[A-Za-z0-9/]{20,}",
    ),
    _form("a webhook", "/api/webhooks/", r"\bdiscord(?:app)?\.com/api/webhooks/\d{15,20}/[\w-]{50,90}"),
    _form(
        "a webhook",
        "webhook.office.com",
        r"\bwebhook\.office\.com/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}",
    ),
    _form("a webhook secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/]{24,80}"),
    _form("a Telegram token", ":AA", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _form("a key of OpenAI's form", "sk-", r"\bsk-(?:[a-z0-9]{2,12}-){0,3}[A-Za-z0-9_-]{32,200}", _judge_openai),
    _form(
        "a key of a model service",
        ("gsk_", "xai-", "r8_", "pplx-", "fw_", "nvapi-", "tgp_v1_", "csk-"),
        r"\b(?:gsk_|xai-|r8_|pplx-|fw_|nvapi-|tgp_v1_|csk-)[A-Za-z0-9_-]{20,100}",
    ),
    _form("a Stripe key", "k_", r"\b[srp]k_(?:live|test)_[A-Za-z0-9]{20,200}\b"),
    _form("a Google key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _form("a Google token", ("GOCSPX-", "ya29."), r"\b(?:GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{40,400})"),
    _form("a GitLab token", "gl", r"\bgl(?:pat|dt|rt|cbt|ptt|soat|agent)-[A-Za-z0-9_-]{20,100}"),
    _form("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b", _judge_github),
    _form("a PyPI token", "pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{50,500}"),
    _form("a Hugging Face token", ("hf_", "api_org_"), r"\b(?:hf_|api_org_)[A-Za-z0-9]{34}\b"),
    _form("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    _form("a Twilio key", "SK", r"\bSK[0-9a-f]{32}\b"),
    _form("a Twilio token", "AC", r"\bAC[0-9a-f]{32}\b[\s\S]{1,80}?\b([0-9a-f]{32})\b"),
    _form("a Mailgun key", "key-", r"\bkey-[0-9a-f]{32}\b"),
    _form("a Mailchimp key", "-us", r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    _form("a Databricks token", "dapi", r"\bdapi[0-9a-f]{32}(?:-\d)?\b"),
    _form("a DigitalOcean token", "_v1_", r"\bdo[oprt]_v1_[0-9a-f]{64}\b"),
    _form("a Shopify token", "shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    _form("a Square token", "sq0", r"\bsq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,50}"),
    _form(
        "a token of a service",
        (
            *("lin_api_", "figd_", "PMAK-", "NRAK-", "sntrys_", "hvs.", "dckr_pat_", "pscale_", "sbp_", "glsa_"),
            *("glc_", "HRKU-", "ATATT3x", "ntn_", "secret_", "dp.pt.", "rubygems_", "cio", "atlasv1"),
        ),
        r"\b(?:lin_api_[A-Za-z0-9]{40}|figd_[\w-]{40}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|NRAK-[A-Z0-9]{27}|sntrys_[\w+/=-]{40,300}"
        r"|hvs\.[\w-]{24,200}|dckr_pat_[\w-]{27}|pscale_(?:tkn|pw|oauth)_[\w.-]{32,64}|sbp_[0-9a-f]{40}|glsa_\w{32}_[0-9a-f]{8}"
        r"|glc_[\w+/=]{32,400}|HRKU-[\w-]{36,80}|ATATT3x[\w=-]{60,250}|ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43}"
        r"|dp\.pt\.[A-Za-z0-9]{40,44}|rubygems_[0-9a-f]{48}|cio[A-Za-z0-9]{32}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,80})(?![\w-])",
    ),
    _form(
        "a HubSpot token", "pat-", r"(?<![A-Za-z0-9_-])pat-(?:na|eu|ap)\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    ),
    _form("an Airtable token", "pat", r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"),
    _form(
        "a storage key",
        ("AccountKey=", "SharedAccessKey="),
        r"\b(?:Account|SharedAccess)Key=([A-Za-z0-9+/]{42,88}={0,2})",
    ),
    _form(
        "a signed address", ("sig=", "Signature="), r"[?&](?:sig|X-Amz-Signature|Signature)=([A-Za-z0-9%+/=_-]{40,120})"
    ),
    _form(
        "a JSON web token",
        "eyJ",
        r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{16,2000}",
        _judge_web_token,
    ),
    _form(
        "a private key",
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,.-]{0,8000}?"
        r"-----END [A-Z ]{0,12}PRIVATE KEY[A-Z ]{0,7}-----|[A-Za-z0-9+/=\s\\]{0,8000})",
        _accept,
    ),
    _form("a private key", "AGE-SECRET-KEY-1", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b"),
    _form(
        "a password in an address",
        "://",
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,100}:([^\s:/@]{6,100})@",
        _judge_address,
    ),
    _form("a bearer token", ("earer ", "EARER "), r"(?i:\bbearer)[ \t]{1,3}([A-Za-z0-9._~+/-]{16,2000}={0,2})"),
    _form(
        "a password in a header",
        ("asic ", "ASIC "),
        r"(?i:\bbasic)[ \t]{1,3}([A-Za-z0-9+/]{8,400}={0,2})",
        _judge_basic,
    ),
    _form(
        "a password in a command",
        ("curl", "wget", "http ", "docker login", "mysql", "sshpass", "redis-cli"),
        r"(?:\b(?:curl|wget|http)\b[^\n]{0,300}?[ \t](?:-[uUa][ \t]?|--(?:proxy-)?user[ =]|--auth[ =])"
        r"[\"']?[^\s:\"']{1,100}:"
        r"|\bdocker login\b[^\n]{0,300}?[ \t]-p[ \t]|\bmysql(?:dump|admin)?\b[^\n]{0,300}?[ \t]-p"
        r"|\bsshpass[ \t]+-p[ \t]?|\bredis-cli\b[^\n]{0,300}?[ \t]-a[ \t])[\"']?([^\s\"'`]{6,200})",
        _judge_password,
    ),
    _form(
        "a password",
        ("pass", "Pass", "PASS", "ennwort", "contrase", "Contrase"),
        r"[PpKkCcMm](?i:(?<=\bp)ass(?:word|wort|phrase|code|wd)|(?<=\bk)ennwort|(?<=\bc)ontraseña|(?<=\bm)ot de passe)"
        r"(?i:(?:[ \t]+(?:for|of|für|de)[ \t][^\n:=]{1,40}?)?"
        r"[ \t]+(?:is|was|to|are|ist|war|lautet|est|es)(?:[ \t]+now)?[ \t]{0,2}:?[ \t]{1,3})"
        r"[\"'`“]?([^\s\"'`“”]{6,200})",
        _judge_told_password,
    ),
    _form(
        "a password",
        ("pass", "Pass", "PASS", "wd", "WD", "ecret", "ECRET", "oken", "OKEN", "key", "Key", "KEY"),
        rf"{_NAMES_OF_PASSWORDS}[_-]?\d?(?:{_SEPARATOR}|(?i:(?<=--password))[ \t])([^\s\"'`,;&|\\]{{6,200}})",
        _judge_password,
    ),
    _form(
        "a password",
        ("pass", "Pass", "PASS", "wd", "WD"),
        r"[Pp](?i:ass(?:phrase|code|word|wort|wd)|(?<![a-z]p)wd)[_-]?\d?=[\\\"'`]{0,2}([^\s\"'`,;&|\\]{9,200})",
        _judge_assigned_word,
    ),
    _form(
        "a subscription key",
        ("ubscription-Key", "ubscription-key", "UBSCRIPTION-KEY"),
        rf"[Ss](?i:ubscription-key){_SEPARATOR}([^\s\"'`,;&|\\]{{6,200}})",
        _judge_password,
    ),
    _form(
        "a password",
        (
            *("ontrase", "ot de passe", "asswort", "ennwort", "арол", "enha", "asło", "achtwoord", "ösenord"),
            *("ifre", "arola", "password è", "ASSWORT", "ENNWORT", "АРОЛ", "ONTRASE", "ENHA", "OT DE PASSE"),
        ),
        r"(?i:\b(?:contraseña|mot de passe|passwort|kennwort|пароль|senha|hasło|wachtwoord|lösenord(?:et)?|şifrem?"
        r"|parola|password(?= è)))"
        rf"(?:(?:[ \t][^\n:=]{{1,30}}?)?[ \t\u00a0]?{_SEPARATOR}|[ \t]+(?:é|è|is|jest|är|—|–)[ \t]+"
        r"|[ \t]+(?:->[ \t]*)?|[ \t](?:del|de la|du|do|da)[ \t]\w{2,20}[ \t](?:est?|é|è)[ \t])"
        r"([^\s\"'`“”«»]{6,200})",
        _judge_foreign_password,
    ),
    _form(
        "a password",
        ("密码", "密碼", "口令", "パスワード", "비밀번호"),
        r"(?:密码|密碼|口令|パスワード|비밀번호)(?:[ \t]{0,2}[:：=]|[是为為は는은][:：]?|(?=「)|[ \t])[ \t]{0,2}"
        r"[\"'“「]?([^\s\"'`\\\u0080-\uffff]{6,200})",
        _judge_foreign_password,
    ),
)

_HINTS = tuple((hint, at) for at, form in enumerate(_FORMS) for hint in form.hints)
"""The words to search for, each with the position of its form: one loop passes over almost every text."""

_STUMP = re.compile(
    r"\b(?:gh[pousr]_|github_pat_|AKIA|ASIA|xox[abeoprs]-|sk-|[srp]k_(?:live|test)_|AIza|glpat-|npm_|pypi-|hf_|SG\.|eyJ"
    r"|dapi|do[oprt]_v1_|gsk_|xai-|r8_|hvs\.|whsec_)[A-Za-z0-9._-]{6,200}(?=…)"
)
"""The beginning of a secret that a message has cut short."""


def find_secrets(text: str) -> Iterator[Secret]:
    """Yield the secrets in a text, masked."""
    for at in sorted({at for hint, at in _HINTS if hint in text}):
        form = _FORMS[at]
        for found in re.finditer(form.pattern, text):
            group = 1 if found.re.groups else 0
            is_sure = form.judge(found[group])
            if is_sure is not None:
                yield Secret(form.kind, mask_secret(found[group]), is_sure, *found.span(group))


def find_stumps(text: str) -> Iterator[Secret]:
    """Yield the beginnings of secrets that were cut short in a message."""
    if "…" in text:
        for found in _STUMP.finditer(text):
            yield Secret("a secret", mask_secret(found[0]), False, *found.span())


def mask_secret(secret: str) -> str:
    """Return the beginning of a secret, enough to find it and not enough to use it."""
    return f"{secret[:4] if len(secret) >= 12 else secret[:1]}…"


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
