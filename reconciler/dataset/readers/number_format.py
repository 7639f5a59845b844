"""Number formats of spreadsheets: a value and a format code become the text that a person sees.

Digits, leading zeros, fixed decimals, thousands, percentages, exponents, currencies, literal texts, sections for signs
and dates in a stated order are written. A code that depends on the machine (the dates of the system), on a language
other than English, on the width of the column, on a condition or on fractions is not: then there is no text, and the
reader says so.

Source: ECMA-376 part 1, sections 18.8.30 (numFmt, with the codes that have a number only) and 18.8.31 (numFmts)
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

import msgspec

GENERAL = "General"
BUILT_IN: Mapping[int, str] = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm",
    21: "h:mm:ss", 37: "#,##0 ;(#,##0)", 38: "#,##0 ;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mmss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""The codes that have a number only. 14 and 22 are dates as the system writes them, others belong to one language."""

_OF_TIME = frozenset((*range(14, 23), *range(45, 48)))
_SIGNIFICANT = Context(prec=15)
_MOST_PLACES = 30
_ENGLISH = "09"
_OF_SYSTEM = frozenset({"f800", "f400", "x-sysdate", "x-systime"})

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[\$(?P<currency>[^\]-]*)(?:-(?P<locale>[^\]]*))?\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[(?P<colour>black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)\]"
    r"|(?P<bracket>\[)|(?P<general>general)|(?P<half>am/pm|a/p)|(?P<exponent>e[+-])|(?P<unit>y+|m+|d+|h+|s+)(?P<part>\.0+)?"
    r"|(?P<digit>[0#?])|(?P<mark>[.,%])|(?P<text>@)|(?P<fraction>/)|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")
_MONTH_NAMES = (*_MONTHS, "December")
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Token = tuple[str, str]
Moment = date | datetime | time | timedelta


class _Section(msgspec.Struct, frozen=True):
    """One section of a code: its tokens; None where it cannot be written."""

    tokens: tuple[Token, ...] | None

    def has(self, *kinds: str) -> bool:
        return any(kind in kinds for kind, _ in self.tokens or ())


def show_number(value: Decimal, code: str) -> str | None:
    """Return a number as a sheet shows it; None for a code that is not written here."""
    if code == GENERAL or code == "@":
        return f"{_SIGNIFICANT.plus(value).normalize():f}"
    value = _SIGNIFICANT.plus(value)
    sections = _parse(code)
    section, has_own_sign = _choose(sections, value)
    if section.tokens is None or section.has("unit", "elapsed", "half", "fraction", "text"):
        return None
    if section.has("general"):
        return _write_general(value, section, has_own_sign=has_own_sign)
    if not section.has("digit"):
        return "".join(text for kind, text in section.tokens if kind != "mark" or text == "%").strip()
    shown = _write_digits(abs(value), section.tokens)
    return f"-{shown}" if shown is not None and value < 0 and not has_own_sign else shown


def is_of_time(number: int, code: str | None) -> bool:
    """Return whether a format shows a date, a time or a duration: by its number where the standard has one."""
    if number in _OF_TIME:
        return True
    return code is not None and any(section.has("unit", "elapsed", "half") for section in _parse(code))


def show_moment(value: Moment, code: str) -> str | None:
    """Return a date, a time or a duration as a sheet shows it; None for a code that is not written here."""
    section = _parse(code)[0]
    if section.tokens is None or section.has("digit", "exponent", "text", "general"):
        return None
    return _write_elapsed(value, section.tokens) if isinstance(value, timedelta) else _write_date(value, section.tokens)


@lru_cache(maxsize=256)
def _parse(code: str) -> tuple[_Section, ...]:
    return tuple(_Section(_read_tokens(text)) for text in _split_sections(code))


def _split_sections(code: str) -> list[str]:
    sections, start = [], 0
    for found in _TOKEN.finditer(code):
        if found["literal"] == ";":
            sections.append(code[start : found.start()])
            start = found.end()
    return [*sections, code[start:]]


