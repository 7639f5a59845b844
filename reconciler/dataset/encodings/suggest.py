"""The encodings of text: how Python names each, and which ones the bytes of lines that are not UTF-8 suggest.

One is suggested only where the bytes speak for it: with a wrong one, a model would learn wrong letters. Where they
speak for several, each is named with a word as it reads it, and a person decides. Chinese, Japanese and Korean texts
are pairs of bytes, of which the common characters fill a part. Other texts have the letters of a language (see
`alphabets`); Latin letters have ASCII letters beside them. Bytes from 0x80 to 0x9F are quotes, dashes and the euro sign
in Windows-1252, and controls in Latin-1.

Source: WHATWG Encoding Standard (labels, and the supersets that browsers read under them); GB/T 2312 (level 1), Big5
        (level 1), JIS X 0208 (kana), KS X 1001 (Hangul), TIS-620
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import zip_longest

from reconciler.dataset.encodings.alphabets import rank_latin, rank_others
from reconciler.domain.spec import Encoding

_BIG_ENDIAN_MARK = b"\xfe\xff"
_MARKS_OF_UTF_16 = (_BIG_ENDIAN_MARK, b"\xff\xfe")
_HEAD = 4096
_CODECS = {Encoding.SHIFT_JIS: "cp932", Encoding.EUC_KR: "cp949", Encoding.BIG5: "big5hkscs"}
"""Where the common name stands for the superset that programs write under it."""

_MOST_SHOWN = 30
_BETWEEN_WORDS = re.compile(r"[\s\"',;:.?!`{}()\[\]|<>\\/]+")
_RUN = re.compile(rb"[\x80-\xff]+")
_LEAST_COMMON = 0.7
_LEAST_FREQUENT = 0.33
_LEAST_LETTERS = 3
_FEW_BYTES = 16
_LONG_RUN = 4
_FEW_OF_ALL = 0.05

_KANA_AND_HAN = re.compile("[\u3001-\u30ff\u4e00-\u9fff\uff01-\uff5e]")
_KANA = re.compile("[\u3041-\u30fe]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_NOT_ASCII_RUN = re.compile("[^\x00-\x7f]+")
_BESIDE_ASCII_LETTER = re.compile("(?<=[A-Za-z])[^\x00-\x7f]|[^\x00-\x7f](?=[A-Za-z])")
_MOST_SEARCHED, _MOST_RUNS, _MOST_OF_A_RUN = 4_000, 50, 100
_NOT_ASCII = re.compile("[^\x00-\x7f]")

_BESIDE_ASCII = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]|[\x80-\xff](?=[A-Za-z])")
_MARKS = re.compile(rb"[\x80\x85\x91-\x94\x96\x97]+")
"""The euro sign, quotes and dashes of Windows-1252."""

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


def advise_encoding(lines: bytes) -> tuple[Encoding | None, str]:
    """Return the encoding of lines that are not UTF-8, None when their bytes do not decide, and the hint for the file.

    Shape:  the hint shows a word as the encoding reads it: a wrong one would teach a model wrong letters
    """
    found = suggest_encodings(lines)
    first = next(iter(found), None)
    save = "save the file as UTF-8, or give its source"
    if first is None:
        return None, f"{save} the `encoding` that it has (docs/specs.md lists them)"
    if len(found) == 1:
        word = _show_word([found[first]])
        return first, f"{save} `encoding: {first}`" + (f", which reads {word[0]}" if word else "")
    words = _show_word([*found.values()])
    read = [f"`{name}`{f' reads {word}' if word else ''}" for name, word in zip_longest(found, words, fillvalue="")]
    return None, f"{save} the `encoding` that it has: {', or '.join(read)}"


def _show_word(texts: list[str]) -> list[str]:
    """Return a word as each of the texts has it, one in which they differ; none when there is no such word."""
    words = [_BETWEEN_WORDS.split(text) for text in texts]
    if len(set(map(len, words))) > 1:
        return []
    odd = (each for each in zip(*words, strict=True) if not each[0].isascii() and len(set(each)) == len(each))
    return [f"`{word[:_MOST_SHOWN]}`" for word in next(odd, ())]


def suggest_encodings(text: bytes) -> dict[Encoding, str]:
    """Return the encodings that the bytes of lines suggest, each with the text that it makes of them.

    Shape:  the best comes first; several where they read different letters and the bytes do not decide; none when the
            bytes are not clear. Windows-1252 where Latin-1 would read the same letters
    """
    runs = _RUN.findall(text)
    if not runs:
        return {}
    found = {} if _BESIDE_ASCII.search(text) else rank_others(text)
    pair = {} if all(map(_THAI.fullmatch, runs)) else _find_pair(text)
    if pair and (not found or len(b"".join(runs)) < _FEW_BYTES):
        found = {**pair, **found}
    if found:
        return _leave_equals_out(found)
    if all(map(_MARKS.fullmatch, runs)):
        return _decode_as(Encoding.WINDOWS_1252, text)
    is_latin = len(_BESIDE_ASCII.findall(text)) * 2 >= len(runs) >= 4 * sum(len(run) > _LONG_RUN for run in runs)
    found = _leave_equals_out(rank_latin(text)) if is_latin else {}
    # Signs among ASCII words are those of Windows-1252 as a rule, and the hint shows how it reads them.
    is_sprinkled = len(b"".join(runs)) < _FEW_OF_ALL * len(text)
    return found or (_decode_as(Encoding.WINDOWS_1252, text) if is_sprinkled else {})


def find_misread_name(name: str, others: Iterable[str], stated: Encoding) -> Encoding | None:
    """Return the encoding by which one of the other names, read by the stated one, is this name; None when none is."""
    if name.isascii():
        return None
    misread = set(others)
    for encoding in (Encoding.WINDOWS_1252, *list(Encoding)):
        try:
            read = name.encode(codec_of(encoding, b"")).decode(codec_of(stated, b""))
        except UnicodeError:
            continue
        if read != name and read in misread:
            return encoding
    return None


def _find_pair(text: bytes) -> dict[Encoding, str]:
    shares = {encoding: share(text) for encoding, share in _PAIRS.items()}
    best = max(shares, key=lambda each: shares[each])
    return _decode_as(best, text) if shares[best] >= _LEAST_COMMON else {}


def _decode_as(encoding: Encoding, text: bytes) -> dict[Encoding, str]:
    decoded = _decode(text, encoding)
    return {} if decoded is None else {encoding: decoded}


def _leave_equals_out(found: dict[Encoding, str]) -> dict[Encoding, str]:
    return {encoding: text for at, (encoding, text) in enumerate(found.items()) if text not in [*found.values()][:at]}


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
