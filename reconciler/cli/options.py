"""The flags that several commands share, said once."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from reconciler.domain.errors import UsageError
from reconciler.domain.plan import Options
from reconciler.journal import JournalKind
from reconciler.workflow.engine import Setting, read_setting_specs, settle

DEFAULT_ROOT = Path("specs")

SpecsOption = Annotated[Path, typer.Option("--specs", help="The spec root.", metavar="DIR")]
EnvOption = Annotated[
    str | None,
    typer.Option(
        "--env",
        help="The environment of the Project to work in.",
        metavar="NAME",
        envvar="RECONCILER_ENV",
    ),
]
ProviderOption = Annotated[
    str | None, typer.Option("--provider", help="Use this profile instead of the specs' choice.", metavar="PROFILE")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        help="text, json, markdown, github, html, sarif, junit or review; to stdout, or with =FILE to a file;"
        " repeatable.",
        metavar="FMT[=FILE]",
    ),
]
NoSamplesOption = Annotated[
    bool, typer.Option("--no-samples", help="Count the rows that changed, and show none of them.")
]
TargetOption = Annotated[
    list[str] | None, typer.Option("--target", help="Only this model; repeatable.", metavar="NAME")
]
RetryOption = Annotated[
    list[str] | None,
    typer.Option("--retry", help="Train this failed or cancelled model again; repeatable.", metavar="NAME"),
]
ReplaceOption = Annotated[
    list[str] | None,
    typer.Option("--replace", help="Train this model again, which was deleted on the service.", metavar="NAME"),
]
PruneOption = Annotated[
    bool, typer.Option("--prune", help="Cancel and delete what is ours and no spec names, if nothing uses it.")
]
AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="Go on past this guard; repeatable.", metavar="GUARD")
]
FirstApplyOption = Annotated[
    bool, typer.Option("--first-apply", help="The service is meant to be empty (as --allow empty-remote).")
]
NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Read every dataset, and not what earlier runs measured.")
]
NoRowsOption = Annotated[
    bool, typer.Option("--no-rows", help="Do not fetch what the service holds to show which rows changed.")
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Ask no service: plan against models.lock.yaml and git.")
]
AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against",
        help="With --offline, the git revision that holds the specs and rows before; the fork from origin/HEAD if not"
        " said.",
        metavar="REV",
    ),
]
PricesOption = Annotated[
    Path | None,
    typer.Option(
        "--prices", help="Prices that count before the program's own.", metavar="FILE", envvar="RECONCILER_PRICES"
    ),
]
BoundOption = Annotated[
    list[str] | None,
    typer.Option(
        "--bound",
        help="A bound of the service, as in list_lag=1m; repeatable (RECONCILER_BOUNDS; docs/services.md).",
        metavar="NAME=TIME",
    ),
]
JournalOption = Annotated[
    JournalKind,
    typer.Option(
        "--journal",
        help="Where word is left before a job is created: a directory of this machine, a git ref, or the service.",
        envvar="RECONCILER_JOURNAL",
    ),
]
TimeoutOption = Annotated[
    str | None, typer.Option("--timeout", help="Stop waiting after this long: 90, 90s, 30m, 2h.", metavar="TIME")
]

_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def plan_options(
    target: list[str] | None,
    retry: list[str] | None,
    replace: list[str] | None,
    prune: bool,
    allow: list[str] | None,
    first_apply: bool,
) -> Options:
    """Gather what the operator asked of a plan.

    Raises: UsageError for a guard that does not exist
    """
    from reconciler.planner.policy import GUARDS

    allowed = {*(allow or ()), *(("empty-remote",) if first_apply else ())}
    unknown = sorted(allowed - set(GUARDS))
    if unknown:
        raise UsageError(f"--allow {unknown[0]}: no such guard; there are {', '.join(GUARDS)}")
    names = [frozenset(name.removeprefix("model/") for name in each or ()) for each in (target, retry, replace)]
    return Options(target=names[0], retry=names[1], replace=names[2], prune=prune, allow=frozenset(allowed))


def setting_of(
    root: Path,
    provider: str | None = None,
    prices: Path | None = None,
    environment: str | None = None,
    *,
    use_cache: bool = True,
) -> Setting:
    """Find where a command works, given a directory of specs.

    Raises: UsageError when the directory holds several roots, each with a project of its own
    """
    from reconciler.specfile import find_roots

    roots = find_roots(root)
    if len(roots) > 1:
        listed = ", ".join(str(each) for each in roots)
        raise UsageError(f"{root} holds several projects; name one of them: {listed}")
    return settled(roots[0], provider, prices, environment, use_cache=use_cache)


def settled(
    root: Path,
    provider: str | None = None,
    prices: Path | None = None,
    environment: str | None = None,
    *,
    use_cache: bool = True,
) -> Setting:
    """Return the setting of one root, with the bounds that the environment says."""
    from reconciler.cli.bounds import read_bounds

    # An empty variable is none: CI sets it so where a workflow names no environment.
    found = settle(root, os.environ, provider, prices, environment or None, use_cache=use_cache)
    return replace(found, bounds=read_bounds((), os.environ))


def setting_for(name: str | None, root: Path, provider: str | None = None, environment: str | None = None) -> Setting:
    """Find where a command about one model works: of several roots, the one whose specs name it.

    Raises: UsageError when none or several do
    """
    from reconciler.specfile import find_roots

    settings = [settled(each, provider, environment=environment) for each in find_roots(root)]
    if len(settings) == 1 or name is None:
        return setting_of(root, provider, environment=environment)
    naming = [
        setting for setting in settings if any(model.name == name for model in read_setting_specs(setting).models)
    ]
    if len(naming) != 1:
        found = " and ".join(str(setting.root) for setting in naming) or "none"
        raise UsageError(f"of the projects under {root}, {found} name {name}; say which with --specs DIR")
    return naming[0]


def read_timeout(text: str | None) -> float | None:
    """Read a length of time.

    Raises: UsageError when it is not one
    """
    return None if text is None else read_duration(text, "--timeout ")


def read_duration(text: str, where: str) -> float:
    """Read a length of time, in seconds; `where` is what stood before it.

    Raises: UsageError when it is not one
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{where}{text}: not a length of time; write 90, 90s, 30m or 2h")
    return float(found[1]) * _SECONDS[found[2]]
