"""Reads specs and data together: measures every dataset, and collects everything that is wrong."""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from reconciler import __version__
from reconciler.dataset import MeasureCache, SourceIndex, measure
from reconciler.dataset.dataset_checks import check_methods
from reconciler.dataset.tokens import CountTokens, Vocabulary, find_vocabulary
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import InputError, Problem, Severity
from reconciler.domain.expectations import OptionalCheck
from reconciler.domain.spec import DatasetSpec, Specs
from reconciler.workflow.settings import Setting, make_home, read_setting
from reconciler.workflow.tracked import find_untracked

ReadProgress = Callable[[str, int], None]
"""Receives how far the reading of a dataset is: its name, and bytes."""


class CheckedSpecs(msgspec.Struct, frozen=True, kw_only=True):
    """Specs and their data, found valid; `notes` are warnings about models and their datasets together."""

    specs: Specs
    measures: Mapping[str, DatasetMeasure]
    notes: tuple[Problem, ...] = ()
    untracked: tuple[Problem, ...] = ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        of_datasets = (warning for measured in self.measures.values() for warning in measured.warnings)
        return tuple(sorted((*self.notes, *self.untracked, *of_datasets)))

    def vocabulary(self, dataset: str) -> Vocabulary | None:
        """Return the vocabulary that counted a dataset; None where its tokens are estimated."""
        if self.measures[dataset].vocabulary is None:
            return None
        return find_vocabulary(find_bases(self.specs, dataset))

    def token_counter(self, dataset: str) -> CountTokens | None:
        """Return the function that counts the tokens of a dataset's rows, where the dataset was counted with it."""
        vocabulary = self.vocabulary(dataset)
        return vocabulary.count if vocabulary else None


def ignore_progress(_name: str, _size: int) -> None:
    """Do nothing."""


def check_specs(
    setting: Setting, progress: ReadProgress = ignore_progress, *, count_tokens: bool = False
) -> CheckedSpecs:
    """Read specs and data, offline; with `count_tokens`, count what models are trained on by their own vocabulary.

    Raises: InputError with every problem of every file
    """
    specs = read_setting(setting)
    sources = SourceIndex(setting.workspace)
    untracked = find_untracked(specs, setting.workspace, setting.environ, sources)
    # Of a file that is not under review, no row is shown, not even a wrong one.
    if any(problem.severity is Severity.ERROR for problem in untracked):
        raise InputError(tuple(sorted(untracked)))
    measures = measure_datasets(specs, setting, progress, count_tokens=count_tokens, sources=sources)
    notes = tuple(check_methods(specs, measures))
    if any(note.severity is Severity.ERROR for note in notes):
        raise InputError(tuple(sorted(notes)))
    return CheckedSpecs(specs=specs, measures=measures, notes=notes, untracked=untracked)


def measure_datasets(
    specs: Specs,
    setting: Setting,
    progress: ReadProgress = ignore_progress,
    *,
    count_tokens: bool = False,
    sources: SourceIndex | None = None,
) -> Mapping[str, DatasetMeasure]:
    """Measure every dataset of the specs.

    Raises: InputError with every problem of all of them
    """
    cache = MeasureCache(setting.measures, __version__, partial(make_home, setting.home)) if setting.use_cache else None
    # A dataset that only validates may have a single row.
    trained = {model.training for model in specs.models}
    only_validated = {model.validation for model in specs.models} - trained
    sources = sources or SourceIndex(setting.workspace)
    measures: dict[str, DatasetMeasure] = {}
    problems: list[Problem] = []
    unshown = 0
    for spec in specs.datasets:
        try:
            measures[spec.name] = measure(
                replace(spec, checks=tuple(OptionalCheck)) if setting.deep else spec,
                setting.workspace,
                minimum=1 if spec.name in only_validated else None,
                progress=partial(progress, spec.name),
                cache=cache,
                vocabulary=find_vocabulary(find_bases(specs, spec.name)) if count_tokens else None,
                against=find_validation_datasets(specs, spec.name),
                shown=setting.max_errors,
                sources=sources,
            )
        except InputError as error:
            problems += error.problems
            unshown += error.unshown
    if problems:
        raise InputError(tuple(sorted([*problems, *check_methods(specs, measures)])), unshown)
    return measures


def find_validation_datasets(specs: Specs, dataset: str) -> tuple[DatasetSpec, ...]:
    """Return the other datasets that validate the models trained on one dataset."""
    names = {model.validation for model in specs.models if model.training == dataset} - {dataset}
    return tuple(spec for spec in specs.datasets if spec.name in names)


def find_bases(specs: Specs, dataset: str) -> frozenset[str]:
    """Return the base models of all models that are trained on a dataset."""
    return frozenset(model.recipe.base for model in specs.models if model.training == dataset)
