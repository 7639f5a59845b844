"""diff and show: plans that are shown without a service, from git or from a file."""

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.execution import show_refusals
from reconciler.cli.formats import ReviewOptions, is_json, show_review, write_failures
from reconciler.cli.options import (
    DEFAULT_ROOT,
    DetailedExitOption,
    EnvOption,
    NoRowsOption,
    PricesOption,
    ProviderOption,
    RootArgument,
    add_command,
)
from reconciler.cli.places import WARNINGS_TAIL
from reconciler.history import open_range, plan_between
from reconciler.render import problems_text, time_text
from reconciler.workflow import resolve_setting
from reconciler.workflow.documents import (
    parse_previous_models,
    read_plan,
    review_plan,
    review_saved_plan,
    review_without_plan,
)

DIFF_EXAMPLES = """
Examples:

  reconciler diff main..HEAD             what this branch changes

  reconciler diff main...HEAD            the same, since it left main

  reconciler diff v1..v2 specs/support   another root

It reads commits and nothing else: no file that is not committed, no lock file, no service.
"""

SHOW_EXAMPLES = """
Examples:

  reconciler show tonight.plan

  reconciler show tonight.plan --format html=tonight.html
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, diff, epilog=DIFF_EXAMPLES)
    add_command(app, show, epilog=SHOW_EXAMPLES)


def diff(
    context: typer.Context,
    output: ReviewOptions,
    revisions: Annotated[
        str, typer.Argument(help="Two git revisions; with three dots, since they parted.", metavar="REV1..REV2")
    ],
    root: RootArgument = DEFAULT_ROOT,
    detailed_exitcode: DetailedExitOption = False,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    no_rows: NoRowsOption = False,
    prices: PricesOption = None,
) -> int:
    """Show what changes between two commits.

    Models, rows, tokens and price. The specs of the first commit stand for what was applied. No service is called, and
    the work tree stays as it is.
    """
    console: Console = context.obj
    targets = output.read()
    setting = resolve_setting(
        root,
        os.environ,
        is_root=True,
        provider=provider,
        prices=prices,
        environment=environment,
        use_cache=False,
    )
    with write_failures(lambda: review_without_plan(setting, commit=""), targets, console):
        before, after = open_range(revisions, setting.workspace)
        prepared = plan_between(before, after, setting, rows=not no_rows)
    code = exit_codes.of_plan(prepared.plan, detailed=detailed_exitcode)
    review = review_plan(prepared, commit=after.commit, samples=not output.no_samples)
    show_review(review, targets, console, exit_code=code)
    if prepared.plan.refused:
        show_refusals(prepared, console)
    return code


def show(
    context: typer.Context,
    output: ReviewOptions,
    file: Annotated[Path, typer.Argument(help="A plan saved with plan --out.", metavar="FILE")],
) -> int:
    """Show a saved plan as it was made.

    Reads the file alone: neither specs, nor data, nor the service. apply checks whether the plan is still current.
    """
    console: Console = context.obj
    targets = output.read()
    saved = read_plan(file)
    review = review_saved_plan(saved, parse_previous_models(saved), samples=not output.no_samples)
    show_review(review, targets, console, exit_code=exit_codes.OK, plan_file=str(file))
    if saved.findings:
        console.err.write(problems_text(saved.findings, tail=WARNINGS_TAIL, colour=console.colour_err))
    if not is_json(targets):
        made_at = time_text(saved.made_at, "%Y-%m-%d at %H:%M UTC")
        console.err.line(f"Made on {made_at} from {saved.root}. Basis: {saved.plan.basis.digest}")
    return exit_codes.OK
