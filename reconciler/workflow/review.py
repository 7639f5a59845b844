"""Gathers what a review shows beside its plan: where the plan was made, its basis, and the command that applies it."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from reconciler import __version__
from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Options
from reconciler.planner import SavedPlan
from reconciler.render import time_text
from reconciler.render.review import Review, empty_plan
from reconciler.workflow.plan import PreparedPlan
from reconciler.workflow.settings import Setting


def review_plan(prepared: PreparedPlan, *, commit: str, samples: bool = True, out: Path | None = None) -> Review:
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
        apply=write_apply_command(setting, prepared.options, basis, out) if is_doable else "",
        samples=samples,
    )


def review_saved_plan(
    saved: SavedPlan, previous: Mapping[Address, ModelId], file: Path, *, samples: bool = True
) -> Review:
    """Return the review of a plan that was saved, as it was when it was made."""
    plan = saved.plan
    is_doable = not plan.refused and not plan.is_empty
    return Review(
        plan=plan,
        previous=previous,
        environment=plan.environment or "",
        root=saved.root,
        basis=str(plan.basis.digest),
        time=time_text(saved.made_at),
        apply=shlex.join(["reconciler", "apply", str(file)]) if is_doable else "",
        samples=samples,
    )


def review_without_plan(setting: Setting, *, commit: str) -> Review:
    """Return the review of specs that were not planned, because they or their rows are invalid."""
    return Review(
        plan=empty_plan(__version__),
        commit=commit,
        environment=setting.environment or "",
        root=setting.root_name,
        time=time_text(int(time.time())),
    )


def write_apply_command(setting: Setting, options: Options, basis: str, out: Path | None = None) -> str:
    """Return the command that applies exactly what a plan shows."""
    if out:
        return shlex.join(["reconciler", "apply", str(out)])
    names_by_flag = {"--target": options.target, "--retry": options.retry, "--replace": options.replace}
    words = ["reconciler", "apply", setting.root_name]
    words += ["--env", setting.environment] if setting.environment else []
    words += ["--provider", setting.provider] if setting.provider else []
    words += [word for flag, names in names_by_flag.items() for name in sorted(names) for word in (flag, name)]
    words += ["--prune"] if options.prune else []
    words += [word for guard in sorted(options.allow) for word in ("--allow", guard)]
    return shlex.join([*words, "--expect-basis", basis])
