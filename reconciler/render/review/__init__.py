"""The review of a plan, for a pull request: Markdown in parts that fit, and JSON for whoever posts them."""

from reconciler.render.review.markdown import review_json, review_markdown, review_parts
from reconciler.render.review.model import Review, drop_samples, empty_plan, verdict_text

__all__ = ["Review", "drop_samples", "empty_plan", "review_json", "review_markdown", "review_parts", "verdict_text"]
