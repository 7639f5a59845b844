"""The six lines, and the only place where rooms meet. Composes; holds no rule of its own.

specs    = read_specs(root, workspace)                  YAML      -> Specs
measures = measure_all(specs)                           rows      -> digests and counts
desired  = Desired.join(specs, measures)                both      -> what should be
observed = provider.observe()                           service   -> what is
plan     = make_plan(desired, observed)                 the two   -> what to do      (pure)
events   = execute(plan, bench)                         the plan  -> what happened
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from reconciler import __version__
from reconciler.domain.desired import Dataset, DatasetMeasure, Desired
from reconciler.domain.errors import InputError, NotFoundError, Problem, Severity, UsageError
from reconciler.domain.expectations import OptionalCheck
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.lock import Lock, LockedDataset, LockEntry
from reconciler.domain.observed import SUCCEEDED, JobId, ModelId, Observed, RemoteJob, oldest_first
from reconciler.domain.plan import Options, Plan
from reconciler.domain.ports import Journal, Provider
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import DatasetSpec, Specs
from reconciler.foundation.stop import Stop
from reconciler.journal import JournalKind, check_journal, open_journal
from reconciler.workflow.refresh import find_unlisted_jobs

if TYPE_CHECKING:
    from reconciler.executor import RunContext

HOME = ".reconciler"
DEFAULT_PROVIDER = "local"
MAX_THREADS = 64


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command works: the spec root, the repository around it, our own directory, the operator's choices.

    Shape:  `environment` is the one of the Project's environments that was asked for
    """

    root: Path
    workspace: Path
    home: Path
    environ: Mapping[str, str]
    provider: str | None = None
    use_cache: bool = True
    deep: bool = False
    max_errors: int | None = None
    environment: str | None = None
    prices: Path | None = None
    journal: JournalKind = JournalKind.DIRECTORY
    bounds: Mapping[str, float] = msgspec.field(default_factory=dict)

    @property
    def lock_path(self) -> Path:
        from reconciler.specfile import lock_name

        return self.root / lock_name(self.environment)

    @property
    def store(self) -> Path:
        """Where the built-in service keeps its files."""
        return self.home / "local"

    @property
    def measures(self) -> Path:
        """Where measures of datasets are remembered."""
        return self.home / "cache" / "measures"


class CheckedSpecs(msgspec.Struct, frozen=True, kw_only=True):
    """Specs and their data, found sound; `notes` are what there is to say of models and their datasets together."""

    specs: Specs
    measures: Mapping[str, DatasetMeasure]
    notes: tuple[Problem, ...] = ()
    untracked: tuple[Problem, ...] = ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        theirs = (warning for measured in self.measures.values() for warning in measured.warnings)
        return tuple(sorted((*self.notes, *self.untracked, *theirs)))


class PreparedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with everything it was made of."""

    setting: Setting
    checked: CheckedSpecs
    desired: Desired
    observed: Observed
    lock: Lock
    options: Options
    plan: Plan


ReadProgress = Callable[[str, int], None]
"""Is told how far the reading of a dataset has got: its name, and bytes."""


def ignore_progress(_name: str, _size: int) -> None:
    return None


def settle(
    root: Path,
    environ: Mapping[str, str],
    provider: str | None = None,
    prices: Path | None = None,
    environment: str | None = None,
    *,
    use_cache: bool = True,
) -> Setting:
    """Find the repository and our own directory for a spec root."""
    from reconciler.specfile import find_workspace

    workspace = find_workspace(root)
    home = Path(environ["RECONCILER_HOME"]) if environ.get("RECONCILER_HOME") else workspace / HOME
    return Setting(
        root=root,
        workspace=workspace,
        home=home,
        environ=environ,
        provider=provider,
        environment=environment,
        prices=prices,
        use_cache=use_cache,
    )


def read_setting_specs(setting: Setting) -> Specs:
    """Read the specs of a setting, as its environment has them.

    Raises: InputError with every problem of every file, UsageError where there is no such environment
    """
    from reconciler.specfile import read_specs

    return read_specs(setting.root, setting.workspace, setting.environment)


def check_specs(setting: Setting, told: ReadProgress = ignore_progress, *, count_tokens: bool = False) -> CheckedSpecs:
    """Read specs and data, offline; with `count_tokens`, count what models are trained on by their own vocabulary.

    Raises: InputError with every problem of every file
    """
    from reconciler.dataset.methods import misfits
    from reconciler.workflow.tracked import find_untracked

    specs = read_setting_specs(setting)
    foreign = find_untracked(specs, setting.workspace, setting.environ)
    # Of a file that nobody has reviewed, not even a row's mistakes are shown.
    if any(problem.severity is Severity.ERROR for problem in foreign):
        raise InputError(tuple(sorted(foreign)))
    measures = measure_all(specs, setting, told, count_tokens=count_tokens)
    notes = tuple(misfits(specs, measures))
    if any(note.severity is Severity.ERROR for note in notes):
        raise InputError(tuple(sorted(notes)))
    return CheckedSpecs(specs=specs, measures=measures, notes=notes, untracked=foreign)


def measure_all(
    specs: Specs, setting: Setting, told: ReadProgress = ignore_progress, *, count_tokens: bool = False
) -> Mapping[str, DatasetMeasure]:
    """Measure every dataset of the specs.

    Raises: InputError with every problem of all of them
    """
    from reconciler.dataset import measure
    from reconciler.dataset.cache import Cache
    from reconciler.dataset.methods import misfits
    from reconciler.dataset.tokens import vocabulary_for

    remembered = Cache(setting.measures, __version__, partial(make_home, setting.home))
    cache = remembered if setting.use_cache else None
    # What is only validated with may be as small as it likes.
    trained = {model.training for model in specs.models}
    only_validated = {model.validation for model in specs.models} - trained
    measures: dict[str, DatasetMeasure] = {}
    problems: list[Problem] = []
    unshown = 0
    for spec in specs.datasets:
        try:
            least = 1 if spec.name in only_validated else None
            tell = partial(told, spec.name)
            counted = vocabulary_for(bases_of(specs, spec.name)) if count_tokens else None
            measures[spec.name] = measure(
                replace(spec, checks=tuple(OptionalCheck)) if setting.deep else spec,
                setting.workspace,
                minimum=least,
                progress=tell,
                cache=cache,
                vocabulary=counted,
                against=validation_datasets(specs, spec.name),
                shown=setting.max_errors,
            )
        except InputError as error:
            problems += error.problems
            unshown += error.unshown
    if problems:
        raise InputError(tuple(sorted([*problems, *misfits(specs, measures)])), unshown)
    return measures


def validation_datasets(specs: Specs, dataset: str) -> tuple[DatasetSpec, ...]:
    """Return the other datasets that the models trained on one are validated with."""
    names = {model.validation for model in specs.models if model.training == dataset} - {dataset}
    return tuple(spec for spec in specs.datasets if spec.name in names)


def bases_of(specs: Specs, dataset: str) -> frozenset[str]:
    """Return the bases of all models that are trained on a dataset."""
    return frozenset(model.recipe.base for model in specs.models if model.training == dataset)


@contextmanager
def open_service(setting: Setting, specs: Specs) -> Iterator[Provider]:
    """Open the service that the specs, or the operator, name, as their claims see it; close it again."""
    from reconciler.providers import needs_app, open_provider, with_renames

    name = provider_name(setting, specs)
    app = _local_app(setting) if needs_app(name, setting.environ) else None
    opened = open_provider(name, project=specs.project.name, environ=setting.environ, app=app, bounds=setting.bounds)
    with opened as provider:
        check_journal(setting.journal, provider)
        yield with_renames(provider, NameMap.of(specs))


def provider_name(setting: Setting, specs: Specs) -> str:
    """Return the profile to use: the operator's choice, else the specs', else the built-in service."""
    by_models = next((model.provider for model in specs.models if model.provider), None)
    return setting.provider or by_models or specs.project.provider or DEFAULT_PROVIDER


def _local_app(setting: Setting) -> object:
    from reconciler.service import open_service

    make_home(setting.home)
    return open_service(setting.store)


def make_home(home: Path) -> None:
    """Make our own directory, private and invisible to git."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def prepare(setting: Setting, checked: CheckedSpecs, options: Options, provider: Provider) -> PreparedPlan:
    """OptionalCheck at the service once, and plan."""
    from reconciler.planner import make_plan
    from reconciler.specfile import read_prices

    prices = read_prices(provider.name, setting.prices)
    desired = Desired.join(checked.specs, checked.measures)
    check_targets(options, desired)
    lock = read_claimed_lock(setting, checked.specs)
    seen = find_unlisted_jobs(provider.observe(), desired, lock, options, provider)
    observed = _confirm(seen, desired, lock, provider)
    plan = make_plan(
        desired,
        observed,
        lock=lock,
        options=options,
        provider=provider.name,
        capabilities=provider.capabilities,
        version=__version__,
        prices=prices,
    )
    return PreparedPlan(
        setting=setting,
        checked=checked,
        desired=desired,
        observed=observed,
        lock=lock,
        options=options,
        plan=plan,
    )


