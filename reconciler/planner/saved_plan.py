"""Saved plans: written, read, and checked for staleness. A saved plan is data, never instructions.

It is compared with a plan that is made again, and that plan runs. The file has exactly one form for its content, and
its digest covers all of it. So an accidental change of any byte is found. The digest is no signature: who can write
the file can write the digest too. That is why nothing in the file is ever executed.
"""

import hashlib
import json
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace

from reconciler.domain.basis import PlanInputs
from reconciler.domain.desired import Dataset
from reconciler.domain.errors import Problem, StalePlanError, UsageError
from reconciler.domain.identity import DIGEST_VERSION, Digest
from reconciler.domain.plan import Options, Plan, Step, Train, Upload
from reconciler.planner.serialize import from_plain, to_plain

FORMAT_VERSION = "3"
_READ = frozenset({"2", FORMAT_VERSION})
MAX_BYTES = 64 * 1024 * 1024
"""Enough for ten thousand models on a service that holds a hundred thousand files."""

_MAKE_ONE = "make one with: reconciler plan --out FILE"


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is saved of a plan.

    Shape:  `id` differs for each file, so that one file is applied once; `root` is relative to the repository, with
            forward slashes; `asked` is the provider that the operator named, None if the specs chose it; `previous`
            are the serving models at that time, by address; `document` is the plan as programs read it; `findings` are
            the warnings of the checks; `commit` is that of the specs, and `prices` the file that --prices named, both
            empty where there was none
    Units:  `made_at` in Unix seconds
    """

    id: str
    made_at: int
    root: str
    asked: str | None
    options: Options
    plan: Plan
    previous: tuple[tuple[str, str], ...]
    document: str
    findings: tuple[Problem, ...] = ()
    commit: str = ""
    prices: str = ""


def write_saved(saved: SavedPlan) -> str:
    """Return the text of a saved plan: ids, digests and what was shown, with rows as they were shown."""
    content = {
        "saved_plan": FORMAT_VERSION,
        "id": saved.id,
        "made_at": saved.made_at,
        "root": saved.root,
        "asked": saved.asked,
        "options": to_plain(saved.options),
        "previous": dict(saved.previous),
        "plan": json.loads(saved.document),
        "record": to_plain(bare(saved.plan)),
        "findings": to_plain(saved.findings),
        "commit": saved.commit,
        "prices": saved.prices,
    }
    return seal_plan(content)


def seal_plan(content: dict[str, Any]) -> str:
    """Return the one text of a saved plan's content, with the digest that belongs to it."""
    return _text({**content, "digest": _digest(content)})


def read_saved(text: str) -> SavedPlan:
    """Read a saved plan back, exactly as it was written.

    Raises: UsageError when it is not one or was changed, StalePlanError when it is of another format
    """
    content = _content(text)
    content.pop("digest", None)
    if text != seal_plan(content):
        raise UsageError(f"the saved plan is not as it was written: its digest does not fit its text; {_MAKE_ONE}")
    try:
        return SavedPlan(
            id=from_plain(str, content["id"]),
            made_at=from_plain(int, content["made_at"]),
            root=_root(from_plain(str, content["root"])),
            asked=None if content["asked"] is None else from_plain(str, content["asked"]),
            options=from_plain(Options, content["options"]),
            plan=from_plain(Plan, content["record"]),
            previous=tuple(
                (from_plain(str, name), from_plain(str, model)) for name, model in content["previous"].items()
            ),
            document=json.dumps(content["plan"]),
            # Format 2 holds none of these.
            findings=_findings(content.get("findings", [])),
            commit=from_plain(str, content.get("commit", "")),
            prices=from_plain(str, content.get("prices", "")),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"not a saved plan ({error}); {_MAKE_ONE}") from error


def _findings(data: object) -> tuple[Problem, ...]:
    if not isinstance(data, list):
        raise TypeError("its findings are no list")
    return tuple(from_plain(Problem, each) for each in data)


