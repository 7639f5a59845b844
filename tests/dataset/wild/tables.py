"""Encodings, delimiters and quotes of tables of text, as programs and people write them."""

from reconciler.domain.errors import Severity

from .cases import MAPPED, Fields, Finding, WildFile, pairs

WARNING = Severity.WARNING


def a_table(rows: tuple[tuple[str, str], ...], mark: str = ",", header: str = "text,label", end: str = "\n") -> str:
    """Return a header and rows, as written without quotes."""
    return end.join([header.replace(",", mark), *(mark.join(row) for row in rows)]) + end


def number_rows(question: str, answer: str, count: int = 12) -> tuple[tuple[str, str], ...]:
    """Return rows that differ in a number."""
    return tuple((f"{question} {at}", f"{answer} {at}") for at in range(count))


PLAIN = number_rows("question", "answer")


def encoded(case: str, encoding: str, codec: str, question: str, answer: str) -> WildFile:
    """Return a file in an encoding that its bytes show."""
    rows = number_rows(question, answer)
    hint = f"`encoding: {encoding}`"
    found = Finding("text.encoding", "not UTF-8", hint, line=2)
    return WildFile(f"encoding-{case}", "t.csv", a_table(rows).encode(codec), pairs(*rows), found)


def declared(case: str, encoding: str, codec: str, question: str, answer: str) -> WildFile:
    """Return a file in an encoding that its bytes do not show: its author states it."""
    rows = number_rows(question, answer)
    found = Finding("text.encoding", "not UTF-8", "the `encoding` that it has", line=2)
    then: Fields = {"source": {"path": "t.csv", "encoding": encoding}}
    return WildFile(f"encoding-{case}", "t.csv", a_table(rows).encode(codec), pairs(*rows), found, then=then)


def leave_undecided(case: str, encoding: str, codec: str, question: str, answer: str, hint: str) -> WildFile:
    """Return a file whose bytes speak for several encodings: the hint reads a word by each, and its author decides."""
    return declared(case, encoding, codec, question, answer)._replace(
        found=Finding("text.encoding", "not UTF-8", hint, line=2)
    )


def right(case: str, name: str, content: str | bytes, rows: tuple[tuple[str, str], ...], **more: object) -> WildFile:
    """Return a file that is right as it is."""
    text = content.encode() if isinstance(content, str) else content
    return WildFile(case, name, text, pairs(*rows), **more)  # type: ignore[arg-type]  # fields by name


def wrong(
    case: str, name: str, content: str, rows: tuple[tuple[str, str], ...], found: Finding, **more: object
) -> WildFile:
    """Return a file with a finding."""
    return WildFile(case, name, content.encode(), pairs(*rows), found, **more)  # type: ignore[arg-type]  # fields by name


