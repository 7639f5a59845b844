"""serve and doctor: the built-in service on a port, and whether a service can be reached."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperCommand

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, ProviderOption, SpecsOption, setting_of
from reconciler.domain.errors import InputError, ReconcilerError, UsageError
from reconciler.workflow.engine import make_home, open_service, provider_name, read_setting_specs, settle

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

SERVE_EXAMPLES = """Examples:

  reconciler serve --port 8000 --store /tmp/store

  reconciler serve --fault lost=after,method=POST,path=/fine_tuning/jobs,nth=1

  reconciler serve --fault list-lag=3 --fault too-many=slow_down,count=2
"""


class ServeCommand(TyperCommand):
    """A command whose `--legacy-bases` may stand alone, which the library has no word for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Say what the option means when no value follows it."""
        from reconciler.service import ALL_LEGACY_BASES

        for at, (word, after) in enumerate(pairwise([*args, "--"])):
            if word == "--legacy-bases" and after.startswith("-"):
                args = [*args[:at], f"{word}={ALL_LEGACY_BASES}", *args[at + 1 :]]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(cls=ServeCommand, epilog=SERVE_EXAMPLES)(serve)
    app.command()(doctor)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Which port; 0 for any that is free.", min=0, max=65535)] = 8000,
    host: Annotated[str, typer.Option("--host", help="Which address; loopback unless told otherwise.")] = "127.0.0.1",
    store: Annotated[Path | None, typer.Option("--store", help="Where it keeps files and jobs.", metavar="DIR")] = None,
    api_key: Annotated[
        str | None,
        typer.Option("--api-key", help="The key that callers must show.", envvar="RECONCILER_LOCAL_KEY", metavar="KEY"),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="Something to do wrong on purpose; see docs/faults.md.", metavar="FAULT"),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A file of faults, a JSON object a line.", metavar="FILE")
    ] = None,
    legacy_bases: Annotated[
        str | None,
        typer.Option(
            "--legacy-bases",
            help="Old names for what trains or answers here; with no value, ada, babbage, curie and davinci.",
            metavar="[NAME=BASE,…]",
        ),
    ] = None,
    any_key: Annotated[
        bool, typer.Option("--any-key", help="Ask for no key: for suites that bring their own, on loopback only.")
    ] = False,
    show_paused: Annotated[
        bool, typer.Option("--show-paused", help="Let paused jobs say so, a status that strict clients do not know.")
    ] = False,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", help="Objects that are always there, for other people's test suites.", metavar="SET"),
    ] = None,
    requests_per_minute: Annotated[
        int, typer.Option("--requests-per-minute", help="How many requests it takes in a minute.", min=1)
    ] = 100_000,
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook", help="Where to tell of jobs that ended, signed with OPENAI_WEBHOOK_SECRET.", metavar="URL"
        ),
    ] = None,
) -> int:
    """Run the built-in service on a port.

    For any OpenAI client; the base URL and a key are printed.
    """
    import secrets

    from reconciler.render import clean
    from reconciler.service import SECRET_VARIABLE, ServiceSettings, read_faults, read_legacy_bases, read_webhook
    from reconciler.service import serve as serve_on

    console: Console = context.obj
    wrong = read_faults(fault or (), faults)
    bases = read_legacy_bases(legacy_bases) if legacy_bases is not None else {}
    notified = None if webhook is None else read_webhook(webhook, os.environ.get(SECRET_VARIABLE))
    setting = settle(Path(), os.environ)
    if store is None:
        make_home(setting.home)
    if any_key and host not in LOOPBACK:
        raise UsageError("--any-key lets everybody in who can reach it: it is for loopback only")
    key = None if any_key else api_key or secrets.token_urlsafe(32)
    if host not in LOOPBACK:
        console.err.line(f"Warning: {host} can be reached from other machines, and the key travels in the clear.")

    def ready(url: str) -> None:
        console.out.line(f"export OPENAI_BASE_URL={url}")
        if key is not None and api_key is None:
            # The key was made here and is of use to nobody who cannot see this terminal.
            console.out.line(f"export OPENAI_API_KEY={key}")
        console.out.flush()
        console.err.line(f"Serving {store or setting.store}. Stop with Ctrl-C; jobs go on.")
        for name, base in bases.items():
            console.err.line(f"The name {clean(name)} stands for {clean(base)}, which has nothing to do with OpenAI's.")
        for each in wrong:
            console.err.line(f"Warning: a fault is on: {clean(each.text)}")

    settings = ServiceSettings(
        faults=wrong,
        legacy_bases=bases,
        show_paused=show_paused,
        seeds=seeds,
        requests_per_minute=requests_per_minute,
        webhook=notified,
    )
    serve_on(store or setting.store, settings, host=host, port=port, api_key=key, on_ready=ready)
    return exit_codes.OK


class DoctorFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at; `error` is what is wrong with it."""

    what: str
    detail: str = ""
    error: ReconcilerError | None = None


def doctor(
    context: typer.Context,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
) -> int:
    """Check that plan and apply can work here."""
    from reconciler.render import clean, problems_text

    console: Console = context.obj
    findings = tuple(_examine(specs, provider, environment))
    column = max(len(clean(each.what)) for each in findings)
    for each in findings:
        detail = clean(each.detail or (str(each.error) if each.error else ""))
        console.out.line(f"{'FAIL' if each.error else 'ok':4}  {clean(each.what):{column}}  {detail}".rstrip())
    console.out.flush()
    errors = [each.error for each in findings if each.error]
    for error in errors:
        if isinstance(error, InputError):
            told = problems_text(error.problems, error.unshown, "nothing was sent", colour=console.colour_err)
            console.err.write(told)
        else:
            console.show_error(error)
    return exit_codes.of_error(errors[0]) if errors else exit_codes.OK


def _examine(root: Path, provider: str | None, environment: str | None) -> Iterator[DoctorFinding]:
    """Look at the specs, then at the service, then at what they have to do with each other."""
    from reconciler.providers import PROFILES, describe_signing
    from reconciler.render import count_text

    try:
        setting = setting_of(root, provider, environment=environment)
        found = read_setting_specs(setting)
    except ReconcilerError as error:
        yield DoctorFinding(what="specs", error=error)
        return
    counts = f"{count_text(len(found.models), 'model')}, {count_text(len(found.datasets), 'dataset')}"
    yield DoctorFinding(what="specs", detail=f"{setting.root}, {counts}")
    name = provider_name(setting, found)
    try:
        if name in PROFILES:
            yield DoctorFinding(what="signed with", detail=describe_signing(PROFILES[name], setting.environ))
        with open_service(setting, found) as opened:
            seen = opened.observe()
    except ReconcilerError as error:
        yield DoctorFinding(what=f"service {name}", error=error)
        return
    jobs = count_text(len(seen.jobs), "job")
    yield DoctorFinding(what=f"service {name}", detail=f"{seen.service}, {jobs} of project {found.project.name}")
    for base in sorted({model.recipe.base for model in found.models}):
        detail = "known to the service" if base in seen.models else "not in the service's list; it decides"
        yield DoctorFinding(what=f"base model {base}", detail=detail)
    if seen.list_warnings:
        yield DoctorFinding(what="lists", error=UsageError("; ".join(seen.list_warnings)))
