"""The options that several commands share, each declared once, and the groups that commands take them in.

A parameter of a command whose type is a group stands for the options of the group's fields:

    def forget(context: typer.Context, name: NameArgument, where: SpecsOptions) -> int
"""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, isclass, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
import typer

DEFAULT_ROOT = Path("specs")

SpecsOption = Annotated[Path, typer.Option("--specs", help="The spec root.", metavar="DIR")]
EnvOption = Annotated[
    str | None,
    typer.Option("--env", help="The environment of the Project to work in.", metavar="NAME", envvar="RECONCILER_ENV"),
]
ProviderOption = Annotated[
    str | None, typer.Option("--provider", help="Use this profile instead of the specs' choice.", metavar="PROFILE")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
DetailedExitOption = Annotated[
    bool,
    typer.Option(
        "--detailed-exitcode",
        help="Exit 2 when there is something to apply or decide, else 0: also while a job makes what is missing.",
    ),
]
NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Read every dataset instead of the cached measures of earlier runs.")
]
NoRowsOption = Annotated[
    bool, typer.Option("--no-rows", help="Do not download earlier files to show which rows changed.")
]
PricesOption = Annotated[
    Path | None,
    typer.Option("--prices", help="Prices that replace the built-in ones.", metavar="FILE", envvar="RECONCILER_PRICES"),
]
ApproveOption = Annotated[bool, typer.Option("--auto-approve", help="Do not ask.")]
CompletionOption = Annotated[
    bool, typer.Option("--completion", help="The model was trained on prompts and completions.")
]
NameArgument = Annotated[str, typer.Argument(help="The name of a model, or an id.")]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(help="Names of models, or ids; all models when none is named.")
]
RootArgument = Annotated[Path, typer.Argument(help="The spec root.")]


class SpecsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which specs a command reads, and which service it calls."""

    specs: SpecsOption = DEFAULT_ROOT
    provider: ProviderOption = None
    environment: EnvOption = None


def add_command(
    app: typer.Typer,
    command: Callable[..., int],
    *,
    name: str | None = None,
    epilog: str | None = None,
    cls: type[Any] | None = None,
) -> None:
    """Register a command, with the options of its groups as options of its own."""
    app.command(name=name, epilog=epilog, cls=cls)(expand_groups(command))


def expand_groups(command: Callable[..., int]) -> Callable[..., int]:
    """Return the command with each group replaced by the group's fields, in the signature that typer reads."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if isclass(hint) and issubclass(hint, msgspec.Struct)}

    @wraps(command)
    def call(**values: Any) -> int:
        for name, group in groups.items():
            values[name] = group(**{field: values.pop(field) for field in group.__struct_fields__})
        return command(**values)

    parameters = []
    for parameter in signature(command).parameters.values():
        group = groups.get(parameter.name)
        parameters += _list_fields(group) if group else [parameter.replace(annotation=hints[parameter.name])]
    call.__signature__ = Signature(  # type: ignore[attr-defined]  # read by inspect.signature, unknown to the types
        [each.replace(kind=Parameter.KEYWORD_ONLY) for each in parameters], return_annotation=int
    )
    call.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": int}
    return call


def _list_fields(group: type[msgspec.Struct]) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    defaults = {field.name: field.default for field in msgspec.structs.fields(group)}
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=hints[name])
        for name in group.__struct_fields__
    ]
