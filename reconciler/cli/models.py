"""output and run: what a finished model is for."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exits
from reconciler.cli.options import DEFAULT_ROOT, ProviderOption, SpecsOption, setting_for
from reconciler.cli.talk import Talk
from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Message
from reconciler.engine import answering, locked, service, takes_prompts
from reconciler.render import OutputFormat

RUN_EXAMPLES = """
Examples:

  reconciler run support-triage -p "my card has not arrived yet"

  reconciler run support-triage -f conversation.json

A conversation is a JSON list of messages, or an object with "messages": [{"role": "user", "content": "…"}].
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog='Example:\n\n  MODEL="$(reconciler output support-triage)"')(output)
    app.command(epilog=RUN_EXAMPLES)(run)


def output(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of models; all of them when none is named.")] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="How to write it.")] = OutputFormat.PLAIN,
) -> int:
    """Print the id of the model that answers."""
    import secrets

    from reconciler.render import outputs
    from reconciler.spec import read_specs

    talk: Talk = context.obj
    setting = setting_for(names[0] if names else None, specs, provider)
    read = read_specs(setting.root, setting.workspace)
    wanted = tuple(names or sorted(model.name for model in read.models))
    found = [locked(setting, read, name) for name in wanted]
    if not all(found):
        with service(setting, read) as opened:
            found = [answering(setting, read, name, opened) for name in wanted]
    entries = tuple(entry for entry in found if entry)
    talk.out.write(outputs(entries, output_format, delimiter=secrets.token_hex(16)))
    return exits.OK


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of a model.")],
    prompt: Annotated[str | None, typer.Option("--prompt", "-p", help="What to say to it.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A conversation, or - for stdin.")] = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="The system message before the prompt.")] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
) -> int:
    """Ask a model; the answer is printed as it comes."""
    from reconciler.spec import read_specs

    talk: Talk = context.obj
    if (prompt is None) == (file is None):
        raise UsageError("run wants either a prompt (-p) or a conversation (-f)")
    setting = setting_for(name, specs, provider)
    read = read_specs(setting.root, setting.workspace)
    with service(setting, read) as opened:
        model = answering(setting, read, name, opened).model
        if takes_prompts(read, name) and prompt is not None:
            pieces = opened.complete(model, prompt)
        else:
            pieces = opened.answer(model, conversation(prompt, file, system))
        for piece in pieces:
            talk.out.pour(piece)
            talk.out.flush()
        talk.out.line()
    return exits.OK


def conversation(prompt: str | None, file: Path | None, system: str | None) -> tuple[Message, ...]:
    """Give the messages to put to a model.

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
