"""output, run and snippet: using a finished model."""

import json
import os
import secrets
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import CompletionOption, NameArgument, NamesArgument, SpecsOptions, add_command
from reconciler.cli.places import find_place
from reconciler.domain.errors import NotFoundError, UnusablePlaceError, UsageError
from reconciler.domain.ports import Message
from reconciler.providers import Profile, needs_app
from reconciler.render import (
    ModelIdFormat,
    SnippetLanguage,
    SnippetPrompt,
    SnippetTarget,
    clean,
    model_ids_text,
    snippet_text,
)
from reconciler.workflow.lock import find_all_serving, find_locked
from reconciler.workflow.plan import open_service
from reconciler.workflow.targets import Workplace, find_serving_model

RUN_EXAMPLES = """
Examples:

  reconciler run support-triage -p "my card has not arrived yet"

  reconciler run support-triage -f conversation.json

  reconciler run ft:BASE:ORG:NAME:ID --provider openai -p "hello"

Every model on the service can be named by its id, and a job's id stands for its model. A name in the specs comes first.
A conversation is a JSON list of messages, or an object with "messages": [{"role": "user", "content": "…"}].
"""

SNIPPET_EXAMPLES = """
Examples:

  reconciler snippet support-triage --lang curl -p "my card has not arrived yet" | sh

  reconciler snippet support-triage --lang python > ask.py

  reconciler snippet ft:BASE:ORG:NAME:ID --lang node > ask.mjs

The key is never written, only the name of the variable that holds it.
"""

_SERVE_FIRST = (
    "The built-in service listens on a port while this runs in another terminal: reconciler serve",
    "It prints two export lines, with its address and a key; paste them here first.",
)

_ODD_ENDS = {
    "length": "the answer was cut at the most tokens that the request or the model allows",
    "content_filter": "the content filter of the service ended or withheld the answer",
    "tool_calls": "the model asked for the call of a tool, which is not made or shown here",
    "function_call": "the model asked for the call of a function, which is not made or shown here",
}

