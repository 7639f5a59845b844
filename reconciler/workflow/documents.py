"""The documents of a plan: the saved plan, and the review with the command that applies it."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from reconciler import __version__
from reconciler.domain.errors import UsageError
from reconciler.domain.event import Finished, Outcome
from reconciler.domain.identity import Address, Digest
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import CommandScope, Options, Step
from reconciler.journal import check_unapplied
from reconciler.planner import MAX_BYTES, SavedPlan, check_place, read_saved, remaining_plan, write_saved
from reconciler.render import plan_json, time_text
from reconciler.render.review import Review, RunResult, StepResult, empty_plan, mask_plan, mask_problems
from reconciler.specfile import find_violation, find_workspace
from reconciler.workflow.apply import RunTally
from reconciler.workflow.measure import CheckedSpecs
from reconciler.workflow.plan import PreparedPlan
from reconciler.workflow.settings import Setting, resolve_setting, select_provider

_FULL_DIGEST = 64


def save_plan(prepared: PreparedPlan, path: Path, *, commit: str = "", redact: Callable[[str], str] = str) -> None:
    """Save a plan where only its owner reads it.

    Shape:  `redact` takes the secrets of the environment out of what the plan quotes
    Raises: UsageError when it cannot be written, or would be too large to be read again
    """
    setting, plan = prepared.setting, mask_plan(prepared.plan, redact)
    text = write_saved(
        SavedPlan(
            id=secrets.token_hex(8),
            made_at=int(time.time()),
            root=setting.root.resolve().relative_to(setting.workspace.resolve()).as_posix(),
            asked=setting.provider,
            options=prepared.options,
            plan=plan,
            previous=tuple((str(address), model) for address, model in read_previous_models(prepared).items()),
            document=plan_json(plan),
            findings=mask_problems(prepared.checked.warnings, redact),
            commit=commit,
            prices=str(setting.prices or ""),
        )
    )
    if len(text) > MAX_BYTES:
        raise UsageError(f"--out {path}: the plan has more than {MAX_BYTES:,} bytes; plan fewer models with --target")
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}") from error


def read_plan(path: Path) -> SavedPlan:
    """Read a saved plan, and check it against its schemas and itself.

    Raises: UsageError when it cannot be read, is not a plan, or was changed; StalePlanError for another format
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read as a saved plan: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a saved plan: it is not text") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path} is not a saved plan: it has more than {MAX_BYTES:,} bytes")
    saved = read_saved(text)
    _check_schemas(text, saved, path)
    if json.loads(plan_json(saved.plan)) != json.loads(saved.document):
        raise UsageError(f"{path} is not a saved plan: its document and its plan differ")
    return saved


def _check_schemas(text: str, saved: SavedPlan, path: Path) -> None:
    for value, name in ((json.loads(text), "saved-plan"), (json.loads(saved.document), "plan")):
        if violation := find_violation(value, name):
            raise UsageError(f"{path} is not a saved plan: {violation}")


def read_previous_models(prepared: PreparedPlan) -> dict[Address, ModelId]:
    """Return the serving models of the lock file."""
    return {entry.address: entry.model for entry in prepared.lock.of(prepared.observed.service)}


def parse_previous_models(saved: SavedPlan) -> dict[Address, ModelId]:
    """Return the models that served when a plan was saved."""
    found = ((Address.parse(name), ModelId(model)) for name, model in saved.previous)
    return {address: model for address, model in found if address}


def resolve_saved_setting(
    plan_file: Path,
    saved: SavedPlan,
    environ: Mapping[str, str],
    *,
    prices: Path | None = None,
    environment: str | None = None,
    use_cache: bool = True,
) -> Setting:
    """Return the setting that a saved plan was made in.

    Raises: StalePlanError when it is for another environment than the one chosen now, of another version of the
            program, or was applied already; UsageError when its specs are not here
    """
    made_for = saved.plan.environment
    check_place(
        saved.plan.inputs, environment=environment or made_for, provider=saved.plan.provider, version=__version__
    )
    setting = resolve_setting(
        _find_root(plan_file, saved),
        environ,
        is_root=True,
        provider=saved.asked,
        prices=prices,
        environment=made_for,
        use_cache=use_cache,
    )
    check_unapplied({setting.home, setting.own_home.shared}, saved.id)
    return setting


def check_provider(saved: SavedPlan, setting: Setting, checked: CheckedSpecs) -> None:
    """Make sure that the specs still choose the service that a saved plan is for, before it is called.

    Raises: StalePlanError
    """
    provider = select_provider(setting, checked.specs)
    check_place(saved.plan.inputs, environment=setting.environment, provider=provider, version=__version__)


