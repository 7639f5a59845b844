"""files, jobs and models: everything that a service holds, ours and not ours. They look, and touch nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, JsonOption, ProviderOption, SpecsOption
from reconciler.domain.errors import NotFoundError, UsageError
from reconciler.domain.observed import FileId, Inventory, JobId, Makers, ModelId, RemoteFile, RemoteJob, RemoteModel
from reconciler.domain.ports import Provider
from reconciler.workflow.engine import open_service, provider_name
from reconciler.workflow.targets import find_workplace

if TYPE_CHECKING:
    from reconciler.render import JobCard

T = TypeVar("T")

LAST_EVENTS = 10

IdArgument = Annotated[str | None, typer.Argument(help="Show this one in full.", metavar="[ID]")]
OursOption = Annotated[bool, typer.Option("--ours", help="Only what bears our stamp.")]
StatusOption = Annotated[
    str | None, typer.Option("--status", help="Only this status, in the service's word.", metavar="WORD")
]
PurposeOption = Annotated[
    str | None, typer.Option("--purpose", help="Only this purpose, in the service's word.", metavar="WORD")
]
LimitOption = Annotated[int | None, typer.Option("--limit", help="Only so many, the newest.", min=1, metavar="NUMBER")]

_NO_SPECS = "Without specs, name the service: --provider PROFILE. What is ours is then told for the project “default”."

FILES_EXAMPLES = f"""
Examples:

  reconciler files                         all of them, the newest first

  reconciler files --ours --status error   ours that cannot be used

  reconciler files file-abc123             one of them in full

  reconciler files --provider openai --purpose batch --json

A file name carries no project, so that ours may be of any project. {_NO_SPECS}
"""

JOBS_EXAMPLES = f"""
Examples:

  reconciler jobs                          all of them, the newest first

  reconciler jobs --status running         those that run now

  reconciler jobs ftjob-abc123             one of them in full, with its checkpoints and last events

  reconciler jobs --ours --limit 5 --json

{_NO_SPECS}
"""

MODELS_EXAMPLES = f"""
Examples:

  reconciler models --ours                 what was trained for this project

  reconciler models ft:BASE:ORG:NAME:ID    one of them in full, with its job and base

{_NO_SPECS}
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=FILES_EXAMPLES)(files)
    app.command(epilog=JOBS_EXAMPLES)(jobs)
    app.command(epilog=MODELS_EXAMPLES)(models)


