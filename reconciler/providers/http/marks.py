"""Our marks in a job's metadata: writes them, reads them back, and tells ours from everybody else's. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address, Digest, Kind, Stamp, canonical_json, digest_of
from reconciler.domain.observed import JobId, RemoteJob

PROJECT = "reconciler-project"
ADDRESS = "reconciler-address"
DIGEST = "reconciler-digest"
FACTS = "reconciler-facts"
SUPERSEDES = "reconciler-supersedes"
ORIGIN = "reconciler-origin"
"""A digest of where the specs came from. It raises a warning and proves nothing, so it is not sealed."""
ENVIRONMENT = "reconciler-environment"
"""The environment whose apply created the job, where the project has environments. It keeps a job from being removed by
another environment and proves nothing, so it is not sealed."""
NO_ENVIRONMENT = "-"
"""What that mark says of an apply in no environment. It is the name of none."""
MOST_KEYS = 16
"""Keys that a job's metadata may have."""
SEAL = "reconciler-seal"
"""A digest of the other marks, so that a changed mark is noticed."""

_SEALED = (PROJECT, ADDRESS, DIGEST, FACTS, SUPERSEDES)

_MOST_CHARACTERS = 512
"""Characters that one value of metadata may have."""

_FULL_HEX = 64


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What a job's metadata says about it, when it is ours."""

    stamp: Stamp
    facts: tuple[tuple[str, str], ...] = ()
    supersedes: tuple[JobId, ...] = ()


class Garbled:
    """The marks name our project, and the rest cannot be read or is not what was sealed."""


def marks_of(
    project: str, model: Model, supersedes: Iterable[JobId], origin: str = "", environment: str | None = None
) -> dict[str, str]:
    """Return the marks of a job that is about to be created; what is too long is left out."""
    marks = {PROJECT: project, ADDRESS: str(model.address), DIGEST: str(model.stamp.digest)}
    facts = canonical_json(dict(model.displayed_facts)).decode()
    if len(facts) <= _MOST_CHARACTERS:
        marks[FACTS] = facts
    if ids := _as_many_as_fit(supersedes):
        marks[SUPERSEDES] = ids
    made_in = {} if environment is None else {ENVIRONMENT: environment or NO_ENVIRONMENT}
    return marks | {SEAL: _seal(marks)} | ({ORIGIN: origin} if origin else {}) | made_in


def add_marks(metadata: Any, marks: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of a job: the recipe's own, and our marks, which it never replaces.

    Where all would be more than a job may have, the environment is left out: without it a job is only kept longer.
    """
    merged = {**(metadata if isinstance(metadata, dict) else {}), **marks}
    if len(merged) > MOST_KEYS:
        merged.pop(ENVIRONMENT, None)
    return merged


def read_marks(metadata: Any, project: str) -> Marks | Garbled | None:
    """Read the marks of a job; None when it is not one of this project's."""
    if not isinstance(metadata, dict) or metadata.get(PROJECT) != project:
        return None
    # Marks that bear no seal are taken as they are: other tools may write them too.
    if SEAL in metadata and metadata[SEAL] != _seal(metadata):
        return Garbled()
    address = Address.parse(_text(metadata.get(ADDRESS)))
    digest = Digest.parse(_text(metadata.get(DIGEST)))
    if address is None or address.kind is not Kind.MODEL or digest is None or len(digest.hex) < _FULL_HEX:
        return Garbled()
    supersedes = (JobId(each) for each in _text(metadata.get(SUPERSEDES)).split(",") if each)
    return Marks(
        stamp=Stamp(address, digest),
        facts=_facts(_text(metadata.get(FACTS))),
        supersedes=tuple(supersedes),
    )


def with_marks(job: RemoteJob, metadata: Any, project: str) -> RemoteJob:
    """Return a job with what its metadata says: whose it is, and all of it for people to read."""
    marks, known = read_marks(metadata, project), metadata if isinstance(metadata, dict) else {}
    details = replace(job.details, metadata=words_of(known), project=_text(known.get(PROJECT)) or None)
    if not isinstance(marks, Marks):
        return replace(job, details=details)
    return replace(
        job,
        stamp=marks.stamp,
        facts=marks.facts,
        supersedes=marks.supersedes,
        origin=_text(known.get(ORIGIN))[:_FULL_HEX],
        environment=_read_environment(_text(known.get(ENVIRONMENT))),
        details=details,
    )


def _read_environment(text: str) -> str | None:
    return "" if text == NO_ENVIRONMENT else text[:_FULL_HEX] or None


def words_of(value: Any) -> tuple[tuple[str, str], ...]:
    """Return an object's members as words, sorted, without those that are null."""
    members = value.items() if isinstance(value, dict) else ()
    return tuple(
        sorted(
            (str(name), item if isinstance(item, str) else msgspec.json.encode(item).decode())
            for name, item in members
            if item is not None
        )
    )


def is_garbled(job: RemoteJob, project: str) -> bool:
    """Return whether a job's marks name a project, and the rest of them cannot be read or is not what was sealed."""
    return job.stamp is None and job.details.project == project


def is_unmarked(job: RemoteJob, project: str) -> bool:
    """Return whether a job bears sound marks of no project: none at all, or some that are not what was sealed."""
    if job.stamp is not None:
        return False
    metadata = dict(job.details.metadata)
    return job.details.project in {None, project} or (SEAL in metadata and metadata[SEAL] != _seal(metadata))


def names_file(facts: Iterable[tuple[str, str]], side: str, filename: str) -> bool:
    """Return whether a file may be the one that a job's facts name for `training` or `validation`.

    What its name says of its content counts: a dataset may have been renamed since the file was sent.
    """
    named = dict(facts).get(side)
    if named is None:
        return True
    stated = Stamp.of_filename(f"{named.partition(' ')[0]}.jsonl")
    found = Stamp.of_filename(filename)
    return stated is not None and found is not None and stated.digest.agrees(found.digest)


def _seal(marks: Mapping[str, Any]) -> str:
    try:
        return str(digest_of({mark: _text(marks[mark]) for mark in _SEALED if mark in marks}))
    except ValueError:
        # Half a character was never sealed.
        return ""


def _as_many_as_fit(ids: Iterable[JobId]) -> str:
    joined = ""
    for each in ids:
        longer = f"{joined},{each}" if joined else str(each)
        if len(longer) > _MOST_CHARACTERS:
            break
        joined = longer
    return joined


def _facts(text: str) -> tuple[tuple[str, str], ...]:
    # Facts are for people: what cannot be read is left out, and nothing depends on it.
    try:
        found = msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return ()
    return tuple(sorted(found.items()))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
