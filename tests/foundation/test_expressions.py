"""Expressions of specs: what Python's engine says of short texts, in linear time on long ones."""

import re
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.foundation.expressions import ExpressionError, MatchingTime, SlowExpressionError, compile_expression

HOSTILE = [
    *("(a|a)*b", "(a|aa)+$", "(a+)+b", "(a*)*b", "(.*a){12}b", "(a|b|ab)*c", r"(\w+\s?)+!", r"(a?){32}a{32}b"),
    *(r"^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", r"(.*)*=.*", "(a|a?)+b", r"(?:a{1,9}){1,9}b", "a*a*a*a*a*a*b"),
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_the_time_is_linear_whatever_the_expression(pattern: str) -> None:
    expression = compile_expression(pattern)
    begun = time.process_time()
    for text in ("a" * 10_000, "x" * 10_000, "ab" * 5_000, "a " * 5_000):
        expression.search(text)
        expression.fullmatch(text)
    assert time.process_time() - begun < 5


ATOMS = st.sampled_from(
    [
        *("a", "b", "é", "ß", "1", "_", " ", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", ".", "[ab]", "[^a]", r"[\d_]"),
        *(r"[^\W\d_]", r"[\s\S]", "[]a]", "[^]a]", "[[:alpha:]]", r"[a\-b]", "[a&&b]", r"\x61", r"\u00e9", r"\101"),
        *(
            r"\.",
            r"\-",
            r"\n",
            r"[\1\b]",
            "{",
            "}",
            "{}",
            "a{,2}",
            "a{2}",
            "a{1,2}?",
            "b*",
            "b+?",
            "é?",
            r"\N{DIGIT ONE}",
        ),
        *("^", "$", r"\A", r"\Z", "(?:ab|é)", "(a|)", "(?#note)", "(?i:AB)", "(?m:^a$)", "(?s:.)", "(?a:a)", "(?-i:b)"),
    ]
)
PATTERNS = st.builds(
    lambda flags, pieces, bar: flags + bar.join(pieces),
    st.sampled_from(["", "(?i)", "(?m)", "(?s)", "(?x)", "(?ims)"]),
    st.lists(ATOMS, min_size=1, max_size=5),
    st.sampled_from(["", "", "|"]),
)


@given(PATTERNS, st.text(alphabet="aAbBéÉß1_ \n.-{}:[]&٣\x1c\u2003😀", max_size=8))
def test_expressions_mean_what_they_mean_in_python(pattern: str, text: str) -> None:
    with warnings.catch_warnings(action="ignore"):
        wanted = re.compile(pattern)
    if re.search(r"\$(?!$|\|)", pattern):
        return  # What follows a `$` that stands before the last line break is the one difference.
    found = compile_expression(pattern)
    assert found.fullmatch(text) is (wanted.fullmatch(text) is not None)
    if not (r"\Z" in pattern and "$" in pattern):
        assert found.search(text) is (wanted.search(text) is not None)


def test_word_boundaries_know_ascii_words() -> None:
    assert compile_expression(r"\bspam\b").search("no spam, please")
    assert not compile_expression(r"\bspam\b").search("spammer")
    assert compile_expression(r"\bcaf\b").search("café")


def test_half_a_surrogate_pair_is_a_character_like_any_other() -> None:
    assert compile_expression("^a.b$").search("a\ud800b")
    assert not compile_expression("ab").search("a\ud800b")


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("ab(?=c)", "a look-ahead, at character 3"),
        ("(?!c)", "a look-ahead, at character 1"),
        ("(?<=a)b", "a look-behind, at character 1"),
        ("x(?<!a)b", "a look-behind, at character 2"),
        (r"(a)\1", "a reference to a group, at character 4"),
        ("(?P<n>a)(?P=n)", "a reference to a group, at character 9"),
        ("(a)(?(1)b|c)", "a condition on a group, at character 4"),
        ("(?>a)", "an atomic group, at character 1"),
        ("a*+", "a possessive repetition, at character 3"),
        ("a{2}+", "a possessive repetition, at character 5"),
        ("a?+", "a possessive repetition, at character 3"),
        ("a{1001}", "more than 1,000 times"),
        pytest.param("a{" + "9" * 5000 + "}", "not a regular expression: it is too large", id="a-number-of-digits"),
        pytest.param("a{1," + "9" * 5000 + "}", "not a regular expression: it is too large", id="digits-at-most"),
        ("((a{100}){100}){100}", "more than 1,000 times"),
        (r"\w{900}", "too large"),
        ("a|" * 5_001, "has 10,002 characters, and at most 10,000"),
        ("(", "not a regular expression: missing ), unterminated subpattern at character 1"),
        ("a**", "not a regular expression: multiple repeat at character 3"),
    ],
)
def test_what_cannot_be_matched_is_refused_with_its_place(pattern: str, what: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(what)) as caught:
        compile_expression(pattern)
    assert caught.value.hint


def test_costly_expressions_share_one_bounded_time() -> None:
    now = iter(range(1_000))
    matching = MatchingTime(lambda: 2.0 * next(now))
    # Each match takes two seconds by this clock, and ten are free.
    one, other = compile_expression("a"), compile_expression("b")
    for expression in (one, other, one, other, one):
        matching.search(expression, "a")
    with pytest.raises(SlowExpressionError, match="takes too long; the time was over at this expression: b") as caught:
        matching.fullmatch(other, "b")
    assert caught.value.hint
    used = next(now)
    with pytest.raises(SlowExpressionError):
        matching.search(one, "a")
    assert next(now) == used + 1, "once the time is over, nothing is matched"


def test_the_time_for_matching_grows_with_the_text() -> None:
    now = iter(range(1_000))
    matching = MatchingTime(lambda: 0.001 * next(now))
    for _ in range(400):
        assert matching.search(compile_expression("a$"), "a" * 1_000)
