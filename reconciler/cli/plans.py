"""plan and apply."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.formats import is_json, read_formats, rows_shown, show_problems_in_formats, show_review
from reconciler.cli.options import (
    DEFAULT_ROOT,
    AgainstOption,
    AllowOption,
    BoundOption,
    EnvOption,
    FirstApplyOption,
    FormatOption,
    JournalOption,
    JsonOption,
    NoCacheOption,
    NoRowsOption,
    NoSamplesOption,
    OfflineOption,
    PricesOption,
    ProviderOption,
    PruneOption,
    ReplaceOption,
    RetryOption,
    TargetOption,
    TimeoutOption,
    plan_options,
    read_timeout,
    setting_of,
)
from reconciler.cli.progress import show_progress
from reconciler.cli.show import check_provider, read_basis, read_plan, read_previous_models, save_plan, setting_of_saved
from reconciler.domain.errors import UsageError
from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Options, Plan
from reconciler.history.offline import plan_offline
from reconciler.journal import JournalKind
from reconciler.journal.applied_plans import mark_applied
from reconciler.workflow.dataset_figures import gather_figures
from reconciler.workflow.engine import (
    CheckedSpecs,
    PreparedPlan,
    Setting,
    check_specs,
    make_home,
    open_service,
    prepare,
)
from reconciler.workflow.row_changes import add_row_diffs, drop_samples, limit_samples

PLAN_EXAMPLES = """
Examples:

  reconciler plan                       the specs in specs/

  reconciler plan specs/quickstart      another root

  reconciler plan --detailed-exitcode   exit 2 if there is something to do

  reconciler plan --env prod            in an environment of the Project

  reconciler plan --out tonight.plan    save it for show and apply

  reconciler plan --format html=a.html  a page to look at

  reconciler plan --offline             no key, no network: against the lock file and git
"""

APPLY_EXAMPLES = """
Examples:

  reconciler apply                  show the plan, ask, do it, wait

  reconciler apply --auto-approve   do it without asking

  reconciler apply tonight.plan     do what was saved, if nothing moved since

  reconciler apply --expect-basis v1:…   only if nothing moved since that plan

Ctrl-C stops new work and leaves jobs running; run apply again to go on.
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=PLAN_EXAMPLES)(plan)
    app.command(epilog=APPLY_EXAMPLES)(apply)


def plan(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="The spec root.")] = DEFAULT_ROOT,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Save the plan for apply.", metavar="FILE")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when there are changes, 0 when there are none.")
    ] = False,
    format: FormatOption = None,  # noqa: A002 (the word of the flag)
    as_json: JsonOption = False,
    no_samples: NoSamplesOption = False,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    target: TargetOption = None,
    retry: RetryOption = None,
    replace: ReplaceOption = None,
    prune: PruneOption = False,
    allow: AllowOption = None,
    first_apply: FirstApplyOption = False,
    no_cache: NoCacheOption = False,
    no_rows: NoRowsOption = False,
    prices: PricesOption = None,
    offline: OfflineOption = False,
    against: AgainstOption = None,
) -> int:
    """Show what apply would do, and why.

    Reads specs, data and the service, and changes nothing.
    """
    from reconciler.workflow.review import blank_review, review_of

    console: Console = context.obj
    wanted = read_formats(format, as_json=as_json)
    if against and not offline:
        raise UsageError("--against says what --offline compares with; say both, or neither")
    if offline and out:
        raise UsageError("an offline plan does not know the service, so it cannot be applied; leave out --out")
    options = plan_options(target, retry, replace, prune, allow, first_apply)
    setting = setting_of(root, provider, prices, environment, use_cache=not no_cache)
    with show_problems_in_formats(lambda: blank_review(setting), wanted, console):
        checked = check_with_progress(setting, console, count_tokens=True)
    if offline:
        prepared = plan_offline(setting, checked, options, against, rows=not no_rows, most_samples=rows_shown(wanted))
    else:
        prepared = _planned(setting, checked, options, rows=not no_rows, most_samples=rows_shown(wanted))
    prepared = drop_samples(prepared) if no_samples else prepared
    if out:
        save_plan(limit_samples(prepared), out)
    code = exit_codes.of_plan(prepared.plan, detailed=detailed_exitcode)
    review = review_of(prepared, samples=not no_samples, out=out)
    show_review(
        review, wanted, console, exit_code=code, plan_file=str(out or ""), figures=lambda: gather_figures(prepared)
    )
    if prepared.plan.refused:
        show_refusals(prepared, console)
    elif out and not is_json(wanted):
        console.err.line(f"Saved. To do exactly this: reconciler apply {out}")
        console.err.line(f"Basis: {prepared.plan.basis.digest} (apply --expect-basis takes it too)")
    return code


