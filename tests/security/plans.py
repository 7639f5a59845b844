"""A saved plan to attack."""

import json
from typing import Any

from reconciler.domain.plan import Options
from reconciler.planner import SavedPlan, write_saved
from reconciler.planner.saved_plan import seal_plan
from tests.factories import a_model
from tests.render import examples


def a_saved_plan() -> str:
    """The text of a saved plan with a step to train in it."""
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
    """The same plan with other members and their digest: anyone who can write a file can do this."""
    content = {**json.loads(text), **changes}
    del content["digest"]
    return seal_plan(content)