def _find_root(plan_file: Path, saved: SavedPlan) -> Path:
    # In the repository that the file lies in, else in the one we work in: CI keeps such files elsewhere.
    for start in (plan_file.resolve().parent, Path.cwd()):
        root = find_workspace(start) / saved.root
        if root.is_dir():
            return root
    raise UsageError(f"{plan_file} was made for {saved.root}, and there is no such directory in this repository")


def read_basis(text: str | None) -> Digest | None:
    """Read the digest of a basis.

    Raises: UsageError when it is not a complete one
    """
    digest = Digest.parse(text) if text else None
    if text is not None and (digest is None or len(digest.hex) != _FULL_DIGEST):
        raise UsageError(f"--expect-basis {text}: not a digest; plan prints it, as v1: and 64 hex digits")
    return digest


def review_plan(prepared: PreparedPlan, *, commit: str, samples: bool = True) -> Review:
    """Return the review of a plan; `commit` is that of its specs.

    Shape:  an offline plan has no basis that apply could compare with, and no command
    """
    setting, plan = prepared.setting, prepared.plan
    basis = "" if plan.against else str(plan.basis.digest)
    is_doable = bool(basis) and not plan.refused and not plan.is_empty
    return Review(
        plan=plan,
        previous={entry.address: entry.model for entry in prepared.lock.of(prepared.observed.service)},
        problems=prepared.checked.warnings,
        commit=commit,
        environment=plan.environment or "",
        root=setting.root_name,
        basis=basis,
        time=time_text(int(time.time())),
        apply=write_apply_command(setting.scope, setting.root_name, prepared.options, basis) if is_doable else "",
        samples=samples,
        scope=setting.scope,
        places={model.address: model.place for model in prepared.desired.models},
        is_partial=bool(prepared.options.target),
    )


def review_run(prepared: PreparedPlan, tally: RunTally, title: str, *, commit: str, failure: str = "") -> Review:
    """Return the review of an apply: what it did, and the plan that remains."""
    ended = {each.step.id: each for each in tally.finished}
    done = [step_id for step_id, each in ended.items() if each.outcome in {Outcome.DONE, Outcome.ADOPTED}]
    whole = tally.plan_of(prepared.plan)
    results = tuple(_step_result(step, ended.get(step.id)) for step in whole.steps)
    remains = replace(prepared, plan=remaining_plan(whole, done, tally.jobs))
    lock = tally.lock or prepared.lock
    return replace(
        review_plan(remains, commit=commit),
        previous={entry.address: entry.model for entry in lock.of(prepared.observed.service)},
        apply="",
        result=RunResult(title=title, steps=results),
        failure=failure,
    )


def _step_result(step: Step, ended: Finished | None) -> StepResult:
    if ended is None:
        return StepResult(step=step)
    return StepResult(step=step, outcome=ended.outcome, message=ended.message, hint=ended.hint)


def review_saved_plan(saved: SavedPlan, previous: Mapping[Address, ModelId], *, samples: bool = True) -> Review:
    """Return the review of a plan that was saved, as it was when it was made."""
    plan = saved.plan
    scope = CommandScope(
        root=saved.root, environment=plan.environment, provider=saved.asked, prices=saved.prices or None
    )
    is_doable = not plan.refused and not plan.is_empty
    basis = str(plan.basis.digest)
    return Review(
        plan=plan,
        previous=previous,
        problems=saved.findings,
        commit=saved.commit,
        environment=plan.environment or "",
        root=saved.root,
        basis=basis,
        time=time_text(saved.made_at),
        apply=write_apply_command(scope, saved.root, saved.options, basis) if is_doable else "",
        samples=samples,
        scope=scope,
        is_partial=bool(saved.options.target),
    )


def review_without_plan(setting: Setting, *, commit: str) -> Review:
    """Return the review of specs that were not planned."""
    return Review(
        plan=empty_plan(__version__),
        commit=commit,
        environment=setting.environment or "",
        root=setting.root_name,
        time=time_text(int(time.time())),
    )


def write_apply_command(scope: CommandScope, root_name: str, options: Options, basis: str) -> str:
    """Return the command that applies exactly what a plan shows, at the root of any checkout of the repository.

    A saved plan is a file of the machine that made it, so the command names the basis and never that file.
    """
    return replace(scope, directory="", root=root_name).apply("--expect-basis", basis, options=options)
