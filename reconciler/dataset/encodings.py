"""The encodings of text: how Python names each, and which one the bytes of a line that is not UTF-8 suggest.

A suggestion is made only where the bytes speak for one encoding. Cyrillic words follow the rule of letters: lower case
after the first, none beside an ASCII letter. Chinese, Japanese and Korean texts are pairs of bytes, of which the common
characters fill a part. Western text has letters above 0x7F beside ASCII letters; bytes from 0x80 to 0x9F are quotes,
dashes and the euro sign in Windows-1252, and controls in Latin-1. Other bytes get no suggestion: with a wrong one, a
model would learn wrong letters.

Source: WHATWG Encoding Standard (labels, and the supersets that browsers read under them); GB/T 2312 (level 1), Big5
        (level 1), JIS X 0208 (kana), KS X 1001 (Hangul), TIS-620
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from reconciler.domain.spec import Encoding

_BIG_ENDIAN_MARK = b"\xfe\xff"
_MARKS_OF_UTF_16 = (_BIG_ENDIAN_MARK, b"\xff\xfe")
_HEAD = 4096
_CODECS = {Encoding.SHIFT_JIS: "cp932", Encoding.EUC_KR: "cp949", Encoding.BIG5: "big5hkscs"}
"""Where the common name stands for the superset that programs write under it."""

_RUN = re.compile(rb"[\x80-\xff]+")
_LEAST_COMMON = 0.7
_LEAST_FREQUENT = 0.33
_LEAST_LETTERS = 3

_KANA_AND_HAN = re.compile("[\u3001-\u30ff\u4e00-\u9fff\uff01-\uff5e]")
_KANA = re.compile("[\u3041-\u30fe]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_NOT_ASCII_RUN = re.compile("[^\x00-\x7f]+")
_BESIDE_ASCII_LETTER = re.compile("(?<=[A-Za-z])[^\x00-\x7f]|[^\x00-\x7f](?=[A-Za-z])")
_MOST_SEARCHED, _MOST_RUNS, _MOST_OF_A_RUN = 4_000, 50, 100
_NOT_ASCII = re.compile("[^\x00-\x7f]")

_BESIDE_ASCII = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]|[\x80-\xff](?=[A-Za-z])")
_MARKS = re.compile(rb"[\x80\x85\x91-\x94\x96\x97]+|[\x80-\xff]")
_NOT_WESTERN = re.compile(
    # Signs and capitals that do not follow a letter, as code pages of DOS, Macintosh and Central Europe would have it,
    # and the letters in which Turkish and Icelandic differ.
    rb"(?<=[A-Za-z])[\x82-\x84\x86-\x89\x8b\x95\x98\x9b\xa1-\xa6\xa8\xac\xaf\xb1\xb3\xb6\xb8\xb9\xbc-\xbf]"
    rb"|(?<=[a-z])[\x8a\x8c\x8e\x9f]|[\xd0\xdd\xde\xf0\xfd\xfe]"
)
_THAI = re.compile(rb"(?:[\xe0-\xe4]?[\xa1-\xce](?:[\xd1\xd4-\xda][\xe7-\xed]?|[\xe7-\xec])?[\xd0\xd2\xd3\xe5\xe6]?)+")
_HEBREW = re.compile(rb"(?:[\xe0-\xe9\xeb\xec\xee\xf0-\xf2\xf4\xf6-\xfa]*[\xe0-\xfa])")
"""A word in Windows-1255: five letters have a form of their own at the end, and stand nowhere else."""


class _Cyrillic:
    """One encoding of Cyrillic: what a word looks like in it, and its most frequent letters (o, a, e, i, n, t)."""

    def __init__(self, upper: bytes, lower: bytes, frequent: bytes) -> None:
        self._word = re.compile(rb"[%b]?[%b]+|[%b]+" % (upper, lower, upper))
        self._lower = re.compile(rb"[%b]" % lower)
        self._frequent = re.compile(rb"[%b]" % frequent)

    def count_letters(self, runs: list[bytes]) -> int:
        """Return the number of lower-case letters when all runs are words of a common kind, else 0."""
        if not all(map(self._word.fullmatch, runs)) or all(map(_HEBREW.fullmatch, runs)):
            return 0
        text = b"".join(runs)
        lower, frequent = len(self._lower.findall(text)), len(self._frequent.findall(text))
        return lower if lower >= _LEAST_LETTERS and frequent >= _LEAST_FREQUENT * lower else 0


_CYRILLIC = {
    Encoding.WINDOWS_1251: _Cyrillic(
        rb"\xc0-\xdf\xa8\xb2\xaf\xaa\xa5", rb"\xe0-\xff\xb8\xb3\xbf\xba\xb4", rb"\xee\xe0\xe5\xe8\xed\xf2"
    ),
    Encoding.KOI8_R: _Cyrillic(rb"\xe0-\xff\xb3", rb"\xc0-\xdf\xa3", rb"\xcf\xc1\xc5\xc9\xce\xd4"),
}


def codec_of(encoding: Encoding, first: bytes) -> str:
    """Return Python's name for an encoding; the first bytes of the file show which form of UTF-16 it is."""
    if encoding is Encoding.UTF_16:
        return "utf-16-be" if _is_big_endian(first[:_HEAD]) else "utf-16-le"
    return _CODECS.get(encoding, str(encoding))


