"""The fast path gives the results of the general rules: digests, sides, counts, problems and warnings."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.dataset import LineError, decode_json, measure, open_lines, write_canonical_line
from reconciler.dataset.fast_path import plain_values
from reconciler.dataset.fast_path.decode import plain_block, plain_lines
from reconciler.dataset.readers.stream import BLOCK_BYTES, MAX_LINE_BYTES, whole_lines
from reconciler.dataset.row_checks import check_row
from reconciler.domain.desired import Dataset, Part
from reconciler.domain.errors import InputError
from reconciler.domain.spec import DatasetSpec, Format

from .factories import CORPUS, a_chat, a_spec, chats, jsonl, only, write
from .test_garbage import PIECES

CHAT = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}'

ODD = [
    b"",
    b" ",
    b"\r",
    b"nonsense",
    b"\xff",
    b"null",
    b"[]",
    b"{}",
    b'{"messages":[]}',
    b'{"messages":null}',
    b'{"messages":[null]}',
    b'{"messages":[{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"a"}]}',
    b'{"messages":[{"role":"user","content":""},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0}]}',
    b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":1.0}]}',
    b'{"messages":[{"role":"user","content":"a","name":"x"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"human","content":"a"},{"role":"gpt","content":"b"}]}',
    b'{"messages":[{"role":"user","role":"user","content":"a"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"a","content":"a\\u003a"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","r\\u006fle" :"user","content":"\\u003A"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"\\ud800"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"\xc3"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"\x00"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"tools":[]}',
    CHAT + b"}",
    CHAT + CHAT,
    CHAT[:-1],
    b"[" * 3000,
    b'{"prompt":"a","completion":""}',
    b'{"prompt":"a","completion":"b","prompt":"a"}',
    b'{"prompt":"a","completion":null}',
    b'{"prompt":"a","completion":"b","x":1}',
]
PLAIN = [
    CHAT,
    b' { "messages" : [ { "content" : "a \\" : \\/ \\u0041\\n" , "role" : "\\u0075ser" } ,\t'
    b'{"role":"assistant","content":": \xf0\x9f\x99\x82 \\ud83d\\ude42 \xe2\x80\xa8 \x7f"}]}\r',
    b'{"messages":[{"role":"system","content":"s"},{"role":"developer","content":" d"},{"role":"user","content":"a"},'
    b'{"role":"assistant","content":"b"},{"role":"assistant","content":"b"}]}',
    b'{"prompt":"","completion":" b"}',
    b'{"completion": "b:\\":", "prompt": "a"}',
]
LINE = st.sampled_from(PLAIN) | st.sampled_from(ODD) | st.lists(PIECES, max_size=6).map(b"".join)


def outcome(spec: DatasetSpec, workspace: Path) -> object:
    """Return what a user sees of a dataset: its measure, or all its problems."""
    try:
        return measure(spec, workspace, minimum=0)
    except InputError as error:
        return error.problems, error.unshown


def general(spec: DatasetSpec) -> DatasetSpec:
    """Return the spec with a sheet: JSON Lines ignore it, and the fast path takes only specs without one."""
    return replace(spec, sheet="none")


def same(content: bytes, share: float = 0.0, format: Format | None = None) -> None:  # noqa: A002 (the word of the field)
    with TemporaryDirectory() as directory:
        spec = a_spec(write(Path(directory), "rows.jsonl", content), share=share, format=format)
        assert outcome(spec, Path(directory)) == outcome(general(spec), Path(directory))


@given(
    st.lists(LINE, max_size=30),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([None, *Format]),
)
@example([*[CHAT] * 12, ODD[0], ODD[19]], b"\n", 0.3, None)
@example([*[CHAT] * 17, b"nonsense"], b"\n", 0.0, Format.COMPLETION)
@settings(max_examples=300, deadline=None)
def test_any_lines_have_the_same_result(
    lines: list[bytes],
    end: bytes,
    share: float,
    format: Format | None,  # noqa: A002 (the word of the field)
) -> None:
    same(end.join(lines), share, format)


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TURNS = st.lists(st.tuples(st.sampled_from(["system", "developer", "user", "assistant"]), TEXT), max_size=4)


@given(st.lists(TURNS, min_size=10, max_size=20), st.booleans(), st.integers(0, 3), st.sampled_from([0.0, 0.5]))
@settings(max_examples=200, deadline=None)
def test_any_texts_have_the_same_result(
    rows: list[list[tuple[str, str]]], ascii_only: bool, spaces: int, share: float
) -> None:
    separators = [(",", ":"), (", ", ": "), (" ,", " :"), (",\t", "\t: ")][spaces]
    values = [
        {"messages": [{"role": role, "content": text} for role, text in (*row, ("assistant", "x"))]} for row in rows
    ]
    content = "\n".join(json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in values)
    same(content.encode(), share)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.jsonl")), ids=lambda path: path.name)
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_files_of_the_corpus_have_the_same_result(path: Path, share: float) -> None:
    same(path.read_bytes(), share)


ANY = st.recursive(
    st.sampled_from(["", "a", "user", "assistant", None, True, 1, Decimal("1.5"), 0.5, "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["role", "content", "messages", "prompt", "completion", "name"]), inner)
    ),
    max_leaves=8,
)
LEAF = st.sampled_from(["", "a: \n", "ü", "\ud800"]) | ANY
TURN = st.fixed_dictionaries(
    {"content": LEAF, "role": st.sampled_from(["system", "user", "assistant", "tool"])}, optional={"weight": LEAF}
)
VALUES = (
    ANY
    | st.fixed_dictionaries({"messages": st.lists(TURN, max_size=3)}, optional={"tools": LEAF})
    | st.fixed_dictionaries({"completion": LEAF, "prompt": LEAF}, optional={"id": LEAF})
)


@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from(Format))
@settings(max_examples=300, deadline=None)
def test_values_that_are_taken_as_plain_are_valid_and_written_as_by_the_general_rules(
    values: list[object],
    format: Format,  # noqa: A002 (the word of the field)
) -> None:
    texts = plain_values(values, format)
    if texts is not None:
        assert not [finding for value in values for finding in check_row(value, format)]
        assert texts == [write_canonical_line(value, format) for value in values]


@pytest.mark.parametrize("line", [*ODD, *PLAIN])
def test_lines_that_are_read_are_also_judged_by_their_values(line: bytes) -> None:
    try:
        value = decode_json(line)
    except LineError:
        return
    for kind in (Format.CHAT, Format.COMPLETION):
        texts = plain_values([value], kind)
        assert texts in (None, [write_canonical_line(value, kind)])
        assert texts is None or not [*check_row(value, kind)]


@pytest.mark.parametrize("line", PLAIN)
def test_plain_rows_stay_on_the_fast_path_and_are_written_as_by_the_general_rules(line: bytes) -> None:
    kind = Format.CHAT if b"messages" in line else Format.COMPLETION
    block = b"\n".join([line] * 3)
    expected = write_canonical_line(decode_json(line), kind)
    found = plain_block(block, kind)
    assert found
    assert (found[0], len(found[1])) == (expected * 3, 3)


@pytest.mark.parametrize("line", ODD)
def test_only_unusual_rows_leave_the_fast_path(line: bytes) -> None:
    for kind, plain in ((Format.CHAT, CHAT), (Format.COMPLETION, PLAIN[3])):
        if (b"messages" in line) is (kind is Format.CHAT):
            assert plain_block(b"\n".join([plain, line, plain]), kind) is None
            assert plain_lines([plain, line, plain], kind) == [plain + b"\n", None, plain + b"\n"]


@pytest.mark.parametrize("odd_at", [0, 1, 7000, 12_999])
def test_problems_in_large_files_name_their_lines(tmp_path: Path, odd_at: int) -> None:
    rows = [json.dumps(a_chat(f"question {at}", "answer " * 20)).encode() for at in range(13_000)]
    content = b"\n".join([*rows[:odd_at], b"", b"nonsense", *rows[odd_at:]])
    assert len(content) > 2 * BLOCK_BYTES
    same(content)
    same(content.replace(b"nonsense", CHAT), 0.25)
    spec = a_spec(write(tmp_path, "rows.jsonl", content))
    with pytest.raises(InputError) as caught:
        measure(spec, tmp_path)
    assert only(caught.value.problems, "json.syntax").where.line == odd_at + 2


@pytest.mark.parametrize("at", [0, 5, 20])
def test_a_line_over_the_limit_has_the_same_result(at: int) -> None:
    rows: list[bytes] = [CHAT] * 20
    for size in (MAX_LINE_BYTES - 200, MAX_LINE_BYTES + 1, MAX_LINE_BYTES + 3 * BLOCK_BYTES):
        same(b"\n".join([*rows[:at], jsonl([a_chat("x" * size)])[:-1], *rows[at:]]))


def test_several_files_have_the_same_result(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", jsonl(chats(12)))
    write(tmp_path, "b.jsonl", b"\xef\xbb\xbf" + jsonl(chats(14)) + b"\n\n")
    write(tmp_path, "c.jsonl", b"")
    spec = a_spec("*.jsonl", "a.jsonl", share=0.4)
    assert outcome(spec, tmp_path) == outcome(general(spec), tmp_path)


def test_what_is_sent_is_the_same(tmp_path: Path) -> None:
    rows = [*chats(30_000), {**a_chat(), "parallel_tool_calls": True}]
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(rows)), share=0.2)
    measured = measure(spec, tmp_path)
    for part, its_measure in ((Part.TRAINING, measured.training), (Part.VALIDATION, measured.validation)):
        assert its_measure
        sent = [
            list(open_lines(Dataset(spec=each, part=part, format=Format.CHAT, measure=its_measure), tmp_path))
            for each in (spec, general(spec))
        ]
        assert sent[0] == sent[1]


@given(st.lists(st.binary(max_size=9) | st.just(b"\n"), max_size=12))
def test_lines_are_the_same_however_blocks_are_split(blocks: list[bytes]) -> None:
    def joined(parts: Iterable[bytes | None]) -> bytes:
        return b"".join(part + b"\n" for part in parts if part is not None)

    whole = b"".join(blocks)
    assert joined(whole_lines(iter(blocks))) == whole + (b"" if whole.endswith(b"\n") or not whole else b"\n")
