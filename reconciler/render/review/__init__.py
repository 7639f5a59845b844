"""The review of a plan, for a pull request: Markdown in parts that fit, and JSON for whoever posts them."""

from reconciler.render.review.document import review_json
from reconciler.render.review.markdown import review_markdown, review_parts
from reconciler.render.review.model import Review, no_plan, without_samples
from reconciler.render.review.verdict import verdict_of

__all__ = ["Review", "no_plan", "review_json", "review_markdown", "review_parts", "verdict_of", "without_samples"]