def _read_tokens(text: str) -> tuple[Token, ...] | None:
    tokens: list[Token] = []
    language = ""
    for found in _TOKEN.finditer(text):
        kind = "currency" if found["currency"] is not None else found.lastgroup or "literal"
        language = found["locale"] or language
        if kind == "bracket":
            return None  # a condition
        if kind in {"quoted", "escaped", "currency", "literal"}:
            tokens.append(("literal", found[kind]))
        elif kind == "space":
            tokens.append(("literal", " "))
        elif kind == "part":
            tokens += [("unit", found["unit"].lower()), ("places", found["part"])]
        elif kind not in {"fill", "colour"}:
            tokens.append((kind, found[kind].lower() if kind in {"unit", "elapsed"} else found[kind]))
    return None if _depends_on_language(tokens, language) else tuple(tokens)


def _depends_on_language(tokens: Sequence[Token], language: str) -> bool:
    # The last digits name the language; the names of months and days are written in English only. Two codes stand for
    # the long date and the time of the system.
    name = language.lower().partition(",")[0]
    has_names = any(kind == "half" or (kind == "unit" and text[0] in "md" and len(text) > 2) for kind, text in tokens)
    return name in _OF_SYSTEM or (has_names and bool(name) and name[-2:] != _ENGLISH and not name.startswith("en"))


def _choose(sections: Sequence[_Section], value: Decimal) -> tuple[_Section, bool]:
    # Two sections: the second for negative numbers. Three: positive, negative, zero.
    if value < 0 and len(sections) > 1:
        return sections[1], True
    if value == 0 and len(sections) > 2:
        return sections[2], True
    return sections[0], False


def _write_general(value: Decimal, section: _Section, *, has_own_sign: bool) -> str | None:
    if section.has("digit", "exponent"):
        return None
    number = f"{abs(value).normalize():f}"
    texts = (number if kind == "general" else text for kind, text in section.tokens or ())
    return ("-" if value < 0 and not has_own_sign else "") + "".join(texts).strip()


def _write_digits(value: Decimal, tokens: Sequence[Token]) -> str | None:
    at_point = next((at for at, token in enumerate(tokens) if token == ("mark", ".")), len(tokens))
    digits = [at for at, (kind, _) in enumerate(tokens) if kind == "digit"]
    exponent = next((at for at, (kind, _) in enumerate(tokens) if kind == "exponent"), None)
    whole = [at for at in digits if at < at_point and (exponent is None or at < exponent)]
    places = [at for at in digits if at > at_point and (exponent is None or at < exponent)]
    if len(places) > _MOST_PLACES or (exponent is not None and len(whole) != 1):
        return None
    commas = [at for at, token in enumerate(tokens) if token == ("mark", ",")]
    last = max([*(whole or digits[:1]), *places], default=len(tokens))
    scale = {at for at in commas if at > last}
    value = value * 100 ** sum(token == ("mark", "%") for token in tokens) / 1000 ** len(scale)
    power = value.adjusted() if exponent is not None and value else 0
    written = f"{value.scaleb(-power).quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP, _wide(value)):f}"
    before, _, after = written.partition(".")
    grouped = any(at not in scale for at in commas)
    filled = dict(_fill_whole("" if before == "0" else before, whole, tokens, grouped=grouped))
    filled |= _fill_places(after, places, tokens)
    if exponent is not None:
        filled |= _fill_exponent(power, exponent, digits, tokens)
    return "".join(
        filled.get(at, text if kind == "literal" or text in {".", "%"} else "")
        for at, (kind, text) in enumerate(tokens)
    ).strip()


def _wide(value: Decimal) -> Context:
    return Context(prec=max(1, value.adjusted() + 2) + _MOST_PLACES)


def _fill_whole(
    number: str, whole: Sequence[int], tokens: Sequence[Token], *, grouped: bool
) -> Sequence[tuple[int, str]]:
    # From the right: each place takes one digit, and the first place all that are left.
    filled, left, count = [], number, 0
    for at in reversed(whole):
        taken = left if at == whole[0] else left[-1:]
        left = left[: len(left) - len(taken)]
        least = {"0": "0", "?": " "}.get(tokens[at][1], "")
        text = ""
        for digit in reversed(taken or least):
            text = digit + ("," if grouped and count and count % 3 == 0 and digit.isdigit() else "") + text
            count += 1
        filled.append((at, text))
    return filled


