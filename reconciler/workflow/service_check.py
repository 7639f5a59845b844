"""Checks specs and rows against the service that would train them, as far as its profile says what it takes."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import ModelSpec, Specs, WrittenField
from reconciler.foundation.text import did_you_mean
from reconciler.providers import Profile, RuleFault, base_faults, needs_app, recipe_faults, row_fault
from reconciler.workflow.settings import Setting, find_service


def check_service(setting: Setting, specs: Specs, measures: Mapping[str, DatasetMeasure]) -> Iterator[Problem]:
    """Yield each field and each file of rows that the service has no place for: a create of it would not be sent.

    A base that the built-in service does not have is an error where a spec or the operator chose that service. Where
    nothing was chosen, it is a warning until something is to be trained, because another service may still be named.
    """
    if not specs.models:
        return
    profile = find_service(setting, specs)
    is_chosen = bool(setting.provider or specs.project.provider or any(model.provider for model in specs.models))
    yield from _check_bases(setting, profile, specs.models, Severity.ERROR if is_chosen else Severity.WARNING)
    for model in specs.models:
        for fault in recipe_faults(model.recipe, profile.capabilities, profile.name):
            yield _problem(fault, model.find_field(fault.field), "service.field")
    yield from _check_rows_of_bases(specs, measures, profile)
    used = {name for model in specs.models for name in (model.training, model.validation) if name}
    for dataset in specs.datasets:
        measured = measures.get(dataset.name) if dataset.name in used else None
        row = row_fault(measured.format, profile.capabilities, profile.name, dataset) if measured else None
        if row:
            yield _problem(row, dataset.find_field(row.field), "service.format")


def check_bases(setting: Setting, specs: Specs, names: Collection[str]) -> Iterator[Problem]:
    """Yield an error for each of the named models whose base the service does not have: it is about to be trained."""
    profile = find_service(setting, specs)
    models = [model for model in specs.models if model.name in names]
    yield from _check_bases(setting, profile, models, Severity.ERROR)


def _check_bases(
    setting: Setting, profile: Profile, models: Iterable[ModelSpec], severity: Severity
) -> Iterator[Problem]:
    taken = profile.capabilities
    # A built-in service of another machine may have bases that this one does not know.
    is_elsewhere = profile.in_process and not needs_app(profile, setting.environ)
    if not taken.lists_all_bases or is_elsewhere:
        return
    known = ", ".join(sorted(taken.bases))
    for model in models:
        if model.recipe.base not in taken.bases:
            near = did_you_mean(model.recipe.base, taken.bases)
            written = model.find_field("base")
            yield Problem(
                where=written.place,
                path=written.path,
                what=f"the service {profile.name} has no base model `{model.recipe.base}`",
                hint=near or f"it trains {known}; name a service that has this base, such as 'provider: openai'",
                rule="service.base",
                severity=severity,
            )


def _check_rows_of_bases(specs: Specs, measures: Mapping[str, DatasetMeasure], profile: Profile) -> Iterator[Problem]:
    datasets = {spec.name: spec for spec in specs.datasets}
    reported: set[tuple[str, str]] = set()
    for model in specs.models:
        for name in (model.training, model.validation):
            measured = measures.get(name) if name else None
            if not name or not measured:
                continue
            for fault in base_faults(model.recipe, measured, profile.capabilities, datasets[name]):
                owner = model if fault.field == "method" else datasets[name]
                if (owner.name, fault.what) not in reported:
                    reported.add((owner.name, fault.what))
                    yield _problem(fault, owner.find_field(fault.field), _RULES[fault.field])


_RULES = {"method": "service.method", "format": "service.format", "source": "service.images"}


def _problem(fault: RuleFault, written: WrittenField, rule: str) -> Problem:
    return Problem(where=written.place, path=written.path, what=fault.what, hint=fault.hint, rule=rule)
