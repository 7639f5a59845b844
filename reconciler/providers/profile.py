"""What a profile says of one service, as data. No address or credential is decided here, only named."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Capabilities


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller repeats what is safe to repeat.

    Shape:  `attempts` counts the first; waits double from `first_seconds` to `cap_seconds`, less up to a quarter
    Units:  seconds. A service that asks for more than `longest_seconds` is not waited for
    """

    attempts: int = 5
    first_seconds: float = 0.5
    cap_seconds: float = 8.0
    longest_seconds: float = 60.0


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long one call may take, in seconds, and how much it may answer, in bytes."""

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    total_seconds: float = 300.0
    upload_seconds: float = 3600.0
    answer_bytes: int = 64 * 1024 * 1024


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One service by name.

    Shape:  `dialect` names a `Dialect` as entry points do, `package.module:NAME`; `label` stands for the host in what
            is recorded, where the host means nothing to others; the variables are names in the environment, the
            `other_` ones what else they have been called; `in_process` says that the service is part of this program;
            `path` is that of an address that states none; without a home, `base_url` is an example and the variable
            must be set; `key_header` is the header that
            bears the key as it is, empty for a bearer token;
            `query` is added to each request; `has_identities` says that a job of GitHub Actions can be known there
            without a key
    Units:  seconds. `spacing_seconds` between two requests; `warmup_seconds`: how long a model that was just made
            may not answer yet
    """

    name: str
    base_url: str
    url_variable: str
    key_variable: str
    capabilities: Capabilities
    dialect: str
    other_url_variable: str = ""
    organization_variable: str = ""
    other_organization_variable: str = ""
    project_variable: str = ""
    has_home: bool = True
    key_header: str = ""
    query: tuple[tuple[str, str], ...] = ()
    path: str = ""
    label: str = ""
    in_process: bool = False
    has_identities: bool = False
    retries: RetryPolicy = RetryPolicy()
    timeouts: Timeouts = Timeouts()
    spacing_seconds: float = 0.0
    warmup_seconds: float = 0.0


def without_vendor_dates(profile: Profile) -> Profile:
    """Return a profile for a server of another address, of which the dates of its home say nothing."""
    return replace(profile, capabilities=replace(profile.capabilities, closes_on="", retiring=()))


SETTABLE: Mapping[str, float] = MappingProxyType(
    {"fresh": 1.0, "send": 1.0, "effect": 0.0, "list_lag": 0.0, "ready": 1.0, "cancel": 1.0}
)
"""The bounds that an operator may set, each with the least that makes sense, in seconds."""


def with_bounds(profile: Profile, bounds: Mapping[str, float]) -> Profile:
    """Return a profile with other bounds, in seconds by name.

    Raises: UsageError for a bound that cannot be set, or not to that
    """
    for name, seconds in bounds.items():
        if name not in SETTABLE:
            raise UsageError(f"there is no bound {name!r}; there are {', '.join(SETTABLE)}")
        if seconds < SETTABLE[name]:
            raise UsageError(f"the bound {name} cannot be {seconds:g} seconds; it is {SETTABLE[name]:g} at least")
    named = {f"{name}_seconds": seconds for name, seconds in bounds.items()}
    # The names are those of fields, one for one, which no type checker can follow.
    return replace(profile, capabilities=replace(profile.capabilities, **named))
