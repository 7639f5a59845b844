"""Each row is one line: strict JSON, and the canonical form."""

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.dataset import LineError, decode_json, write_canonical_line
from reconciler.dataset.strict_json import MAX_DEPTH
from reconciler.domain.spec import Format

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# Beyond 2**53 a float and the whole number that it shows are equal in JSON, and not in Python.
NUMBERS = st.integers() | st.floats(-(2.0**53), 2.0**53, allow_nan=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)


def as_written(text: str, format: Format = Format.CHAT) -> str:  # noqa: A002 (the word of the field)
    return write_canonical_line(decode_json(text.encode()), format).decode()


@pytest.mark.parametrize(
    ("line", "rule", "column"),
    [
        (b"", "json.syntax", 1),
        (b'{"a":', "json.syntax", 6),
        (b'{"a": tru}', "json.syntax", 7),
        (b'{"a": 1} x', "json.syntax", 10),
        (b"{'a': 1}", "json.syntax", 2),
        (b'{"a": 01}', "json.syntax", 8),
        (b'{"a": "x\ty"}', "json.syntax", 9),
        (b'{"a": "\\x"}', "json.syntax", 8),
        (b'{"a": NaN}', "json.number", 0),
        (b'{"a": -Infinity}', "json.number", 0),
        (b'{"a": 1e5000}', "json.number", 0),
        (b'{"a": ' + b"9" * 9999 + b"}", "json.number", 0),
        (b'{"a": 1, "a": 1}', "json.duplicate-key", 0),
        (b'{"a" : 1, "b": {"c":2, "c" :3}}', "json.duplicate-key", 0),
        (b'{"a": 1, "\\u0061": 2}', "json.duplicate-key", 0),
        (b'{"x": "\\":", "a\\u0022": 1, "a\\"": 2}', "json.duplicate-key", 0),
        (b'{"a": "caf\xe9"}', "text.encoding", 11),
        (b'{"a": "\xed\xa0\x80"}', "text.encoding", 8),
        (b'{"a": "\\ud800"}', "text.encoding", 8),
        (b'{"a": "\x00"}', "json.syntax", 8),
        (b"[" * 100_000 + b"]" * 100_000, "json.depth", 0),
        (b"[" * 100_000, "json.depth", 0),
    ],
)
def test_text_that_is_not_strict_json_is_reported_with_its_column(line: bytes, rule: str, column: int) -> None:
    with pytest.raises(LineError) as caught:
        decode_json(line)
    assert (caught.value.rule, caught.value.column) == (rule, column)
    assert caught.value.what


def test_single_quotes_are_recognised() -> None:
    with pytest.raises(LineError) as quoted:
        decode_json(b"{'role': 'user'}")
    assert "double quotes" in quoted.value.hint


def test_nesting_is_bounded_and_the_bound_itself_is_allowed() -> None:
    assert decode_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(LineError):
        decode_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "line",
    [
        '{"a": "x :"}',
        '{"a": "\\":", "b": ": "}',
        '{"a" : 1, "b"\t: 2}',
        '{"\\u0022": 1, "\\u003a": 2}',
        ' {"a": "é\\u00e9😀\\ud83d\\ude00"}\r',
    ],
)
def test_unusual_but_strict_json_is_read(line: str) -> None:
    assert decode_json(line.encode()) == json.loads(line)