def files(
    context: typer.Context,
    file: IdArgument = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    ours: OursOption = False,
    status: StatusOption = None,
    purpose: PurposeOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the files on the service, ours and not ours, or show one."""
    from reconciler.render import file_card, file_card_json, files_json, files_table, summary_line

    console: Console = context.obj
    with _opened(specs, provider, environment) as opened:
        if file is not None:
            _alone(ours, status, purpose, limit)
            one = opened.file(FileId(file))
            made = _makers(opened, console).of_file(one.id)
            console.out.write(file_card_json(one, made) if as_json else file_card(one, made, colour=console.colour))
            return exit_codes.OK
        held = opened.list_files()
        makers = _makers(opened, console)
    all_of_them = [(each, makers.of_file(each.id)) for each in held.items]
    shown = _some(
        all_of_them,
        lambda each: (
            (not ours or _is_ours(each)) and status in {None, each[0].status} and purpose in {None, each[0].purpose}
        ),
        limit,
    )
    console.out.write(files_json(shown) if as_json else files_table(shown, colour=console.colour, width=console.width))
    _close(held, console, summary_line(len(shown), len(held.items), sum(map(_is_ours, all_of_them)), "file"))
    return exit_codes.OK


def jobs(
    context: typer.Context,
    job: IdArgument = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    ours: OursOption = False,
    status: StatusOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the jobs on the service, ours and not ours, or show one."""
    from reconciler.render import job_card, job_card_json, jobs_json, jobs_table, summary_line

    console: Console = context.obj
    with _opened(specs, provider, environment) as opened:
        if job is not None:
            _alone(ours, status, limit)
            card = _card(opened, JobId(job))
            console.out.write(job_card_json(card) if as_json else job_card(card, colour=console.colour))
            return exit_codes.OK
        held = opened.list_jobs()
    shown = _some(
        held.items,
        lambda each: (
            (not ours or each.stamp is not None)
            and (status is None or (each.status.is_stated and str(each.status) == status))
        ),
        limit,
    )
    console.out.write(jobs_json(shown) if as_json else jobs_table(shown, colour=console.colour, width=console.width))
    _close(
        held, console, summary_line(len(shown), len(held.items), sum(bool(each.stamp) for each in held.items), "job")
    )
    return exit_codes.OK


def models(
    context: typer.Context,
    model: IdArgument = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    ours: OursOption = False,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the models on the service, ours and not ours, or show one."""
    from reconciler.render import model_card, model_card_json, models_json, models_table, summary_line

    console: Console = context.obj
    with _opened(specs, provider, environment) as opened:
        if model is not None:
            _alone(ours, limit)
            one = opened.model(ModelId(model))
            made = _makers(opened, console).of_model(one.id)
            console.out.write(model_card_json(one, made) if as_json else model_card(one, made, colour=console.colour))
            return exit_codes.OK
        held = opened.list_models()
        makers = _makers(opened, console)
    all_of_them = [(each, makers.of_model(each.id)) for each in held.items]
    shown = _some(all_of_them, lambda each: not ours or _is_ours(each), limit)
    console.out.write(
        models_json(shown) if as_json else models_table(shown, colour=console.colour, width=console.width)
    )
    _close(held, console, summary_line(len(shown), len(held.items), sum(map(_is_ours, all_of_them)), "model"))
    return exit_codes.OK


@contextmanager
def _opened(root: Path, provider: str | None, environment: str | None) -> Iterator[Provider]:
    place = find_workplace((), root, provider, environment)
    # Lists show what things bear themselves, so the specs' renames and adoptions are left out.
    setting = replace(place.setting, provider=provider_name(place.setting, place.specs))
    with open_service(setting, replace(place.specs, datasets=(), models=())) as opened:
        yield opened


def _alone(*filters: object) -> None:
    if any(each not in {None, False} for each in filters):
        raise UsageError("an id is shown whole: leave --ours, --status, --purpose and --limit out, or the id")


def _some(items: Sequence[T], wanted: Callable[[T], bool], limit: int | None) -> tuple[T, ...]:
    return tuple(each for each in items if wanted(each))[:limit]


def _is_ours(thing: tuple[RemoteFile | RemoteModel, RemoteJob | None]) -> bool:
    held, made = thing
    return (isinstance(held, RemoteFile) and held.stamp is not None) or (made is not None and made.stamp is not None)


def _makers(opened: Provider, console: Console) -> Makers:
    """Return the jobs that may have made something; servers that only answer have no such list."""
    from reconciler.render import clean

    try:
        held = opened.list_jobs()
    except NotFoundError as error:
        console.err.line(f"Warning: which job made what cannot be told: {clean(str(error))}")
        return Makers.among(())
    _doubt(held, console)
    return Makers.among(held.items)


def _card(opened: Provider, job: JobId) -> "JobCard":
    from reconciler.render import JobCard

    found = opened.job(job)
    return JobCard(
        job=found,
        events=_if_known(lambda: opened.events(job, most=LAST_EVENTS)),
        checkpoints=_if_known(lambda: opened.checkpoints(job)),
    )


def _if_known(read: Callable[[], tuple[T, ...]]) -> tuple[T, ...] | None:
    # The job is there, so what is not found is a list that this service does not have.
    try:
        return read()
    except NotFoundError:
        return None


def _close(held: Inventory[object], console: Console, summary: str) -> None:
    _doubt(held, console)
    console.err.line(summary)


def _doubt(held: Inventory[object], console: Console) -> None:
    from reconciler.render import clean

    for doubt in held.list_warnings:
        console.err.line(f"Warning: {clean(doubt)}")
