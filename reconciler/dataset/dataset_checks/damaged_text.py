"""Signs in texts that a file was read, or once saved, in a wrong encoding.

Three signs are certain enough to be shown: the replacement character, which stands where a letter was lost; C1
controls, which no text uses, and which are the quotes and dashes of Windows-1252 read as Latin-1; and groups of letters
that UTF-8, or Cyrillic, Chinese and Japanese text, becomes when it is read as a Western encoding: `Ã©`, `ïðèâåò`.

Source: Unicode Standard, section 23.1 (C1 controls) and 23.8 (replacement character)
"""

import re
from collections.abc import Iterator

from reconciler.dataset.dataset_checks.example_row import ExampleRow, RowPlaces
from reconciler.dataset.encodings import is_misread
from reconciler.domain.errors import Problem, Severity

_SHOWN = 12
_HIGH = "\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022"
_HIGH += "\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
"""What Windows-1252 makes of the bytes from 0x80 to 0x9F."""

_CYRILLIC_HIGH = "".join(bytes([byte]).decode("cp1251") for byte in range(0x80, 0xC0) if byte != 0x98)
"""What Windows-1251 makes of the same bytes, and of those up to 0xBF."""

_LOST = re.compile("\ufffd")
_CONTROL = re.compile("[\x80-\x84\x86-\x9f]")
_MISREAD = re.compile(
    f"\u00e2\u20ac[{_HIGH}\u00a0-\u00bf]"  # quotes and dashes
    f"|\u00c3[{_HIGH}\u00a0-\u00bf]|\u00c2[\u00a0-\u00bf]"  # Western letters and signs
    f"|(?:[\u00d0\u00d1][{_HIGH}\u00a0-\u00bf]){{2}}"  # Cyrillic
    f"|(?:[\u00e3-\u00e9][{_HIGH}\u00a0-\u00bf]{{2}}){{2}}"  # Chinese and Japanese
    f"|\u00f0\u0178[{_HIGH}\u00a0-\u00bf]"  # pictures
    f"|(?:[\u0420\u0421][{_CYRILLIC_HIGH}]){{2}}"  # Cyrillic, read as another Cyrillic encoding
    # Cyrillic of one byte: letters together that are common in no Western language
    "|(?=[\u00c0-\u00ff]{0,15}[\u00e5-\u00e7\u00eb\u00ef-\u00f1\u00f7\u00f8\u00fe\u00ff])"
    "(?=[\u00c0-\u00ff]{0,15}[\u00e0\u00e2\u00e3\u00e8\u00ea\u00ec-\u00ee\u00f2\u00f4\u00f9-\u00fb])[\u00c0-\u00ff]{5,15}"
    # pairs of bytes
    "|(?=[\u00a1-\u00ff]{4})[\u00c0-\u00ff]{1,9}[\u00a1-\u00bf]{1,9}[\u00c0-\u00ff]{1,9}[\u00a1-\u00ff]"
    # two of them, without the quotes that may stand between Western letters
    "|[\u00c0-\u00ff]{2}[\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00be][\u00c0-\u00ff]"
    "|(?:[\u201a\u0192][^\x00-\x7f]){3}"  # Japanese
    # UTF-8 read as Cyrillic: each letter begins with one of two capitals
    "|(?:[\u0420\u0421][\u0401-\u040f\u0450-\u045f\u0490\u0491\u00a0-\u00bf\u2013-\u203a\u20ac\u2116\u2122]){3}"
)
_LETTERS = re.compile("[^\x00-\x7f]{1,40}")
_BYTES = re.compile(
    b"\xef\xbf\xbd|\xc2[\x80-\x9f]|\xc3[\x82\x83\x90\x91\xa2-\xa9\xb0][\xc2\xc5\xc6\xcb\xe2]|(?:\xc3[\x80-\xbf]){2}"
    b"|\xc3[\x80-\xbf]\xc2[\xa1-\xbf]|(?:\xe2\x80\x9a|\xc6\x92)[\xc2-\xef]"
    b"|(?:\xd0[\xa0\xa1][\xc2\xd0-\xd2\xe2][\x80-\xbf]{1,2}){3}"
    b"|(?:\xd0[\xa0\xa1](?:\xd0[\x80-\x8f]|\xd1[\x91-\x9f]|\xd2[\x90\x91]|\xc2[\xa0-\xbf]|\xe2[\x80-\x84][\x80-\xbf])){2}"
)
_KINDS = (
    (_LOST, "a replacement character, which stands for a lost letter"),
    (_CONTROL, "a C1 control character, which no text uses"),
    (_MISREAD, "letters that another encoding leaves behind"),
)


class DamagedTexts:
    """Searches every text of every row, and reports each kind of damage once, with the number of rows."""

    def __init__(self) -> None:
        self._rows = dict.fromkeys((kind for _, kind in _KINDS), 0)
        self._first: dict[str, tuple[int, str, str]] = {}

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        found = {kind: (path, shown) for path, text in example.texts for kind, shown in find_damage(text)}
        for kind, (path, shown) in found.items():
            self._rows[kind] += 1
            self._first.setdefault(kind, (example.number, path, shown))
        return iter(())

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        hint = "state the `encoding` that the file has, or mend the text where it was saved"
        for kind, (number, path, shown) in sorted(self._first.items()):
            count = self._rows[kind]
            rows = "1 row has" if count == 1 else f"{count} rows have"
            what = f"{rows} {kind}; here: {shown}"
            where, severity = places[number], Severity.WARNING
            yield Problem(where=where, path=path[:200], what=what, hint=hint, rule="text.damaged", severity=severity)


def may_be_damaged(lines: bytes) -> bool:
    """Return whether lines can hold such signs; fast, for every line of every dataset."""
    return not lines.isascii() and _BYTES.search(lines) is not None


def find_damage(text: str) -> Iterator[tuple[str, str]]:
    """Yield each kind of damage in a text, with the words around it."""
    if text.isascii():
        return
    for sign, kind in _KINDS:
        found = sign.search(text)
        if not found and sign is _MISREAD and is_misread(text):
            found = _LETTERS.search(text)
        if found:
            start = max(0, found.start() - _SHOWN // 2)
            around = text[start : found.end() + _SHOWN // 2]
            yield kind, "".join(each if each.isprintable() else ascii(each)[1:-1] for each in around)
