"""Plans as data. A plan is complete: what it does, what it keeps, what it refuses, and why.

The commands that messages print for a next step are written here too, from the place and the options of a plan.
"""

import shlex
from enum import StrEnum
from typing import NewType

import msgspec

from reconciler.domain.basis import NO_INPUTS, Basis, PlanInputs
from reconciler.domain.cost import NO_COST, Cost, Estimate, total
from reconciler.domain.desired import Dataset, Model
from reconciler.domain.identity import Address, Tagged
from reconciler.domain.observed import FileId, JobId, JobStatus, ModelId, RemoteJob
from reconciler.domain.row_diff import RowDiff, RowsUnknown

StepId = NewType("StepId", str)

ENVIRONMENT_VARIABLE = "RECONCILER_ENV"
"""The environment variable that names the environment of the Project to work in."""

DIRECTORY_VARIABLE = "RECONCILER_DIRECTORY"
"""The environment variable in which a command notes the directory of `-C`, for the commands that it prints."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field, before and after. It explains, and never decides."""

    field: str
    before: str | None
    after: str | None


class Upload(Tagged, frozen=True, kw_only=True):
    """Send a dataset's lines to the service."""

    dataset: Dataset

    @property
    def address(self) -> Address:
        return self.dataset.stamp.address


class Train(Tagged, frozen=True, kw_only=True):
    """Create a job.

    Shape:  `excluded_jobs` are jobs of the same stamp that were seen and do not count (failed, superseded, model gone);
            any other job of the stamp that turns up is adopted instead. `supersedes` are cancelled by this plan
    """

    model: Model
    excluded_jobs: tuple[JobId, ...] = msgspec.field(default=(), name="despite")
    supersedes: tuple[JobId, ...] = ()

    @property
    def address(self) -> Address:
        return self.model.address


class CancelReason(StrEnum):
    """Why a job is to be cancelled."""

    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    ORPHAN = "orphan"
    ASKED = "asked"


class Cancel(Tagged, frozen=True, kw_only=True):
    """Cancel a job that bears our stamp."""

    job: RemoteJob
    reason: CancelReason
    kept: JobId | None = None

    @property
    def address(self) -> Address:
        return self.job.address


class Delete(Tagged, frozen=True, kw_only=True):
    """Delete a file or model that no spec names and nothing uses; `job` made the model and proves that it is ours."""

    address: Address
    thing: FileId | ModelId
    is_model: bool
    job: JobId | None = None


class Promote(Tagged, frozen=True, kw_only=True):
    """Make an existing model the serving model: only the lock file changes, and nothing is paid.

    Shape:  `instead_of` is None if there was no serving model: in an environment whose model another one has trained
    """

    job: RemoteJob
    model: ModelId
    instead_of: ModelId | None = None

    @property
    def address(self) -> Address:
        return self.job.address


Action = Upload | Train | Cancel | Delete | Promote


class KeepReason(StrEnum):
    """Why something stays as it is."""

    READY = "ready"
    TRAINING = "training"
    BUSY = "busy"
    MISSING = "missing"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUSPENDED = "suspended"
    ORPHAN = "orphan"


