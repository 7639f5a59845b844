"""doctor: whether specs can be read and a service can be reached."""

import secrets
import time
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption, SpecsOptions, add_command
from reconciler.cli.places import resolve_specs
from reconciler.domain.desired import is_one_file
from reconciler.domain.errors import InputError, PolicyError, ProviderError, ReconcilerError, UsageError
from reconciler.domain.observed import Observed
from reconciler.domain.ports import Provider
from reconciler.domain.spec import Expect, Specs
from reconciler.providers import describe_signing
from reconciler.render import FORMAT_VERSION, Fields, clean, count_text, json_document, problem_fields, service_fields
from reconciler.workflow import Setting, check_bases, read_setting, select_provider
from reconciler.workflow.plan import open_service
from reconciler.workflow.probing import check_account, probe_files

EXAMPLES = """
Examples:

  reconciler doctor              reads, and sends nothing

  reconciler doctor --probe      also sends one tiny file, looks how it is kept, and deletes it

A probe costs nothing: no job is created. Only a job shows whether the service keeps the marks of jobs.
"""

ProbeOption = Annotated[
    bool,
    typer.Option("--probe", help="Send one tiny training file, look how the service keeps it, and delete it."),
]


class DoctorFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was checked; `error` is what is wrong with it."""

    what: str
    detail: str = ""
    error: ReconcilerError | None = None


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, doctor, epilog=EXAMPLES)


def doctor(context: typer.Context, where: SpecsOptions, probe: ProbeOption = False, as_json: JsonOption = False) -> int:
    """Check that plan and apply can work here."""
    console: Console = context.obj
    findings = tuple(_examine(where, console, probe=probe))
    errors = [each.error for each in findings if each.error]
    code = exit_codes.of_error(errors[0]) if errors else exit_codes.OK
    if as_json:
        shown = [_fields(each) for each in findings]
        console.out.write(json_document({"format_version": FORMAT_VERSION, "exit_code": code, "findings": shown}))
        return code
    column = max(len(clean(each.what)) for each in findings)
    for each in findings:
        detail = clean(str(each.error) if each.error else each.detail)
        console.out.line(f"{'FAIL' if each.error else 'ok':4}  {clean(each.what):{column}}  {detail}".rstrip())
    console.out.flush()
    for error in errors:
        console.show_error(error)
    return code


def _fields(finding: DoctorFinding) -> Fields:
    """Return a finding as the document shows it: of an error its hint, its problems, and what the service answered."""
    error = finding.error
    fields: Fields = {
        "what": clean(finding.what),
        "ok": error is None,
        "detail": clean(str(error) if error else finding.detail),
    }
    if hint := getattr(error, "hint", ""):
        fields["hint"] = clean(hint)
    if isinstance(error, InputError):
        fields["problems"] = [problem_fields(each) for each in error.problems]
    if isinstance(error, ProviderError) and (answer := service_fields(error)):
        fields["service"] = answer
    return fields


def _examine(where: SpecsOptions, console: Console, *, probe: bool) -> Iterator[DoctorFinding]:
    """Yield findings about the specs, then the service, then both together, and what a probe shows at the end."""
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
            with console.notice_silence():
                observed = provider.observe()
            yield from _examine_service(setting, specs, name, provider, observed)
            if probe:
                yield from _probe(specs, provider, observed, console)
    except ReconcilerError as error:
        yield DoctorFinding(what=f"service {name}", error=error)


def _examine_service(
    setting: Setting, specs: Specs, name: str, provider: Provider, observed: Observed
) -> Iterator[DoctorFinding]:
    jobs = count_text(len(observed.jobs), "job")
    yield DoctorFinding(what=f"service {name}", detail=f"{observed.service}, {jobs} of project {specs.project.name}")
    if specs.project.expect != Expect():
        yield _examine_account(specs, observed)
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


def _examine_account(specs: Specs, observed: Observed) -> DoctorFinding:
    try:
        check_account(specs.project.expect, observed)
    except PolicyError as error:
        return DoctorFinding(what="expected service", error=error)
    return DoctorFinding(what="expected service", detail="it is the one that the Project expects")


def _probe(specs: Specs, provider: Provider, observed: Observed, console: Console) -> Iterator[DoctorFinding]:
    """Yield what a probe shows; to a service that the Project does not expect, nothing is sent."""
    try:
        check_account(specs.project.expect, observed)
        for each in probe_files(provider, secrets.token_hex(8), time.monotonic, console.pause):
            yield DoctorFinding(what=f"probe: {each.what}", detail=each.detail, error=each.error)
    except ReconcilerError as error:
        yield DoctorFinding(what="probe", error=error)


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
