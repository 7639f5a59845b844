"""Personal data in texts: payment cards, bank accounts, e-mail addresses, telephone and identity numbers, each masked.

Payment cards must pass Luhn's check and begin as their schemes do; bank accounts must pass theirs (modulo 97) and have
the length of their country. Addresses and numbers that documents reserve for examples are ignored.

National telephone numbers have many forms. Those that a reader recognises at sight are found by their groups of digits;
others only beside a word such as `call` or `Tel.`, and identity numbers only beside their names.

Source: ISO/IEC 7812-1 (Luhn), the schemes' issuer ranges; ISO 13616 and the SWIFT IBAN registry; RFC 2606; ITU-T E.164
        and E.123; the North American Numbering Plan (555-0100 to 555-0199 are for fiction); the Social Security
        Administration and HM Revenue & Customs, on the numbers that they never issue
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_GAP = r"[ \u00a0\u2009\u202f.\u2010-\u2013-]{0,2}"
_LETTER = r"\d_A-Za-z\u00aa-\u1fff"
"""What joins a number to a word. Chinese, Japanese and Korean have no spaces between words, so their letters do not."""

_DIGITS = re.compile(rf"(?<![.,{_LETTER}-])\d(?:{_GAP}\d){{11,30}}(?![{_LETTER}])")
_GROUP = re.compile(r"\d+")
_SCHEMES = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
_MAESTRO = re.compile(r"(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}")
_CARD_GROUPS = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 4, 5)})
_CARD_WORD = re.compile(
    r"card|visa|master|amex|american express|maestro|discover|diners|karte|carte|tarjeta|pay|pan\b|карт|卡|カード|카드",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"(?:order|invoice|tracking|parcel|shipment|imei|isbn|serial|sku|timestamp|ticket|reference|ref|id|ean|gtin)\W{0,3}"
    r"(?:number|no|nr|is|code)?\W{0,4}$|(?:订单|訂單|单|運單|快递|流水|注文|伝票|주문)(?:编?号|編?號|番号|번호)?(?:是|为|は|는)?\W{0,3}$",
    re.IGNORECASE,
)
_CONTEXT = 40

_EMAIL = re.compile(r"(?<![\w.+%/-])[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-])")
_EXAMPLE_DOMAINS = re.compile(r"(?:^|\.)(?:example\.[a-z.]{2,7}|example|test|invalid|localhost|local)$", re.IGNORECASE)
_HIDDEN_AT = re.compile(r"[(\[{<] ?(?:at|@) ?[)\]}>]|＠| (?:at|@) ", re.IGNORECASE)
_HIDDEN_EMAIL = re.compile(
    r"(?<![\w.+%/-])(?P<name>[\w.+%-]{1,64})(?:(?P<sure> ?[(\[{<] ?(?:at|@) ?[)\]}>] ?|＠)| (?:at|@) )"
    r"(?P<domain>(?:[a-z0-9-]{1,63}(?:\.| ?[(\[{<] ?(?:dot|\.) ?[)\]}>] ?| dot )){1,8}[a-z]{2,24})(?![\w@-])",
    re.IGNORECASE,
)
_DOT = re.compile(r" ?[(\[{<] ?(?:dot|\.) ?[)\]}>] ?| dot ", re.IGNORECASE)
_MAIL_DOMAINS = re.compile(
    r"(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|live|msn|aol|icloud|gmx|web|t-online|freenet|proton(?:mail)?|mail|yandex"
    r"|orange|wanadoo|libero|qq|163|126|zoho|fastmail|comcast)\.[a-z]{2,3}(?:\.[a-z]{2})?",
    re.IGNORECASE,
)
_FILE_ENDINGS = frozenset(
    {
        *(
            "png",
            "jpg",
            "jpeg",
            "gif",
            "svg",
            "webp",
            "ico",
            "js",
            "jsx",
            "ts",
            "tsx",
            "mjs",
            "css",
            "scss",
            "py",
            "json",
        ),
        *("yaml", "yml", "toml", "html", "htm", "xml", "csv", "pdf", "zip", "gz", "exe"),
    }
)
_NO_PERSON = frozenset(
    {"git", "noreply", "no-reply", "donotreply", "user", "username", "you", "your", "name", "your.name"}
)

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \u00a0-]{0,2}[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


_PHONE = re.compile(
    r"(?<![\w+.,-])(?:\+ ?|(?<!\d[ -])00 ?)[1-9](?:[ \u00a0().\u2010-\u2013/-]{0,3}\d){7,14}(?![\d\w]|-\d)"
)
_AMERICAN = re.compile(r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}(?![\w-]|\.\d)")
_NATIONAL = re.compile(
    rf"(?<![.,+/:{_LETTER}-])(?:"
    r"0[1-9](?:[ .-]\d\d){4}"  # France, Belgium
    r"|\(?0[1-9]\d{1,4}\)?[ /]\d{3,4}[ -]\d{3,4}"  # Great Britain, Ireland, Italy
    r"|\(?0[1-9]\d{1,4}\)?[ ]?[/-][ ]?\d{5,8}(?:-\d{1,4})?"  # Germany, Austria
    r"|\(?0[1-9]\d{1,4}\)?[ /-]\d{5,8}[ -]\d{1,4}"  # Germany, Austria: with an extension
    r"|0[1-9]\d[ -]\d{3}[ -]\d{2}[ -]\d{2}"  # Switzerland
    r"|01[567]\d[ /-]\d{7,8}"  # Germany: mobile
    r"|06 (?!(?:19|20)\d\d )\d{4} \d{4}"  # Netherlands: mobile
    r"|\(0[2378]\) ?(?!(?:19|20)\d\d )\d{4} \d{4}"  # Australia
    r"|0[1-9]0?-(?!(?:19|20)\d\d-)\d{4}-\d{4}"  # Japan, Korea
    r"|8[ -]\(?9\d\d\)?[ -]\d{3}[ -]\d\d[ -]\d\d"  # Russia
    r")(?![\w/:.,-]*\d)"
)
_LOOSE = re.compile(rf"(?<![.,+{_LETTER}-])\(?\d[\d ()/.\u2010-\u2013-]{{5,20}}\d(?![{_LETTER}-])")
_PHONE_WORD = re.compile(
    r"(?:\b(?:tel(?:ephone|efon)?|phone|mobile|mobil|cell|handy|fax|call|ring|dial|whatsapp|sms|text|reach"
    r"|t[eé]l[eéè](?:fono|phone)|m[oó]vil|celular|cellulare|ligue|ll[aá]mame|appelez|bel (?:me|mij|ons)"
    r"|erreichbar|telefoon|telefone|handynummer|portable|fone|zadzwoń|llama"
    r"|(?:mon|il mio|mi|meu) n[uú]m[eé]ro|meine nummer|телефон\w?|тел|звоните|позвони\w*)\b"
    r"|☎|📞|手机|手機|电话|電話|携帯|전화)[\w '.:：()]{0,25}$",
    re.IGNORECASE,
)
_PHONE_WORD_AFTER = re.compile(
    r"[ ,.;:()–-]{1,3}(?:[\w'-]{2,20}[ ,.;:()–-]{1,3})?(?:tel|telefon|telephone|phone|mobile|mobil|fax|handy)\b",
    re.IGNORECASE,
)
_SOCIAL = re.compile(r"(?<![\w.,-])(?!000|666|9)\d{3}([ -]?)(?!00)\d\d\1(?!0000)\d{4}(?![\w-]|[.,]\d)")
_SOCIAL_WORD = re.compile(r"\bssns?\b|social[ -]?security|\bsocial\b|\bsoc\.? sec", re.IGNORECASE)
_NEVER_ISSUED = frozenset({"078051120", "219099999", "457555462"})
_INSURANCE = re.compile(
    r"(?<![A-Za-z0-9])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    r" ?\d\d ?\d\d ?\d\d ?[A-D](?![A-Za-z0-9])"
)
_INSURANCE_WORD = re.compile(r"national insurance|\bnino?\b|\bni (?:number|no\b)", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)\d\d ?[-–] ?(?:19|20)\d\d|(?:19|20)\d\d[ ./-]\d\d?[ ./-]\d\d?|\d\d?[./-]\d\d?[./-](?:19|20)?\d\d"
)
_RISING = "01234567890123456789"


class PersonalData(NamedTuple):
    """Personal data within a text, as it may be shown."""

    kind: str
    masked: str
    start: int = 0
    end: int = 0


def find_personal_data(text: str) -> Iterator[PersonalData]:
    """Yield the personal data in a text, each with its kind, and masked."""
    certain = [*_find_cards(text), *_find_accounts(text), *(_find_addresses(text) if "@" in text else ())]
    certain += [*_find_identities(text), *(_find_hidden_addresses(text) if _HIDDEN_AT.search(text) else ())]
    yield from certain
    # Part of a card or an account may look like a telephone number, or like the end of one.
    rest, at = list[str](), 0
    for start, end in sorted((each.start, each.end) for each in certain):
        rest += (text[at:start], "\0" * (end - max(start, at)))
        at = max(at, end)
    yield from _find_numbers("".join((*rest, text[at:])))


def _find_accounts(text: str) -> Iterator[PersonalData]:
    for found in _IBAN.finditer(text):
        places = [at for at in range(*found.span()) if text[at].isalnum()]
        plain = "".join(text[at] for at in places).upper()
        # Words may follow an account: the length of its country decides where it ends.
        length = _IBAN_LENGTHS.get(plain[:2], 0)
        account = plain[:length]
        if 15 <= len(account) == length and passes_mod97(account):
            yield PersonalData("a bank account", f"{account[:2]}…{account[-2:]}", places[0], places[length - 1] + 1)


def _find_cards(text: str) -> Iterator[PersonalData]:
    for found in _DIGITS.finditer(text):
        groups = [(each.start() + found.start(), each[0]) for each in _GROUP.finditer(found[0])]
        at = 0
        while at < len(groups):
            count = _count_card_groups(text, groups[at:])
            if count:
                last_at, last = groups[at + count - 1]
                yield PersonalData("a payment card", f"…{last[-2:]}", groups[at][0], last_at + len(last))
            at += count or 1


def _count_card_groups(text: str, groups: list[tuple[int, str]]) -> int:
    """Return how many groups of digits are one card, from the first; zero when they begin none."""
    digits, start = "", groups[0][0]
    before = text[max(0, start - _CONTEXT) : start]
    for count, (_, group) in enumerate(groups, start=1):
        digits += group
        if len(digits) > 19:
            return 0
        # The numbers of Maestro are too many to be cards by themselves.
        is_maestro = _MAESTRO.fullmatch(digits) is not None and _CARD_WORD.search(before) is not None
        if len(digits) < 12 or not (is_maestro or _SCHEMES.fullmatch(digits)) or not passes_luhn(digits):
            continue
        lengths = tuple(len(each) for _, each in groups[:count])
        if count == 1 and not _OTHER_NUMBER.search(before):
            return count
        if lengths in _CARD_GROUPS or (count > 1 and _CARD_WORD.search(before)):
            return count
    return 0


def _find_addresses(text: str) -> Iterator[PersonalData]:
    for found in _EMAIL.finditer(text):
        name, _, domain = found[0].rpartition("@")
        ending = domain[domain.rindex(".") :]
        is_person = name.lower() not in _NO_PERSON and ending[1:].lower() not in _FILE_ENDINGS
        if is_person and not _EXAMPLE_DOMAINS.search(domain):
            yield PersonalData("an e-mail address", f"{found[0][0]}…@…{ending}", *found.span())


def _find_hidden_addresses(text: str) -> Iterator[PersonalData]:
    """Yield addresses that are written to be read by people: `name (at) host.com`, `name at gmail dot com`."""
    for found in _HIDDEN_EMAIL.finditer(text):
        domain = _DOT.sub(".", found["domain"])
        ending = domain[domain.rindex(".") :]
        is_mail = found["sure"] or _MAIL_DOMAINS.fullmatch(domain)
        is_person = found["name"].lower() not in _NO_PERSON and ending[1:].lower() not in _FILE_ENDINGS
        if is_mail and is_person and not _EXAMPLE_DOMAINS.search(domain):
            yield PersonalData("an e-mail address", f"{found[0][0]}…@…{ending}", *found.span())


def _find_identities(text: str) -> Iterator[PersonalData]:
    for kind, pattern, word in (
        ("a social security number", _SOCIAL, _SOCIAL_WORD),
        ("a national insurance number", _INSURANCE, _INSURANCE_WORD),
    ):
        if not word.search(text):
            continue
        for found in pattern.finditer(text):
            beside = text[max(0, found.start() - _CONTEXT) : found.end() + _CONTEXT]
            digits = re.sub(r"\D", "", found[0])
            if word.search(beside) and digits not in _NEVER_ISSUED and len(set(digits)) > 2:
                yield PersonalData(kind, f"…{found[0][-2:]}", *found.span())


def _find_numbers(text: str) -> Iterator[PersonalData]:
    for pattern, needs_word in ((_PHONE, False), (_AMERICAN, False), (_NATIONAL, False), (_LOOSE, True)):
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - _CONTEXT) : found.start()]
            if needs_word and not (_PHONE_WORD.search(before) or _PHONE_WORD_AFTER.match(text, found.end())):
                continue
            if _is_telephone_number(found[0]):
                yield PersonalData("a telephone number", f"{found[0][:3]}…", *found.span())


def _is_telephone_number(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    inner = digits.lstrip("0")
    is_fiction = re.search(r"55501\d\d$", digits) is not None
    return (
        7 <= len(digits) <= 16
        and len(set(digits[-7:])) > 2
        and inner[:9] not in _RISING
        and not is_fiction
        and not _DATE.fullmatch(found.strip())
    )


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of those before it."""
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def passes_mod97(account: str) -> bool:
    """Return whether the check digits of an account are right."""
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
