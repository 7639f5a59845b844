"""providers: which services a spec may name, and what each of them takes, offline."""

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, SpecsOption, add_command
from reconciler.providers import Profile, needs_app
from reconciler.render import (
    FORMAT_VERSION,
    ServiceCard,
    json_document,
    service_card_fields,
    service_detail,
    services_table,
)
from reconciler.specfile import find_workspace
from reconciler.workflow import open_catalog

EXAMPLES = """
Examples:

  reconciler providers                     all of them

  reconciler providers openai              what one of them takes, and where its dates come from

  reconciler providers --json

A service of your own is described in ~/.config/reconciler/profiles.yaml, or in the file that RECONCILER_PROFILES names;
reconciler schema profiles prints its fields.
"""

ProfileArgument = Annotated[str | None, typer.Argument(help="Show this one in full.", metavar="[NAME]")]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, providers, epilog=EXAMPLES)


def providers(
    context: typer.Context,
    name: ProfileArgument = None,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """List the services that a spec may name, or show one.

    Nothing is sent.
    """
    console: Console = context.obj
    catalog = open_catalog(find_workspace(specs if specs.exists() else Path()), os.environ)
    cards = [_describe(catalog.find(each)) for each in ([name] if name else catalog)]
    if as_json:
        listed = [service_card_fields(card) for card in cards]
        console.out.write(json_document(listed[0] if name else {"version": FORMAT_VERSION, "items": listed}))
    elif name:
        console.out.write(service_detail(cards[0], colour=console.colour))
    else:
        console.out.write(services_table(cards, colour=console.colour, width=console.width))
    return exit_codes.OK


def _describe(profile: Profile) -> ServiceCard:
    names = (profile.url_variable, profile.other_url_variable)
    stated = next((value for name in names if name and (value := os.environ.get(name, "").strip())), "")
    return ServiceCard(
        name=profile.name,
        capabilities=profile.capabilities,
        address=stated or (profile.base_url if profile.has_home and not profile.in_process else ""),
        in_process=needs_app(profile, os.environ),
        url_variable=profile.url_variable,
        key_variable=profile.key_variable,
        dialect=profile.dialect,
    )
