"""Saved plans. A saved plan is data, never instructions: it is compared with a plan made anew, and that one runs.

The file has one form only: its text is what is written for its content, and its digest covers all of it. So any byte
that was changed by accident is found. That is no signature: whoever can write the file can write the digest too, which
is why nothing in it is ever carried out.
"""

import hashlib
import json
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import StalePlanError, UsageError
from reconciler.domain.identity import DIGEST_VERSION, Digest
from reconciler.domain.plan import Options, Plan, Step, Train, Upload
from reconciler.planner.serialize import read, written

FORMAT_VERSION = "2"
MAX_BYTES = 64 * 1024 * 1024
"""Room for ten thousand models on a service that holds a hundred thousand files."""

_MAKE_ONE = "make one with: reconciler plan --out FILE"


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a plan.

    Shape:  `id` is another one for each file, so that one file is applied once; `root` is relative to the repository,
            with forward slashes; `asked` is the provider that the operator named, None where the specs chose;
            `previous` are the models that answered then, by address; `document` is the plan as programs read it
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


def write_saved(saved: SavedPlan) -> str:
    """Return the text of a saved plan: ids, digests and what its reader was shown; no row and no secret."""
    content = {
        "saved_plan": FORMAT_VERSION,
        "id": saved.id,
        "made_at": saved.made_at,
        "root": saved.root,
        "asked": saved.asked,
        "options": written(saved.options),
        "previous": dict(saved.previous),
        "plan": json.loads(saved.document),
        "record": written(bare(saved.plan)),
    }
    return sealed(content)


def sealed(content: dict[str, Any]) -> str:
    """Return the one text of a saved plan's content, with the digest that belongs to it."""
    return _text({**content, "digest": _digest(content)})


def read_saved(text: str) -> SavedPlan:
    """Read a saved plan back, exactly as it was written.

    Raises: UsageError when it is not one or was changed, StalePlanError when it is of another format
    """
    content = _content(text)
    content.pop("digest", None)
    if text != sealed(content):
        raise UsageError(f"the saved plan is not as it was written: its digest is that of another text; {_MAKE_ONE}")
    try:
        return SavedPlan(
            id=read(str, content["id"]),
            made_at=read(int, content["made_at"]),
            root=_root(read(str, content["root"])),
            asked=None if content["asked"] is None else read(str, content["asked"]),
            options=read(Options, content["options"]),
            plan=read(Plan, content["record"]),
            previous=tuple((read(str, name), read(str, model)) for name, model in content["previous"].items()),
            document=json.dumps(content["plan"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"not a saved plan ({error}); {_MAKE_ONE}") from error


def bare(plan: Plan) -> Plan:
    """Return a plan without what only the specs need: the templates over the columns, labels and descriptions."""
    return replace(plan, steps=tuple(map(_bare_step, plan.steps)))


def _bare_step(step: Step) -> Step:
    match step.action:
        case Upload(dataset=dataset):
            spec = replace(dataset.spec, mapping=None, labels=(), description="")
            return replace(step, action=Upload(dataset=replace(dataset, spec=spec)))
        case Train(model=model):
            sides = {"training": model.training, "validation": model.validation}
            bared = {
                name: replace(side, spec=replace(side.spec, mapping=None, labels=(), description=""))
                for name, side in sides.items()
                if side
            }
            return replace(step, action=replace(step.action, model=replace(model, **bared)))
        case _:
            return step


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a saved plan; {_MAKE_ONE}") from error
    if not isinstance(content, dict) or "saved_plan" not in content:
        raise UsageError(f"not a saved plan; {_MAKE_ONE}")
    if content["saved_plan"] != FORMAT_VERSION:
        found = str(content["saved_plan"])[:20]
        what = f"a saved plan of format {found}, from another version of the program, which reads {FORMAT_VERSION}"
        raise StalePlanError(f"{what}; {_MAKE_ONE}", ("version",))
    return content


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def _digest(content: dict[str, Any]) -> str:
    return str(Digest(DIGEST_VERSION, hashlib.sha256(_text(content).encode()).hexdigest()))


def _text(content: dict[str, Any]) -> str:
    # On one line, which is written and read ten times as fast: people read it with `reconciler show`.
    try:
        return json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a saved plan; {_MAKE_ONE}") from error


def _root(text: str) -> str:
    if text.startswith("/") or "\\" in text or ":" in text or ".." in text.split("/"):
        raise ValueError("its root leads out of the repository")
    return text