def check_targets(options: Options, desired: Desired) -> None:
    """Make sure that every model that was asked for is there.

    Raises: UsageError
    """
    known = {model.name for model in desired.models}
    for flag, names in (("--target", options.target), ("--retry", options.retry), ("--replace", options.replace)):
        unknown = sorted(names - known)
        if unknown:
            raise UsageError(f"{flag} {unknown[0]}: the specs name no such model; they name {', '.join(sorted(known))}")


def read_claimed_lock(setting: Setting, specs: Specs) -> Lock:
    """Read what is locked, under the names that the specs use today."""
    from reconciler.specfile import read_lock

    return NameMap.of(specs).rename_lock(read_lock(setting.lock_path))


def _confirm(observed: Observed, desired: Desired, lock: Lock, provider: Provider) -> Observed:
    # A model list may lag behind the job that made the model, so what seems gone is asked for by name.
    wanted = {model.address: model.stamp for model in desired.models}
    ours = [job for job in observed.jobs if _is_of(job.own_stamp, wanted)]
    unseen = {job.model for job in ours if job.status == SUCCEEDED and job.model}
    unseen |= {entry.model for entry in lock.of(observed.service) if _is_of(entry.stamp, wanted)}
    found = {model for model in unseen if model not in observed.models and _has(provider, model)}
    return replace(observed, models=observed.models | found)


def _is_of(stamp: Stamp, wanted: Mapping[Address, Stamp]) -> bool:
    return stamp.address in wanted and stamp.agrees(wanted[stamp.address])


def _has(provider: Provider, model: ModelId) -> bool:
    try:
        provider.model(model)
    except NotFoundError:
        return False
    return True


@contextmanager
def open_run_context(
    prepared: PreparedPlan, provider: Provider, *, parallelism: int, stop: Stop
) -> Iterator["RunContext"]:
    """Lay out what the executor works with."""
    from concurrent.futures import ThreadPoolExecutor

    from reconciler.executor import RunContext

    # What a worker has begun is seen through before the journal is let go.
    with (
        _journal(prepared, provider, stop) as journal,
        ThreadPoolExecutor(max_workers=min(parallelism, MAX_THREADS), thread_name_prefix="step") as pool,
    ):
        laid = RunContext(
            provider=provider,
            open_dataset=lambda dataset: _open(dataset, prepared.setting.workspace),
            clock=time.monotonic,
            sleep=stop.wait,
            stopping=stop.is_set,
            pool=pool.submit,
            journal=journal,
            run=secrets.token_hex(8),
        )
        laid.remember(prepared.observed, prepared.desired.datasets)
        yield laid


@contextmanager
def _journal(prepared: PreparedPlan, provider: Provider, stop: Stop) -> Iterator[Journal]:
    from reconciler.executor.context import MemoryJournal

    setting = prepared.setting
    if provider.capabilities.takes_token:
        # Two creates of one token give one job, whoever sends them: no run has to tell another.
        yield MemoryJournal()
        return
    with open_journal(
        setting.journal,
        provider,
        home=setting.home,
        make_home=lambda: make_home(setting.home),
        workspace=setting.workspace,
        service=prepared.observed.service,
        project=prepared.checked.specs.project.name,
        environ=setting.environ,
        sleep=stop.wait,
        stopping=stop.is_set,
    ) as journal:
        yield journal


