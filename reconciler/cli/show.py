"""show: a saved plan, as it was made."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.formats import ReviewOptions, is_json, show_review
from reconciler.cli.options import add_command
from reconciler.workflow.review import review_saved_plan
from reconciler.workflow.saved_plan import parse_previous_models, read_plan

EXAMPLES = """
Examples:

  reconciler show tonight.plan

  reconciler show tonight.plan --format html=tonight.html
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, show, epilog=EXAMPLES)


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
    review = review_saved_plan(saved, parse_previous_models(saved), file, samples=not output.no_samples)
    show_review(review, targets, console, exit_code=exit_codes.OK, plan_file=str(file))
    if not is_json(targets):
        made_at = datetime.fromtimestamp(saved.made_at, UTC)
        console.err.line(f"Made on {made_at:%Y-%m-%d at %H:%M} UTC from {saved.root}. Basis: {saved.plan.basis.digest}")
    return exit_codes.OK
