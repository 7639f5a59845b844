"""Opens the service, and makes a plan: what the specs want beside what the service holds.

specs    = read_setting(setting)                        YAML      -> Specs
measures = measure_datasets(specs, setting)             rows      -> digests and counts
desired  = Desired.join(specs, measures)                both      -> desired state
observed = provider.observe()                           service   -> observed state
plan     = make_plan(desired, observed)                 the two   -> plan (pure)
events   = execute(plan, context)                       plan      -> events
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from reconciler import __version__
from reconciler.dataset.row_diff import FileCache
from reconciler.domain.desired import Desired
from reconciler.domain.errors import UsageError
from reconciler.domain.lock import Lock, Mentions, OtherLock
from reconciler.domain.observed import Observed, RemoteFile
from reconciler.domain.plan import Options, Plan
from reconciler.domain.ports import Provider
from reconciler.domain.spec import Specs
from reconciler.planner import GUARDS, make_plan
from reconciler.providers import needs_app
from reconciler.specfile import read_prices
from reconciler.workflow.home import check_home, make_home, require_home
from reconciler.workflow.journal import add_notes
from reconciler.workflow.lock import read_claimed_lock, read_mentions, read_names, read_other_locks
from reconciler.workflow.measure import CheckedSpecs
from reconciler.workflow.origin import find_origin
from reconciler.workflow.refresh import confirm_models, find_unlisted_jobs
from reconciler.workflow.settings import Setting, find_service

_GRACE_SECONDS = 0.2
"""So much longer than its run a call may take, so that a call that was cut off shows that the time of the run is up."""


class PreparedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with everything that it was made from."""

    setting: Setting
    checked: CheckedSpecs
    desired: Desired
    observed: Observed
    lock: Lock
    options: Options
    plan: Plan
    other_locks: tuple[OtherLock, ...] = ()
    mentions: Mentions = Mentions()


def make_options(
    *,
    target: Iterable[str] = (),
    retry: Iterable[str] = (),
    replace: Iterable[str] = (),
    prune: bool = False,
    allow: Iterable[str] = (),
) -> Options:
    """Return the options of a plan. A model is named as in the specs, or by its address: `model/triage`.

    Raises: UsageError for a guard that does not exist
    """
    allowed = frozenset(allow)
    unknown = sorted(allowed - set(GUARDS))
    if unknown:
        raise UsageError(f"--allow {unknown[0]}: no such guard; there are {', '.join(GUARDS)}")
    target, retry, replace = (
        frozenset(name.removeprefix("model/") for name in names) for names in (target, retry, replace)
    )
    return Options(target=target, retry=retry, replace=replace, prune=prune, allow=allowed)


def prepare_plan(setting: Setting, checked: CheckedSpecs, options: Options, provider: Provider) -> PreparedPlan:
    """Observe the service once, and plan.

    Raises: UsageError when the options name a model that the specs do not
    """
    prices = read_prices(provider.name, setting.prices)
    desired = Desired.join(checked.specs, checked.measures, provider.capabilities.neutral_methods)
    check_targets(options, desired)
    lock = read_claimed_lock(setting, checked.specs)
    listed = find_unlisted_jobs(provider.observe(), desired, lock, options, provider)
    confirmed = confirm_models(listed, desired, lock, provider)
    observed = add_notes(setting, checked.specs, confirmed, provider)
    other_locks = read_other_locks(setting, checked.specs)
    mentions = read_mentions(setting, checked.specs, options, observed)
    plan = make_plan(
        desired,
        observed,
        lock=lock,
        other_locks=other_locks,
        mentions=mentions,
        options=options,
        provider=provider.name,
        capabilities=provider.capabilities,
        version=__version__,
        prices=prices,
        scope=setting.scope,
        origin=find_origin(setting),
    )
    return PreparedPlan(
        setting=setting,
        checked=checked,
        desired=desired,
        observed=observed,
        lock=lock,
        options=options,
        plan=plan,
        other_locks=other_locks,
        mentions=mentions,
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


def find_end(seconds: float | None) -> float:
    """Return when the time of a run is up that begins now, by `time.monotonic`; without a limit, never."""
    return math.inf if seconds is None else time.monotonic() + seconds


def find_end_of_calls(ends_at: float) -> float:
    """Return when the calls of a run are cut off whose time is up at a moment."""
    return ends_at + _GRACE_SECONDS


@contextmanager
def open_service(
    setting: Setting, specs: Specs, *, ends_at: float = math.inf, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Provider]:
    """Open the service that the operator or the specs choose, under the specs' claims; close it again.

    Shape:  no call goes on after `ends_at` by `time.monotonic`; `sleep` waits before a request
    """
    # The HTTP library is loaded when a service is called, so that help and offline plans do not wait for it.
    from reconciler.providers import open_provider, with_renames

    profile = find_service(setting, specs)
    check_home(setting.own_home, setting.workspace, setting.environ)
    app = _open_local_app(setting) if needs_app(profile, setting.environ) else None
    opened = open_provider(
        profile,
        project=specs.project.name,
        environ=setting.environ,
        app=app,
        bounds=setting.bounds,
        origin=find_origin(setting),
        environment=(setting.environment or "") if specs.project.environments else None,
        ends_at=ends_at,
        sleep=sleep,
    )
    with opened as provider:
        yield with_renames(provider, read_names(setting, specs))


def _open_local_app(setting: Setting) -> object:
    # The server's libraries are an extra, and only the built-in service needs them.
    from reconciler.service import open_service as open_app

    require_home(setting.home)
    return open_app(setting.store)


def open_file_cache(setting: Setting) -> FileCache:
    """Return the cache of files that were downloaded from a service."""
    return FileCache(setting.home / "cache" / "files", partial(make_home, setting.home))


def fetch_file(file: RemoteFile, provider: Provider, setting: Setting) -> Path:
    """Return the content of a file of ours on the service, as a file here.

    Raises: ProviderError, and OSError when it cannot be kept
    """
    assert file.stamp is not None
    return open_file_cache(setting).get_file(
        file.stamp.digest, file.size_bytes or 0, lambda: provider.content(file.id, file.size_bytes or 0)
    )
