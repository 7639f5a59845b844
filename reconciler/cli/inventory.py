"""files, jobs and models: everything that a service holds, ours and not ours. They read, and change nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption, SpecsOptions, add_command
from reconciler.cli.places import find_place
from reconciler.domain.errors import NotFoundError, UsageError
from reconciler.domain.observed import FileId, Inventory, JobId, Makers, ModelId, RemoteFile, RemoteJob, RemoteModel
from reconciler.domain.ports import Provider
from reconciler.render import (
    FORMAT_VERSION,
    Fields,
    JobDetail,
    file_detail,
    file_fields,
    files_table,
    job_detail,
    job_detail_fields,
    job_fields,
    jobs_table,
    json_document,
    model_detail,
    model_fields,
    models_table,
    summary_line,
)
from reconciler.workflow.plan import open_service

T = TypeVar("T")

LAST_EVENTS = 10

IdArgument = Annotated[str | None, typer.Argument(help="Show this one in full.", metavar="[ID]")]
OursOption = Annotated[bool, typer.Option("--ours", help="Only what bears this project's stamp.")]
StatusOption = Annotated[
    str | None, typer.Option("--status", help="Only this status, as the service writes it.", metavar="WORD")
]
PurposeOption = Annotated[
    str | None, typer.Option("--purpose", help="Only this purpose, as the service writes it.", metavar="WORD")
]
WholeOption = Annotated[
    bool,
    typer.Option("--summary", help="With --json: an object with the list in items, its warnings and its counts."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", help="Only so many, the newest.", min=1, metavar="NUMBER")]

_NO_SPECS = "Without specs, name the service: --provider PROFILE. “Ours” then means the project “default”."

FILES_EXAMPLES = f"""
Examples:

  reconciler files                         all of them, the newest first

  reconciler files --ours --status error   ours that cannot be used

  reconciler files file-abc123             one of them in full

  reconciler files --provider openai --purpose batch --json

A file name carries no project, so “ours” may be of any project. {_NO_SPECS}
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

  reconciler models ft:BASE:ORG:NAME:ID    one of them in full, with its job and base model

{_NO_SPECS}
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, files, epilog=FILES_EXAMPLES)
    add_command(app, jobs, epilog=JOBS_EXAMPLES)
    add_command(app, models, epilog=MODELS_EXAMPLES)


def files(
    context: typer.Context,
    where: SpecsOptions,
    file: IdArgument = None,
    ours: OursOption = False,
    status: StatusOption = None,
    purpose: PurposeOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    summary: WholeOption = False,
) -> int:
    """List the files on the service, ours and not ours, or show one."""
    console: Console = context.obj
    _check_summary(summary, as_json=as_json)
    with _open_provider(where, console) as provider:
        if file is not None:
            _refuse_filters(ours, status, purpose, limit, summary)
            with console.notice_silence():
                one = provider.file(FileId(file))
                made = _find_makers(provider, console)[0].of_file(one.id)
            console.out.write(
                json_document(file_fields(one, made)) if as_json else file_detail(one, made, colour=console.colour)
            )
            return exit_codes.OK
        with console.notice_silence():
            held = provider.list_files()
            makers, doubts = _find_makers(provider, console)
    all_files = [(each, makers.of_file(each.id)) for each in held.items]
    shown = _select(
        all_files,
        lambda each: (
            (not ours or _is_ours(each)) and status in {None, each[0].status} and purpose in {None, each[0].purpose}
        ),
        limit,
    )
    own = sum(map(_is_ours, all_files))
    if as_json:
        listed = [file_fields(*each) for each in shown]
        console.out.write(_list_json(listed, held, own, doubts, is_whole=summary))
    else:
        console.out.write(files_table(shown, colour=console.colour, width=console.width))
    _show_summary(held, console, summary_line(len(shown), len(held.items), own, "file"))
    return exit_codes.OK


def jobs(
    context: typer.Context,
    where: SpecsOptions,
    job: IdArgument = None,
    ours: OursOption = False,
    status: StatusOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    summary: WholeOption = False,
) -> int:
    """List the jobs on the service, ours and not ours, or show one."""
    console: Console = context.obj
    _check_summary(summary, as_json=as_json)
    with _open_provider(where, console) as provider:
        if job is not None:
            _refuse_filters(ours, status, limit, summary)
            with console.notice_silence():
                card = _read_card(provider, JobId(job))
            console.out.write(
                json_document(job_detail_fields(card)) if as_json else job_detail(card, colour=console.colour)
            )
            _show_doubts(card.list_warnings, console)
            return exit_codes.OK
        with console.notice_silence():
            held = provider.list_jobs()
    shown = _select(
        held.items,
        lambda each: (
            (not ours or each.stamp is not None)
            and (status is None or (each.status.is_stated and str(each.status) == status))
        ),
        limit,
    )
    own = sum(bool(each.stamp) for each in held.items)
    if as_json:
        console.out.write(_list_json([job_fields(job) for job in shown], held, own, is_whole=summary))
    else:
        console.out.write(jobs_table(shown, colour=console.colour, width=console.width))
    _show_summary(held, console, summary_line(len(shown), len(held.items), own, "job"))
    return exit_codes.OK


