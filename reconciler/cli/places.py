"""Where a command works: its options and arguments as a setting, and its specs checked in front of the operator."""

import os
from collections.abc import Sequence

from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, SpecsOptions
from reconciler.render import problems_text
from reconciler.workflow import CheckedSpecs, Setting, check_specs, resolve_setting
from reconciler.workflow.targets import Workplace, find_workplace

WARNINGS_TAIL = "warnings do not stop a plan"


def resolve_specs(where: SpecsOptions, model: str | None = None) -> Setting:
    """Return the setting of a command; of several projects, that which names the model.

    Raises: UsageError when none or several do
    """
    return resolve_setting(where.specs, os.environ, model=model, provider=where.provider, environment=where.environment)


def find_place(where: SpecsOptions, texts: Sequence[str] = ()) -> Workplace:
    """Return where a command about names or ids works.

    Raises: UsageError when several projects are possible, InputError when specs exist and are invalid
    """
    return find_workplace(
        texts,
        where.specs,
        os.environ,
        default_root=DEFAULT_ROOT,
        provider=where.provider,
        environment=where.environment,
    )


def check_with_progress(setting: Setting, console: Console, *, count_tokens: bool = False) -> CheckedSpecs:
    """Read specs and data; show the progress of long readings, and the warnings of the checks."""
    with console.show_progress() as progress:
        checked = check_specs(setting, progress, count_tokens=count_tokens)
    if checked.warnings:
        console.err.write(problems_text(checked.warnings, tail=WARNINGS_TAIL, colour=console.colour_err))
    return checked