def _is_big_endian(head: bytes) -> bool:
    """Return which byte of a character comes first: by the mark, or by the zero bytes of ASCII letters."""
    if head.startswith(_MARKS_OF_UTF_16):
        return head.startswith(_BIG_ENDIAN_MARK)
    return head[0::2].count(0) > head[1::2].count(0)


def suggest_encoding(line: bytes) -> Encoding | None:
    """Return the encoding that the bytes of a line suggest; None when they are not clear.

    Shape:  Windows-1252 where Latin-1 would read the same letters
    """
    runs = _RUN.findall(line)
    if not runs:
        return None
    are_words = not _BESIDE_ASCII.search(line)
    cyrillic = {encoding: form.count_letters(runs) if are_words else 0 for encoding, form in _CYRILLIC.items()}
    if best := max(cyrillic.values()):
        return next(encoding for encoding, letters in cyrillic.items() if letters == best)
    shares = {encoding: share(line) for encoding, share in _PAIRS.items()}
    most = max(shares.values())
    if most >= _LEAST_COMMON:
        may_be_thai = all(map(_THAI.fullmatch, runs))
        return None if may_be_thai else next(encoding for encoding, share in shares.items() if share == most)
    is_western = len(_BESIDE_ASCII.findall(line)) * 2 >= len(runs) or all(map(_MARKS.fullmatch, runs))
    is_western = is_western and not _NOT_WESTERN.search(line) and _decode(line, Encoding.WINDOWS_1252) is not None
    return Encoding.WINDOWS_1252 if is_western else None


def is_misread(text: str) -> bool:
    """Return whether a text of Western letters is one of another script, read as a Western encoding.

    Shape:  true only where no such letter stands beside an ASCII letter, and the bytes suggest the other script
    Cost:   the first letters of a long text decide
    """
    head = text[:_MOST_SEARCHED]
    if len(set(_NOT_ASCII.findall(head))) < _LEAST_LETTERS or _BESIDE_ASCII_LETTER.search(head):
        return False
    letters = " ".join(run[:_MOST_OF_A_RUN] for run in _NOT_ASCII_RUN.findall(head)[:_MOST_RUNS])
    for codec in ("cp1252", "latin-1"):
        try:
            line = letters.encode(codec)
        except UnicodeEncodeError:
            continue
        runs = _RUN.findall(line)
        is_cyrillic = any(form.count_letters(runs) for form in _CYRILLIC.values())
        return is_cyrillic or max(share(line) for share in _PAIRS.values()) >= _LEAST_COMMON
    return False


def _decode(line: bytes, encoding: Encoding) -> str | None:
    try:
        return line.decode(codec_of(encoding, line))
    except UnicodeDecodeError:
        return None


def _share_of(common: re.Pattern[str], needed: re.Pattern[str], encoding: Encoding, line: bytes) -> float:
    others = _NOT_ASCII.findall(_decode(line, encoding) or "")
    return sum(map(bool, map(common.match, others))) / len(others) if any(map(needed.match, others)) else 0.0


def _share_of_korean(line: bytes) -> float:
    # The Hangul of KS X 1001 begin with 0xB0 to 0xC8; the code page has thousands more that are hardly used.
    share = _share_of(_HANGUL, _HANGUL, Encoding.EUC_KR, line)
    return min(share, _share_of_level_1(Encoding.EUC_KR, 0xB0, 0xC8, line) / 0.95)


def _share_of_level_1(encoding: Encoding, least: int, most: int, line: bytes) -> float:
    # The more frequent half of the characters has the lower first bytes. A little less than certain: kana and Hangul,
    # which can only be Japanese and Korean, come before.
    characters = _NOT_ASCII.findall(_decode(line, encoding) or "")
    written = [each.encode(codec_of(encoding, line)) for each in characters]
    least_trail = 0x40 if encoding is Encoding.BIG5 else 0xA1
    common = sum(len(pair) == 2 and least <= pair[0] <= most and pair[1] >= least_trail for pair in written)
    return 0.95 * common / len(written) if len(written) > 1 else 0.0


_PAIRS: Mapping[Encoding, Callable[[bytes], float]] = {
    # Text without kana could as well be Chinese.
    Encoding.SHIFT_JIS: partial(_share_of, _KANA_AND_HAN, _KANA, Encoding.SHIFT_JIS),
    Encoding.EUC_JP: partial(_share_of, _KANA_AND_HAN, _KANA, Encoding.EUC_JP),
    Encoding.EUC_KR: _share_of_korean,
    Encoding.GB18030: partial(_share_of_level_1, Encoding.GB18030, 0xB0, 0xD7),
    Encoding.BIG5: partial(_share_of_level_1, Encoding.BIG5, 0xA4, 0xC6),
}
