"""serve: the built-in service on a port."""

import os
import secrets
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperCommand

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import add_command
from reconciler.domain.errors import UsageError
from reconciler.service import (
    ALL_LEGACY_BASES,
    SECRET_VARIABLE,
    ServiceSettings,
    read_faults,
    read_legacy_bases,
    read_webhook,
)
from reconciler.service import serve as serve_store
from reconciler.workflow import check_home, locate_setting, require_home

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

EXAMPLES = """Examples:

  reconciler serve --port 8000 --store /tmp/store

  reconciler serve --fault lost=after,method=POST,path=/fine_tuning/jobs,nth=1

  reconciler serve --fault list-lag=3 --fault too-many=slow_down,count=2
"""


class ServeCommand(TyperCommand):
    """A command whose `--legacy-bases` may stand without a value, which typer does not support."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Set the option to its default value when no value follows it."""
        for at, (word, after) in enumerate(pairwise([*args, "--"])):
            if word == "--legacy-bases" and after.startswith("-"):
                args = [*args[:at], f"{word}={ALL_LEGACY_BASES}", *args[at + 1 :]]
        return super().parse_args(ctx, args)


class PortOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service listens, and which key it asks for."""

    port: Annotated[int, typer.Option("--port", help="The port; 0 for any that is free.", min=0, max=65535)] = 8000
    host: Annotated[
        str, typer.Option("--host", help="The address; the default is reachable from this machine only.")
    ] = "127.0.0.1"
    store: Annotated[Path | None, typer.Option("--store", help="Where it keeps files and jobs.", metavar="DIR")] = None
    api_key: Annotated[
        str | None,
        typer.Option("--api-key", help="The key that callers must send.", envvar="RECONCILER_LOCAL_KEY", metavar="KEY"),
    ] = None
    any_key: Annotated[
        bool,
        typer.Option("--any-key", help="Accept any key: for test suites that bring their own, on loopback only."),
    ] = False


class BehaviourOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the service differs from its default behaviour."""

    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="A fault to inject; see docs/faults.md.", metavar="FAULT"),
    ] = None
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A file of faults, one JSON object a line.", metavar="FILE")
    ] = None
    legacy_bases: Annotated[
        str | None,
        typer.Option(
            "--legacy-bases",
            help="Old names for base models of this service; without a value, ada, babbage, curie and davinci.",
            metavar="[NAME=BASE,…]",
        ),
    ] = None
    show_paused: Annotated[
        bool,
        typer.Option("--show-paused", help="Show paused jobs as paused, a status that strict clients do not know."),
    ] = False
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", help="Objects that always exist, for test suites of other projects.", metavar="SET"),
    ] = None
    requests_per_minute: Annotated[
        int, typer.Option("--requests-per-minute", help="How many requests it accepts in a minute.", min=1)
    ] = 100_000
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook",
            help="Where to send events of jobs that ended, signed with OPENAI_WEBHOOK_SECRET.",
            metavar="URL",
        ),
    ] = None


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, serve, epilog=EXAMPLES, cls=ServeCommand)


def serve(context: typer.Context, where: PortOptions, behaviour: BehaviourOptions) -> int:
    """Run the built-in service on a port.

    For any OpenAI client; the base URL and a key are printed.
    """
    console: Console = context.obj
    faults = read_faults(behaviour.fault or (), behaviour.faults)
    bases = read_legacy_bases(behaviour.legacy_bases) if behaviour.legacy_bases is not None else {}
    webhook = None if behaviour.webhook is None else read_webhook(behaviour.webhook, os.environ.get(SECRET_VARIABLE))
    setting = locate_setting(Path(), os.environ)
    if where.store is None:
        check_home(setting.own_home, setting.workspace, setting.environ)
        require_home(setting.home)
    is_loopback = where.host in LOOPBACK
    if where.any_key and not is_loopback:
        raise UsageError("--any-key admits every caller that can reach the service: it is for loopback only")
    if where.api_key == "":
        raise UsageError(
            "--api-key is empty, and an empty key admits no caller: state one, or leave the option out to have one made"
        )
    key = None if where.any_key else where.api_key or secrets.token_urlsafe(32)
    if not is_loopback:
        console.err.line(
            f"Warning: {where.host} can be reached from other machines, and the key is sent without encryption."
        )
    store = where.store or setting.store

    def show_ready(url: str) -> None:
        console.out.line(f"export OPENAI_BASE_URL={url}")
        if key is not None and where.api_key is None:
            # The key was made for this run, and only this terminal shows it.
            console.out.line(f"export OPENAI_API_KEY={key}")
        console.out.flush()
        console.err.line(f"Serving {store}. Stop with Ctrl-C; jobs continue.")
        for name, base in bases.items():
            console.note(f"The name {name} stands for {base}, which is not OpenAI's model.")
        for fault in faults:
            console.note(f"Warning: a fault is on: {fault.text}")

    settings = ServiceSettings(
        faults=faults,
        legacy_bases=bases,
        show_paused=behaviour.show_paused,
        seeds=behaviour.seeds,
        requests_per_minute=behaviour.requests_per_minute,
        webhook=webhook,
    )
    serve_store(store, settings, host=where.host, port=where.port, api_key=key, on_ready=show_ready)
    return exit_codes.OK
