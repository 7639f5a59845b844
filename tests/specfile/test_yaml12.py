"""Strict YAML 1.2: the values of words, what is refused, and the places of values."""

import pytest

from reconciler.specfile.yaml import Document, YamlFile, read_yaml
from reconciler.specfile.yaml.document import resolve, whole


def page(text: str | bytes) -> YamlFile:
    return read_yaml(text.encode() if isinstance(text, str) else text, "f.yaml")


def only(text: str | bytes) -> Document:
    found = page(text)
    assert not found.problems, found.problems
    return found.documents[0]


def problems_of(text: str | bytes) -> list[str]:
    return [str(problem).removeprefix("f.yaml:") for problem in page(text).problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *((word, word) for word in ("no", "yes", "on", "off", "y", "N", "tRUE", "nULL", "None", "-", "+", ".", "...a")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-5", 1e-5),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("3.10", 3.1),
        ("-.5e1", -5.0),
        # Numbers of YAML 1.1 and dates are text.
        *(
            (word, word)
            for word in ("0b11", "1_000", "1:30", "2026-01-31", "2026-01-31T10:00:00Z", "0o8", "1.2.3", "-0x1")
        ),
        *((word, word) for word in ("٣", "1٣", "infinity", "nan")),
    ],
)
def test_a_plain_word_has_its_value_in_the_core_schema(written: str, value: object) -> None:
    assert resolve(written) == value
    assert type(resolve(written)) is type(value)


@pytest.mark.parametrize("written", [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1e999", "-1e999", "1" * 101])
def test_a_number_that_json_cannot_carry_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="number"):
        resolve(written)
    assert problems_of(f"a: {written}")[0].startswith("1:4  ")
    assert only(f"a: '{written}'").data == {"a": written}


def test_half_a_surrogate_pair_is_not_text() -> None:
    assert whole("é𝄞") == "é𝄞"
    with pytest.raises(ValueError, match="half a character"):
        whole("a\ud834")


def test_quoted_words_and_blocks_are_text() -> None:
    text = "a: 'no'\nb: \"3\"\nc: |\n  true\n  false\nd: >-\n  1\ne: ''\n"
    assert only(text).data == {"a": "no", "b": "3", "c": "true\nfalse\n", "d": "1", "e": ""}


def test_a_number_keeps_its_written_text() -> None:
    document = only("a: 3.10\nb: [0x10, '3.10']\n")
    assert document.written == {("a",): "3.10", ("b", 0): "0x10"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1", "1:4  anchors are not used here"),
        ("a: [1, *x]", "1:8  aliases are not used here"),
        ("*x : 1", "1:1  aliases are not used here"),
        ("a: !!str 1", "1:4  tags are not used here"),
        ("a: ! 1", "1:4  tags are not used here"),
        ("!<x> {a: 1}", "1:1  tags are not used here"),
        ("a: 1\n<<: {b: 1}", "2:1  merge keys are not used here"),
        ("a: 1\nb: 2\na: 3", "3:1  the field 'a' is here twice, first at 1:1"),
        ("a: {b: 1, b: 2}", "1:11  the field 'b' is here twice, first at 1:5"),
        ("1: x", "1:1  a field's name must be text, is 1, which is not text"),
        ("true: x", "1:1  a field's name must be text, is true, which is not text"),
        ("~: x", "1:1  a field's name must be text, is nothing"),
        ("? [a]\n: x", "1:3  a field's name must be text, is a list or mapping"),
        ("{a: b}: x", "1:1  a field's name must be text, is a list or mapping"),
        ("%YAML 1.1\n---\na: 1", "1:1  a YAML directive is not used here"),
        ("# hello\n%TAG ! x\n---\na: 1", "2:1  a YAML directive is not used here"),
        ("a: 1\n...\n%TAG ! x\n---\nb: 1", "3:1  a YAML directive is not used here"),
        ("a:\n\t- b", "2:1  a tab where YAML wants spaces"),
        ("a:\n  b: 1\n\tc: 2", "3:1  a tab where YAML wants spaces"),
        ("a: b\x07c", "1:5  the character U+0007 is not allowed in YAML"),
        ("a: b\u2028c", "1:5  the character U+2028 is not allowed in YAML"),
        ("a: 1\nb: \ufeff1", "2:4  the character U+FEFF is not allowed in YAML"),
        (b"a: 1\nb: \xc3\xa9\xff", "2:5  the byte 0xff is not UTF-8"),
        ("a: 1".encode("utf-16"), "1:1  the file is UTF-16"),
        ("a: b: c", "1:5  a ':' where no field can begin"),
        ("a: 'x", "1:4  the quote that opens here is not closed"),
        ('a: "x', "1:4  the quote that opens here is not closed"),
        (r'a: "\q"', "1:5  an escape that YAML does not know"),
        (r'a: "\ud800"', "1:7  an escape that YAML does not know"),
        ("a: [1, 2", "1:4  the bracket that opens here is not closed"),
        ("a: {b: 1", "1:4  the brace that opens here is not closed"),
        ("a: @x", "1:4  no value can begin with this character"),
        ("a: {x} y", "1:8  this does not continue the mapping above it"),
        ("- a\nb: 1", "2:1  this does not continue the list above it"),
        ("a: |x\n y", "1:4  the block of text that opens here cannot be read"),
        ("a: ]", "1:4  this is not readable as YAML"),
        ("- a", "1:1  this document is not a mapping of fields"),
        ("hello", "1:1  this document is not a mapping of fields"),
        ("a: 1\n<<<<<<< ours\nb: 1\n=======\nb: 2\n>>>>>>> theirs\n", "2:1  a merge conflict is left in the file"),
    ],
)
def test_each_refusal_has_its_place(text: str | bytes, expected: str) -> None:
    assert problems_of(text) == [expected]


