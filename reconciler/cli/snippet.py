"""snippet: a ready call to a finished model, for the applications that will make it."""

import os
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, ProviderOption, SpecsOption
from reconciler.domain.errors import UsageError
from reconciler.render import SnippetLanguage, SnippetPrompt, SnippetTarget
from reconciler.workflow.engine import open_service, provider_name
from reconciler.workflow.targets import find_serving_model, find_workplace

EXAMPLES = """
Examples:

  reconciler snippet support-triage --lang curl -p "my card has not arrived yet" | sh

  reconciler snippet support-triage --lang python > ask.py

  reconciler snippet ft:BASE:ORG:NAME:ID --lang node > ask.mjs

The key is never written, only the name of the variable that holds it.
"""

_SERVE_FIRST = (
    "The built-in service answers on a port while this runs in another terminal: reconciler serve",
    "It prints two export lines, with its address and a key; paste them here first.",
)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=EXAMPLES)(snippet)


def snippet(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of a model, or an id.")],
    lang: Annotated[SnippetLanguage, typer.Option("--lang", help="What to write it in.")] = SnippetLanguage.CURL,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What to say to the model.")] = "Hello!",
    system: Annotated[str | None, typer.Option("--system", "-s", help="The system message before the prompt.")] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    completion: Annotated[
        bool, typer.Option("--completion", help="The model was trained on prompts and completions.")
    ] = False,
) -> int:
    """Print a ready call to a finished model.

    For curl, Python with the openai package, or Node without any. It asks for a chat or a completion, as the model's
    dataset says.
    """
    from reconciler.render import snippet_text

    console: Console = context.obj
    place = find_workplace((name,), specs, provider, environment)
    with open_service(place.setting, place.specs) as opened:
        found = find_serving_model(place, name, opened, console, is_completion=completion)
    if found.is_completion and system:
        raise UsageError(f"{name} was trained on prompts and completions, and takes no system message")
    question = SnippetPrompt(model=found.model, prompt=prompt, system=system, is_completion=found.is_completion)
    console.out.write(snippet_text(lang, question, service_of(provider_name(place.setting, place.specs))))
    return exit_codes.OK


def service_of(profile: str) -> SnippetTarget:
    """Return where a call to a profile goes, in variables; the built-in service is on no port until it is served."""
    from reconciler.providers import PROFILES, needs_app

    found = PROFILES[profile]
    if needs_app(profile, os.environ):
        return SnippetTarget(url_variable="OPENAI_BASE_URL", key_variable="OPENAI_API_KEY", note=_SERVE_FIRST)
    base_url = None if found.in_process else found.base_url
    # Of two names for one variable, the snippet reads the one that this environment uses.
    names = [name for name in (found.url_variable, found.other_url_variable) if name]
    stated = next((name for name in names if os.environ.get(name)), found.url_variable)
    return SnippetTarget(url_variable=stated, key_variable=found.key_variable, base_url=base_url)
