"""Adds to a plan what changed in the rows. What the service holds is fetched once, and whatever fails is said."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.domain.errors import InputError, ProviderError
from reconciler.domain.observed import RemoteFile
from reconciler.domain.plan import Step, Upload
from reconciler.domain.ports import Provider
from reconciler.domain.row_diff import RowDiff, RowsUnknown
from reconciler.domain.spec import DatasetSpec
from reconciler.history.offline_plan import token_counter
from reconciler.workflow.engine import PreparedPlan, Setting, make_home

if TYPE_CHECKING:
    from reconciler.dataset.tokens import Count

MOST_FETCHED_BYTES = 256 << 20
"""What a plan fetches unasked for one dataset."""


FEW_ROWS = 5
"""Rows of one dataset that a plan shows, but for a page, which has room for more."""


def add_row_diffs(
    prepared: PreparedPlan, provider: Provider, most_bytes: int = MOST_FETCHED_BYTES, most_samples: int = FEW_ROWS
) -> PreparedPlan:
    """Return the same plan, its uploads with how their rows differ from those that the service holds.

    Shape:  both sides of a split are told of together, at the first of them; what decides and the basis stay as they
            are; `most_samples` rows of each dataset are shown
    Cost:   reads each dataset that is to be uploaded once more, and fetches its version before
    """
    steps, told = list(prepared.plan.steps), set[str]()
    for at, step in enumerate(steps):
        if isinstance(step.action, Upload) and step.action.dataset.spec.name not in told:
            told.add(step.action.dataset.spec.name)
            steps[at] = replace(step, rows=_rows_of(step.action, prepared, provider, most_bytes, most_samples))
    return replace(prepared, plan=replace(prepared.plan, steps=tuple[Step, ...](steps)))


def drop_samples(prepared: PreparedPlan) -> PreparedPlan:
    """Return the same plan with the counts of changed rows, and none of the rows."""
    return limit_samples(prepared, 0)


def limit_samples(prepared: PreparedPlan, most: int = FEW_ROWS) -> PreparedPlan:
    """Return the same plan with at most so many rows shown of each dataset."""
    from reconciler.render.review import limit_samples as fewer

    return replace(prepared, plan=fewer(prepared.plan, most))


def fetch_file(file: RemoteFile, provider: Provider, setting: Setting) -> Path:
    """Return the content of a file of ours on the service, as a file here.

    Raises: ProviderError, and OSError when it cannot be kept
    """
    from reconciler.dataset.row_diff import FileCache

    assert file.stamp is not None
    shelf = FileCache(setting.home / "cache" / "files", partial(make_home, setting.home))
    return shelf.get_file(
        file.stamp.digest, file.size_bytes or 0, lambda: provider.content(file.id, file.size_bytes or 0)
    )


def _rows_of(
    upload: Upload, prepared: PreparedPlan, provider: Provider, most_bytes: int, most_samples: int
) -> RowDiff | RowsUnknown | None:
    from reconciler.planner.previous import files_before, users_of

    spec, specs = upload.dataset.spec, prepared.checked.specs
    current = [each.stamp for each in prepared.desired.datasets if each.spec.name == spec.name]
    files = files_before(spec.name, users_of(spec.name, specs), prepared.observed, current)
    if not files:
        return None
    title = " and ".join(file.filename for file in files)
    if sum(file.size_bytes or 0 for file in files) > most_bytes:
        why = f"more than {most_bytes >> 20} MiB would have to be fetched: see reconciler data diff service:{spec.name}"
        return RowsUnknown(before=title, why=f"{why} {spec.name}")
    try:
        paths = tuple(fetch_file(file, provider, prepared.setting) for file in files)
        wanted = replace(spec, format=upload.dataset.format)
        return _compare(paths, wanted, prepared.setting, title, token_counter(prepared.checked, spec), most_samples)
    except ProviderError as error:
        return RowsUnknown(before=title, why=f"the service did not give the file back: {error}")
    except InputError:
        return RowsUnknown(before=title, why="the rows could not be read a second time: they changed after the first")
    except OSError as error:
        return RowsUnknown(before=title, why=f"the file could not be kept here: {error.strerror or error}")


def _compare(
    paths: tuple[Path, ...], spec: DatasetSpec, setting: Setting, title: str, count: "Count | None", most: int
) -> RowDiff:
    from reconciler.dataset.row_diff import compare_versions, open_dataset_version, open_uploaded_version

    with (
        open_uploaded_version(paths, id_path=spec.id) as before,
        open_dataset_version(spec, setting.workspace) as after,
    ):
        return compare_versions(before, after, title, count=count, most_samples=most)