SystemOption = Annotated[str | None, typer.Option("--system", "-s", help="The system message before the prompt.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, output, epilog='Example:\n\n  MODEL="$(reconciler output support-triage)"')
    add_command(app, run, epilog=RUN_EXAMPLES)
    add_command(app, snippet, epilog=SNIPPET_EXAMPLES)


def output(
    context: typer.Context,
    where: SpecsOptions,
    names: NamesArgument = None,
    id_format: Annotated[ModelIdFormat, typer.Option("--format", help="How to write it.")] = ModelIdFormat.PLAIN,
) -> int:
    """Print the id of the serving model.

    By the names of models; the id of a job stands for the model that it made. Where some models have none, the others
    are printed, those are named on stderr, and the exit code is 1.
    """
    console: Console = context.obj
    place = find_place(where, names or ())
    wanted = tuple(names or sorted(place.names))
    if any(not place.is_name(each) for each in wanted):
        return _print_ids(place, wanted, id_format, console)
    found = {name: entry for name in wanted if (entry := find_locked(place.setting, place.specs, name))}
    missing: Mapping[str, NotFoundError] = {}
    if unlocked := [name for name in wanted if name not in found]:
        with open_service(place.setting, place.specs, sleep=console.pause) as provider, console.notice_silence():
            more, missing = find_all_serving(place.setting, place.specs, unlocked, provider)
        found |= more
    entries = tuple(found[name] for name in wanted if name in found)
    if entries or not missing:
        console.out.write(
            model_ids_text(entries, id_format, with_names=len(wanted) > 1, delimiter=secrets.token_hex(16))
        )
    for each in missing.values():
        console.show_error(each)
    return exit_codes.SERVICE if missing else exit_codes.OK


def _print_ids(place: Workplace, wanted: tuple[str, ...], id_format: ModelIdFormat, console: Console) -> int:
    """Print the ids of models that were asked for by an id; the other formats need a name."""
    if id_format is not ModelIdFormat.PLAIN:
        raise UsageError(f"--format {id_format} needs the names of models, and an id has none; ask by name")
    with open_service(place.setting, place.specs, sleep=console.pause) as provider, console.notice_silence():
        models = [find_serving_model(place, each, provider, console.note).model for each in wanted]
        for model in models:
            provider.model(model)
    for model in models:
        console.out.line(clean(model))
    return exit_codes.OK


def run(
    context: typer.Context,
    name: NameArgument,
    where: SpecsOptions,
    prompt: Annotated[str | None, typer.Option("--prompt", "-p", help="The prompt.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A conversation, or - for stdin.")] = None,
    system: SystemOption = None,
    completion: CompletionOption = False,
) -> int:
    """Ask a model; the answer is printed as it comes.

    An answer that is not whole is a warning on stderr; the exit code is 1 where a filter of the service ended it.
    """
    console: Console = context.obj
    if (prompt is None) == (file is None):
        raise UsageError("run needs either a prompt (-p) or a conversation (-f)")
    place = find_place(where, (name,))
    # Before the service is asked: a conversation that a person types is no silence of the service.
    conversation = read_conversation(prompt, file, system)
    reasons = list[str]()
    with open_service(place.setting, place.specs, sleep=console.pause) as provider:
        with console.notice_silence():
            found = find_serving_model(place, name, provider, console.note, is_completion=completion)
            if found.is_completion and prompt is not None:
                pieces = provider.complete(found.model, prompt, reasons.append)
            else:
                pieces = provider.answer(found.model, conversation, reasons.append)
            first = next(pieces, "")
        for piece in chain((first,), pieces):
            console.out.write_untrusted(piece)
            console.out.flush()
        console.out.line()
    for reason in reasons:
        if reason in _ODD_ENDS:
            console.note(f"Warning: {_ODD_ENDS[reason]} (finish reason {reason})")
    return exit_codes.SERVICE if "content_filter" in reasons else exit_codes.OK


def read_conversation(prompt: str | None, file: Path | None, system: str | None) -> tuple[Message, ...]:
    """Return the messages to send to a model.

    Raises: UsageError when the file holds no conversation, UnusablePlaceError when it cannot be read
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
    except OSError as error:
        raise UnusablePlaceError(
            f"{file} cannot be read ({error.strerror}): name a file with a conversation after -f, or - for stdin"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file} is not a conversation ({error}); see reconciler run --help") from error


def snippet(
    context: typer.Context,
    name: NameArgument,
    where: SpecsOptions,
    lang: Annotated[SnippetLanguage, typer.Option("--lang", help="The language.")] = SnippetLanguage.CURL,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="The prompt.")] = "Hello!",
    system: SystemOption = None,
    completion: CompletionOption = False,
) -> int:
    """Print a ready call to a finished model.

    For curl, Python with the openai package, or Node without any. It asks for a chat or a completion, as the model's
    dataset says.
    """
    console: Console = context.obj
    place = find_place(where, (name,))
    with open_service(place.setting, place.specs, sleep=console.pause) as provider, console.notice_silence():
        found = find_serving_model(place, name, provider, console.note, is_completion=completion)
    if found.is_completion and system:
        raise UsageError(f"{name} was trained on prompts and completions, and takes no system message")
    question = SnippetPrompt(model=found.model, prompt=prompt, system=system, is_completion=found.is_completion)
    console.out.write(snippet_text(lang, question, describe_target(place.setting.profiles.find(place.provider))))
    return exit_codes.OK


def describe_target(found: Profile) -> SnippetTarget:
    """Return where a call to a profile goes, in variables; the built-in service has no port until it is served."""
    if needs_app(found, os.environ):
        return SnippetTarget(url_variable="OPENAI_BASE_URL", key_variable="OPENAI_API_KEY", note=_SERVE_FIRST)
    base_url = None if found.in_process else found.base_url
    # Of two names for one variable, the snippet reads the one that this environment uses.
    names = [name for name in (found.url_variable, found.other_url_variable) if name]
    stated = next((name for name in names if os.environ.get(name)), found.url_variable)
    return SnippetTarget(url_variable=stated, key_variable=found.key_variable, base_url=base_url)
