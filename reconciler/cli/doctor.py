"""doctor: whether specs can be read and a service can be reached."""

from collections.abc import Iterator

import msgspec
import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import SpecsOptions, add_command
from reconciler.cli.places import resolve_specs
from reconciler.domain.desired import is_one_file
from reconciler.domain.errors import InputError, PolicyError, ReconcilerError, UsageError
from reconciler.domain.observed import Observed
from reconciler.providers import describe_signing
from reconciler.render import clean, count_text
from reconciler.workflow import check_bases, read_setting, select_provider
from reconciler.workflow.plan import open_service


class DoctorFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was checked; `error` is what is wrong with it."""

    what: str
    detail: str = ""
    error: ReconcilerError | None = None


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, doctor)


def doctor(context: typer.Context, where: SpecsOptions) -> int:
    """Check that plan and apply can work here."""
    console: Console = context.obj
    findings = tuple(_examine(where, console))
    column = max(len(clean(each.what)) for each in findings)
    for each in findings:
        detail = clean(each.detail or (str(each.error) if each.error else ""))
        console.out.line(f"{'FAIL' if each.error else 'ok':4}  {clean(each.what):{column}}  {detail}".rstrip())
    console.out.flush()
    errors = [each.error for each in findings if each.error]
    for error in errors:
        console.show_error(error)
    return exit_codes.of_error(errors[0]) if errors else exit_codes.OK


def _examine(where: SpecsOptions, console: Console) -> Iterator[DoctorFinding]:
    """Yield findings about the specs, then the service, then both together."""
    try:
        setting = resolve_specs(where)
        specs = read_setting(setting)
    except ReconcilerError as error:
        yield DoctorFinding(what="specs", error=error)
        return
    counts = f"{count_text(len(specs.models), 'model')}, {count_text(len(specs.datasets), 'dataset')}"
    yield DoctorFinding(what="specs", detail=f"{setting.root}, {counts}")
    yield DoctorFinding(what="own files", detail=str(setting.home))
    name = select_provider(setting, specs)
    try:
        signed_with = describe_signing(setting.profiles.find(name), setting.environ)
        yield DoctorFinding(what="signed with", detail=signed_with)
        with open_service(setting, specs, sleep=console.pause) as provider:
            observed = provider.observe()
    except ReconcilerError as error:
        yield DoctorFinding(what=f"service {name}", error=error)
        return
    jobs = count_text(len(observed.jobs), "job")
    yield DoctorFinding(what=f"service {name}", detail=f"{observed.service}, {jobs} of project {specs.project.name}")
    yield from _examine_carriers(provider.capabilities.carrier, observed)
    faults = tuple(check_bases(setting, specs, [model.name for model in specs.models]))
    for base in sorted({model.recipe.base for model in specs.models}):
        listed = base in observed.models
        detail = "listed by the service" if listed else "not in the service's list; the service decides"
        fault = next((each for each in faults if f"`{base}`" in each.what), None) if not listed else None
        refused = InputError((fault,)) if fault else None
        yield DoctorFinding(what=f"base model {base}", detail="" if refused else detail, error=refused)
    if observed.list_warnings:
        yield DoctorFinding(what="lists", error=UsageError("; ".join(observed.list_warnings)))


def _examine_carriers(carrier: str, observed: Observed) -> Iterator[DoctorFinding]:
    """Yield what the jobs and files that are there show of the marks that they were sent with.

    Nothing is sent for it: a job costs money, and only a job shows what becomes of its marks.
    """
    ours = [file.id for file in observed.files if file.stamp]
    unmarked = [job.id for job in observed.unmarked if job.training_file and is_one_file(job.training_file, ours)]
    kept = f"{count_text(len(observed.jobs), 'job')} of this project" if observed.jobs else ""
    if unmarked:
        what = f"{count_text(len(unmarked), 'job')} on files of this project without marks, {unmarked[0]} for one"
        why = "the service, or a gateway before it, may drop them; look whose these jobs are before the next apply"
        yield DoctorFinding(what="marks of jobs", error=PolicyError(f"{what}: {why}"))
    elif carrier:
        shown = f"kept, as {kept} show" if kept else "not shown yet: this project has no job there"
        yield DoctorFinding(what="marks of jobs", detail=f"in {carrier}; {shown}")
    if ours:
        detail = f"kept, as {count_text(len(ours), 'file')} of this project show"
        yield DoctorFinding(what="names of files", detail=detail)
