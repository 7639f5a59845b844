"""plan and apply."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace

from reconciler import __version__
from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.execution import (
    ApplyFormats,
    ApplyReport,
    ParallelismOption,
    WaitOptions,
    run_and_show,
    show_refusals,
    show_time_is_up,
)
from reconciler.cli.formats import PlanFormat, ReviewOptions, count_rows_shown, is_json, show_review, write_failures
from reconciler.cli.options import (
    DEFAULT_ROOT,
    ApproveOption,
    DetailedExitOption,
    EnvOption,
    NoCacheOption,
    NoRowsOption,
    PricesOption,
    ProviderOption,
    RootArgument,
    add_command,
)
from reconciler.cli.places import check_with_progress
from reconciler.domain.errors import ReconcilerError, UsageError
from reconciler.domain.plan import ENVIRONMENT_VARIABLE, Options
from reconciler.domain.row_diff import FEW_ROWS
from reconciler.history import find_commit, plan_offline
from reconciler.journal import JournalKind, check_journal, mark_applied
from reconciler.planner import check_expected, check_fresh
from reconciler.render.html import DatasetFigures
from reconciler.render.review import Review, empty_plan, limit_samples
from reconciler.workflow import CheckedSpecs, Setting, locate_setting, read_bounds, require_home, resolve_setting
from reconciler.workflow.documents import (
    check_provider,
    read_basis,
    read_plan,
    resolve_saved_setting,
    review_plan,
    review_without_plan,
    save_plan,
)
from reconciler.workflow.plan import PreparedPlan, find_end, find_end_of_calls, make_options, open_service, prepare_plan
from reconciler.workflow.rows import add_row_diffs, gather_plan_stats

PLAN_EXAMPLES = """
Examples:

  reconciler plan                       the specs in specs/

  reconciler plan specs/quickstart      another root

  reconciler plan --detailed-exitcode   exit 2 if there is something to apply or decide

  reconciler plan --env prod            in an environment of the Project

  reconciler plan --out tonight.plan    save it for show and apply

  reconciler plan --format html=a.html  a page to look at

  reconciler plan --offline             no key, no network: against the lock file and git
"""

APPLY_EXAMPLES = """
Examples:

  reconciler apply                  show the plan, ask, apply it, wait

  reconciler apply --auto-approve   apply it without asking

  reconciler apply tonight.plan     apply a saved plan, if nothing changed since

  reconciler apply --expect-basis v1:…   only if nothing changed since that plan

Ctrl-C starts no new step and leaves jobs running; run apply again to continue.
"""


class PlanChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator asks of a plan."""

    target: Annotated[
        list[str] | None, typer.Option("--target", help="Only this model; repeatable.", metavar="NAME")
    ] = None
    retry: Annotated[
        list[str] | None,
        typer.Option("--retry", help="Train this failed or cancelled model again; repeatable.", metavar="NAME"),
    ] = None
    replace: Annotated[
        list[str] | None,
        typer.Option("--replace", help="Train this model again, which was deleted on the service.", metavar="NAME"),
    ] = None
    prune: Annotated[
        bool, typer.Option("--prune", help="Cancel and delete what is orphaned: ours, not in the specs, not in use.")
    ] = False
    allow: Annotated[
        list[str] | None, typer.Option("--allow", help="Plan although this guard refuses; repeatable.", metavar="GUARD")
    ] = None
    first_apply: Annotated[
        bool, typer.Option("--first-apply", help="The service is empty on purpose (as --allow empty-remote).")
    ] = False

    def read(self) -> Options:
        """Return the options of the plan.

        Raises: UsageError for a guard that does not exist
        """
        return make_options(
            target=self.target or (),
            retry=self.retry or (),
            replace=self.replace or (),
            prune=self.prune,
            allow=(*(self.allow or ()), *(("empty-remote",) if self.first_apply else ())),
        )


class InputOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is made from, beside its root."""

    provider: ProviderOption = None
    environment: EnvOption = None
    no_cache: NoCacheOption = False
    no_rows: NoRowsOption = False
    prices: PricesOption = None

    def resolve(self, root: Path) -> Setting:
        """Return the setting of a root.

        Raises: UsageError when the directory holds several projects
        """
        return resolve_setting(
            root,
            os.environ,
            provider=self.provider,
            prices=self.prices,
            environment=self.environment,
            use_cache=not self.no_cache,
        )

    def review_nothing(self, root: Path) -> Review:
        """Return the review of a root that could not even be chosen."""
        # An environment without a name is such a failure, and must not end its own report.
        environ = {name: value for name, value in os.environ.items() if value or name != ENVIRONMENT_VARIABLE}
        try:
            return review_without_plan(locate_setting(root, environ, environment=self.environment or None), commit="")
        except ReconcilerError:
            return Review(plan=empty_plan(__version__))


class SafetyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How an apply makes sure that nothing is created twice, and that the plan is the expected one."""

    journal: Annotated[
        JournalKind,
        typer.Option(
            "--journal",
            help="Where an intent is recorded before a job is created: a directory of this machine, a git ref, or the"
            " service.",
            envvar="RECONCILER_JOURNAL",
        ),
    ] = JournalKind.DIRECTORY
    bound: Annotated[
        list[str] | None,
        typer.Option(
            "--bound",
            help="A bound of the service, as in list_lag=1m; repeatable (RECONCILER_BOUNDS; docs/services.md).",
            metavar="NAME=TIME",
        ),
    ] = None
    expect_basis: Annotated[
        str | None,
        typer.Option("--expect-basis", help="Only if the plan has the same basis as this one.", metavar="DIGEST"),
    ] = None


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, plan, epilog=PLAN_EXAMPLES)
    add_command(app, apply, epilog=APPLY_EXAMPLES)


def plan(
    context: typer.Context,
    inputs: InputOptions,
    choices: PlanChoices,
    output: ReviewOptions,
    root: RootArgument = DEFAULT_ROOT,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Save the plan for apply.", metavar="FILE")] = None,
    detailed_exitcode: DetailedExitOption = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Call no service: plan against models.lock.yaml and git.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            help="With --offline, the git revision that holds the earlier specs and rows; the default is the fork from"
            " origin/HEAD.",
            metavar="REV",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="The same as --against, and the lock file is that of REV too: for what another person proposes, such"
            " as a pull request.",
            metavar="REV",
        ),
    ] = None,
) -> int:
    """Show what apply would do, and why.

    Reads specs, data and the service, and changes nothing.
    """
    console: Console = context.obj
    targets = output.read()
    if (against or base) and not offline:
        flag = "--against" if against else "--base"
        raise UsageError(f"{flag} names what --offline compares with; give both, or neither")
    if against and base:
        raise UsageError("--base and --against both name what --offline compares with; leave one of them out")
    if offline and out:
        raise UsageError("an offline plan does not know the service, so it cannot be applied; leave out --out")
    with write_failures(lambda: inputs.review_nothing(root), targets, console):
        options, setting = choices.read(), inputs.resolve(root)
    commit = find_commit(setting.workspace)
    most_samples, rows = count_rows_shown(targets), not inputs.no_rows
    with write_failures(lambda: review_without_plan(setting, commit=commit), targets, console):
        checked = check_with_progress(setting, console, count_tokens=True)
        if offline:
            prepared = plan_offline(
                setting,
                checked,
                options,
                base or against,
                rows=rows,
                most_samples=most_samples,
                has_earlier_lock=bool(base),
            )
        else:
            prepared = _plan_online(setting, checked, options, console, rows=rows, most_samples=most_samples)
    prepared = _limit_samples(prepared, 0) if output.no_samples else prepared
    if out:
        save_plan(_limit_samples(prepared, FEW_ROWS), out, commit=commit, redact=console.out.redact)
    code = exit_codes.of_plan(prepared.plan, detailed=detailed_exitcode)
    review = review_plan(prepared, commit=commit, samples=not output.no_samples)
    show_review(
        review, targets, console, exit_code=code, plan_file=str(out or ""), figures=lambda: _measure_figures(prepared)
    )
    if prepared.plan.refused:
        show_refusals(prepared, console)
    elif out and not is_json(targets):
        # The log of a GitHub job is read elsewhere, where the file is not.
        is_read_elsewhere = any(target.form is PlanFormat.GITHUB for target in targets)
        command = review.apply if is_read_elsewhere and review.apply else setting.scope.apply_saved(str(out))
        console.err.line(f"Saved. To apply exactly this plan: {command}")
        console.err.line(f"Basis: {prepared.plan.basis.digest} (apply --expect-basis takes it too)")
    return code


def _plan_online(
    setting: Setting, checked: CheckedSpecs, options: Options, console: Console, *, rows: bool, most_samples: int
) -> PreparedPlan:
    with open_service(setting, checked.specs, sleep=console.pause) as provider:
        with console.notice_silence():
            prepared = prepare_plan(setting, checked, options, provider)
        return add_row_diffs(prepared, provider, most_samples=most_samples) if rows else prepared


