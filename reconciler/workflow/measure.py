"""Reads specs and data together: measures every dataset, and collects everything that is wrong.

A file that git does not track was not reviewed. A runner's workspace also holds what other steps wrote, credentials
among it; a change of a spec could name such a file and have it uploaded. So an untracked file is an error where a
machine works alone, and a warning where a person does:

    RECONCILER_STRICT=1     error
    RECONCILER_STRICT=0     warning
    neither                 error where CI is set, else warning

Without a repository nothing is checked.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from reconciler import __version__
from reconciler.dataset import CountTokens, MeasureCache, SourceIndex, Vocabulary, find_vocabulary, measure
from reconciler.dataset.dataset_checks import check_methods
from reconciler.domain.cost import find_length_limit
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import InputError, Problem, Severity
from reconciler.domain.expectations import OptionalCheck
from reconciler.domain.spec import AnswerSet, DatasetSpec, Specs
from reconciler.foundation.git import Git, GitError, GitMissingError
from reconciler.specfile import read_prices
from reconciler.workflow.home import is_home_private, make_home
from reconciler.workflow.service_check import check_service
from reconciler.workflow.settings import Setting, find_service, read_setting, select_provider

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
        return tuple(sorted((*self.notes, *self.untracked, *_warnings_of(self.measures))))

    def vocabulary(self, dataset: str) -> Vocabulary | None:
        """Return the vocabulary that counted a dataset; None where its tokens are estimated."""
        if self.measures[dataset].vocabulary is None:
            return None
        return find_vocabulary(find_bases(self.specs, dataset))

    def token_counter(self, dataset: str) -> CountTokens | None:
        """Return the function that counts the tokens of a dataset's rows, where the dataset was counted with it."""
        vocabulary = self.vocabulary(dataset)
        return vocabulary.count if vocabulary else None


def _warnings_of(measures: Mapping[str, DatasetMeasure]) -> Iterator[Problem]:
    yield from (warning for measured in measures.values() for warning in measured.warnings)


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
    notes = (*check_methods(specs, measures), *check_service(setting, specs, measures))
    if any(note.severity is Severity.ERROR for note in notes):
        raise InputError(tuple(sorted((*notes, *untracked, *_warnings_of(measures)))))
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
    # Measures decide what is trained, so they are read only where no commit and no other user can write them.
    is_cached = setting.use_cache and is_home_private(setting.own_home, setting.workspace, setting.environ)
    cache = MeasureCache(setting.measures, __version__, partial(make_home, setting.home)) if is_cached else None
    # A dataset that only validates may have a single row.
    trained = {model.training for model in specs.models}
    only_validated = {model.validation for model in specs.models} - trained
    sources = sources or SourceIndex(setting.workspace)
    prices = read_prices(select_provider(setting, specs), setting.prices) if specs.models else ()
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
                length=find_length_limit(find_bases(specs, spec.name), prices),
                answers=find_answer_set(setting, specs, spec.name),
                against=find_validation_datasets(specs, spec.name),
                shown=setting.max_errors,
                sources=sources,
            )
        except InputError as error:
            problems += error.problems
            unshown += error.unshown
    if problems:
        found = (*problems, *check_methods(specs, measures), *_warnings_of(measures))
        raise InputError(tuple(sorted(found)), unshown)
    return measures


def find_validation_datasets(specs: Specs, dataset: str) -> tuple[DatasetSpec, ...]:
    """Return the other datasets that validate the models trained on one dataset."""
    names = {model.validation for model in specs.models if model.training == dataset} - {dataset}
    return tuple(spec for spec in specs.datasets if spec.name in names)


def find_bases(specs: Specs, dataset: str) -> frozenset[str]:
    """Return the base models of all models that are trained on a dataset."""
    return frozenset(model.recipe.base for model in specs.models if model.training == dataset)


def find_answer_set(setting: Setting, specs: Specs, dataset: str) -> AnswerSet | None:
    """Return what a base needs of a dataset that chooses one of its answers; None when no such base uses it."""
    trained = find_bases(specs, dataset)
    bases = trained | {model.recipe.base for model in specs.models if model.validation == dataset}
    if not bases:
        return None
    sets = find_service(setting, specs).capabilities.answer_sets
    found = next((each for each in sets if each.base in bases), None)
    return replace(found, is_learned=found.base in trained) if found else None


VARIABLE = "RECONCILER_STRICT"
_NO = frozenset({"", "0", "false", "no"})
_NAMES_A_CALL = 500


def find_untracked(
    specs: Specs, workspace: Path, environ: Mapping[str, str], sources: SourceIndex
) -> tuple[Problem, ...]:
    """Return a problem for each dataset with files that git does not track: an error where we are strict.

    Shape:  at the place of the dataset
    Cost:   one call of git for every 500 files
    """
    if not (workspace / ".git").exists():
        return ()
    severity = Severity.ERROR if is_strict(environ) else Severity.WARNING
    files = {spec.name: sources.names(spec) for spec in specs.datasets}
    every = sorted({name for names in files.values() for name in names})
    try:
        known = _find_tracked(every, workspace, environ) if every else frozenset()
    except GitError as error:
        return _report_no_answer(specs, error, severity)
    unknown = {name: [file for file in names if file not in known] for name, names in files.items()}
    return tuple(
        Problem(
            where=spec.find_field("source").place,
            path="source",
            what=f"{_list_names(unknown[spec.name])} not tracked by git, so what would be uploaded was not reviewed",
            hint=f"git add it; if an earlier step of this run creates it on purpose, set {VARIABLE}=0",
            rule="source.untracked",
            severity=severity,
        )
        for spec in specs.datasets
        if unknown[spec.name]
    )


def is_strict(environ: Mapping[str, str]) -> bool:
    """Return whether files that git does not track are refused."""
    stated = environ.get(VARIABLE, "").strip().lower()
    return stated not in _NO if stated else environ.get("CI", "").strip().lower() not in _NO


def _find_tracked(names: list[str], workspace: Path, environ: Mapping[str, str]) -> frozenset[str]:
    git = Git(workspace, environ)
    chunks = (names[at : at + _NAMES_A_CALL] for at in range(0, len(names), _NAMES_A_CALL))
    return frozenset(name for chunk in chunks for name in _list_tracked(git, chunk))


def _list_tracked(git: Git, names: list[str]) -> Iterator[str]:
    # With `--full-name`, in the top directory of the tree, the names are returned as they were passed.
    found = git.run("--literal-pathspecs", "ls-files", "-z", "--cached", "--full-name", "--", *names)
    yield from (name.decode("utf-8", "surrogateescape") for name in found.split(b"\0") if name)


def _report_no_answer(specs: Specs, error: GitError, severity: Severity) -> tuple[Problem, ...]:
    """Return the problem that git did not answer; only where an answer is required."""
    if severity is Severity.WARNING or not specs.datasets:
        return ()
    if isinstance(error, GitMissingError):
        what, hint = f"{error}; without it, it cannot be known which files were reviewed", "install git"
    else:
        what = f"git cannot say which files it tracks: {error}"
        hint = "make git work in this directory (safe.directory, in a container)"
    problem = Problem(
        where=specs.datasets[0].place,
        path="source",
        what=what,
        hint=f"{hint}, or set {VARIABLE}=0",
        rule="source.untracked",
    )
    return (problem,)


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - 1} more are" if len(names) > 1 else " is"
    return f"`{names[0]}`{more}"
