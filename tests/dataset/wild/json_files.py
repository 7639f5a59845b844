"""JSON and JSON Lines as libraries and people write them."""

import json

from .cases import Fields, Finding, WildFile, pairs

ROWS = tuple({"prompt": f"q{at}", "completion": f"a{at}"} for at in range(12))
WANTED = pairs(*((row["prompt"], row["completion"]) for row in ROWS))
PLAIN: Fields = {"format": "completion"}
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def columns() -> dict[str, dict[str, str]]:
    return {name: {str(at): row[name] for at, row in enumerate(ROWS)} for name in ("prompt", "completion")}


def a_file(case: str, name: str, content: bytes | str, found: Finding | None = None, **more: object) -> WildFile:
    """Return a file of the twelve rows."""
    text = content.encode() if isinstance(content, str) else content
    return WildFile(case, name, text, WANTED, found, PLAIN, **more)  # type: ignore[arg-type]  # fields by name


def of_pandas(case: str, content: object, orient: str) -> WildFile:
    """Return a table as pandas writes it; the hint names the call that writes rows."""
    hint = f'`pandas.read_json("t.json"{orient}).to_json("t.jsonl", orient="records", lines=True)`'
    found = Finding("json.not-a-list", "the file holds columns, not rows", hint, line=1)
    # What the call writes: one row a line.
    return a_file(case, "t.json", json.dumps(content), found, mended=LINES, then={"source": "t.jsonl"})


INDENTED = Finding("json.indented", "indented JSON, not JSON Lines", "name it .json", line=1)

JSON_FILES: tuple[WildFile, ...] = (
    of_pandas("json-columns", columns(), ""),
    of_pandas("json-lists", {name: list(cells.values()) for name, cells in columns().items()}, ""),
    of_pandas("json-index", {str(at): row for at, row in enumerate(ROWS)}, ', orient="index"'),
    of_pandas(
        "json-split",
        {"columns": ["prompt", "completion"], "index": [0], "data": [list(row.values()) for row in ROWS]},
        ', orient="split"',
    ),
    a_file("json-indented-objects", "t.jsonl", "\n".join(json.dumps(row, indent=2) for row in ROWS), INDENTED),
    a_file("json-indented-list", "t.jsonl", json.dumps(ROWS, indent=2), INDENTED),
    a_file("json-objects-one-after-the-other", "t.json", " ".join(json.dumps(row, indent=1) for row in ROWS)),
    a_file(
        "json-lines-named-json",
        "t.json",
        LINES,
        Finding("json.not-a-list", "it is JSON Lines", "name it .jsonl", line=1),
    ),
    a_file("json-lines-with-a-mark-and-crlf", "t.jsonl", b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\r\n")),
    a_file(
        "json-lines-in-windows-1252",
        "t.jsonl",
        json.dumps({"prompt": "caf\u00e9 \u201cok\u201d", "completion": "x"}, ensure_ascii=False).encode("cp1252"),
        Finding("text.encoding", "not UTF-8", "`encoding: windows-1252`", line=1),
    )._replace(wanted=pairs(("caf\u00e9 \u201cok\u201d", "x"))),
)
