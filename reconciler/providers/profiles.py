"""Which services there are and how they differ, as data. No address or credential is decided here, only named."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Capabilities


class Dialect(StrEnum):
    """The words a service is spoken to in: today's `/fine_tuning/jobs`, or the `/fine-tunes` of 2021 to 2023."""

    CURRENT = "current"
    LEGACY = "legacy"


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

    Shape:  `label` stands for the host in what is recorded, where the host means nothing to others; the variables
            are names in the environment, the `other_` ones what else they have been called; `in_process` says that the
            service is part of this program; without a home, `base_url` is an example and the variable must be set;
            `has_identities` says that a job of GitHub Actions can be known there without a key
    Units:  seconds. `spacing_seconds` between two requests; `warmup_seconds`: how long a model that was just made
            may not answer yet
    """

    name: str
    base_url: str
    url_variable: str
    key_variable: str
    capabilities: Capabilities
    dialect: Dialect = Dialect.CURRENT
    other_url_variable: str = ""
    organization_variable: str = ""
    other_organization_variable: str = ""
    project_variable: str = ""
    has_home: bool = True
    label: str = ""
    in_process: bool = False
    has_identities: bool = False
    retries: RetryPolicy = RetryPolicy()
    timeouts: Timeouts = Timeouts()
    spacing_seconds: float = 0.0
    warmup_seconds: float = 0.0


_LOCAL = Profile(
    name="local",
    base_url="http://localhost/v1",
    url_variable="RECONCILER_LOCAL_URL",
    key_variable="RECONCILER_LOCAL_KEY",
    label="local",
    in_process=True,
    capabilities=Capabilities(
        bases=frozenset({"tfidf-logreg"}),
        poll_seconds=0.2,
        # It shows a job in the moment in which it makes it, and a request that was cut off ends with its transaction.
        fresh_seconds=16.0,
        send_seconds=30.0,
        effect_seconds=2.0,
        list_lag_seconds=0.0,
        keeps_notes=True,
        ready_seconds=10.0,
        cancel_seconds=15.0,
    ),
    retries=RetryPolicy(attempts=4, first_seconds=0.1, cap_seconds=1.0, longest_seconds=5.0),
    timeouts=Timeouts(connect_seconds=2.0),
)

_OPENAI = Profile(
    name="openai",
    base_url="https://api.openai.com/v1",
    url_variable="OPENAI_BASE_URL",
    key_variable="OPENAI_API_KEY",
    organization_variable="OPENAI_ORG_ID",
    project_variable="OPENAI_PROJECT_ID",
    has_identities=True,
    capabilities=Capabilities(
        # The snapshots that the supervised fine-tuning guide and the deprecations page left trainable, late 2026.
        bases=frozenset(
            {
                "gpt-4.1-2025-04-14",
                "gpt-4.1-mini-2025-04-14",
                "gpt-4o-2024-08-06",
                "gpt-4o-mini-2024-07-18",
            }
        ),
        poll_seconds=10.0,
        fresh_seconds=240.0,
        send_seconds=60.0,
        effect_seconds=60.0,
        list_lag_seconds=30.0,
        keeps_notes=True,
        ready_seconds=1800.0,
        cancel_seconds=120.0,
        # By the service's deprecations page; organisations that did not fine-tune before 2026-05-07, or did not use a
        # fine-tuned model lately, are turned away already.
        closes_on="2027-01-06",
        retiring=(
            ("gpt-4.1-2025-04-14", "2027-01-14"),
            ("gpt-4.1-mini-2025-04-14", "2027-01-14"),
            ("gpt-4o-2024-08-06", "2027-01-14"),
            ("gpt-4o-mini-2024-07-18", "2027-01-14"),
        ),
    ),
    spacing_seconds=0.05,
    warmup_seconds=180.0,
)

_OPENAI_LEGACY = Profile(
    name="openai-legacy",
    dialect=Dialect.LEGACY,
    base_url="http://127.0.0.1:8000/v1",
    has_home=False,
    # The names of that generation's clients, and then those that came after them.
    url_variable="OPENAI_API_BASE",
    other_url_variable="OPENAI_BASE_URL",
    key_variable="OPENAI_API_KEY",
    organization_variable="OPENAI_ORGANIZATION",
    other_organization_variable="OPENAI_ORG_ID",
    capabilities=Capabilities(
        bases=frozenset({"ada", "babbage", "curie", "davinci"}),
        # Servers of the last months took 18; a suffix of 40 was the rule for two years.
        suffix_length=40,
        # All files of an organisation together had this much room.
        max_file_bytes=1024 * 1024 * 1024,
        poll_seconds=2.0,
        fresh_seconds=240.0,
        send_seconds=60.0,
        effect_seconds=60.0,
        list_lag_seconds=30.0,
        ready_seconds=600.0,
        cancel_seconds=120.0,
    ),
    warmup_seconds=180.0,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (_LOCAL, _OPENAI, _OPENAI_LEGACY)}
)
"""Every profile that a spec or a flag may name."""


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


def needs_app(profile: str, environ: Mapping[str, str]) -> bool:
    """Return whether opening this profile takes the application of the built-in service."""
    found = PROFILES.get(profile)
    return found is not None and found.in_process and not environ.get(found.url_variable, "").strip()
