"""The words with which services of today's dialect refuse a write, so that it provably had no effect. Data.

From the API's guide to errors and from reports of its users; the built-in service uses the same words. A code that is
missing here costs a look at the list of jobs, and nothing else. A word too many could pay for a job twice, so a new one
needs a source.
"""

from reconciler.providers.http.errors import Proof

_REQUEST = frozenset({"invalid_request_error"})

_WRONG_REQUEST = frozenset(
    {
        None,
        "invalid_file_format",
        "invalid_formula",
        "invalid_id",
        "invalid_job_status",
        "invalid_training_file",
        "invalid_type",
        "invalid_validation_file",
        "invalid_value",
        "missing_required_parameter",
        "model_not_available",
        "model_not_deletable",
        "model_not_found",
        "model_not_trained",
        "string_above_max_length",
        "string_length",
        "unknown_parameter",
        "unsupported_content",
        "unsupported_method",
        "unsupported_parameter",
        "unsupported_value",
    }
)

AZURE_PROOFS = (
    Proof(status=400, types=_REQUEST, codes=_WRONG_REQUEST),
    # As users of its fine-tuning have reported it. Its gateway states codes of its own, which prove nothing.
    Proof(status=400, codes=frozenset({"invalidPayload"})),
)

PROOFS = (
    Proof(status=400, types=_REQUEST, codes=_WRONG_REQUEST),
    Proof(status=401, types=_REQUEST, codes=frozenset({"invalid_api_key", "ip_not_authorized"})),
    Proof(
        status=403,
        types=_REQUEST,
        codes=frozenset({"model_not_deletable", "training_not_available", "unsupported_country_region_territory"}),
    ),
    Proof(status=404, types=_REQUEST, codes=frozenset({None, "fine_tune_not_found", "model_not_found"})),
    Proof(
        status=429,
        types=frozenset({"requests", "tokens", "rate_limit_error"}),
        codes=frozenset({"rate_limit_exceeded", "slow_down"}),
    ),
    Proof(status=429, types=_REQUEST, codes=frozenset({"daily_rate_limit_exceeded", "rate_limit_exceeded"})),
    Proof(
        status=429,
        types=frozenset({"insufficient_quota"}),
        codes=frozenset(
            {
                "credit_balance_exhausted",
                "insufficient_quota",
                "organization_spend_limit_exceeded",
                "organization_usage_limit_exceeded",
                "project_spend_limit_exceeded",
            }
        ),
    ),
)
