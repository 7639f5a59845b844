"""Untrusted text is visible, and has no effect."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.errors import Place, Problem
from reconciler.domain.plan import Change, KeepReason
from reconciler.render import clean, plan_text, problems_text, table
from tests.factories import a_model
from tests.render import examples

ATTACKS = {
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://example.test\x1b\\click\x1b]8;;\x1b\\",
    "eight bit escape": "\x9b31mred",
    "back and over": "safe\rowned",
    "backspace": "rm\x08\x08ok",
    "null": "a\x00b",
    "delete": "a\x7fb",
    "new line": "a\nb",
    "next line": "a\x85b",
    "line separator": "a\u2028b\u2029c",
    "bidi override": "user\u202egnp.exe",
    "bidi isolate": "\u2066a\u2069",
    "direction mark": "a\u200eb\u200fc\u061cd",
    "zero width": "a\u200bb\u200cc\u200dd\ufeffe\u2060f",
    "soft hyphen": "a\u00adb",
    "tag letters": "a\U000e0041\U000e007f",
    "selectors": "a\ufe0fb\U000e0100c",
    "fillers": "a\u3164b\u115fc\uffa0d\u2800e",
    "lone surrogate": "a\ud800b",
    "private use": "a\ue000b",
    "command": "::error::owned",
    "command after spaces": "  ::set-output name=x::owned",
    "command after a word": "hello ::error::owned",
    "command after a new line": "a\n::error::owned",
    "old command": "##[error]owned",
    "old command inside": "a##[command]b",
}


def is_harmless(text: str) -> bool:
    """Whether a line has nothing that acts, hides or breaks it."""
    return (
        not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in text)
        and not any(char in text for char in "\ufe0f\U000e0100\u3164\u115f\uffa0\u2800\u034f")
        and "##[" not in text
        and not any(word.startswith("::") for word in text.split())
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_becomes_one_harmless_line(name: str) -> None:
    assert not is_harmless(ATTACKS[name])
    assert is_harmless(clean(ATTACKS[name]))


@given(st.text(alphabet=st.characters(), max_size=80) | st.text(alphabet=":#[ \t\n\r\x1b", max_size=12))
def test_any_text_becomes_one_harmless_line(text: str) -> None:
    assert is_harmless(clean(text))


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(1, 100))
def test_a_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(clean(text, limit=limit)) <= limit


@given(st.text(alphabet=st.characters(), max_size=80))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "text", ["", "plain", "std::vector", "日本語", "naïve", "e\u0301", "👍", "C:\\data", "a: b", "#[x]"]
)
def test_honest_text_stays(text: str) -> None:
    assert clean(text) == text


def test_the_original_text_can_still_be_read() -> None:
    assert clean("a\n\t\x1b[1m\u202e\U000e0041") == "a\\n\\t\\x1b[1m\\u202e\\U000e0041"
    assert clean("a\u00a0b\u3000c") == "a b c"
    assert clean("::error::x") == "\\::error::x"


def test_a_cut_is_shown() -> None:
    assert clean("abcdef", limit=4) == "abc…"


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_survives_in_a_plan(name: str) -> None:
    """Whatever a service or a spec says, each line is ours, and begins as we mean it to."""
    attack = ATTACKS[name]
    kept = examples.keep("triage", KeepReason.FAILED, attack, attack, detail=attack, hint=attack)
    change = Change(field=attack, before=attack, after=attack)
    plan = examples.a_plan(examples.retrain(a_model(base=attack), change), kept=(kept,), warnings=(attack * 30,))

    assert all(is_harmless(line) for line in plan_text(plan).splitlines())


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_survives_in_problems_and_tables(name: str) -> None:
    attack = ATTACKS[name]
    problem = Problem(where=Place(file=attack, line=1), path=attack, what=attack * 20, hint=attack * 20)

    assert all(is_harmless(line) for line in problems_text((problem,)).splitlines())
    assert all(is_harmless(line) for line in table(("a", "b"), [(attack, attack)]).splitlines())
    assert all(is_harmless(line) for line in table(("a", "b"), [(attack, attack)], width=3).splitlines())
