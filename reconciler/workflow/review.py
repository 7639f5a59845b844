"""Gathers what a review says beside its plan: where it was made, what it rests on, and how to do what it shows."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.domain.errors import UsageError
from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Options
from reconciler.render import time_text
from reconciler.render.review import Review, empty_plan
from reconciler.workflow.engine import PreparedPlan, Setting

if TYPE_CHECKING:
    from reconciler.planner.saved_plan import SavedPlan


def review_of(
    prepared: PreparedPlan, *, samples: bool = True, out: Path | None = None, commit: str | None = None
) -> Review:
    """Return the review of a plan as it stands; `commit` where it is another one than is checked out.

    Shape:  a plan that asked no service has no basis that an apply could be held to, and no command
    """
    setting, plan = prepared.setting, prepared.plan
    basis = "" if plan.against else str(plan.basis.digest)
    is_doable = bool(basis) and not plan.refused and not plan.is_empty
    return Review(
        plan=plan,
        previous={entry.address: entry.model for entry in prepared.lock.of(prepared.observed.service)},
        problems=prepared.checked.warnings,
        commit=commit_of(setting.workspace) if commit is None else commit,
        environment=plan.environment or "",
        root=root_of(setting),
        basis=basis,
        time=time_text(int(time.time())),
        apply=apply_command(setting, prepared.options, basis, out) if is_doable else "",
        samples=samples,
    )


def review_of_saved(
    saved: "SavedPlan", previous: Mapping[Address, ModelId], file: Path, *, samples: bool = True
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


def blank_review(setting: Setting) -> Review:
    """Return the review of specs that were not planned, because they or their rows are wrong."""
    return Review(
        plan=empty_plan(__version__),
        commit=commit_of(setting.workspace),
        environment=setting.environment or "",
        root=root_of(setting),
        time=time_text(int(time.time())),
    )


def apply_command(setting: Setting, options: Options, basis: str, out: Path | None = None) -> str:
    """Return the command that does what a plan shows, and nothing else."""
    if out:
        return shlex.join(["reconciler", "apply", str(out)])
    asked = {"--target": options.target, "--retry": options.retry, "--replace": options.replace}
    words = ["reconciler", "apply", root_of(setting)]
    words += ["--env", setting.environment] if setting.environment else []
    words += ["--provider", setting.provider] if setting.provider else []
    words += [word for flag, names in asked.items() for name in sorted(names) for word in (flag, name)]
    words += ["--prune"] if options.prune else []
    words += [word for guard in sorted(options.allow) for word in ("--allow", guard)]
    return shlex.join([*words, "--expect-basis", basis])


def root_of(setting: Setting) -> str:
    """Return the spec root within the repository, with forward slashes."""
    root, workspace = setting.root.resolve(), setting.workspace.resolve()
    return root.relative_to(workspace).as_posix() if root.is_relative_to(workspace) else str(setting.root)


def commit_of(workspace: Path) -> str:
    """Return the commit that is checked out; empty where git knows none."""
    from reconciler.history.revision import open_revision

    try:
        return open_revision("HEAD", workspace).commit
    except UsageError:
        return ""