def test_other_values_are_read_despite_a_refusal() -> None:
    """Every value around it is read; of two fields with one name the first counts."""
    text = "a: &x 1\nb: *x\nc: !!str 2\n1: [{d: 1, d: 2}]\na: {b: 1}\n? {q: 1, q: 2}\n: {b: 1, b: 1}\ne: .inf\nf: 3\n"
    found = page(text)
    assert found.documents[0].data == {"a": 1, "b": None, "c": "2", "e": None, "f": 3}
    assert found.documents[0].void == {("b",), ("e",)}
    assert len(found.problems) == 10


def test_a_broken_document_does_not_hide_the_others() -> None:
    found = page("a: [1\n---\nb: 2\n--- # next\nc: 'x\n...\n---\n---\nd: 4\n...\ne: 5\n")
    assert [document.data for document in found.documents] == [{"b": 2}, {"d": 4}, {"e": 5}]
    assert [document.place.line for document in found.documents] == [3, 9, 11]
    assert problems_of("a: [1\n---\nb: 2\n--- # next\nc: 'x\n...\n") == [
        "1:4  the bracket that opens here is not closed",
        "5:4  the quote that opens here is not closed",
    ]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n---\n# x\n", "\ufeff", "--- ~\n", "null"]
)
def test_a_file_may_be_empty(text: str) -> None:
    assert page(text) == YamlFile()


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        ("a:\n  b: c\n", ("a", "b"), (2, 3), (2, 6)),
        ("a:\r\n  b: c\r\n", ("a", "b"), (2, 3), (2, 6)),
        ("a:\r  b: c\r", ("a", "b"), (2, 3), (2, 6)),
        ("\ufeffa: b\n", ("a",), (1, 1), (1, 4)),
        ("é𝄞: {ü: b}\n", ("é𝄞", "ü"), (1, 6), (1, 9)),
        ("a:\tb\n", ("a",), (1, 1), (1, 4)),
        ("a:\t{b:\tc}\n", ("a", "b"), (1, 5), (1, 8)),
        ("a:\n- x\n-  y\n", ("a", 1), (3, 4), (3, 4)),
        ("a: |\n  long\n  text\nb: c\n", ("b",), (4, 1), (4, 4)),
        ("a:\n  b:\nc: 1\n", ("a", "b"), (2, 3), (2, 3)),
        ("x: 1\n---\n# more\n\na: b\n", ("a",), (5, 1), (5, 4)),
        ("x: 1\r\n--- # more\r\na: b\r\n", ("a",), (3, 1), (3, 4)),
    ],
)
def test_lines_and_columns_count_from_one_and_in_characters(
    text: str, path: tuple[str | int, ...], key: tuple[int, int], value: tuple[int, int]
) -> None:
    document = page(text).documents[-1]
    assert (document.key_place(path).line, document.key_place(path).column) == key
    assert (document.value_place(path).line, document.value_place(path).column) == value


def test_dashes_inside_a_line_start_no_document() -> None:
    assert only("a: x --- y\nb: |\n  ---\n  ...\nc: ---x\n---\n").data == {
        "a": "x --- y",
        "b": "---\n...\n",
        "c": "---x",
    }
