"""The public functions: validate, plan and apply from Python. `import reconciler` hands them on."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from reconciler.domain.errors import InputError, PolicyError, UsageError
from reconciler.domain.event import Event, Finished, Outcome
from reconciler.domain.identity import Address
from reconciler.domain.observed import JobId, ModelId, RemoteJob
from reconciler.domain.plan import Plan
from reconciler.domain.spec import Specs
from reconciler.foundation.stop import Stop
from reconciler.journal import check_journal
from reconciler.planner.saved_plan import check_fresh
from reconciler.render import plan_json, plan_text, problems_text, refusals_text
from reconciler.workflow import CheckedSpecs, Setting, check_specs, resolve_setting
from reconciler.workflow import read_setting as read_setting_specs
from reconciler.workflow.apply import (
    MAX_THREADS,
    RunTally,
    open_run_context,
    run_plan,
    select_serving_jobs,
)
from reconciler.workflow.plan import PreparedPlan, find_end, find_end_of_calls, make_options, open_service, prepare_plan

ROOT = "specs"

Names = str | Iterable[str]
"""One name, or several."""


class PlanResult(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, with what `apply` needs to carry it out. As text it reads like `reconciler plan`."""

    prepared: PreparedPlan

    @property
    def plan(self) -> Plan:
        """The plan as a value: `steps`, `kept`, `refused`, `warnings` and `basis`."""
        return self.prepared.plan

    @property
    def is_empty(self) -> bool:
        return self.plan.is_empty

    @property
    def is_refused(self) -> bool:
        """Whether a policy or guard refuses a step, so that `apply` does nothing."""
        return bool(self.plan.refused)

    def to_json(self) -> str:
        """Return the plan as `reconciler plan --json` writes it."""
        return plan_json(self.plan, self.prepared.checked.warnings)

    def __str__(self) -> str:
        previous = {entry.address: entry.model for entry in self.prepared.lock.of(self.prepared.observed.service)}
        return plan_text(self.plan, colour=False, previous=previous, scope=self.prepared.setting.scope)

    def __repr__(self) -> str:
        return f"PlanResult(root={self.prepared.setting.root_name!r}, basis={str(self.plan.basis.digest)!r})"


class ApplyResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an apply.

    Shape:  `models` are the serving models by the names of the specs; `outcomes` how each step ended, by its id;
            `jobs` the newest state of every job that the run created or followed
    """

    models: Mapping[str, ModelId]
    outcomes: Mapping[str, Outcome]
    jobs: Mapping[JobId, RemoteJob]

    @property
    def is_running(self) -> bool:
        return any(job.status.is_active for job in self.jobs.values())

    @property
    def has_failed(self) -> bool:
        """Whether a step or a job failed, was refused, or has an unknown outcome; applying again is safe."""
        return bool({Outcome.FAILED, Outcome.REFUSED, Outcome.UNKNOWN} & set(self.outcomes.values())) or any(
            job.status.word in {"failed", "cancelled"} for job in self.jobs.values()
        )


def read_specs(
    root: str | Path = ROOT, *, environment: str | None = None, environ: Mapping[str, str] | None = None
) -> Specs:
    """Read the specs of a root; no row is read and no service is called.

    Raises: InputError with every problem of every file, UsageError for an unknown environment
    """
    with _list_problems():
        return read_setting_specs(_resolve(root, environ, environment))


def validate(
    root: str | Path = ROOT,
    *,
    environment: str | None = None,
    deep: bool = False,
    environ: Mapping[str, str] | None = None,
) -> CheckedSpecs:
    """Check specs and data, offline. Return the specs, the measures of their datasets, and the warnings.

    Shape:  with `deep`, search for secrets, personal data and near duplicates too, whatever the size
    Raises: InputError with every problem of every file
    Cost:   reads every dataset that is not in the cache
    """
    with _list_problems():
        return check_specs(msgspec.structs.replace(_resolve(root, environ, environment), deep=deep))


def plan(
    root: str | Path = ROOT,
    *,
    environment: str | None = None,
    provider: str | None = None,
    target: Names = (),
    retry: Names = (),
    replace: Names = (),
    prune: bool = False,
    allow: Names = (),
    environ: Mapping[str, str] | None = None,
) -> PlanResult:
    """Plan what `apply` would do, and why. Reads specs, data and the service, and changes nothing.

    Shape:  the parameters are the options of `reconciler plan`; `target`, `retry` and `replace` take one model name or
            several, `allow` one guard or several; `environ` replaces the environment variables
    Raises: InputError for invalid specs and rows, UsageError for unknown names, ProviderError when the service refuses
    """
    options = make_options(
        target=_list_names("target", target),
        retry=_list_names("retry", retry),
        replace=_list_names("replace", replace),
        prune=prune,
        allow=_list_names("allow", allow),
    )
    with _list_problems():
        setting = _resolve(root, environ, environment, provider)
        checked = check_specs(setting, count_tokens=True)
    with open_service(setting, checked.specs) as service:
        return PlanResult(prepared=prepare_plan(setting, checked, options, service))


def apply(
    planned: PlanResult,
    *,
    wait: bool = True,
    timeout_seconds: float | None = None,
    parallelism: int = 10,
    on_event: Callable[[Event], None] | None = None,
) -> ApplyResult:
    """Apply a plan, if nothing changed since it was made, and record the serving models in the lock file.

    Shape:  `planned` is the result of `plan`; with `wait`, returns when the jobs have ended or time is up; jobs
            continue on the service in any case; `parallelism` is how many steps may run at the same time, from 1 to 64
    Raises: StalePlanError when specs, data or the service changed; PolicyError when the plan is refused; UsageError for
            wrong arguments; InputError, ProviderError
    """
    if not isinstance(planned, PlanResult):
        raise UsageError(f"apply takes the result of plan, not a {type(planned).__name__}: call plan first")
    if parallelism not in range(1, MAX_THREADS + 1):
        raise UsageError(f"parallelism is {parallelism!r}; it must be a whole number from 1 to {MAX_THREADS}")
    setting = planned.prepared.setting
    with _list_problems():
        checked = check_specs(setting, count_tokens=True)
    tally, outcomes = RunTally(), dict[str, Outcome]()

    def receive(event: Event) -> None:
        if isinstance(event, Finished):
            outcomes[event.step.id] = event.outcome
        if on_event:
            on_event(event)

    ends_at = find_end(timeout_seconds)
    with open_service(setting, checked.specs, ends_at=find_end_of_calls(ends_at)) as service:
        check_journal(setting.journal, service)
        prepared = prepare_plan(setting, checked, planned.prepared.options, service)
        check_fresh(planned.plan, prepared.plan, title="the plan")
        if prepared.plan.refused:
            raise PolicyError(refusals_text(prepared.plan, colour=False).strip())
        with open_run_context(prepared, service, parallelism=parallelism, stop=Stop(), ends_at=ends_at) as context:
            run_plan(prepared, context, tally, receive, wait=wait)
    return ApplyResult(models=_find_serving(prepared, tally), outcomes=outcomes, jobs=dict(tally.jobs))


def _find_serving(prepared: PreparedPlan, tally: RunTally) -> Mapping[str, ModelId]:
    serving: dict[Address, ModelId] = {
        entry.address: entry.model for entry in prepared.lock.of(prepared.observed.service)
    }
    serving |= {address: job.model for address, job in select_serving_jobs(prepared, tally).items() if job.model}
    wanted = {model.address: model.name for model in prepared.desired.models}
    return {wanted[address]: model for address, model in sorted(serving.items()) if address in wanted}


def _list_names(parameter: str, names: Names) -> frozenset[str]:
    listed = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, Iterable) else (names,)
    if not all(isinstance(each, str) for each in listed):
        raise UsageError(f"{parameter}: give one name or a list of names, not {names!r}")
    return frozenset(listed)


def _resolve(
    root: str | Path, environ: Mapping[str, str] | None, environment: str | None, provider: str | None = None
) -> Setting:
    given = os.environ if environ is None else environ
    return resolve_setting(Path(root), given, provider=provider, environment=environment)


@contextmanager
def _list_problems() -> Iterator[None]:
    """Add the problems to an input error, so that a traceback shows them."""
    try:
        yield
    except InputError as error:
        error.add_note(problems_text(error.problems, error.unshown, "nothing was sent").rstrip())
        raise
