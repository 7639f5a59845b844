"""Today's dialect, and the services that speak it: the built-in one, OpenAI's, and any other server that does."""

from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import SUPERVISED, AnswerSet, BaseRules, Format
from reconciler.providers.openai.azure import AZURE
from reconciler.providers.profile import Profile, RetryPolicy, Timeouts

__all__ = ["AZURE", "COMPATIBLE", "LOCAL", "OPENAI"]

LOCAL = Profile(
    name="local",
    dialect="reconciler.providers.openai.dialect:DIALECT",
    base_url="http://localhost/v1",
    url_variable="RECONCILER_LOCAL_URL",
    key_variable="RECONCILER_LOCAL_KEY",
    path="/v1",
    label="local",
    in_process=True,
    capabilities=Capabilities(
        bases=frozenset({"tfidf-logreg"}),
        lists_all_bases=True,
        answer_sets=(
            AnswerSet(base="tfidf-logreg", other="`provider: openai` and `base: gpt-4.1-mini-2025-04-14` in the model"),
        ),
        neutral_methods=(SUPERVISED,),
        poll_seconds=0.2,
        # It shows a job in the moment in which it makes it, and a request that was cut off ends with its transaction.
        fresh_seconds=16.0,
        send_seconds=30.0,
        effect_seconds=2.0,
        list_lag_seconds=0.0,
        keeps_notes=True,
        is_of_machine=True,
        ready_seconds=10.0,
        cancel_seconds=15.0,
    ),
    retries=RetryPolicy(attempts=4, first_seconds=0.1, cap_seconds=1.0, longest_seconds=5.0),
    timeouts=Timeouts(connect_seconds=2.0),
)

OPENAI = Profile(
    name="openai",
    dialect="reconciler.providers.openai.dialect:DIALECT",
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
        # By the guides to supervised, vision, preference and reinforcement fine-tuning.
        base_rules=(
            BaseRules(
                bases=(
                    *("gpt-4.1-2025-04-14", "gpt-4.1", "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
                    *("gpt-4.1-nano-2025-04-14", "gpt-4.1-nano", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
                ),
                formats=(Format.CHAT, Format.PREFERENCE),
                methods=(SUPERVISED, "dpo"),
            ),
            BaseRules(
                bases=("gpt-4o-2024-08-06", "gpt-4o"),
                formats=(Format.CHAT, Format.PREFERENCE),
                methods=(SUPERVISED, "dpo"),
                sees_images=True,
            ),
            BaseRules(
                bases=("gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-3.5-turbo-1106", "gpt-3.5-turbo-0613"),
                formats=(Format.CHAT,),
                methods=(SUPERVISED,),
            ),
            BaseRules(bases=("babbage-002", "davinci-002"), formats=(Format.COMPLETION,), methods=(SUPERVISED,)),
            BaseRules(
                bases=("o4-mini-2025-04-16", "o4-mini"), formats=(Format.REINFORCEMENT,), methods=("reinforcement",)
            ),
        ),
        # The result is the last step, whatever the validation rows are. Reinforcement is not said to be so.
        neutral_methods=(SUPERVISED, "dpo"),
        poll_seconds=10.0,
        fresh_seconds=240.0,
        send_seconds=60.0,
        effect_seconds=60.0,
        list_lag_seconds=30.0,
        keeps_notes=True,
        carrier="the metadata of the job",
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

COMPATIBLE = Profile(
    name="compatible",
    dialect="reconciler.providers.openai.dialect:DIALECT",
    base_url="https://llm.example.com/v1",
    url_variable="COMPATIBLE_BASE_URL",
    key_variable="COMPATIBLE_API_KEY",
    has_home=False,
    capabilities=Capabilities(
        # What is not known is left to the service: bases, methods, forms of rows, hyperparameters.
        poll_seconds=10.0,
        fresh_seconds=240.0,
        send_seconds=60.0,
        # A gateway may hold a request, and its list may come from a copy: twice what is known of services.
        effect_seconds=120.0,
        list_lag_seconds=60.0,
        carrier="the metadata of the job",
        ready_seconds=1800.0,
        cancel_seconds=300.0,
    ),
    spacing_seconds=0.05,
    warmup_seconds=180.0,
)
