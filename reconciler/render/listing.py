"""Lists of what a service holds: a table for people, JSON for programs."""

from collections.abc import Iterable

from reconciler.domain.observed import RemoteJob
from reconciler.render.machine import job_fields, json_text
from reconciler.render.terminal.table import table
from reconciler.render.units import time_text


def jobs_table(jobs: Iterable[RemoteJob], *, colour: bool = False, width: int | None = None) -> str:
    """Give one line a job, in the order given; a block a job where the lines would be wider than `width`."""
    headers = ("job", "model", "digest", "base", "status", "created", "answers as")
    return table(headers, [_cells(job) for job in jobs], colour=colour, width=width)


def _cells(job: RemoteJob) -> tuple[str, ...]:
    created = time_text(job.created_at)
    return (job.id, job.address.name, job.stamp.digest.short, job.base, str(job.status), created, job.model or "")


def jobs_json(jobs: Iterable[RemoteJob]) -> str:
    """Give a JSON list of jobs, each with its address and in the shape that events have, ended by a newline."""
    return json_text([{"address": str(job.address), **job_fields(job)} for job in jobs], indent=2) + "\n"
