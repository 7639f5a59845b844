"""Warnings of a plan: what a reviewer should know, although nothing is refused."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.domain.desired import Desired, Model
from reconciler.domain.identity import Address, Kind
from reconciler.domain.lock import Lock, Mentions, find_departed
from reconciler.domain.observed import JobId, Observed, RemoteJob
from reconciler.domain.plan import CommandScope, Keep, KeepReason, Options
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import OnChange
from reconciler.planner.references import Reference

MOST_NAMED = 3
"""Jobs that a warning names; the others are counted."""


def plan_warnings(
    models: Iterable[Model], observed: Observed, options: Options, provider: str, capabilities: Capabilities
) -> Iterator[str]:
    """Yield each warning as a sentence that names what it is about."""
    if options.target:
        yield "the plan is partial: --target names " + ", ".join(sorted(options.target))
    # What the service reports now is newer than what its profile knows.
    retiring = {**dict(capabilities.retiring), **{str(model): date for model, date in observed.retiring}}
    for model in models:
        base = model.recipe.base
        if base in retiring:
            yield f"{model.address}: base model {base} shuts down on {retiring[base]}"
        yield from _unknown_base(model, provider, capabilities)
        for dataset in model.datasets:
            if dataset.measure.size_bytes > capabilities.max_file_bytes:
                yield (
                    f"{dataset.stamp.address}: {dataset.measure.size_bytes} bytes are more than"
                    f" {provider} takes in one file ({capabilities.max_file_bytes})"
                )


_NOTHING_TO_DO = {
    KeepReason.READY: "its model is there",
    KeepReason.TRAINING: "its job is still training",
    KeepReason.BUSY: "an older version is still being trained",
    KeepReason.SUSPENDED: "its spec suspends it",
    KeepReason.MISSING: "its model is missing, and --replace trains it again",
    KeepReason.FAILED: "its job failed, and --retry trains it again",
    KeepReason.CANCELLED: "its job was cancelled, and --retry trains it again",
}


def idle_requests(keeps: Iterable[Keep], options: Options) -> Iterator[str]:
    """Yield a warning for each model that was to be trained again, and stays as it is."""
    for keep in sorted(keeps, key=lambda keep: keep.address):
        for flag, names in (("--replace", options.replace), ("--retry", options.retry)):
            if keep.address.name in names and keep.why in _NOTHING_TO_DO:
                yield f"{keep.address}: {flag} does nothing: {_NOTHING_TO_DO[keep.why]}"
    for flag, names in (("--replace", options.replace), ("--retry", options.retry)):
        for name in sorted(names - options.target) if options.target else ():
            yield f"{Address(Kind.MODEL, name)}: {flag} does nothing: --target does not name it"


def mention_warnings(mentions: Mentions) -> Iterator[str]:
    """Yield a warning when not every file was searched for what it names."""
    if mentions.doubt:
        yield (
            f"{mentions.doubt}, so its files were not searched for the ids of what is removed; before you apply, make"
            " sure that no other specs, lock file or deployment names them"
        )


def beside_warnings(
    models: Iterable[Model],
    jobs: Mapping[Address, Iterable[RemoteJob]],
    elsewhere: Mapping[JobId, Reference],
    scope: CommandScope,
) -> Iterator[str]:
    """Yield a warning for each job of another version that `supersede` leaves alone: another environment's."""
    for model in models:
        if model.on_change is not OnChange.SUPERSEDE or model.is_suspended:
            continue
        for job in jobs.get(model.address, ()):
            if job.status.is_active and not model.bears(job.stamp) and job.id in elsewhere and not job.is_adopted:
                yield (
                    f"{model.address}: job {job.id} of another version is not superseded, because"
                    f" {elsewhere[job.id].why}. If nothing needs it: {scope.call('cancel', job.id)}"
                )


