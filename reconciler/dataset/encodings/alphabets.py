"""The letters of languages in encodings of one byte: how well a text fits each of them.

Most bytes are letters in many encodings: 0xE8 is è in Windows-1252 and č in Windows-1250. What tells them apart is that
a language uses few letters beside those of ASCII, and uses all of them: no language has both è and ð.

Source: Unicode CLDR, exemplar characters (main, without letters that only loan words have)
"""

import re
from collections import Counter

from reconciler.domain.spec import Encoding

_WESTERN = (Encoding.WINDOWS_1252, Encoding.MAC_ROMAN, Encoding.CP850)
_CENTRAL = (Encoding.WINDOWS_1250, Encoding.ISO_8859_2)
_CYRILLIC = (Encoding.WINDOWS_1251, Encoding.KOI8_R, Encoding.CP866, Encoding.ISO_8859_5)

_LATIN: tuple[tuple[str, tuple[Encoding, ...]], ...] = (
    ("äöüß", _WESTERN),  # German
    ("àâçæèéêëîïôœùûü", _WESTERN),  # French
    ("áéíñóúü", _WESTERN),  # Spanish
    ("àáâãçéêíóôõúü", _WESTERN),  # Portuguese
    ("àèéìíòóù", _WESTERN),  # Italian
    ("àçèéíïòóúü", _WESTERN),  # Catalan
    ("áäéèëíïóöúü", _WESTERN),  # Dutch
    ("åæøéòôóêèü", _WESTERN),  # Danish and Norwegian
    ("åäöéšž", _WESTERN),  # Swedish and Finnish
    ("áæðéíóöþúý", _WESTERN),  # Icelandic
    ("äõöüšž", _WESTERN),  # Estonian
    ("áéíóöőúüű", _CENTRAL),  # Hungarian
    ("ąćęłńóśźż", _CENTRAL),  # Polish
    ("áčďéěíňóřšťúůýž", _CENTRAL),  # Czech
    ("áäčďéíľňóôšťúýž", _CENTRAL),  # Slovak
    ("čćđšž", _CENTRAL),  # Croatian and Slovenian
    ("ăâîşţ", _CENTRAL),  # Romanian
    ("çğıöşüâîû", (Encoding.WINDOWS_1254,)),  # Turkish
    ("ąčęėįšųūž", (Encoding.WINDOWS_1257,)),  # Lithuanian
    ("āčēģīķļņšūž", (Encoding.WINDOWS_1257,)),  # Latvian
)
_OTHERS: tuple[tuple[str, str, tuple[Encoding, ...]], ...] = (
    ("абвгдежзийклмнопрстуфхцчшщъыьэюяё", "оаеинтсрвл", _CYRILLIC),  # Russian
    ("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "оаинвітерс", _CYRILLIC),  # Ukrainian
    ("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώ", "αοιετσνηυρ", (Encoding.WINDOWS_1253, Encoding.ISO_8859_7)),
    ("אבגדהוזחטיכלמנסעפצקרשתךםןףץ", "יוהלארתבמש", (Encoding.WINDOWS_1255,)),
    ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگکی", "اليمونرتهب", (Encoding.WINDOWS_1256,)),
)
"""The letters of a language that has none of ASCII, and its ten most frequent ones."""

_LATIN_LETTERS = {
    encoding: "".join(alphabet for alphabet, encodings in _LATIN if encoding in encodings)
    for encoding in dict.fromkeys(each for _, encodings in _LATIN for each in encodings)
}

_LEAST_FIT = 0.95
_LEAST_FREQUENT = 0.33
_LEAST_LETTERS = 4  # different ones
_NEXT_LETTER = 0.03
_NEXT_SHARE = 0.12
_LETTER = "[^\\W\\d_]"
_HIGH_LETTER = re.compile("[^\\W\\d_\x00-\x7f]")
_ODD_MARK = re.compile(
    # Signs within a word, and those which no word begins or ends with.
    f"(?<={_LETTER})[^\\w\x00-\x7f\u2018\u2019\u2013\u2014\u2026\u00a0\u00ad\u00b7](?={_LETTER})"
    f"|(?<={_LETTER})[¡¢£¤¥¦¨¬¯±³¶¸¹¼½¾¿†‡ˆ˜÷×]|[¢£¤¥¦§¨¬¯´¶¸¹¼½¾](?={_LETTER})|[\x80-\x9f\u2500-\u259f]"
)
_WITHIN = re.compile(f"(?<={_LETTER})[^\\W\\d_\x00-\x7f]")
_HIGH_WORD = re.compile("[^\x00-\x7f\u00a0«»\u2013-\u2026€№،؛؟]+")


def rank_latin(text: bytes) -> dict[Encoding, str]:
    """Return the encodings in which a text fits a language that is written in Latin letters best, with the text.

    Shape:  in the order of how common they are; where it fits no language, the encodings in which it fits several
    """
    read: dict[Encoding, tuple[str, Counter[str], int]] = {}
    for encoding in _LATIN_LETTERS:
        decoded = _decode(text, encoding) or ""
        read[encoding] = decoded, Counter(_HIGH_LETTER.findall(decoded.lower())), _count_odd(decoded)

    def fit(encoding: Encoding, alphabet: str) -> float:
        _, letters, odd = read[encoding]
        fitting = sum(count for letter, count in letters.items() if letter in alphabet)
        return fitting / max(letters.total() + odd, 1)

    of_one = {each: max(fit(each, alphabet) for alphabet, encodings in _LATIN if each in encodings) for each in read}
    of_several = {each: fit(each, alphabet) for each, alphabet in _LATIN_LETTERS.items()}
    for fits in (of_one, of_several):
        least = max(_LEAST_FIT, max(fits.values()) - _NEXT_LETTER)
        if best := {each: read[each][0] for each, found in fits.items() if found >= least}:
            return best
    return {}


def rank_others(text: bytes) -> dict[Encoding, str]:
    """Return the encodings in which a text fits a language of other letters best, by its frequent letters."""
    shares: dict[Encoding, float] = {}
    read: dict[Encoding, str] = {}
    for alphabet, frequent, encodings in _OTHERS:
        for encoding in encodings:
            decoded = read.get(encoding) or _decode(text, encoding)
            letters = _find_letters(decoded, alphabet) if decoded else ""
            if decoded and letters:
                read[encoding] = decoded
                share = sum(map(frequent.__contains__, letters)) / len(letters)
                shares[encoding] = max(shares.get(encoding, 0.0), share)
    most = max(shares.values(), default=0.0)
    best = [encoding for encoding, share in shares.items() if share >= max(_LEAST_FREQUENT, most - _NEXT_SHARE)]
    return {encoding: read[encoding] for encoding in sorted(best, key=lambda each: -shares[each])}


def _find_letters(text: str, alphabet: str) -> str:
    """Return the letters of a text; none when they are few, are not of the alphabet, or have odd capitals."""
    words = _HIGH_WORD.findall(text)
    letters = "".join(words)
    fitting = sum(map(alphabet.__contains__, letters.lower()))
    even = sum(word.isupper() or word[1:] == word[1:].lower() for word in words)
    is_even = fitting >= _LEAST_FIT * len(letters) and even >= _LEAST_FIT * len(words)
    return letters if is_even and len(set(letters)) >= _LEAST_LETTERS else ""


def _count_odd(text: str) -> int:
    """Return the number of signs where a word has none, and of capitals within words."""
    capitals = sum(found[0].isupper() and text[found.start() - 1].islower() for found in _WITHIN.finditer(text))
    return len(_ODD_MARK.findall(text)) + capitals


def _decode(text: bytes, encoding: Encoding) -> str | None:
    try:
        return text.decode(encoding)
    except UnicodeDecodeError:
        return None
