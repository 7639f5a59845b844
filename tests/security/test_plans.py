"""Saved plans that were edited: any changed byte is noticed, and nothing but data is read from one."""

import json

import pytest

from reconciler.domain.errors import ReconcilerError, StalePlanError, UsageError
from reconciler.planner import read_saved
from tests.security.plans import a_saved_plan, forged

PLAN = a_saved_plan()
PLACES = range(len(PLAN))


def test_an_unchanged_plan_is_read() -> None:
    """The following tests change this plan."""
    assert read_saved(PLAN).root == "specs"
    assert read_saved(forged(PLAN)).root == "specs"
    assert forged(PLAN) == PLAN


@pytest.mark.parametrize("part", range(8))
def test_a_plan_with_any_character_changed_is_refused(part: int) -> None:
    """At every place of the file a character is replaced, removed or added."""
    for at in PLACES[part::8]:
        ways = (
            PLAN[:at] + chr(ord(PLAN[at]) ^ 1) + PLAN[at + 1 :],
            PLAN[:at] + PLAN[at + 1 :],
            f"{PLAN[:at]} {PLAN[at:]}",
        )
        with pytest.raises(ReconcilerError):
            read_saved(ways[at // 8 % 3])


TEXTS: dict[str, str] = {
    "nothing": "",
    "no JSON": "kind: Model",
    "a list": "[]",
    "a word": '"saved_plan"',
    "cut short": PLAN[: len(PLAN) // 2],
    "twice": PLAN + PLAN,
    "with a key twice": PLAN.replace("{", '{"root": "../..",', 1),
    "with more at its end": PLAN + "x",
    "without its last line break": PLAN.rstrip("\n"),
    "with other line breaks": PLAN.replace("\n", "\r\n"),
    "written in another form": json.dumps(json.loads(PLAN)),
    "with a number that is none": PLAN.replace("1790000000", "NaN"),
    "very deep": '{"saved_plan": ' + "[" * 100_000,
    "very deep and whole": '{"saved_plan": ' + "[" * 5_000 + "]" * 5_000 + "}",
    "with a number of a million digits": '{"saved_plan": ' + "9" * 1_000_000 + "}",
    "with a lone surrogate": PLAN.replace("specs", "\\ud800", 1),
    "a pickle": "\x80\x04\x95cos\nsystem\n(S'touch owned'\ntR.",
    "YAML with a tag": "!!python/object/apply:os.system ['touch owned']",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_not_a_saved_plan_is_refused(name: str) -> None:
    with pytest.raises((UsageError, StalePlanError)) as caught:
        read_saved(TEXTS[name])
    assert len(str(caught.value)) < 500


FORGED: dict[str, dict[str, object]] = {
    "a root above": {"root": "../../other"},
    "a root elsewhere": {"root": "/etc"},
    "a root on a drive": {"root": "C:\\specs"},
    "a root that is an address": {"root": "https://evil.example.test"},
    "a root that is no text": {"root": ["specs"]},
    "options that are unknown": {"options": {"is": "Options", "shell": "rm"}},
    "a record of another kind": {"record": {"is": "Popen", "args": ["touch", "owned"]}},
    "a record that is none": {"record": None},
    "models that answered, as a list": {"previous": ["ft:evil"]},
    "a time that is none": {"made_at": True},
    "another format": {"saved_plan": "99"},
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_plan_with_a_valid_digest_is_refused_where_it_is_harmful(name: str) -> None:
    with pytest.raises((UsageError, StalePlanError)) as caught:
        read_saved(forged(PLAN, **FORGED[name]))
    assert "digest" not in str(caught.value), "refused for another reason than it should be"


def test_a_plan_holds_no_row_and_no_key() -> None:
    content = json.loads(PLAN)
    assert not {"rows", "samples", "key", "token", "headers", "url", "command"} & set(content)
