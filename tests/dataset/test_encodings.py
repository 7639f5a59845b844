"""Encodings: what bytes suggest, what is never guessed, and the signs of a wrong one in a text."""

import codecs
import time

import pytest

from reconciler.dataset.dataset_checks.damaged_text import find_damage, may_be_damaged
from reconciler.dataset.encodings import codec_of, suggest_encoding
from reconciler.domain.spec import Encoding

from .factories import a_chat


@pytest.mark.parametrize("encoding", list(Encoding))
def test_every_encoding_is_known_to_python(encoding: Encoding) -> None:
    assert codecs.lookup(codec_of(encoding, b""))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет, как дела? 5", Encoding.WINDOWS_1251),
        ("Мені потрібна допомога", Encoding.WINDOWS_1251),
        ("Здравствуйте! Где заказ", Encoding.KOI8_R),
        ("カードが使えません", Encoding.SHIFT_JIS),
        ("退款", Encoding.GB18030),
        ("señor 1,¿qué?", Encoding.WINDOWS_1252),
        ("“€5”", Encoding.WINDOWS_1252),
    ],
)
def test_bytes_suggest_their_encoding(text: str, encoding: Encoding) -> None:
    assert suggest_encoding(text.encode(codec_of(encoding, b""))) is encoding


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("שלום עולם", "cp1255"),
        ("Łódź", "cp1250"),
        ("café déjà", "cp850"),
        ("naïve “x”", "mac-roman"),
        ("ОК", "cp1251"),
        ("güneş", "cp1254"),
        ("plain", "ascii"),
    ],
)
def test_bytes_that_are_not_clear_suggest_nothing(text: str, codec: str) -> None:
    assert suggest_encoding(text.encode(codec)) is None


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("text", ["text,label\r\ncafé,“ok”\r\n", "文本,标签\r\n你好,再见\r\n"])
def test_the_form_of_utf_16_is_found_without_a_mark(form: str, mark: str, text: str) -> None:
    assert codec_of(Encoding.UTF_16, f"{mark}{text}".encode(form)) == form


MISREAD = [
    ("café", "utf-8", "cp1252"),
    ("it’s", "utf-8", "cp1252"),
    ("Größe 5 °C", "utf-8", "latin-1"),
    ("привет", "utf-8", "cp1252"),
    ("привет", "cp1251", "latin-1"),
    ("你好", "utf-8", "cp1252"),
    ("你好再见", "gb18030", "latin-1"),
    ("こんにちは", "cp932", "latin-1"),
    ("안녕하세요", "cp949", "latin-1"),
    ("你好 5", "gb18030", "latin-1"),
    ("再见", "gb18030", "cp1252"),
    ("“退款”: 5", "gb18030", "cp1252"),
    ("привет", "utf-8", "cp1251"),
    ("Здравствуйте", "utf-8", "cp1251"),
    ("“ok”", "cp1252", "latin-1"),
    ("😀", "utf-8", "cp1252"),
    ("café", "latin-1", "utf-8"),
]


@pytest.mark.parametrize(("text", "codec", "wrong"), MISREAD)
def test_a_text_in_a_wrong_encoding_shows_it(text: str, codec: str, wrong: str) -> None:
    damaged = text.encode(codec).decode(wrong, "replace")
    assert may_be_damaged(damaged.encode())
    assert list(find_damage(damaged))


@pytest.mark.parametrize(
    "text",
    [
        "naïve café, Größe, œuvre",
        "SÃO PAULO; Ãgua",
        "ÀÉÈÏÖ, áéíóú, ÅÄÖåäö",
        "«Où êtes-vous ?» — «à Paris»",
        "¡Olé! ¿Qué? ½ £5 ±3 20 °C",
        "Þórður Ðan",
        "日本語 привет שלום",
        "it’s €5 “now”…",
        "Zażółć gęślą jaźń",
        "INFORMAÇÃO, SOLICITAÇÃO, AÇÕES",
        "À É Ö ÄÖ ÜÖ ß é à",
        "Рёбра, Сёмга, «С», РФ — ССР № 5",
        "Сі, Рєпка, Україні",
        "ÆØÅ æøå Åse",
        "ÄÄÄÄ, Äö",
        "5 €, 7 £, ¼ — ½ «é»",
    ],
)
def test_a_text_in_its_own_encoding_shows_nothing(text: str) -> None:
    assert list(find_damage(text)) == []


@pytest.mark.parametrize("piece", ["à", "àààà¡", "å", "Ñ", "Ã\u0080", "é¡é "])
def test_the_search_takes_time_in_proportion(piece: str) -> None:
    began = time.process_time()
    list(find_damage(piece * (200_000 // len(piece))))
    assert time.process_time() - began < 5


def test_damage_in_rows_of_json_is_found_too() -> None:
    assert may_be_damaged(str(a_chat("itâ€™s")).encode())