ENCODINGS = (
    encoded("windows-1252-quotes", "windows-1252", "cp1252", "café “ok” €", "à bientôt"),
    encoded("windows-1252-umlauts", "windows-1252", "cp1252", "Größe", "schön"),
    encoded("latin-1", "windows-1252", "latin-1", "¿qué?", "mañana"),
    encoded("windows-1251", "windows-1251", "cp1251", "привет", "пока"),
    encoded("windows-1251-sentence", "windows-1251", "cp1251", "Где мой заказ?", "В пути"),
    encoded("koi8-r", "koi8-r", "koi8-r", "привет", "пока"),
    encoded("gb18030", "gb18030", "gb18030", "你好", "再见"),
    encoded("gbk", "gb18030", "gbk", "请问订单什么时候到", "明天"),
    encoded("big5", "big5", "big5", "請問我的訂單什麼時候到", "明天就到"),
    encoded("shift-jis", "shift-jis", "cp932", "こんにちは", "さようなら"),
    encoded("euc-jp", "euc-jp", "euc-jp", "注文はいつ届きますか", "明日です"),
    encoded("euc-kr", "euc-kr", "euc-kr", "안녕하세요", "감사합니다"),
    encoded("windows-1250", "windows-1250", "cp1250", "Žluťoučký kůň", "zażółć"),
    encoded("windows-1250-hungarian", "windows-1250", "cp1250", "Mikor működik jövő hétfőn?", "tűzoltó"),
    encoded("windows-1250-polish", "windows-1250", "cp1250", "Chcę zwrócić zamówienie", "Oczywiście proszę"),
    encoded("iso-8859-2", "iso-8859-2", "iso8859-2", "Chcę zwrócić zamówienie", "Oczywiście proszę"),
    encoded("windows-1257", "windows-1257", "cp1257", "Kur mano užsakymas?", "Ačiū dėkui"),
    leave_undecided(
        "slovenian", "windows-1250", "cp1250", "Kje je moje naročilo", "jutri", "`windows-1250` reads `naročilo`"
    ),
    leave_undecided("one-letter", "windows-1252", "cp1252", "señor", "hola", "`windows-1252` reads `señor`"),
    encoded("windows-1253", "windows-1253", "cp1253", "Καλημέρα κόσμε", "ναι"),
    encoded("windows-1254", "windows-1254", "cp1254", "güneş ışığı", "şimdi"),
    declared("windows-1255", "windows-1255", "cp1255", "שלום עולם", "כן"),
    encoded("windows-1256", "windows-1256", "cp1256", "مرحبا بالعالم", "نعم"),
    encoded("cp850", "cp850", "cp850", "déjà vu", "où ça"),
    encoded("mac-roman", "mac-roman", "mac-roman", "café “ok”", "naïve"),
    declared("cp874", "cp874", "cp874", "สวัสดี", "ใช่"),
    wrong(
        "encoding-utf-16-no-mark", "t.csv", "", PLAIN, Finding("text.encoding", "UTF-16", "`encoding: utf-16`", line=1)
    )._replace(content=a_table(PLAIN).encode("utf-16-le")),
    wrong(
        "table-named-json-lines",
        "t.jsonl",
        a_table(PLAIN),
        PLAIN,
        Finding("file.kind", "most likely a table, not JSON Lines", "name it .csv", line=1),
    ),
    wrong(
        "table-of-tabs-named-json",
        "t.json",
        a_table(PLAIN, "\t"),
        PLAIN,
        Finding("file.kind", "most likely a table, not JSON", "name it .tsv", line=1),
    ),
    wrong(
        "json-lines-named-as-a-table",
        "t.csv",
        "".join(f'{{"text": "q{at}, or not", "label": "a"}}\n' for at in range(12)),
        tuple((f"q{at}, or not", "a") for at in range(12)),
        Finding("file.kind", "the file is JSON Lines, not a table", "name it .jsonl", line=1),
    ),
    wrong(
        "encoding-utf-16-big-endian-no-mark",
        "t.csv",
        "",
        number_rows("café “ok” €", "yes"),
        Finding("text.encoding", "UTF-16", "`encoding: utf-16`", line=1),
    )._replace(content=a_table(number_rows("café “ok” €", "yes")).encode("utf-16-be")),
    wrong(
        "encoding-utf-16", "t.tsv", "", PLAIN, Finding("text.encoding", "UTF-16", "`encoding: utf-16`", line=1)
    )._replace(content=a_table(PLAIN, "\t").encode("utf-16")),
    right("encoding-utf-8-mark", "t.csv", b"\xef\xbb\xbf" + a_table(PLAIN).encode(), PLAIN),
    wrong(
        "encoding-latin-1-of-windows-1252",
        "t.csv",
        "",
        number_rows("“quoted”", "it’s"),
        Finding("text.damaged", "12 rows have a C1 control", "state the `encoding`", WARNING, 2),
        fields={**MAPPED, "source": {"path": "t.csv", "encoding": "latin-1"}},
        then={"source": {"path": "t.csv", "encoding": "windows-1252"}},
        is_warning=True,
    )._replace(content=a_table(number_rows("“quoted”", "it’s")).encode("cp1252")),
    wrong(
        "encoding-mojibake-saved",
        "t.csv",
        a_table(number_rows("cafÃ©", "itâ€™s")),
        number_rows("cafÃ©", "itâ€™s"),
        Finding("text.damaged", "12 rows have letters that another encoding leaves behind", "", WARNING, 2),
        is_warning=True,
    ),
    wrong(
        "encoding-chinese-as-latin-1",
        "t.csv",
        "",
        number_rows("ÄãºÃ", "yes"),
        Finding(
            "text.damaged", "12 rows have letters that another encoding leaves behind", "the `encoding`", WARNING, 2
        ),
        fields={**MAPPED, "source": {"path": "t.csv", "encoding": "latin-1"}},
        is_warning=True,
    )._replace(content=a_table(number_rows("你好", "yes")).encode("gb18030")),
    wrong(
        "encoding-japanese-as-windows-1252",
        "t.csv",
        "",
        number_rows("‚±‚ñ‚É‚¿‚Í", "yes"),
        Finding(
            "text.damaged", "12 rows have letters that another encoding leaves behind", "the `encoding`", WARNING, 2
        ),
        fields={**MAPPED, "source": {"path": "t.csv", "encoding": "windows-1252"}},
        is_warning=True,
    )._replace(content=a_table(number_rows("こんにちは", "yes")).encode("cp932")),
    wrong(
        "encoding-utf-8-as-windows-1251",
        "t.csv",
        "",
        number_rows("РїСЂРёРІРµС‚", "yes"),
        Finding(
            "text.damaged", "12 rows have letters that another encoding leaves behind", "the `encoding`", WARNING, 2
        ),
        fields={**MAPPED, "source": {"path": "t.csv", "encoding": "windows-1251"}},
        is_warning=True,
    )._replace(content=a_table(number_rows("привет", "yes")).encode("utf-8")),
    wrong(
        "encoding-replacement-saved",
        "t.csv",
        a_table((*PLAIN, ("caf\ufffd", "x"))),
        (*PLAIN, ("caf\ufffd", "x")),
        Finding("text.damaged", "1 row has a replacement character", "", WARNING, 14),
        is_warning=True,
    ),
    wrong(
        "encoding-declared-but-utf-8",
        "t.csv",
        "\ufeff" + a_table(number_rows("café", "à")),
        number_rows("café", "à"),
        Finding("text.encoding", "the first bytes mark Unicode", "remove `encoding`", line=1),
        fields={**MAPPED, "source": {"path": "t.csv", "encoding": "windows-1252"}},
        then={"source": "t.csv"},
    ),
)