BLOCKED = frozenset({KeepReason.BUSY, KeepReason.MISSING, KeepReason.FAILED, KeepReason.CANCELLED})
"""Why a model that the specs want is not there, and no job of it runs."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stays, and why. The decision rests on `job`; `hint` is the next step, if one is needed."""

    address: Address
    why: KeepReason
    job: JobId | None = None
    status: JobStatus | None = None
    model: ModelId | None = None
    detail: str = ""
    hint: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A policy or guard that refuses the plan.

    Shape:  `guard` is the name that `--allow` takes; empty if only a change of the specs helps
    """

    policy: str
    what: str
    hint: str
    guard: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An action in its place: what must be done before it, the fields that made it necessary, what a job will cost.

    Shape:  `rows` say how a dataset's rows differ from those that the service holds; None if they were not compared,
            or the service holds none
    """

    id: StepId
    action: Action
    needs: tuple[StepId, ...] = ()
    changes: tuple[Change, ...] = ()
    rows: RowDiff | RowsUnknown | None = None
    estimate: Estimate | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run would do, keep and refuse, in order.

    Shape:  `basis` names the inputs by content, `inputs` the objects in them; `against` names what stands for the
            service if no request was sent; such a plan is for reading, never applied
    """

    project: str
    provider: str
    service: str
    basis: Basis
    environment: str | None = None
    inputs: PlanInputs = msgspec.field(default=NO_INPUTS, name="grounds")
    steps: tuple[Step, ...] = ()
    kept: tuple[Keep, ...] = ()
    refused: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()
    against: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.steps

    @property
    def blocked(self) -> tuple[Keep, ...]:
        """The wanted models that this plan does not bring about: each waits for an older job or a decision."""
        return tuple(keep for keep in self.kept if keep.why in BLOCKED)

    @property
    def unmet(self) -> tuple[Keep, ...]:
        """The models that the specs want and that are not there: blocked, or their job still runs."""
        return tuple(keep for keep in self.kept if keep.why in BLOCKED | {KeepReason.TRAINING})

    @property
    def is_settled(self) -> bool:
        """Whether everything is as the specs ask: nothing to do, nothing refused, nothing missing."""
        return self.is_empty and not self.refused and not self.unmet

    @property
    def trains(self) -> tuple[Train, ...]:
        return tuple(step.action for step in self.steps if isinstance(step.action, Train))

    @property
    def cost(self) -> Cost:
        """The cost of all its jobs together."""
        jobs = [step for step in self.steps if isinstance(step.action, Train)]
        return total(step.estimate.cost if step.estimate else Cost() for step in jobs) if jobs else NO_COST

    @property
    def is_waiting(self) -> bool:
        """Whether an apply that waits would begin something when an older job has ended."""
        return any(keep.why is KeepReason.BUSY for keep in self.kept)

    @property
    def awaited(self) -> tuple[JobId, ...]:
        """The jobs that run already, and that a wait includes."""
        return tuple(keep.job for keep in self.kept if keep.why in {KeepReason.TRAINING, KeepReason.BUSY} and keep.job)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one plan, beside the specs."""

    prune: bool = False
    retry: frozenset[str] = msgspec.field(default_factory=frozenset)
    replace: frozenset[str] = msgspec.field(default_factory=frozenset)
    target: frozenset[str] = msgspec.field(default_factory=frozenset)
    allow: frozenset[str] = msgspec.field(default_factory=frozenset)


_NO_OPTIONS = Options()


class CommandScope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command works, and the flags that its next commands need. Messages print commands that can be copied.

    Shape:  `directory` is that of `-C`; without a `root`, a command gets none; an `environment` of no characters is
            none where a variable may name one; `provider`, `prices` and `journal` only if they were given by flag;
            `plan_flags` are flags that only plan has, `apply_flags` those of apply
    """

    directory: str = ""
    root: str = ""
    environment: str | None = None
    provider: str | None = None
    prices: str | None = None
    journal: str | None = None
    plan_flags: tuple[str, ...] = ()
    apply_flags: tuple[str, ...] = ()

    def plan(self, *flags: str, options: Options = _NO_OPTIONS) -> str:
        """Return the command that plans here, with these options, and more flags at its end."""
        return shlex.join([*self._program(), "plan", *self._plan_words(options), *self.plan_flags, *flags])

    def apply(self, *flags: str, options: Options = _NO_OPTIONS) -> str:
        """Return the command that plans here, with these options, and applies it."""
        words = [*self._plan_words(options), *self._journal_words(), *self.apply_flags, *flags]
        return shlex.join([*self._program(), "apply", *words])

    def apply_saved(self, file: str) -> str:
        """Return the command that applies a saved plan, which holds everything but the prices itself."""
        return shlex.join([*self._program(), "apply", _as_argument(file), *self._price_words()])

    def call(self, command: str, *words: str) -> str:
        """Return any other command that takes the specs as `--specs`, such as wait, follow, cancel or jobs."""
        specs = ["--specs", self.root] if self.root else []
        return shlex.join([*self._program(), *command.split(), *words, *specs, *self._place_words()])

    def call_journal(self, command: str, *words: str) -> str:
        """Return the command of the journal, such as list or clear, that opens the same journal as this one."""
        return self.call(f"journal {command}", *words, *self._journal_words())

    def _program(self) -> list[str]:
        words = ["env", "-u", ENVIRONMENT_VARIABLE] if self.environment == "" else []
        return [*words, "reconciler", *(["-C", self.directory] if self.directory else [])]

    def _plan_words(self, options: Options) -> list[str]:
        names_by_flag = {
            "--target": options.target,
            "--retry": options.retry,
            "--replace": options.replace,
        }
        words = [_as_argument(self.root)] if self.root else []
        words += [*self._place_words(), *self._price_words()]
        words += [word for flag, names in names_by_flag.items() for name in sorted(names) for word in (flag, name)]
        words += ["--prune"] if options.prune else []
        return words + [word for guard in sorted(options.allow) for word in ("--allow", guard)]

    def _place_words(self) -> list[str]:
        words = ["--env", self.environment] if self.environment else []
        return words + (["--provider", self.provider] if self.provider else [])

    def _journal_words(self) -> list[str]:
        return ["--journal", self.journal] if self.journal else []

    def _price_words(self) -> list[str]:
        return ["--prices", self.prices] if self.prices else []


def _as_argument(path: str) -> str:
    # A path that begins with a dash would be read as a flag.
    return f"./{path}" if path.startswith("-") else path
