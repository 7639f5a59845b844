"""Plan and apply for fine-tuned models.

    import reconciler

    planned = reconciler.plan("specs")
    print(planned)
    result = reconciler.apply(planned)

The names in `__all__` and those of `reconciler.testing` are public; docs/python-api.md describes them. They are loaded
when they are first used, so that the command line does not wait for them.
"""

TYPE_CHECKING = False
"""Type checkers take this name for true; importing it from typing would take longer than `--version` does."""

if TYPE_CHECKING:
    from reconciler.api import ApplyResult, PlanResult, apply, plan, read_specs, validate
    from reconciler.domain.errors import (
        DeniedError,
        InputError,
        JournalError,
        MalformedError,
        NotFoundError,
        PolicyError,
        Problem,
        ProviderError,
        ReconcilerError,
        RejectedError,
        StalePlanError,
        TemporaryError,
        UsageError,
    )
    from reconciler.domain.event import Event, Outcome
    from reconciler.domain.observed import JobStatus, RemoteJob
    from reconciler.domain.plan import Plan
    from reconciler.domain.spec import DatasetSpec, ModelSpec, ProjectSpec, Specs
    from reconciler.workflow import CheckedSpecs

__version__ = "0.1.0"

__all__ = [
    "ApplyResult",
    "CheckedSpecs",
    "DatasetSpec",
    "DeniedError",
    "Event",
    "InputError",
    "JobStatus",
    "JournalError",
    "MalformedError",
    "ModelSpec",
    "NotFoundError",
    "Outcome",
    "Plan",
    "PlanResult",
    "PolicyError",
    "Problem",
    "ProjectSpec",
    "ProviderError",
    "ReconcilerError",
    "RejectedError",
    "RemoteJob",
    "Specs",
    "StalePlanError",
    "TemporaryError",
    "UsageError",
    "__version__",
    "apply",
    "plan",
    "read_specs",
    "validate",
]

_MODULES = {
    "api": {"ApplyResult", "PlanResult", "apply", "plan", "read_specs", "validate"},
    "domain.event": {"Event", "Outcome"},
    "domain.observed": {"JobStatus", "RemoteJob"},
    "domain.plan": {"Plan"},
    "domain.spec": {"DatasetSpec", "ModelSpec", "ProjectSpec", "Specs"},
    "workflow": {"CheckedSpecs"},
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((module for module, names in _MODULES.items() if name in names), "domain.errors")
    # The built-in function: importing importlib would be felt by `--version`.
    return getattr(__import__(f"{__name__}.{home}", fromlist=(name,)), name)


def __dir__() -> list[str]:
    return __all__
