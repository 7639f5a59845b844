"""diff: what a plan would say between two commits, from git alone."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.formats import read_formats, show_review
from reconciler.cli.options import (
    DEFAULT_ROOT,
    EnvOption,
    FormatOption,
    JsonOption,
    NoRowsOption,
    NoSamplesOption,
    PricesOption,
    ProviderOption,
    settled,
)
from reconciler.cli.plans import show_refusals
from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.plan import Options
from reconciler.history.offline import check_out, check_out_sources, open_snapshot_at
from reconciler.history.revision import Revision, open_common, open_revision
from reconciler.workflow.engine import PreparedPlan, Setting

if TYPE_CHECKING:
    from reconciler.history.snapshot import Snapshot

EXAMPLES = """
Examples:

  reconciler diff main..HEAD             what this branch changes

  reconciler diff main...HEAD            the same, since it left main

  reconciler diff v1..v2 specs/support   another root

It reads commits and nothing else: no file that is not committed, no lock file, no service.
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(epilog=EXAMPLES)(diff)


def diff(
    context: typer.Context,
    revisions: Annotated[
        str, typer.Argument(help="Two git revisions; with three dots, since they parted.", metavar="REV1..REV2")
    ],
    root: Annotated[Path, typer.Argument(help="The spec root.")] = DEFAULT_ROOT,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when there are changes, 0 when there are none.")
    ] = False,
    format: FormatOption = None,  # noqa: A002 (the word of the flag)
    as_json: JsonOption = False,
    no_samples: NoSamplesOption = False,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    no_rows: NoRowsOption = False,
    prices: PricesOption = None,
) -> int:
    """Show what changed between two commits: models, rows, tokens and price.

    The specs of the first commit stand for what was applied; nothing is asked, and nothing is checked out.
    """
    from reconciler.workflow.review import review_of

    console: Console = context.obj
    wanted = read_formats(format, as_json=as_json)
    setting = settled(root, provider, prices, environment, use_cache=False)
    before, after = _sides(revisions, setting.workspace)
    prepared = plan_between(before, after, setting, rows=not no_rows)
    code = exit_codes.of_plan(prepared.plan, detailed=detailed_exitcode)
    review = review_of(prepared, samples=not no_samples, commit=after.commit)
    show_review(review, wanted, console, exit_code=code)
    if prepared.plan.refused:
        show_refusals(prepared, console)
    return code


def plan_between(before: Revision, after: Revision, setting: Setting, *, rows: bool = True) -> PreparedPlan:
    """Plan the specs of one revision against those of another.

    Raises: InputError for what is wrong with either, by the name of its revision; UsageError when there are no specs
    """
    from reconciler.history.offline_plan import PlanBase, plan_against
    from reconciler.history.snapshot import name_version
    from reconciler.workflow.engine import check_specs

    with ExitStack() as stack:
        there = stack.enter_context(check_out(after, setting))
        if there is None:
            raise UsageError(f"at {after.name} there is no directory {setting.root} of specs")
        try:
            _bring_all(after, there)
            checked = check_specs(there, count_tokens=True)
        except InputError as error:
            raise name_version(error, after.name) from error
        past: Snapshot | None = stack.enter_context(open_snapshot_at(before, setting))
        notes = () if past else (f"at {before.name} there is no directory {setting.root} of specs: all is new",)
        base = PlanBase(said=f"from {before.name} to {after.name}", pasts=(past,) if past else (), notes=notes)
        return plan_against(there, checked, Options(), base, rows=rows)


def _bring_all(revision: Revision, there: Setting) -> None:
    from reconciler.specfile import find_roots, read_specs

    roots = find_roots(there.root)
    if len(roots) > 1:
        listed = ", ".join(each.relative_to(there.workspace).as_posix() for each in roots)
        raise UsageError(f"at {revision.name} there are several projects; name one of them: {listed}")
    for spec in read_specs(there.root, there.workspace, there.environment).datasets:
        check_out_sources(revision, spec, there)


def _sides(text: str, workspace: Path) -> tuple[Revision, Revision]:
    for dots in ("...", ".."):
        before, found, after = text.partition(dots)
        if found:
            break
    else:
        raise UsageError(f"{text}: write two revisions with dots between them, as in main..HEAD")
    new = open_revision(after or "HEAD", workspace)
    old = open_revision(before or "HEAD", workspace)
    if dots == "..":
        return old, new
    common = open_common(before or "HEAD", after or "HEAD", workspace)
    if common is None:
        raise UsageError(f"{text}: the two revisions have no commit in common; write two dots instead of three")
    return common, new