def _planned(
    setting: Setting, checked: CheckedSpecs, options: Options, *, rows: bool, most_samples: int
) -> PreparedPlan:
    with open_service(setting, checked.specs) as opened:
        prepared = prepare(setting, checked, options, opened)
        return add_row_diffs(prepared, opened, most_samples=most_samples) if rows else prepared


def apply(
    context: typer.Context,
    what: Annotated[
        Path, typer.Argument(help="The spec root, or a plan saved with plan --out.", metavar="[ROOT|FILE]")
    ] = DEFAULT_ROOT,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Leave when the jobs are created.")] = False,
    timeout: TimeoutOption = None,
    parallelism: Annotated[
        int, typer.Option("--parallelism", help="How many steps may run side by side.", min=1, max=64)
    ] = 10,
    as_json: JsonOption = False,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    target: TargetOption = None,
    retry: RetryOption = None,
    replace: ReplaceOption = None,
    prune: PruneOption = False,
    allow: AllowOption = None,
    first_apply: FirstApplyOption = False,
    no_cache: NoCacheOption = False,
    no_rows: NoRowsOption = False,
    prices: PricesOption = None,
    journal: JournalOption = JournalKind.DIRECTORY,
    bound: BoundOption = None,
    expect_basis: Annotated[
        str | None,
        typer.Option("--expect-basis", help="Only if the plan rests on just what this one did.", metavar="DIGEST"),
    ] = None,
) -> int:
    """Do what plan shows, and wait for the jobs.

    Shows the plan, asks for a yes, uploads, trains and cancels, and records in models.lock.yaml which models answer.
    """
    from reconciler.cli.bounds import applying
    from reconciler.cli.execution import run_plan
    from reconciler.planner.saved_plan import check_expected, check_fresh

    console: Console = context.obj
    wait_seconds, expected = read_timeout(timeout), read_basis(expect_basis)
    options = plan_options(target, retry, replace, prune, allow, first_apply)
    saved = read_plan(what) if what.is_file() else None
    if saved and (provider or options != Options()):
        raise UsageError("a saved plan is applied as it is; say these options to plan --out")
    if not (saved or auto_approve or console.can_ask):
        raise UsageError(
            "apply wants a yes, and there is no terminal to ask on; say --auto-approve, or apply a saved plan"
        )
    if saved:
        setting = setting_of_saved(what, saved, prices, environment, use_cache=not no_cache)
        options = saved.options
    else:
        setting = setting_of(what, provider, prices, environment, use_cache=not no_cache)
    setting = applying(setting, journal, bound or ())
    checked = check_with_progress(setting, console, count_tokens=True)
    if saved:
        check_provider(saved, setting, checked)
    with open_service(setting, checked.specs) as opened:
        prepared = prepare(setting, checked, options, opened)
        if saved:
            check_fresh(saved.plan, prepared.plan)
        if expected:
            check_expected(expected, prepared.plan)
        prepared = prepared if no_rows else add_row_diffs(prepared, opened)
        show_plan(prepared.plan, read_previous_models(prepared), console, as_json=as_json)
        if prepared.plan.refused:
            show_refusals(prepared, console)
            return exit_codes.REFUSED
        if not (prepared.plan.is_empty or saved or auto_approve or ask_approval(console)):
            console.err.line("Not approved: nothing was done.")
            return exit_codes.REFUSED
        if saved:
            mark_applied(setting.home, saved.id, make_home)
        return run_plan(
            prepared,
            opened,
            console,
            wait=not no_wait,
            timeout_seconds=wait_seconds,
            parallelism=parallelism,
            as_json=as_json,
        )


def check_with_progress(setting: Setting, console: Console, *, count_tokens: bool = False) -> CheckedSpecs:
    """Read specs and data, telling of long readings and of what the checks warn of."""
    from reconciler.render import problems_text

    with show_progress(console) as tell:
        checked = check_specs(setting, tell, count_tokens=count_tokens)
    if checked.warnings:
        console.err.write(problems_text(checked.warnings, tail="nothing is in the way", colour=console.colour_err))
    return checked


def show_plan(plan: Plan, previous: Mapping[Address, ModelId], console: Console, *, as_json: bool) -> None:
    """Put a plan on stdout; `previous` are the models that answered when it was made."""
    from reconciler.render import plan_json, plan_text

    console.out.write(plan_json(plan) if as_json else plan_text(plan, colour=console.colour, previous=previous))


def show_refusals(prepared: PreparedPlan, console: Console) -> None:
    """Say on stderr what was seen, what was not done and how to go on, whatever form stdout has."""
    from reconciler.render import refusals_text

    console.err.write(refusals_text(prepared.plan, colour=console.colour_err))


def ask_approval(console: Console) -> bool:
    """Ask; only the word yes is one."""
    console.err.line("Do you want to carry out these steps? Only yes is taken for one.")
    console.err.write("  Enter a value: ")
    try:
        return input() == "yes"
    except EOFError:
        return False
