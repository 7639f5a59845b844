"""Saved plans. A saved plan is data, never instructions: it is compared with a plan made anew, and that one runs."""

import json
from dataclasses import asdict, dataclass, fields

from reconciler.domain.errors import UsageError
from reconciler.domain.plan import Basis, Options

FORMAT_VERSION = "1"
_BASIS = tuple(field.name for field in fields(Basis))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What is kept of a plan.

    Shape:  `root` is relative to the repository; `steps` are step ids in order; `document` is the plan as shown
    """

    root: str
    provider: str
    options: Options
    basis: Basis
    steps: tuple[str, ...]
    document: str


def write_saved(saved: SavedPlan) -> str:
    """Give the text of a saved plan."""
    options = {
        name: value if isinstance(value, bool) else sorted(value) for name, value in asdict(saved.options).items()
    }
    content = {
        "saved_plan": FORMAT_VERSION,
        "root": saved.root,
        "provider": saved.provider,
        "options": options,
        "basis": asdict(saved.basis),
        "steps": list(saved.steps),
        "plan": json.loads(saved.document),
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_saved(text: str) -> SavedPlan:
    """Read a saved plan back.

    Raises: UsageError when it is not one
    """
    try:
        content = json.loads(text)
        if content["saved_plan"] != FORMAT_VERSION:
            raise UsageError(f"a saved plan of format {content['saved_plan']}; this version reads {FORMAT_VERSION}")
        asked = content["options"]
        sets = {name: frozenset(map(str, asked[name])) for name in ("retry", "replace", "target", "allow")}
        return SavedPlan(
            root=str(content["root"]),
            provider=str(content["provider"]),
            options=Options(prune=bool(asked["prune"]), **sets),
            basis=Basis(**{name: str(content["basis"][name]) for name in _BASIS}),
            steps=tuple(str(step) for step in content["steps"]),
            document=json.dumps(content["plan"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError("not a saved plan: make one with reconciler plan --out FILE") from error