def bare(plan: Plan) -> Plan:
    """Return a plan without what only the specs need: templates, labels, descriptions, expectations and allowances."""
    return replace(plan, steps=tuple(map(_bare_step, plan.steps)))


def _bare_step(step: Step) -> Step:
    match step.action:
        case Upload(dataset=dataset):
            return replace(step, action=Upload(dataset=_bare_dataset(dataset)))
        case Train(model=model):
            sides = {"training": model.training, "validation": model.validation}
            bared = {name: _bare_dataset(side) for name, side in sides.items() if side}
            return replace(step, action=replace(step.action, model=replace(model, **bared)))
        case _:
            return step


def _bare_dataset(dataset: Dataset) -> Dataset:
    spec = replace(dataset.spec, mapping=None, labels=(), description="", expect=(), allow=())
    return replace(dataset, spec=spec)


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a saved plan; {_MAKE_ONE}") from error
    if not isinstance(content, dict) or "saved_plan" not in content:
        raise UsageError(f"not a saved plan; {_MAKE_ONE}")
    if not isinstance(content["saved_plan"], str) or content["saved_plan"] not in _READ:
        found = str(content["saved_plan"])[:20]
        what = f"a saved plan of format {found}, from another version of the program, which reads {FORMAT_VERSION}"
        raise StalePlanError(f"{what}; {_MAKE_ONE}", ("version",))
    return content


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")


def _digest(content: dict[str, Any]) -> str:
    return str(Digest(DIGEST_VERSION, hashlib.sha256(_text(content).encode()).hexdigest()))


def _text(content: dict[str, Any]) -> str:
    # One line is written and read ten times as fast. People read the plan with `reconciler show`.
    try:
        return json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a saved plan; {_MAKE_ONE}") from error


def _root(text: str) -> str:
    if text.startswith("/") or "\\" in text or ":" in text or ".." in text.split("/"):
        raise ValueError("its root leads out of the repository")
    return text


SAVED = "the saved plan"
_PLAN_AGAIN = "Plan again, and review what is new."


def check_place(before: PlanInputs, *, environment: str | None, provider: str, version: str) -> None:
    """Check that a saved plan is for the place where this run would work, before any request is sent.

    Raises: StalePlanError, naming the inputs that changed
    """
    now = replace(before, environment=environment or "", provider=provider, version=version)
    _raise_if_stale(before.basis.changed_inputs(now.basis), before, now, SAVED)


def check_fresh(before: Plan, now: Plan, *, title: str = SAVED) -> None:
    """Check that an earlier plan is still true.

    Shape:  `title` is what a message calls the earlier plan
    Raises: StalePlanError, naming the inputs that changed, and the objects in them
    """
    _raise_if_stale(before.inputs.basis.changed_inputs(now.basis), before.inputs, now.inputs, title)
    # What an earlier plan shows is wrong when its inputs lead to other steps.
    if [step.id for step in before.steps] != [step.id for step in now.steps] or before.basis != now.basis:
        raise StalePlanError(
            f"{title} is stale: the same inputs lead to other steps than it shows. {_PLAN_AGAIN}", ("plan",)
        )


def check_expected(expected: Digest, now: Plan) -> None:
    """Check that a plan that is made now rests on exactly what a reviewed plan rested on.

    Raises: StalePlanError
    """
    found = now.basis.digest
    if found != expected:
        what = f"the plan is stale: its basis was {expected} when it was reviewed, and is {found} now"
        raise StalePlanError(
            f"{what}. One digest does not show what changed: compare the field basis of plan --json, then and now."
            f" {_PLAN_AGAIN}",
            ("basis",),
        )


def _raise_if_stale(moved: tuple[str, ...], before: PlanInputs, now: PlanInputs, title: str) -> None:
    if moved:
        raise StalePlanError(f"{title} is stale: {before.describe_changes(moved, now)}. {_PLAN_AGAIN}", moved)
