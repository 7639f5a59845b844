"""serve and doctor: the built-in service on a port, and whether a service can be reached."""

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exits
from reconciler.cli.options import DEFAULT_ROOT, ProviderOption, SpecsOption, setting_of
from reconciler.cli.talk import Talk
from reconciler.domain.errors import ReconcilerError, UsageError
from reconciler.engine import make_home, provider_name, service, settle

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog="Example:\n\n  reconciler serve --port 8000 --store /tmp/store")(serve)
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
) -> int:
    """Put the built-in service on a port.

    For any OpenAI client; the base URL and a key are printed.
    """
    import secrets

    from reconciler.server import serve as serve_on

    talk: Talk = context.obj
    setting = settle(Path(), os.environ)
    if store is None:
        make_home(setting.home)
    key = api_key or secrets.token_urlsafe(32)
    if host not in LOOPBACK:
        talk.err.line(f"Warning: {host} can be reached from other machines, and the key travels in the clear.")

    def ready(url: str) -> None:
        talk.out.line(f"export OPENAI_BASE_URL={url}")
        if api_key is None:
            # The key was made here and is of use to nobody who cannot see this terminal.
            talk.out.line(f"export OPENAI_API_KEY={key}")
        talk.out.flush()
        talk.err.line(f"Serving {store or setting.store}. Stop with Ctrl-C; jobs go on.")

    serve_on(store or setting.store, host=host, port=port, api_key=key, on_ready=ready)
    return exits.OK


def doctor(context: typer.Context, specs: SpecsOption = DEFAULT_ROOT, provider: ProviderOption = None) -> int:
    """Check that plan and apply can work here."""
    from reconciler.render import clean, counted
    from reconciler.spec import read_specs

    talk: Talk = context.obj
    code = exits.OK

    def said(what: str, error: ReconcilerError | None = None, detail: str = "") -> None:
        nonlocal code
        talk.out.line(f"{'FAIL' if error else 'ok  '}  {what}{': ' + clean(detail) if detail else ''}")
        if error:
            code = code or exits.of_error(error)
            talk.error(error)

    try:
        setting = setting_of(specs, provider)
        read = read_specs(setting.root, setting.workspace)
    except ReconcilerError as error:
        said("specs", error)
        return code
    said(
        "specs",
        detail=f"{setting.root}, {counted(len(read.models), 'model')}, {counted(len(read.datasets), 'dataset')}",
    )
    name = provider_name(setting, read)
    try:
        with service(setting, read) as opened:
            seen = opened.observe()
    except ReconcilerError as error:
        said(f"service {name}", error)
        return code
    said(f"service {name}", detail=f"{seen.service}, {counted(len(seen.jobs), 'job')} of project {read.project.name}")
    bases = {model.recipe.base for model in read.models}
    for base in sorted(bases):
        known = base in seen.models
        said(f"base model {base}", detail="known to the service" if known else "not in the service's list; it decides")
    if seen.doubts:
        said("lists", UsageError("; ".join(seen.doubts)))
    return code