def test_keys_come_in_the_order_of_the_api_then_by_name() -> None:
    row = """{"zeta": 1, "alpha": 2, "parallel_tool_calls": true, "functions": [],
      "tools": [{"function": {"strict": true, "parameters":
      {"type": "object", "properties": {"z": {"type": "string"}, "a": {}}, "required": ["z", "a"]},
      "description": "d", "name": "f"}, "type": "function"}],
      "messages": [{"weight": 1, "tool_call_id": "c", "function_call": {"arguments": "{ }", "name": "f"},
      "tool_calls": [{"function": {"arguments": "{\\"b\\": 1, \\"a\\": 2}", "name": "f"},
      "type": "function", "id": "c"}],
      "refusal": null, "content": [{"image_url": {"detail": "low", "url": "u"}, "type": "image_url"}], "name": "n",
      "role": "user"}]}"""
    assert as_written(row) == (
        '{"messages":[{"role":"user","name":"n","content":[{"type":"image_url","image_url":{"url":"u","detail":"low"}}],'
        '"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f",'
        '"arguments":"{\\"b\\": 1, \\"a\\": 2}"}}],"function_call":{"name":"f","arguments":"{ }"},"tool_call_id":"c",'
        '"weight":1}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{'
        '"properties":{"a":{},"z":{"type":"string"}},"required":["z","a"],"type":"object"},"strict":true}}],'
        '"functions":[],"parallel_tool_calls":true,"alpha":2,"zeta":1}\n'
    )
    assert as_written('{"completion": "b", "prompt": "a"}', Format.COMPLETION) == '{"prompt":"a","completion":"b"}\n'


def test_escapes_are_as_few_as_json_allows() -> None:
    assert as_written('{"a": "\\u00e9\\/\\ud83d\\ude00\\u2028\\u007f"}') == '{"a":"é/😀\u2028\x7f"}\n'
    assert as_written('{"a": "\\"\\\\\\n\\u0001"}') == '{"a":"\\"\\\\\\n\\u0001"}\n'


@pytest.mark.parametrize(
    ("spellings", "written"),
    [
        (["1", "1.0", "1e0", "10e-1", "0.1E1"], "1"),
        (["0", "-0", "0.0", "-0.0", "0e5"], "0"),
        (["0.1", "0.10", "1e-1"], "0.1"),
        (["100000000000000000000000", "1e23"], "100000000000000000000000"),
        (["-1.50", "-15e-1"], "-1.5"),
        (["1e-9", "0.000000001"], "1E-9"),
        (["123456789012345678901234567890.123456789"], "123456789012345678901234567890.123456789"),
    ],
)
def test_one_number_has_one_spelling(spellings: list[str], written: str) -> None:
    assert {as_written(f'{{"a":{each}}}') for each in spellings} == {f'{{"a":{written}}}\n'}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40))
def test_no_digit_of_a_number_is_lost(number: Decimal) -> None:
    spelled = f"{number:f}"
    again = json.loads(as_written(f'{{"a":{spelled}}}'), parse_float=Decimal, parse_int=Decimal)
    assert again["a"] == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_back(number: float) -> None:
    assert float(json.loads(write_canonical_line({"a": number}, Format.CHAT), parse_int=float)["a"]) == number


@given(OBJECTS, st.sampled_from(Format))
@settings(max_examples=200)
def test_writing_and_reading_again_changes_nothing(row: dict[str, object], format: Format) -> None:  # noqa: A002
    line = write_canonical_line(row, format)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert write_canonical_line(decode_json(line), format) == line
    assert json.loads(line) == row


@given(OBJECTS, st.booleans(), st.sampled_from([None, 2]), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_spaces_escapes_and_the_order_of_keys_make_no_difference(
    row: dict[str, object], ascii_only: bool, indent: int | None, random: object
) -> None:
    keys = list(row)
    random.shuffle(keys)  # type: ignore[attr-defined]
    shuffled = {key: row[key] for key in keys}
    other = json.dumps(shuffled, ensure_ascii=ascii_only, indent=indent).encode()
    assert write_canonical_line(decode_json(other), Format.CHAT) == write_canonical_line(row, Format.CHAT)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    with suppress(LineError):
        assert decode_json(write_canonical_line(decode_json(line), Format.CHAT)) == decode_json(line)


def test_a_long_integer_is_described_without_the_settings_of_python() -> None:
    with pytest.raises(LineError) as caught:
        decode_json(b'{"a": ' + b"9" * 9999 + b"}")
    assert (caught.value.what, caught.value.hint) == ("a number has too many digits", "write it as text, in quotes")
