"""Saved plans for the tests of attacks."""

import json
from typing import Any

from reconciler.domain.plan import Options
from reconciler.planner import SavedPlan, write_saved
from reconciler.planner.saved_plan import seal_plan
from tests.factories import a_model
from tests.render import examples


def a_saved_plan() -> str:
    """Return the text of a saved plan with a step that trains."""
    facts: dict[str, Any] = {
        "id": "0123456789abcdef",
        "made_at": 1_790_000_000,
        "root": "specs",
        "asked": None,
        "options": Options(),
        "plan": examples.a_plan(examples.retrain(a_model())),
        "previous": (("model/triage", "ft:old"),),
        "document": '{"steps": [], "warnings": ["one"]}',
    }
    assert facts.keys() <= set(SavedPlan.__struct_fields__)
    return write_saved(SavedPlan(**facts))


def forged(text: str, **changes: Any) -> str:
    """Return the plan with other members and their digest, as every user with write permission can make it."""
    content = {**json.loads(text), **changes}
    del content["digest"]
    return seal_plan(content)