DELIMITERS = (
    wrong(
        "delimiter-semicolon",
        "t.csv",
        a_table(PLAIN, ";"),
        PLAIN,
        Finding("table.delimiter", "semicolons", '";"', line=1),
    ),
    wrong(
        "delimiter-tab-in-csv", "t.csv", a_table(PLAIN, "\t"), PLAIN, Finding("table.delimiter", "tabs", ".tsv", line=1)
    ),
    wrong("delimiter-pipe", "t.csv", a_table(PLAIN, "|"), PLAIN, Finding("table.delimiter", "pipes", '"|"', line=1)),
    wrong(
        "delimiter-comma-in-tsv", "t.tsv", a_table(PLAIN), PLAIN, Finding("table.delimiter", "commas", ".csv", line=1)
    ),
    wrong(
        "delimiter-tab-header-with-comma",
        "t.csv",
        "label\ttext, as sent\n" + "".join(f"ham\tone, two, {at}\n" for at in range(12)),
        tuple((f"one, two, {at}", "ham") for at in range(12)),
        Finding("table.delimiter", "13 rows have 2 cells each by tabs", ".tsv", line=1),
        fields={"format": "completion", "prompt": "{text, as sent}", "completion": "{label}"},
    ),
    wrong(
        "delimiter-semicolon-header-with-comma",
        "t.csv",
        "label;price, text\n" + "".join(f"ham;{at}, or more\n" for at in range(12)),
        tuple((f"{at}, or more", "ham") for at in range(12)),
        Finding("table.delimiter", "semicolons", '";"', line=1),
        fields={"format": "completion", "prompt": "{price, text}", "completion": "{label}"},
    ),
    wrong(
        "delimiter-semicolon-below-a-blank-line",
        "t.csv",
        "\n" + a_table(PLAIN, ";"),
        PLAIN,
        Finding("table.delimiter", "semicolons", '";"', line=2),
    )._replace(is_warning=False),
    right("delimiter-stated-in-the-file", "t.csv", "sep=;\n" + a_table(PLAIN, ";"), PLAIN),
    right("delimiter-stated-and-usual", "t.csv", "SEP=,\r\n" + a_table(PLAIN, end="\r\n"), PLAIN),
    right("delimiter-stated-and-rare", "t.csv", "sep=^\n" + a_table(PLAIN, "^"), PLAIN),
    right(
        "delimiter-other-marks-in-texts",
        "t.csv",
        a_table(number_rows("a; b | c", "d\te")),
        number_rows("a; b | c", "d\te"),
    ),
    right(
        "delimiter-declared",
        "t.csv",
        a_table(number_rows("a, b", "c"), ";"),
        number_rows("a, b", "c"),
        fields={**MAPPED, "source": {"path": "t.csv", "delimiter": ";"}},
    ),
)

