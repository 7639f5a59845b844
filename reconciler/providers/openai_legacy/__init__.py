"""The dialect of 2021 to 2023, and the profile of servers that speak it."""

from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import SUPERVISED, Format
from reconciler.providers.profile import Profile

__all__ = ["OPENAI_LEGACY"]

OPENAI_LEGACY = Profile(
    name="openai-legacy",
    dialect="reconciler.providers.openai_legacy.dialect:DIALECT",
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
        # Prompts and completions, by supervised training; other hyperparameters may stand in `extra`.
        formats=frozenset(Format) - {Format.CHAT},
        methods=(SUPERVISED,),
        neutral_methods=(SUPERVISED,),
        hyperparameters=("n_epochs", "batch_size", "learning_rate_multiplier"),
        missing_fields=("hyperparameters", "integrations", "metadata", "method", "seed"),
        # Servers of the last months took 18; a suffix of 40 was the rule for two years.
        suffix_length=40,
        # All files of an organisation together could have this size.
        max_file_bytes=1024 * 1024 * 1024,
        poll_seconds=2.0,
        fresh_seconds=240.0,
        send_seconds=60.0,
        effect_seconds=60.0,
        list_lag_seconds=30.0,
        carrier="the names of small files beside the job, and the suffix of its model",
        ready_seconds=600.0,
        cancel_seconds=120.0,
    ),
    warmup_seconds=180.0,
)
