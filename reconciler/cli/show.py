"""Saved plans on the command line: written, read back and shown."""

import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler import __version__
from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import FormatOption, JsonOption, NoSamplesOption, settled
from reconciler.domain.errors import UsageError
from reconciler.domain.identity import Address, Digest
from reconciler.domain.observed import ModelId
from reconciler.journal.applied_plans import check_unapplied
from reconciler.workflow.engine import CheckedSpecs, PreparedPlan, Setting, provider_name

if TYPE_CHECKING:
    from reconciler.planner.saved_plan import SavedPlan

_FULL_DIGEST = 64

EXAMPLES = """
Examples:

  reconciler show tonight.plan

  reconciler show tonight.plan --format html=tonight.html
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(name="show", epilog=EXAMPLES)(show)


def show(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A plan saved with plan --out.", metavar="FILE")],
    format: FormatOption = None,  # noqa: A002 (the word of the flag)
    as_json: JsonOption = False,
    no_samples: NoSamplesOption = False,
) -> int:
    """Show a saved plan as it was made.

    Reads the file alone: neither specs, nor data, nor the service. apply checks whether it still holds.
    """
    from reconciler.cli.formats import is_json, read_formats, show_review
    from reconciler.workflow.review import review_of_saved

    console: Console = context.obj
    wanted = read_formats(format, as_json=as_json)
    saved = read_plan(file)
    review = review_of_saved(saved, parse_previous_models(saved), file, samples=not no_samples)
    show_review(review, wanted, console, exit_code=exit_codes.OK, plan_file=str(file))
    if not is_json(wanted):
        made = datetime.fromtimestamp(saved.made_at, UTC)
        console.err.line(f"Made on {made:%Y-%m-%d at %H:%M} UTC from {saved.root}. Basis: {saved.plan.basis.digest}")
    return exit_codes.OK


def save_plan(prepared: PreparedPlan, path: Path) -> None:
    """Save a plan where only its owner reads it.

    Raises: UsageError when it cannot be written, or would be too large to be read again
    """
    from reconciler.planner.saved_plan import MAX_BYTES, SavedPlan, write_saved
    from reconciler.render import plan_json

    setting = prepared.setting
    text = write_saved(
        SavedPlan(
            id=secrets.token_hex(8),
            made_at=int(time.time()),
            root=setting.root.resolve().relative_to(setting.workspace.resolve()).as_posix(),
            asked=setting.provider,
            options=prepared.options,
            plan=prepared.plan,
            previous=tuple((str(address), model) for address, model in read_previous_models(prepared).items()),
            document=plan_json(prepared.plan),
        )
    )
    if len(text) > MAX_BYTES:
        raise UsageError(f"--out {path}: the plan has more than {MAX_BYTES:,} bytes; plan fewer models with --target")
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}") from error


def read_plan(path: Path) -> "SavedPlan":
    """Read a saved plan, and hold it to its schemas and to itself.

    Raises: UsageError when it cannot be read, is none, or was changed; StalePlanError when its format is another
    """
    from reconciler.planner.saved_plan import MAX_BYTES, read_saved
    from reconciler.render import plan_json

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read as a saved plan: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a saved plan: it is no text") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path} is not a saved plan: it has more than {MAX_BYTES:,} bytes")
    saved = read_saved(text)
    _check_schemas(text, saved, path)
    if json.loads(plan_json(saved.plan)) != json.loads(saved.document):
        raise UsageError(f"{path} is not a saved plan: what it shows is not what it says it rests on")
    return saved


def _check_schemas(text: str, saved: "SavedPlan", path: Path) -> None:
    from reconciler.specfile import find_violation

    for value, name in ((json.loads(text), "saved-plan"), (json.loads(saved.document), "plan")):
        if breach := find_violation(value, name):
            raise UsageError(f"{path} is not a saved plan: {breach}")


def read_previous_models(prepared: PreparedPlan) -> dict[Address, ModelId]:
    """Return the models that answer now, as the lock file says."""
    return {entry.address: entry.model for entry in prepared.lock.of(prepared.observed.service)}


def parse_previous_models(saved: "SavedPlan") -> dict[Address, ModelId]:
    """Return the models that answered when a plan was saved."""
    found = ((Address.parse(name), ModelId(model)) for name, model in saved.previous)
    return {address: model for address, model in found if address}


def setting_of_saved(
    plan_file: Path, saved: "SavedPlan", prices: Path | None, environment: str | None, *, use_cache: bool = True
) -> Setting:
    """Return the setting that a saved plan was made in.

    Raises: StalePlanError when it is for another environment than the one named now, of another version of the
            program, or was applied already; UsageError when its specs are not here
    """
    from reconciler.planner.saved_plan import check_place

    made_for = saved.plan.environment
    check_place(
        saved.plan.inputs, environment=environment or made_for, provider=saved.plan.provider, version=__version__
    )
    setting = settled(_root_of(plan_file, saved), saved.asked, prices, made_for, use_cache=use_cache)
    check_unapplied(setting.home, saved.id)
    return setting


def check_provider(saved: "SavedPlan", setting: Setting, checked: CheckedSpecs) -> None:
    """Make sure that the specs still choose the service that a saved plan is for, before it is called.

    Raises: StalePlanError
    """
    from reconciler.planner.saved_plan import check_place

    provider = provider_name(setting, checked.specs)
    check_place(saved.plan.inputs, environment=setting.environment, provider=provider, version=__version__)


def _root_of(plan_file: Path, saved: "SavedPlan") -> Path:
    # In the repository that the file lies in, else in the one we work in: CI keeps such files elsewhere.
    from reconciler.specfile import find_workspace

    for start in (plan_file.resolve().parent, Path.cwd()):
        root = find_workspace(start) / saved.root
        if root.is_dir():
            return root
    raise UsageError(f"{plan_file} was made for {saved.root}, and there is no such directory in this repository")


def read_basis(text: str | None) -> Digest | None:
    """Read the digest of a basis.

    Raises: UsageError when it is not a whole one
    """
    digest = Digest.parse(text) if text else None
    if text is not None and (digest is None or len(digest.hex) != _FULL_DIGEST):
        raise UsageError(f"--expect-basis {text}: not a digest; plan says it, as v1: and 64 hex digits")
    return digest
