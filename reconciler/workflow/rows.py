"""Adds to a plan what changed in its rows, and gathers the statistics of its datasets, now and before."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from reconciler.dataset import Vocabulary
from reconciler.dataset.row_diff import DatasetVersion, compare_versions, open_dataset_version, open_uploaded_version
from reconciler.dataset.stats import gather_stats
from reconciler.domain.desired import Dataset
from reconciler.domain.errors import InputError, ProviderError
from reconciler.domain.observed import RemoteFile
from reconciler.domain.plan import Plan, Step, Upload
from reconciler.domain.ports import Provider
from reconciler.domain.row_diff import FEW_ROWS, RowDiff, RowsUnknown
from reconciler.domain.spec import DatasetSpec
from reconciler.domain.stats import Stats
from reconciler.planner import files_before, users_of
from reconciler.workflow.plan import PreparedPlan, fetch_file, open_file_cache

MOST_FETCHED_BYTES = 256 << 20
"""What a plan downloads of one dataset without being asked."""

RowsOf = Callable[[Dataset], RowDiff | RowsUnknown | None]


def add_row_diffs(
    prepared: PreparedPlan,
    provider: Provider,
    most_bytes: int = MOST_FETCHED_BYTES,
    most_samples: int = FEW_ROWS,
) -> PreparedPlan:
    """Return the same plan, its uploads with how their rows differ from those that the service holds.

    Shape:  both sides of a split are compared together, at the first of them; decisions and basis stay as they are;
            `most_samples` rows of each dataset are shown
    Cost:   reads each dataset that is to be uploaded once more, and downloads its version before, once
    """

    def compare(dataset: Dataset) -> RowDiff | RowsUnknown | None:
        return _compare_with_service(dataset, prepared, provider, most_bytes, most_samples)

    return replace(prepared, plan=fill_rows(prepared.plan, compare))


def fill_rows(plan: Plan, rows_of: RowsOf) -> Plan:
    """Return the same plan, the first upload of each dataset with what changed in its rows."""
    steps, compared = list(plan.steps), set[str]()
    for at, step in enumerate(steps):
        if isinstance(step.action, Upload) and step.action.dataset.spec.name not in compared:
            compared.add(step.action.dataset.spec.name)
            steps[at] = replace(step, rows=rows_of(step.action.dataset))
    return replace(plan, steps=tuple[Step, ...](steps))


def _compare_with_service(
    dataset: Dataset, prepared: PreparedPlan, provider: Provider, most_bytes: int, most_samples: int
) -> RowDiff | RowsUnknown | None:
    spec = dataset.spec
    files = _find_files_before(spec.name, prepared)
    if not files:
        return None
    title = " and ".join(file.filename for file in files)
    if sum(file.size_bytes or 0 for file in files) > most_bytes:
        # The rows of a dataset are the same in every environment, and data diff takes none.
        scope = replace(prepared.setting.scope, environment=None)
        command = scope.call("data diff", f"service:{spec.name}", spec.name)
        return RowsUnknown(
            before=title, why=f"more than {most_bytes >> 20} MiB would have to be fetched; see: {command}"
        )
    try:
        paths = tuple(fetch_file(file, provider, prepared.setting) for file in files)
        wanted = replace(spec, format=dataset.format)
        with (
            open_uploaded_version(paths, id_path=spec.id) as before,
            open_dataset_version(wanted, prepared.setting.workspace) as after,
        ):
            count = prepared.checked.token_counter(spec.name)
            rows = compare_versions(before, after, title, count=count, most_samples=most_samples)
            return replace(
                rows,
                training_before=_count_training_rows(spec.name, files, before),
                training_after=prepared.checked.measures[spec.name].training.rows,
            )
    except ProviderError as error:
        return RowsUnknown(before=title, why=f"the service did not give the file back: {error}")
    except InputError:
        return RowsUnknown(before=title, why="the rows could not be read a second time: they changed after the first")
    except OSError as error:
        return RowsUnknown(before=title, why=f"the file could not be kept here: {error.strerror or error}")


def _count_training_rows(name: str, files: tuple[RemoteFile, ...], version: DatasetVersion) -> int | None:
    """Return the rows of the training file among the files of a version, None where it is not there."""
    ends = (*version.firsts[1:], len(version))
    sizes = [
        end - first
        for file, first, end in zip(files, version.firsts, ends, strict=True)
        if file.stamp and file.stamp.address.name == name
    ]
    return sizes[0] if len(sizes) == 1 else None


def _find_files_before(name: str, prepared: PreparedPlan) -> tuple[RemoteFile, ...]:
    current = [each.stamp for each in prepared.desired.datasets if each.spec.name == name]
    return tuple(files_before(name, users_of(name, prepared.checked.specs), prepared.observed, current))


def gather_plan_stats(prepared: PreparedPlan) -> Mapping[str, tuple[Stats, Stats | None]]:
    """Return the statistics of every dataset that a plan uploads, by name: those now, and those before.

    Shape:  None where the version before was not downloaded for the comparison of rows; a dataset whose rows cannot be
            read a second time is left out
    Cost:   reads each of the datasets once more, and its version before
    """
    uploads = [step.action.dataset for step in prepared.plan.steps if isinstance(step.action, Upload)]
    firsts = {dataset.spec.name: dataset for dataset in reversed(uploads)}
    return {name: found for name, dataset in sorted(firsts.items()) if (found := _gather(dataset, prepared))}


def _gather(dataset: Dataset, prepared: PreparedPlan) -> tuple[Stats, Stats | None] | None:
    vocabulary = prepared.checked.vocabulary(dataset.spec.name)
    spec = replace(dataset.spec, format=dataset.format)
    try:
        now = gather_stats(spec, prepared.setting.workspace, vocabulary=vocabulary)
    except InputError:
        return None
    return now, _gather_before(dataset, prepared, vocabulary, now)


def _gather_before(dataset: Dataset, prepared: PreparedPlan, vocabulary: Vocabulary | None, now: Stats) -> Stats | None:
    files = _find_files_before(dataset.spec.name, prepared)
    if not files:
        return None
    try:
        paths = [_find_downloaded(file, prepared) for file in files]
        spec = _describe_uploaded(dataset, paths)
        whole = gather_stats(spec, paths[0].parent, vocabulary=vocabulary, like=now)
        if len(paths) == 1:
            return whole
        training = gather_stats(_describe_uploaded(dataset, paths[:1]), paths[0].parent, vocabulary=vocabulary)
    except (InputError, OSError):
        return None
    # The two sides of a split are two files on the service, and only one of them is trained on.
    return replace(
        whole,
        validation_rows=whole.rows - training.rows,
        training_tokens=training.training_tokens,
        least_tokens=training.least_tokens,
        most_tokens=training.most_tokens,
    )


def _find_downloaded(file: RemoteFile, prepared: PreparedPlan) -> Path:
    assert file.stamp is not None

    def download() -> Iterator[bytes]:
        raise FileNotFoundError(f"{file.filename} was not downloaded")

    return open_file_cache(prepared.setting).get_file(file.stamp.digest, file.size_bytes or 0, download)


def _describe_uploaded(dataset: Dataset, paths: list[Path]) -> DatasetSpec:
    # An uploaded file is canonical already: nothing is mapped, prepared or split a second time.
    names = tuple(path.name for path in paths)
    return DatasetSpec(name=dataset.spec.name, place=dataset.spec.place, sources=names, format=dataset.format)
