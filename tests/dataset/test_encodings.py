"""Encodings: what bytes suggest, what is never guessed, and the signs of a wrong one in a text."""

import codecs
import time
from pathlib import Path

import pytest

from reconciler.dataset.dataset_checks.damaged_text import find_damage, may_be_damaged
from reconciler.dataset.encodings import advise_encoding, codec_of, suggest_encodings
from reconciler.domain.errors import Severity
from reconciler.domain.spec import Encoding

from .factories import a_chat
from .wild.cases import MAPPED, Fields, read_wild


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
        ("Łódź", Encoding.WINDOWS_1250),
        ("Kdy přijde zásilka? Děkuji", Encoding.WINDOWS_1250),
        ("jövő hétfőn", Encoding.WINDOWS_1250),
        ("Vreau să returnez o pătură roşie, vă rog", Encoding.WINDOWS_1250),
        ("güneş ışığı, şimdi", Encoding.WINDOWS_1254),
        ("Kur ir mans pasūtījums? Paldies, gaidīšu ziņu", Encoding.WINDOWS_1257),
        ("أريد استرداد المال", Encoding.WINDOWS_1256),
        ("شكرا لكم", Encoding.WINDOWS_1256),
        ("πού είναι η παραγγελία", Encoding.WINDOWS_1253),
        ("איפה ההזמנה שלי", Encoding.WINDOWS_1255),
        ("café déjà", Encoding.CP850),
        ("Größe, schön, café", Encoding.WINDOWS_1252),
        ("Größe schön", Encoding.MAC_ROMAN),
    ],
)
def test_bytes_suggest_their_encoding(text: str, encoding: Encoding) -> None:
    assert suggest_encodings(text.encode(codec_of(encoding, b""))) == {encoding: text}


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("ОК", "cp1251"),
        ("你好", "gb18030"),
        ("東京都", "cp932"),
        ("สวัสดี", "cp874"),
        ("plain", "ascii"),
    ],
)
def test_bytes_that_are_not_clear_suggest_nothing(text: str, codec: str) -> None:
    assert suggest_encodings(text.encode(codec)) == {}


@pytest.mark.parametrize(
    ("text", "codec", "read"),
    [
        ("naročilo", "cp1250", ["naroèilo", "naročilo"]),
        ("niño", "cp1252", ["niño", "nińo"]),
        ("şimdi", "cp1254", ["þimdi", "ţimdi", "şimdi", "žimdi"]),
        ("שלום עולם", "cp1255", ["щмен темн", "שלום עולם"]),
    ],
)
def test_bytes_that_speak_for_several_encodings_suggest_each(text: str, codec: str, read: list[str]) -> None:
    assert [*suggest_encodings(text.encode(codec)).values()] == read


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


def test_signs_among_english_words_are_those_of_windows_1252() -> None:
    lines = (
        b"Win a \xa31,000 prize or a \xe5\xa3500 voucher \x96 text the word PRIZE to our number until noon today\n" * 3
    )
    suggested, hint = advise_encoding(lines)
    assert suggested is Encoding.WINDOWS_1252
    assert "which reads `£1`" in hint


def test_the_hint_reads_a_word_by_each_encoding_that_is_possible() -> None:
    alone = "save the file as UTF-8, or give its source `encoding: windows-1250`, which reads `jövő`"
    assert advise_encoding("jövő hétfőn".encode("cp1250")) == (Encoding.WINDOWS_1250, alone)
    several = "`windows-1252` reads `naroèilo`, or `windows-1250` reads `naročilo`"
    first, hint = advise_encoding("moje naročilo".encode("cp1250"))
    assert first is None
    assert hint.endswith(several)


def test_the_lines_of_a_file_decide_together(tmp_path: Path) -> None:
    rows = [f"naročilo {at},hvala" for at in range(12)]
    content = "\n".join(["text,label", *rows, "Naručio sam prošli tjedan,živjo", "želim,đak"]).encode("cp1250")
    found, _ = read_wild(tmp_path, "t.csv", content, MAPPED)
    of_encoding = [each for each in found if each.rule == "text.encoding"]
    assert {each.where.line for each in of_encoding} == {2}
    assert all("`encoding: windows-1250`, which reads `naročilo`" in each.hint for each in of_encoding)


MISREAD_NAMES: Fields = {
    "format": "completion",
    "prompt": "{Größe}",
    "completion": "{Antwort}",
    "prepare": [{"drop_empty": ["Größe"]}, {"filter": {"column": "Antwort", "in": ["schön 1", "schön 2"]}}],
}


def a_table_with_umlauts(codec: str) -> bytes:
    return ("Größe,Antwort\n" + "".join(f"groß {at},schön {at}\n" for at in range(12))).encode(codec)


def test_what_a_line_that_is_not_utf_8_leads_to_is_no_problem_of_its_own(tmp_path: Path) -> None:
    found, _ = read_wild(tmp_path, "t.csv", a_table_with_umlauts("cp1252"), MISREAD_NAMES)
    assert [each.rule for each in found if each.severity is Severity.ERROR] == ["text.encoding"]


@pytest.mark.parametrize(
    ("codec", "stated", "right"),
    [("cp1252", "mac-roman", "windows-1252"), ("mac-roman", "cp850", "mac-roman"), ("utf-8", "windows-1252", "utf-8")],
)
@pytest.mark.parametrize("step", ["mapping", "prepare"])
def test_a_column_that_a_wrong_encoding_hides_names_the_right_one(
    tmp_path: Path, codec: str, stated: str, right: str, step: str
) -> None:
    fields = {name: value for name, value in MISREAD_NAMES.items() if step == "prepare" or name != "prepare"}
    source = {"path": "t.csv", "encoding": stated}
    found, _ = read_wild(tmp_path / "a", "t.csv", a_table_with_umlauts(codec), {**fields, "source": source})
    hints = [each.hint for each in found if each.rule == f"{step}.unknown-column"]
    assert hints == [f"the file is read as {stated}, and has this column in another one: `encoding: {right}`"]
    source = {"path": "t.csv", "encoding": right}
    found, rows = read_wild(tmp_path / "b", "t.csv", a_table_with_umlauts(codec), {**fields, "source": source})
    assert len(rows) == (2 if step == "prepare" else 12), [str(each) for each in found]
