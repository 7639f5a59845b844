"""JSON for programs is exact, and harmless to a terminal that shows it."""

import json

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import Place, Problem
from reconciler.domain.plan import KeepReason, Plan
from reconciler.render import event_json, plan_json, problems_json
from tests.render import examples
from tests.render.test_golden import validator
from tests.render.test_sanitize import ATTACKS


@pytest.mark.parametrize("name", ATTACKS)
def test_a_foreign_text_is_complete_and_inert(name: str) -> None:
    attack = ATTACKS[name]
    plan = examples.a_plan(kept=(examples.keep("triage", KeepReason.FAILED, detail=attack),), warnings=(attack,))
    for text in (
        plan_json(plan),
        event_json(examples.logged(attack)),
        problems_json((Problem(where=Place(file="a"), what=attack),)),
    ):
        assert text.isascii()
        assert text.replace("\n", "").isprintable()
        assert "##[" not in text
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert json.loads(plan_json(plan))["warnings"] == [attack]


def test_an_event_is_one_line() -> None:
    assert event_json(examples.logged("a\nb")).splitlines(keepends=True) == [event_json(examples.logged("a\nb"))]


def test_numbers_that_json_cannot_say_are_null() -> None:
    event = json.loads(event_json(examples.logged("x", ("loss", float("nan")), ("step", 3.0), ("gain", float("inf")))))

    assert event["metrics"] == {"loss": None, "step": 3.0, "gain": None}
    validator("event").validate(event)


def test_the_summary_counts_the_lists() -> None:
    plan = json.loads(plan_json(examples.PLANS["several-models"]))
    words = [step["action"] for step in plan["steps"]]

    assert plan["summary"] == {
        **{word: words.count(word) for word in ("upload", "train", "cancel", "delete", "promote")},
        "keep": len(plan["kept"]),
        "refuse": len(plan["refused"]),
    }


@pytest.mark.parametrize(("plan", "has"), [(examples.PLANS["no-changes"], False), (examples.PLANS["promoted"], True)])
def test_whether_there_are_changes(plan: Plan, has: bool) -> None:
    assert json.loads(plan_json(plan))["has_changes"] is has


def test_a_plan_holds_neither_the_place_nor_the_text_of_rows() -> None:
    """A plan may be shown to people who may not see the data: ids, digests and counts are all there is."""
    first = examples.SENT.action
    plan = examples.a_plan(replace(examples.SENT, action=first), examples.TRAINED)

    assert "support-tickets.csv" not in plan_json(plan)
    assert "specs/data.yaml" not in plan_json(plan)


def test_a_place_that_is_not_known_is_null() -> None:
    found = json.loads(problems_json((Problem(where=Place(file="a.csv"), what="x"),)))["problems"][0]

    assert (found["line"], found["column"]) == (None, None)
