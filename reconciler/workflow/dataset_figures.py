"""Gathers what datasets look like in figures, now and before, for a page. What was is taken from what is here."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import InputError
from reconciler.domain.observed import RemoteFile
from reconciler.domain.plan import Upload
from reconciler.domain.spec import DatasetSpec
from reconciler.workflow.engine import PreparedPlan, Setting, bases_of, make_home

if TYPE_CHECKING:
    from reconciler.dataset.tokens import Vocabulary
    from reconciler.domain.stats import Stats
    from reconciler.render.html import DatasetFigures


def gather_figures(prepared: PreparedPlan) -> "dict[str, DatasetFigures]":
    """Return the figures of every dataset that a plan uploads, by name.

    Shape:  what the service holds has figures where its rows were compared, and so are here; a dataset whose rows
            cannot be read a second time is left out
    Cost:   reads each of the datasets once more, and its version before
    """
    uploads = [step.action.dataset for step in prepared.plan.steps if isinstance(step.action, Upload)]
    firsts = {dataset.spec.name: dataset for dataset in reversed(uploads)}
    return {name: found for name, dataset in sorted(firsts.items()) if (found := _figures(dataset, prepared))}


def _figures(dataset: Dataset, prepared: PreparedPlan) -> "DatasetFigures | None":
    from reconciler.dataset.stats import gather_stats
    from reconciler.dataset.tokens import vocabulary_for
    from reconciler.render.html import DatasetFigures

    spec, checked = replace(dataset.spec, format=dataset.format), prepared.checked
    counted = checked.measures[spec.name].vocabulary is not None
    vocabulary = vocabulary_for(bases_of(checked.specs, spec.name)) if counted else None
    try:
        now = gather_stats(spec, prepared.setting.workspace, vocabulary=vocabulary)
    except InputError:
        return None
    return DatasetFigures(after=now, before=_before(dataset, prepared, vocabulary, now))


def _before(dataset: Dataset, prepared: PreparedPlan, vocabulary: "Vocabulary | None", now: "Stats") -> "Stats | None":
    from reconciler.dataset.stats import gather_stats
    from reconciler.planner.previous import files_before, users_of

    name, specs = dataset.spec.name, prepared.checked.specs
    current = [each.stamp for each in prepared.desired.datasets if each.spec.name == name]
    held = files_before(name, users_of(name, specs), prepared.observed, current)
    if not held:
        return None
    try:
        paths = [_here(file, prepared.setting) for file in held]
        spec = _as_uploaded(dataset, paths)
        whole = gather_stats(spec, paths[0].parent, vocabulary=vocabulary, like=now)
        if len(paths) == 1:
            return whole
        training = gather_stats(_as_uploaded(dataset, paths[:1]), paths[0].parent, vocabulary=vocabulary)
    except (InputError, OSError):
        return None
    # The two sides of a split lie in two files there, and only one of them is trained on.
    return replace(
        whole,
        validation_rows=whole.rows - training.rows,
        training_tokens=training.training_tokens,
        least_tokens=training.least_tokens,
        most_tokens=training.most_tokens,
    )


def _here(file: RemoteFile, setting: Setting) -> Path:
    from reconciler.dataset.row_diff import FileCache

    assert file.stamp is not None
    shelf = FileCache(setting.home / "cache" / "files", partial(make_home, setting.home))
    return shelf.get_file(file.stamp.digest, file.size_bytes or 0, _absent(file))


def _absent(file: RemoteFile) -> Callable[[], Iterator[bytes]]:
    def nothing() -> Iterator[bytes]:
        raise FileNotFoundError(f"{file.filename} was not fetched")

    return nothing


def _as_uploaded(dataset: Dataset, paths: list[Path]) -> DatasetSpec:
    # What was uploaded is canonical already: nothing is mapped, prepared or split a second time.
    names = tuple(path.name for path in paths)
    return DatasetSpec(name=dataset.spec.name, place=dataset.spec.place, sources=names, format=dataset.format)
