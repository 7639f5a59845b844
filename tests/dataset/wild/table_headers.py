"""Tables by their first row: a header, data, or nothing; and rows without text."""

from .cases import COLUMNS, MAPPED, Finding
from .tables import PLAIN, WARNING, a_table, number_rows, right, wrong

HEADERS = (
    wrong(
        "id-of-no-column",
        "t.csv",
        a_table(PLAIN),
        PLAIN,
        Finding("mapping.unknown-column", "no row has the column `zzz`", "remove `id`", WARNING),
        fields={**MAPPED, "id": "zzz"},
        is_warning=True,
    ),
    wrong(
        "id-of-no-column-in-pairs",
        "t.csv",
        a_table(PLAIN, header="prompt,completion"),
        PLAIN,
        Finding("mapping.unknown-column", "no row has the column `promt`", "did you mean `prompt`?", WARNING),
        fields={"id": "promt"},
        is_warning=True,
    ),
    right("id-of-a-column", "t.csv", a_table(PLAIN), PLAIN, fields={**MAPPED, "id": "text"}),
    wrong(
        "header-missing-labels",
        "t.tsv",
        "".join(f"[a]\tquestion {at}\n" for at in range(14)),
        tuple((f"question {at}", "[a]") for at in range(14)),
        Finding(
            "table.header-missing", "`[a]` is also a cell of its column, first on line 2", "`header: false`", line=1
        ),
        fields={"format": "completion"},
        then={"prompt": "{column_2}", "completion": "{column_1}"},
    ),
    wrong(
        "header-missing-sentences",
        "t.csv",
        "".join(f"Where is my order number {at}?,It is on its way {at}.\n" for at in range(12)),
        tuple((f"Where is my order number {at}?", f"It is on its way {at}.") for at in range(12)),
        Finding("table.header-missing", "is a sentence, as the cells below it", "`columns: [", line=1),
        fields={"format": "completion"},
        then=COLUMNS,
    ),
    wrong(
        "header-missing-numbers",
        "t.csv",
        "".join(f"{at},{at * 7}\n" for at in range(3, 15)),
        tuple((str(at), str(at * 7)) for at in range(3, 15)),
        Finding("table.header-missing", "`3` is a number, as the cells below it", "`columns: [", line=1),
        fields={"format": "completion"},
        then=COLUMNS,
    ),
    wrong(
        "header-missing-and-mapped",
        "t.csv",
        "".join(f"spam,text {at}\n" for at in range(12)),
        tuple((f"text {at}", "spam") for at in range(1, 12)),
        Finding("table.header-missing", "`spam` is also a cell", "`header: false`", WARNING, 1),
        fields={"format": "completion", "prompt": "{text 0}", "completion": "{spam}"},
        is_warning=True,
    ),
    right(
        "header-of-questions",
        "t.csv",
        "What did you like?,What should be better?\n"
        + "".join(f"the colour {at},the price {at}\n" for at in range(12)),
        number_rows("the colour", "the price"),
        fields={"format": "completion", "prompt": "{What did you like?}", "completion": "{What should be better?}"},
    ),
    right(
        "header-of-numbers",
        "t.csv",
        "0,1\n" + "".join(f"text {at},{at}\n" for at in range(12)),
        tuple((f"text {at}", str(at)) for at in range(12)),
        fields={"format": "completion", "prompt": "{0}", "completion": "{1}"},
    ),
    right(
        "header-declared-missing",
        "t.csv",
        a_table(PLAIN).partition("\n")[2],
        PLAIN,
        fields={**MAPPED, "source": {"path": "t.csv", "header": False, "columns": ["text", "label"]}},
    ),
    right(
        "header-replaced",
        "t.csv",
        a_table(PLAIN, header="q,q"),
        PLAIN,
        fields={**MAPPED, "source": {"path": "t.csv", "columns": ["text", "label"]}},
    ),
    wrong(
        "header-with-a-name-twice",
        "t.csv",
        a_table(PLAIN, header="q,q"),
        PLAIN,
        Finding("table.header", "`q` more than once", "`columns`", line=1),
        then={"source": {"path": "t.csv", "columns": ["text", "label"]}},
    ),
    wrong(
        "header-declared-too-short",
        "t.csv",
        a_table(PLAIN).partition("\n")[2],
        PLAIN,
        Finding("table.header", "the first row of `t.csv` has 2 cells, and `columns` names 1", "name every column"),
        fields={**MAPPED, "source": {"path": "t.csv", "header": False, "columns": ["text"]}},
        then={"source": {"path": "t.csv", "header": False, "columns": ["text", "label"]}},
    ),
    wrong(
        "header-again",
        "t.csv",
        a_table(PLAIN[:6]) + a_table(PLAIN[6:]),
        (*PLAIN[:6], ("text", "label"), *PLAIN[6:]),
        Finding("table.header", "the row repeats the header", "remove it", WARNING, 8),
        is_warning=True,
    ),
    wrong(
        "header-with-a-gap",
        "t.csv",
        "text,label,\n" + "".join(f"{q},{a},{at}\n" for at, (q, a) in enumerate(PLAIN)),
        PLAIN,
        Finding("table.header", "a column has no name and is left out", "", WARNING, 1),
        is_warning=True,
    ),
)


BLANKS = (
    wrong(
        "blank-rows-at-the-end",
        "t.csv",
        a_table(PLAIN) + ",\n,\n,\n",
        PLAIN,
        Finding("text.blank-line", "3 blank lines are skipped", "", WARNING, 14),
        is_warning=True,
    ),
    wrong(
        "blank-rows-above-the-header",
        "t.csv",
        ",,\n" + a_table(PLAIN),
        PLAIN,
        Finding("text.blank-line", "1 blank line is skipped", "", WARNING, 1),
        is_warning=True,
    ),
    wrong(
        "blank-rows-between",
        "t.tsv",
        a_table(PLAIN[:3], "\t") + "\t\n" + a_table(PLAIN[3:], "\t").partition("\n")[2],
        PLAIN,
        Finding("text.blank-line", "1 blank line is skipped", "", WARNING, 5),
        is_warning=True,
    ),
    right("cells-missing-at-the-end", "t.csv", "text,label,note\nq0,a0\nq1,a1,n\n", (("q0", "a0"), ("q1", "a1"))),
    wrong(
        "cells-too-many",
        "t.csv",
        "text,label\nq0,a0\nq1, really,a1\nq2,a2\n",
        (("q0", "a0"), ("q1, really", "a1"), ("q2", "a2")),
        Finding("table.cells", "3 cells, and the header names 2", "into quotes", line=3),
        mended=b'text,label\nq0,a0\n"q1, really",a1\nq2,a2\n',
    ),
)