def _open(dataset: Dataset, workspace: Path) -> Iterator[bytes]:
    from reconciler.dataset import open_lines

    return open_lines(dataset, workspace)


def record_lock(prepared: PreparedPlan, jobs: Mapping[Address, RemoteJob], cancelled: tuple[JobId, ...]) -> Lock:
    """Write down which models answer now, if that is something else than before; gives what the file holds.

    Shape:  `jobs` are the succeeded jobs of the wanted stamps, by address; `cancelled` what this run cancelled
    """
    from reconciler.specfile import read_lock, write_lock

    named = {model.address: model for model in prepared.desired.models}
    kept = {entry.address: entry for entry in prepared.lock.entries if entry.address in named}
    fresh = {
        address: _entry(job, prepared.plan.provider, prepared.observed.service, named[address].datasets)
        for address, job in jobs.items()
        if job.model
    }
    known = {job.id for job in prepared.observed.jobs}
    lock = Lock(
        entries=tuple(sorted((kept | fresh).values(), key=lambda entry: entry.address)),
        cancelled=tuple(sorted({*(job for job in prepared.lock.cancelled if job in known), *cancelled})),
    )
    # What was read may have been under older names, so the file itself says whether it is still right.
    if lock != read_lock(prepared.setting.lock_path):
        write_lock(prepared.setting.lock_path, lock)
    return lock


def _entry(job: RemoteJob, provider: str, service_name: str, datasets: tuple[Dataset, ...] = ()) -> LockEntry:
    assert job.model is not None
    return LockEntry(
        stamp=job.own_stamp,
        provider=provider,
        service=service_name,
        job=job.id,
        model=job.model,
        finished_at=job.finished_at,
        datasets=tuple(LockedDataset(stamp=each.stamp, rows=each.measure.rows) for each in datasets),
    )


def find_serving_entry(setting: Setting, specs: Specs, name: str, provider: Provider) -> LockEntry:
    """Return what answers for a name: what is locked; else what the specs want, if it is there; else the newest.

    Raises: UsageError when no spec has the name, NotFoundError when nothing was trained yet
    Cost:   without a lock file the model's data is read, to know what is wanted
    """
    entry = find_locked(setting, specs, name)
    if entry:
        return entry
    observed, address = provider.observe(), _address(specs, name)
    jobs = [job for job in observed.jobs if job.address == address and job.model in observed.models]
    if not jobs:
        raise NotFoundError(f"no finished model for {address}", hint="train it with: reconciler apply")
    wanted = next(model.stamp for model in _desired(setting, specs).models if model.name == name)
    chosen = max(jobs, key=lambda job: (job.is_of(wanted), *job.age_key))
    return _entry(chosen, provider.name, observed.service)


def _desired(setting: Setting, specs: Specs) -> Desired:
    return Desired.join(specs, measure_all(specs, setting))


def find_locked(setting: Setting, specs: Specs, name: str) -> LockEntry | None:
    """Return what the lock file says answers for a name.

    Raises: UsageError when no spec has the name
    """
    return read_claimed_lock(setting, specs).find(_address(specs, name))


def _address(specs: Specs, name: str) -> Address:
    known = sorted(model.name for model in specs.models)
    if name not in known:
        raise UsageError(f"the specs name no model {name}; they name {', '.join(known) or 'none'}")
    return Address(Kind.MODEL, name)


def find_named_jobs(specs: Specs, names: tuple[str, ...], observed: Observed) -> tuple[RemoteJob, ...]:
    """Return the newest job of each model named, in the order of the names; of all models when none is named.

    Raises: UsageError when no spec has a name
    """
    addresses = [_address(specs, name) for name in names or sorted(model.name for model in specs.models)]
    newest = {job.address: job for job in oldest_first(observed.jobs)}
    return tuple(newest[address] for address in addresses if address in newest)