def origin_warnings(desired: Desired, observed: Observed, origin: str) -> Iterator[str]:
    """Yield a warning when jobs of this project, which the specs do not ask for, were created from other specs."""
    wanted = {model.address: model for model in desired.models}
    others = [
        job
        for job in observed.jobs
        if job.origin and job.origin != origin and not _is_asked_for(job, wanted.get(job.address))
    ]
    if others:
        named = ", ".join(f"{job.address} ({job.id})" for job in others[:MOST_NAMED])
        yield (
            f"{len(others)} {'job' if len(others) == 1 else 'jobs'} of the project {desired.project.name} came from"
            f" another repository or another directory of specs: {named}{', …' if others[MOST_NAMED:] else ''}. If that"
            " one is still in use, each needs a project name of its own; if these specs were moved, nothing is wrong"
        )


def _is_asked_for(job: RemoteJob, model: Model | None) -> bool:
    return model is not None and (model.bears(job.stamp) or job.status.is_terminal)


def lock_warnings(desired: Desired, observed: Observed, lock: Lock) -> Iterator[str]:
    """Yield a warning when an apply takes entries out of the lock file: of models that no spec names any more."""
    named = {model.address for model in desired.models}
    known = {entry.address for entry in find_departed(lock, named, observed)}
    gone = sorted({entry.address for entry in lock.of(observed.service)} - named - known)
    if gone:
        listed = ", ".join(map(str, gone[:MOST_NAMED])) + (", …" if gone[MOST_NAMED:] else "")
        yield (
            f"an apply takes {listed} out of the lock file, because no spec names {'it' if len(gone) == 1 else 'them'}"
            " any more; what the service holds stays as the plan says"
        )


def closing_warnings(trains: int, provider: str, capabilities: Capabilities) -> Iterator[str]:
    """Yield a warning when a plan creates jobs on a service that stops taking new ones."""
    if trains and capabilities.closes_on:
        yield (
            f"{provider} takes no new fine-tuning jobs from {capabilities.closes_on} on, and already refuses some"
            f" organisations; {trains} {'job' if trains == 1 else 'jobs'} of this plan may be refused."
            " Uploaded files are kept; another provider can train from the same specs"
        )


def note_warnings(models: Iterable[Model], observed: Observed, scope: CommandScope) -> Iterator[str]:
    """Yield a warning for each model to be trained of whose create the journal holds a note, or may hold one."""
    trained = tuple(models)
    if trained and observed.journal_doubt:
        yield (
            f"{observed.journal_doubt}; so this plan does not know whether a run is creating one of these jobs already,"
            " and apply creates no job until the journal can be read."
            f" To look at it: {scope.call_journal('list')}"
        )
    for model in trained:
        found = sorted({address for stamp, address in observed.noted if model.bears(stamp)})
        if found:
            named = "" if found == [model.address] else f", as {', '.join(map(str, found))}"
            yield (
                f"{model.address}: the journal notes a create of this version{named}, by a run that is at work or was"
                " interrupted; apply first looks for its job, as long as it can still show, and creates another one"
                f" only then. To see the note: {scope.call_journal('list')}"
            )


def carrier_warnings(trains: int, observed: Observed, provider: str, capabilities: Capabilities) -> Iterator[str]:
    """Yield a warning before the first job on a service that has not shown yet that it keeps our marks."""
    if trains and capabilities.carrier and not observed.jobs:
        yield (
            f"no job of this project shows yet that {provider} keeps our marks; the first one relies on"
            f" {capabilities.carrier}. If a gateway drops them, the run ends with exit code 5, names the job, and"
            " creates no other one"
        )


def _unknown_base(model: Model, provider: str, capabilities: Capabilities) -> Iterator[str]:
    base = model.recipe.base
    if not capabilities.bases or base in capabilities.bases or base.startswith("ft:"):
        return
    pinned = sorted(known for known in capabilities.bases if known.startswith(f"{base}-"))
    if pinned:
        yield f"{model.address}: base model {base} is an alias; pin it as {pinned[-1]}"
    else:
        decides = "" if capabilities.lists_all_bases else "; the service decides"
        yield f"{model.address}: base model {base} is not known to {provider}{decides}"