def _limit_samples(prepared: PreparedPlan, most: int) -> PreparedPlan:
    return replace(prepared, plan=limit_samples(prepared.plan, most))


def _measure_figures(prepared: PreparedPlan) -> Mapping[str, DatasetFigures]:
    stats = gather_plan_stats(prepared)
    return {name: DatasetFigures(after=after, before=before) for name, (after, before) in stats.items()}


def apply(
    context: typer.Context,
    inputs: InputOptions,
    choices: PlanChoices,
    safety: SafetyOptions,
    waiting: WaitOptions,
    output: ApplyFormats,
    what: Annotated[
        Path, typer.Argument(help="The spec root, or a plan saved with plan --out.", metavar="[ROOT|FILE]")
    ] = DEFAULT_ROOT,
    auto_approve: ApproveOption = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Exit when the jobs are created.")] = False,
    parallelism: ParallelismOption = 10,
) -> int:
    """Do what plan shows, and wait for the jobs.

    Shows the plan, asks for approval, uploads, trains and cancels, and records the serving models in models.lock.yaml.
    """
    as_json = output.wants_json(as_json=waiting.as_json)
    report = ApplyReport(context.obj, lambda: inputs.review_nothing(what), as_json=as_json)
    with report.write_however_it_ends():
        report.targets = output.read(as_json=waiting.as_json)
        report.exit_code = _apply(
            report,
            inputs,
            choices,
            safety,
            what,
            wait_seconds=waiting.timeout_seconds,
            auto_approve=auto_approve,
            no_wait=no_wait,
            parallelism=parallelism,
        )
    return report.exit_code


def _apply(
    report: ApplyReport,
    inputs: InputOptions,
    choices: PlanChoices,
    safety: SafetyOptions,
    what: Path,
    *,
    wait_seconds: float | None,
    auto_approve: bool,
    no_wait: bool,
    parallelism: int,
) -> int:
    console, expected = report.console, read_basis(safety.expect_basis)
    options = choices.read()
    saved = read_plan(what) if what.is_file() else None
    if saved and (inputs.provider or options != Options()):
        raise UsageError("a saved plan is applied as it is; give these options to plan --out")
    if not (saved or auto_approve or console.can_ask):
        raise UsageError(
            "apply needs approval, and there is no terminal to ask on; use --auto-approve, or apply a saved plan"
        )
    if saved:
        setting = resolve_saved_setting(
            what,
            saved,
            os.environ,
            prices=inputs.prices,
            environment=inputs.environment,
            use_cache=not inputs.no_cache,
        )
        options = saved.options
    else:
        setting = inputs.resolve(what)
    setting = replace(setting, journal=safety.journal, bounds=read_bounds(safety.bound or (), os.environ))
    report.empty = lambda: review_without_plan(setting, commit=find_commit(setting.workspace))
    checked = check_with_progress(setting, console, count_tokens=True)
    if saved:
        check_provider(saved, setting, checked)
    # Reading the rows takes no time of the service, so the time begins here.
    ends_at = find_end(wait_seconds)
    with open_service(setting, checked.specs, ends_at=find_end_of_calls(ends_at), sleep=console.pause) as provider:
        with console.notice_silence(), show_time_is_up(ends_at):
            check_journal(setting.journal, provider)
            prepared = prepare_plan(setting, checked, options, provider)
        if saved:
            check_fresh(saved.plan, prepared.plan)
        if expected:
            check_expected(expected, prepared.plan)
        with show_time_is_up(ends_at):
            prepared = prepared if inputs.no_rows else add_row_diffs(prepared, provider)
        report.show_plan(prepared)
        if prepared.plan.refused:
            show_refusals(prepared, console)
            return exit_codes.REFUSED
        # What waits for an older job is begun when that job has ended, so it is approved now.
        does_something = not prepared.plan.is_empty or (prepared.plan.is_waiting and not no_wait)
        if does_something and not (saved or auto_approve or console.ask_approval()):
            report.failure = "Not approved: nothing was done."
            console.err.line(report.failure)
            return exit_codes.REFUSED
        if saved:
            mark_applied(setting.own_home.shared, saved.id, require_home)
        return run_and_show(
            prepared,
            provider,
            console,
            wait=not no_wait,
            ends_at=ends_at,
            parallelism=parallelism,
            as_json=report.as_json,
            tally=report.begin(),
        )