SWALLOWED = tuple((f"q{at}", f"a{at}") for at in range(40))
SWALLOWED_TEXT = a_table(
    tuple((q, ('"a4' if at == 4 else 'a18"' if at == 18 else a)) for at, (q, a) in enumerate(SWALLOWED))
)
SWALLOWED_ROWS = tuple((q, ('"a4' if at == 4 else 'a18"' if at == 18 else a)) for at, (q, a) in enumerate(SWALLOWED))
LETTER = "Dear all,\nthe parcel, the invoice and the label are here.\nRegards,\nKim"

QUOTES = (
    right("quotes-usual", "t.csv", 'text,label\n"a, b","say ""hi"""\n', (("a, b", 'say "hi"'),)),
    right("quotes-line-break", "t.csv", 'text,label\n"a\nb",c\n', (("a\nb", "c"),)),
    right("quotes-line-break-crlf", "t.csv", 'text,label\r\n"a\r\nb",c\r\n', (("a\nb", "c"),)),
    right("quotes-letter", "t.csv", f'text,label\n"{LETTER}",mail\n', ((LETTER, "mail"),)),
    wrong(
        "quotes-swallow-rows",
        "t.csv",
        SWALLOWED_TEXT,
        SWALLOWED_ROWS,
        Finding("table.swallowed-rows", "what look like 14 rows", "`quote: none`", line=6),
    ),
    wrong(
        "quotes-swallow-rows-of-three-columns",
        "t.tsv",
        "id\ttext\tlabel\n"
        + "".join(f"{at}\t{chr(34) if at in (3, 6) else ''}t{at}\tl\n" for at in range(9)).replace('"t6', 't6"'),
        tuple((f'"t{at}' if at == 3 else f't{at}"' if at == 6 else f"t{at}", "l") for at in range(9)),
        Finding("table.swallowed-rows", "what look like", "`quote: none`", line=5),
    ),
    wrong(
        "quotes-swallow-one-row",
        "t.csv",
        'text,label\nq0,"a0\nq1,a1"\nq2,a2\n',
        (("q0", "a0\nq1,a1"), ("q2", "a2")),
        Finding("table.swallowed-rows", "what looks like a row", "`quote: none`", WARNING, 2),
        is_warning=True,
    ),
    wrong(
        "quotes-inside-text",
        "t.tsv",
        'label\ttext\nham\t"Quoted" word then more\nspam\tsay "hi"\n',
        (('"Quoted" word then more', "ham"), ('say "hi"', "spam")),
        Finding("table.syntax", "goes on after its closing quote", "`quote: none`", line=2),
    ),
    wrong(
        "quotes-never-closed",
        "t.csv",
        'text,label\nq0,a0\nq1,"a1\nq2,a2\n',
        (("q0", "a0"), ("q1", '"a1'), ("q2", "a2")),
        Finding("table.syntax", "has no end", "`quote: none`", line=3),
    ),
    right(
        "quotes-off",
        "t.csv",
        'text,label\n"q",a"b\n',
        (('"q"', 'a"b'),),
        fields={**MAPPED, "source": {"path": "t.csv", "quote": "none"}},
    ),
)

TABLES = (*ENCODINGS, *DELIMITERS, *QUOTES)
