"""The review of a plan: Markdown in parts that fit a comment, JSON, GitHub annotations, SARIF and JUnit."""

from reconciler.render.review.findings import MOST_FINDINGS, MOST_RESULTS, junit_text, sarif_text
from reconciler.render.review.github import (
    MOST_A_LEVEL,
    MOST_SUMMARY_BYTES,
    annotations_text,
    outputs_text,
    plan_outputs,
    summary_text,
)
from reconciler.render.review.lines import plan_line, result_line
from reconciler.render.review.markdown import review_json, review_markdown, review_parts
from reconciler.render.review.masking import mask_plan, mask_problems, mask_review
from reconciler.render.review.model import (
    Review,
    ReviewState,
    RunResult,
    StepResult,
    drop_samples,
    empty_plan,
    limit_samples,
    verdict_text,
)

__all__ = [
    "MOST_A_LEVEL",
    "MOST_FINDINGS",
    "MOST_RESULTS",
    "MOST_SUMMARY_BYTES",
    "Review",
    "ReviewState",
    "RunResult",
    "StepResult",
    "annotations_text",
    "drop_samples",
    "empty_plan",
    "junit_text",
    "limit_samples",
    "mask_plan",
    "mask_problems",
    "mask_review",
    "outputs_text",
    "plan_line",
    "plan_outputs",
    "result_line",
    "review_json",
    "review_markdown",
    "review_parts",
    "sarif_text",
    "summary_text",
    "verdict_text",
]