def models(
    context: typer.Context,
    where: SpecsOptions,
    model: IdArgument = None,
    ours: OursOption = False,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    summary: WholeOption = False,
) -> int:
    """List the models on the service, ours and not ours, or show one."""
    console: Console = context.obj
    _check_summary(summary, as_json=as_json)
    with _open_provider(where, console) as provider:
        if model is not None:
            _refuse_filters(ours, limit, summary)
            with console.notice_silence():
                one = provider.model(ModelId(model))
                made = _find_makers(provider, console)[0].of_model(one.id)
            console.out.write(
                json_document(model_fields(one, made)) if as_json else model_detail(one, made, colour=console.colour)
            )
            return exit_codes.OK
        with console.notice_silence():
            held = provider.list_models()
            makers, doubts = _find_makers(provider, console)
    all_models = [(each, makers.of_model(each.id)) for each in held.items]
    shown = _select(all_models, lambda each: not ours or _is_ours(each), limit)
    own = sum(map(_is_ours, all_models))
    if as_json:
        listed = [model_fields(*each) for each in shown]
        console.out.write(_list_json(listed, held, own, doubts, is_whole=summary))
    else:
        console.out.write(models_table(shown, colour=console.colour, width=console.width))
    _show_summary(held, console, summary_line(len(shown), len(held.items), own, "model"))
    return exit_codes.OK


@contextmanager
def _open_provider(where: SpecsOptions, console: Console) -> Iterator[Provider]:
    place = find_place(where)
    # Lists show the stamps that things bear themselves, so the specs' renames and adoptions are left out.
    setting = replace(place.setting, provider=place.provider)
    with open_service(setting, replace(place.specs, datasets=(), models=()), sleep=console.pause) as provider:
        yield provider


def _check_summary(summary: bool, *, as_json: bool) -> None:
    if summary and not as_json:
        raise UsageError("--summary is about JSON, and text has the summary already: add --json, or leave it out")


def _list_json(
    listed: list[Fields], held: Inventory[object], own: int, doubts: Sequence[str] = (), *, is_whole: bool
) -> str:
    """Return a list as JSON: the list alone, as ever, or an object with everything that the text says of it."""
    if not is_whole:
        return json_document(listed)
    return json_document(
        {
            "format_version": FORMAT_VERSION,
            "items": listed,
            "count": len(held.items),
            "ours": own,
            "warnings": [*doubts, *held.list_warnings],
        }
    )


def _refuse_filters(*filters: object) -> None:
    if any(each not in {None, False} for each in filters):
        raise UsageError(
            "an id is shown in full: leave out --ours, --status, --purpose, --limit and --summary; or leave out the id"
        )


def _select(items: Sequence[T], wanted: Callable[[T], bool], limit: int | None) -> tuple[T, ...]:
    return tuple(each for each in items if wanted(each))[:limit]


def _is_ours(thing: tuple[RemoteFile | RemoteModel, RemoteJob | None]) -> bool:
    held, made = thing
    return (isinstance(held, RemoteFile) and held.stamp is not None) or (made is not None and made.stamp is not None)


def _find_makers(provider: Provider, console: Console) -> tuple[Makers, tuple[str, ...]]:
    """Return the jobs that may have made something, and what is doubtful about them.

    Servers that only run inference have no such list.
    """
    try:
        held = provider.list_jobs()
    except NotFoundError as error:
        doubt = f"the jobs behind the files and models are not known: {error}"
        console.note(f"Warning: {doubt}")
        return Makers.among(()), (doubt,)
    _show_doubts(held.list_warnings, console)
    return Makers.among(held.items), held.list_warnings


def _read_card(provider: Provider, job: JobId) -> JobDetail:
    found = provider.job(job)
    events = _read_if_known(lambda: provider.events(job, most=LAST_EVENTS))
    checkpoints = _read_if_known(lambda: provider.checkpoints(job))
    return JobDetail(
        job=found,
        events=None if events is None else events.items,
        checkpoints=None if checkpoints is None else checkpoints.items,
        list_warnings=tuple(doubt for held in (events, checkpoints) if held for doubt in held.list_warnings),
    )


def _read_if_known(read: Callable[[], Inventory[T]]) -> Inventory[T] | None:
    # The job exists, so a list that is not found is one that this service does not have.
    try:
        return read()
    except NotFoundError:
        return None


def _show_summary(held: Inventory[object], console: Console, summary: str) -> None:
    _show_doubts(held.list_warnings, console)
    console.err.line(summary)


def _show_doubts(doubts: Sequence[str], console: Console) -> None:
    for doubt in doubts:
        console.note(f"Warning: {doubt}")
