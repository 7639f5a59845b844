"""Find the files on the service that hold the previous version of a dataset. Compares nothing."""

from collections.abc import Collection, Iterable

from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.observed import SUCCEEDED, Observed, RemoteFile
from reconciler.domain.spec import Specs


def users_of(dataset: str, specs: Specs) -> frozenset[Address]:
    """Return the models that learn from a dataset, or validate with it."""
    return frozenset(
        Address(Kind.MODEL, model.name) for model in specs.models if dataset in {model.training, model.validation}
    )


def files_before(
    dataset: str, users: Collection[Address], observed: Observed, current: Collection[Stamp] = ()
) -> tuple[RemoteFile, ...]:
    """Return the files of a dataset that the newest job of its models used, training first; else its newest files.

    Shape:  empty when the service holds none. Files that are all `current` are no previous version. The job is chosen
            as for the reasons of a retraining: the newest that succeeded, or else the newest
    """
    sides = (Address(Kind.DATASET, dataset), Address(Kind.DATASET, f"{dataset}.validation"))
    ours = {
        file.id: file for file in observed.files if file.stamp and file.stamp.address in sides and not file.is_broken
    }
    used = [
        ((job.status == SUCCEEDED, *job.age_key), files)
        for job in observed.jobs
        if job.address in users
        and (files := tuple(ours[each] for each in (job.training_file, job.validation_file) if each in ours))
    ]
    others = [(rank, files) for rank, files in used if not _are_all(files, current)]
    if others:
        return max(others, key=lambda each: each[0])[1]
    newest = (_newest(ours.values(), side, current) for side in sides)
    return tuple(file for file in newest if file)


def _newest(files: Iterable[RemoteFile], side: Address, current: Collection[Stamp]) -> RemoteFile | None:
    same = (file for file in files if file.stamp and file.stamp.address == side and not _are_all((file,), current))
    return max(same, key=lambda file: file.age_key, default=None)


def _are_all(files: Iterable[RemoteFile], current: Collection[Stamp]) -> bool:
    return all(file.stamp and any(file.stamp.agrees(stamp) for stamp in current) for file in files)
