"""output and run: what a finished model is for."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, ProviderOption, SpecsOption
from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Message
from reconciler.render import ModelIdFormat
from reconciler.workflow.engine import find_locked, find_serving_entry, open_service
from reconciler.workflow.targets import Workplace, find_serving_model, find_workplace

RUN_EXAMPLES = """
Examples:

  reconciler run support-triage -p "my card has not arrived yet"

  reconciler run support-triage -f conversation.json

  reconciler run ft:BASE:ORG:NAME:ID --provider openai -p "hello"

Any model on the service answers to its id, and a job's id stands for its model. A name in the specs comes first.
A conversation is a JSON list of messages, or an object with "messages": [{"role": "user", "content": "…"}].
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog='Example:\n\n  MODEL="$(reconciler output support-triage)"')(output)
    app.command(epilog=RUN_EXAMPLES)(run)


def output(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of models, or ids; all models when none is named.")
    ] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    output_format: Annotated[ModelIdFormat, typer.Option("--format", help="How to write it.")] = ModelIdFormat.PLAIN,
) -> int:
    """Print the id of the serving model.

    By the names of models; the id of a job stands for the model that it made.
    """
    import secrets

    from reconciler.render import model_ids_text

    console: Console = context.obj
    place = find_workplace(names or (), specs, provider, environment)
    wanted = tuple(names or sorted(place.names))
    if any(not place.is_name(each) for each in wanted):
        return _output_ids(place, wanted, output_format, console)
    found = [find_locked(place.setting, place.specs, name) for name in wanted]
    if not all(found):
        with open_service(place.setting, place.specs) as opened:
            found = [find_serving_entry(place.setting, place.specs, name, opened) for name in wanted]
    entries = tuple(entry for entry in found if entry)
    console.out.write(model_ids_text(entries, output_format, delimiter=secrets.token_hex(16)))
    return exit_codes.OK


def _output_ids(place: Workplace, wanted: tuple[str, ...], output_format: ModelIdFormat, console: Console) -> int:
    """Print the ids of models that were asked for by an id; the other formats want a name to go by."""
    from reconciler.render import clean

    if output_format is not ModelIdFormat.PLAIN:
        raise UsageError(f"--format {output_format} goes by the names of models; an id has none, so ask by name")
    with open_service(place.setting, place.specs) as opened:
        found = [find_serving_model(place, each, opened, console).model for each in wanted]
        for model in found:
            opened.model(model)
    for model in found:
        console.out.line(clean(model))
    return exit_codes.OK


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of a model, or an id.")],
    prompt: Annotated[str | None, typer.Option("--prompt", "-p", help="What to say to it.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A conversation, or - for stdin.")] = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="The system message before the prompt.")] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    completion: Annotated[
        bool, typer.Option("--completion", help="The model was trained on prompts and completions.")
    ] = False,
) -> int:
    """Ask a model; the answer is printed as it comes."""
    console: Console = context.obj
    if (prompt is None) == (file is None):
        raise UsageError("run wants either a prompt (-p) or a conversation (-f)")
    place = find_workplace((name,), specs, provider, environment)
    with open_service(place.setting, place.specs) as opened:
        found = find_serving_model(place, name, opened, console, is_completion=completion)
        if found.is_completion and prompt is not None:
            pieces = opened.complete(found.model, prompt)
        else:
            pieces = opened.answer(found.model, conversation(prompt, file, system))
        for piece in pieces:
            console.out.write_untrusted(piece)
            console.out.flush()
        console.out.line()
    return exit_codes.OK


def conversation(prompt: str | None, file: Path | None, system: str | None) -> tuple[Message, ...]:
    """Return the messages to put to a model.

    Raises: UsageError when the file holds no conversation
    """
    opening = (Message(role="system", content=system),) if system else ()
    if prompt is not None:
        return (*opening, Message(role="user", content=prompt))
    assert file is not None
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
        content = json.loads(text)
        turns = content["messages"] if isinstance(content, dict) else content
        return (*opening, *(Message(role=str(turn["role"]), content=str(turn["content"])) for turn in turns))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file} is not a conversation ({error}); see reconciler run --help") from error
