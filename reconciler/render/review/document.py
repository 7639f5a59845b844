"""The review as JSON, for a poster that holds rights and trusts nothing: a few plain lines, and Markdown in parts.

The shape is promised in `schemas/review.schema.json`.
"""

from reconciler.render.json_output import json_text
from reconciler.render.review.markdown import review_parts
from reconciler.render.review.model import Review
from reconciler.render.review.verdict import verdict_text
from reconciler.render.sanitize import clean

FORMAT_VERSION = 1

_LINE = 500
"""Characters of one plain line, whatever a poster is told of names."""


def review_json(review: Review) -> str:
    """Return the review as one JSON object, indented and ended by a newline."""
    document = {
        "version": FORMAT_VERSION,
        "marker": review.marker,
        "environment": clean(review.environment, limit=_LINE) or None,
        "root": clean(review.root, limit=_LINE),
        "commit": clean(review.commit, limit=_LINE) or None,
        "basis": clean(review.basis, limit=_LINE) or None,
        "verdict": verdict_text(review),
        "has_changes": not review.plan.is_empty,
        "parts": list(review_parts(review)),
    }
    return json_text(document, indent=2) + "\n"