def _fill_places(decimals: str, places: Sequence[int], tokens: Sequence[Token]) -> dict[int, str]:
    needed = len(decimals.rstrip("0"))
    filled = {}
    for order, at in enumerate(places):
        kind = tokens[at][1]
        shown = order < needed or any(tokens[later][1] == "0" for later in places[order:])
        filled[at] = decimals[order] if shown else " " if kind == "?" else ""
    return filled


def _fill_exponent(power: int, exponent: int, digits: Sequence[int], tokens: Sequence[Token]) -> dict[int, str]:
    after = [at for at in digits if at > exponent]
    sign = "-" if power < 0 else "+" if tokens[exponent][1][1] == "+" else ""
    filled = dict.fromkeys(after[1:], "")
    return {**filled, exponent: f"E{sign}", **({after[0]: str(abs(power)).zfill(len(after))} if after else {})}


def _write_date(value: date | datetime | time, tokens: Sequence[Token]) -> str | None:
    moment = value if isinstance(value, datetime) else None
    day = None if isinstance(value, time) else value
    clock = value if isinstance(value, time) else moment.time() if moment else time()
    has_half = any(kind == "half" for kind, _ in tokens)
    minutes = _find_minutes(tokens)
    parts = []
    for at, (kind, text) in enumerate(tokens):
        if kind == "half":
            parts.append(("A" if clock.hour < 12 else "P") + ("M" if len(text) > 3 else ""))
        elif kind == "places":
            parts.append(f"{clock.microsecond / 1_000_000:.{len(text) - 1}f}"[1:])
        elif kind != "unit":
            parts.append(text if kind in {"literal", "fraction", "mark"} else "")
        elif at in minutes:
            parts.append(f"{clock.minute:0{min(len(text), 2)}}")
        elif text[0] in "hs":
            number = clock.second if text[0] == "s" else (clock.hour + 11) % 12 + 1 if has_half else clock.hour
            parts.append(f"{number:0{min(len(text), 2)}}")
        elif day is None:
            return None
        else:
            parts.append(_DAY_UNITS[text[0].lower()](day, len(text)))
    return "".join(parts).strip()


def _find_minutes(tokens: Sequence[Token]) -> frozenset[int]:
    # `m` is a minute after an hour and before a second, else a month.
    units = [(at, text.lower()) for at, (kind, text) in enumerate(tokens) if kind == "unit"]
    around = zip(units, [(-1, "-"), *units], [*units[1:], (-1, "-")], strict=False)
    return frozenset(
        at
        for (at, text), (_, before), (_, after) in around
        if text in {"m", "mm"} and (before[0] == "h" or after[0] == "s")
    )


def _write_year(day: date, width: int) -> str:
    return f"{day.year:04}" if width > 2 else f"{day.year % 100:02}"


def _write_month(day: date, width: int) -> str:
    name = _MONTH_NAMES[day.month - 1]
    return {1: str(day.month), 2: f"{day.month:02}", 3: name[:3], 5: name[:1]}.get(width, name)


def _write_day(day: date, width: int) -> str:
    name = _DAY_NAMES[day.weekday()]
    return {1: str(day.day), 2: f"{day.day:02}", 3: name[:3]}.get(width, name)


_DAY_UNITS: Mapping[str, Callable[[date, int], str]] = {"y": _write_year, "m": _write_month, "d": _write_day}
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def _write_elapsed(value: timedelta, tokens: Sequence[Token]) -> str | None:
    left = int(value.total_seconds())
    parts = []
    for kind, text in tokens:
        if kind in {"elapsed", "unit"} and text[0].lower() in _SECONDS:
            number, left = divmod(left, _SECONDS[text[0].lower()])
            parts.append(f"{number:0{min(len(text), 2)}}")
        elif kind == "literal":
            parts.append(text)
        else:
            return None
    return "".join(parts).strip()
