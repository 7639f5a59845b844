"""Makes a plan: what the specs want beside what the service holds.

specs    = read_setting(setting)                        YAML      -> Specs
measures = measure_datasets(specs, setting)             rows      -> digests and counts
desired  = Desired.join(specs, measures)                both      -> desired state
observed = provider.observe()                           service   -> observed state
plan     = make_plan(desired, observed)                 the two   -> plan (pure)
events   = execute(plan, context)                       plan      -> events
"""

import msgspec

from reconciler import __version__
from reconciler.domain.desired import Desired
from reconciler.domain.errors import UsageError
from reconciler.domain.lock import Lock
from reconciler.domain.observed import Observed
from reconciler.domain.plan import Options, Plan
from reconciler.domain.ports import Provider
from reconciler.planner import make_plan
from reconciler.specfile import read_prices
from reconciler.workflow.lock import read_claimed_lock
from reconciler.workflow.measure import CheckedSpecs
from reconciler.workflow.refresh import confirm_models, find_unlisted_jobs
from reconciler.workflow.settings import Setting


class PreparedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with everything that it was made from."""

    setting: Setting
    checked: CheckedSpecs
    desired: Desired
    observed: Observed
    lock: Lock
    options: Options
    plan: Plan


def prepare_plan(setting: Setting, checked: CheckedSpecs, options: Options, provider: Provider) -> PreparedPlan:
    """Observe the service once, and plan.

    Raises: UsageError when the options name a model that the specs do not
    """
    prices = read_prices(provider.name, setting.prices)
    desired = Desired.join(checked.specs, checked.measures)
    check_targets(options, desired)
    lock = read_claimed_lock(setting, checked.specs)
    listed = find_unlisted_jobs(provider.observe(), desired, lock, options, provider)
    observed = confirm_models(listed, desired, lock, provider)
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
    """Make sure that the specs name every model of the options.

    Raises: UsageError
    """
    known = {model.name for model in desired.models}
    for flag, names in (("--target", options.target), ("--retry", options.retry), ("--replace", options.replace)):
        unknown = sorted(names - known)
        if unknown:
            raise UsageError(f"{flag} {unknown[0]}: the specs name no such model; they name {', '.join(sorted(known))}")
