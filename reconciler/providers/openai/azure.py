"""Microsoft Foundry (Azure OpenAI), whose v1 API speaks today's dialect with differences.

By the vendor's documentation of 2026-03 to 2026-10 and its API description; nothing here was seen live. Not known, and
not relied on: whether the metadata of a job comes back, in which order jobs are listed, how long lists lag.
"""

from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import SUPERVISED, BaseRules, Format
from reconciler.providers.profile import Profile

_CLOSED_BASES = (
    # Training of these is left to subscriptions that trained before; the day is the first on which it may end.
    ("gpt-4.1-2025-04-14", "2027-04-14"),
    ("gpt-4.1-mini-2025-04-14", "2027-04-14"),
    ("gpt-4.1-nano-2025-04-14", "2027-04-14"),
    ("gpt-4o-2024-08-06", "2027-04-01"),
    ("gpt-4o-mini-2024-07-18", "2027-04-01"),
    ("o4-mini-2025-04-16", "2027-04-16"),
    ("gpt-5-2025-08-07", "2027-02-06"),
)
_OPEN_BASES = ("Ministral-3B", "Qwen-32B", "Llama-3.3-70B-Instruct", "gpt-oss-20b")

AZURE = Profile(
    name="azure",
    dialect="reconciler.providers.openai.dialect:AZURE_DIALECT",
    base_url="https://YOUR-RESOURCE.openai.azure.com/openai/v1",
    path="/openai/v1",
    url_variable="AZURE_OPENAI_ENDPOINT",
    key_variable="AZURE_OPENAI_API_KEY",
    key_header="api-key",
    has_home=False,
    capabilities=Capabilities(
        bases=frozenset({*(base for base, _ in _CLOSED_BASES), *_OPEN_BASES}),
        base_rules=(
            BaseRules(
                bases=("gpt-4.1-2025-04-14", "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14"),
                formats=(Format.CHAT, Format.PREFERENCE),
                methods=(SUPERVISED, "dpo"),
            ),
            BaseRules(
                bases=("gpt-4o-2024-08-06",),
                formats=(Format.CHAT, Format.PREFERENCE),
                methods=(SUPERVISED, "dpo"),
                sees_images=True,
            ),
            BaseRules(bases=("gpt-4o-mini-2024-07-18", *_OPEN_BASES), formats=(Format.CHAT,), methods=(SUPERVISED,)),
            BaseRules(
                bases=("o4-mini-2025-04-16", "gpt-5-2025-08-07"),
                formats=(Format.REINFORCEMENT,),
                methods=("reinforcement",),
            ),
        ),
        methods=(SUPERVISED, "dpo", "reinforcement"),
        formats=frozenset({Format.CHAT, Format.PREFERENCE, Format.REINFORCEMENT}),
        neutral_methods=(SUPERVISED, "dpo"),
        # Without it the service says that the base cannot be trained.
        required_fields=(("trainingType", ("GlobalStandard", "Standard", "Developer", "developerTier")),),
        suffix_length=40,
        suffix_signs="-_",
        deletes_models=False,
        poll_seconds=10.0,
        fresh_seconds=240.0,
        send_seconds=60.0,
        effect_seconds=120.0,
        list_lag_seconds=60.0,
        carrier="the metadata of the job",
        ready_seconds=1800.0,
        cancel_seconds=300.0,
        retiring=_CLOSED_BASES,
    ),
    spacing_seconds=0.05,
    warmup_seconds=180.0,
)
