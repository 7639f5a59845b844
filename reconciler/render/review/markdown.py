"""The review as Markdown, and as JSON for a program that posts it.

The verdict comes first, long parts are behind summaries, the basis and the command to apply come last. Every untrusted
text (rows, specs, the service's words) passes through `sanitize`, so none of it is markup here. The shape of the JSON
is promised in `schemas/review.schema.json`.
"""

from collections.abc import Iterator

from reconciler.render.json_output import json_document
from reconciler.render.review.model import Review, verdict_text
from reconciler.render.review.parts import (
    MOST_PARTS,
    PART_SIZE,
    WHOLE_SIZE,
    Block,
    code,
    sentence,
    split_into_parts,
    text_block,
)
from reconciler.render.review.rows import row_blocks
from reconciler.render.review.sections import (
    change_blocks,
    cost_blocks,
    failure_blocks,
    full_blocks,
    kept_blocks,
    problem_blocks,
    refused_blocks,
    result_blocks,
    warning_blocks,
)
from reconciler.render.sanitize import clean, code_block

FORMAT_VERSION = 2

_LINE = 500
"""Characters of one plain line of the JSON."""

_LONGEST_COMMAND = 2000
"""A longer command is not shown: a saved plan is the better way."""

_SECTIONS = (
    failure_blocks,
    result_blocks,
    refused_blocks,
    problem_blocks,
    change_blocks,
    row_blocks,
    cost_blocks,
    warning_blocks,
    kept_blocks,
    full_blocks,
)


def review_markdown(review: Review) -> str:
    """Return the review as one text, ended by a newline; it fits into a job summary."""
    (whole,) = split_into_parts(tuple(_blocks(review)), _footer(review), part_size=WHOLE_SIZE, most_parts=1)
    return whole + "\n"


def review_parts(review: Review) -> tuple[str, ...]:
    """Return the review as texts that each fit into a comment; the last has the basis and the command to apply."""
    return split_into_parts(tuple(_blocks(review)), _footer(review), part_size=PART_SIZE, most_parts=MOST_PARTS)


def _blocks(review: Review) -> Iterator[Block]:
    yield text_block(f"### {sentence(verdict_text(review), 500)}")
    yield text_block(_place(review))
    for section in _SECTIONS:
        yield from section(review)


def _place(review: Review) -> str:
    plan = review.plan
    facts = [
        *([f"Project {code(plan.project)} on {code(plan.provider)}"] if plan.project else []),
        *([f"environment {code(review.environment)}"] if review.environment else []),
        *([f"specs in {code(review.root)}"] if review.root else []),
        *([sentence(plan.against)] if plan.against else []),
    ]
    line = ", ".join(facts)
    return f"{line[:1].upper()}{line[1:]}." if line else ""


def _footer(review: Review) -> str:
    facts = [
        *([f"commit {code(review.commit)}"] if review.commit else []),
        *([f"basis {code(review.basis)}"] if review.basis else []),
        *([code(review.time)] if review.time else []),
        f"reconciler {code(review.plan.basis.version)}",
    ]
    footer = f"---\n\n<sub>{' · '.join(facts)}</sub>"
    if 0 < len(review.apply) <= _LONGEST_COMMAND:
        return f"To apply exactly this:\n\n{code_block(review.apply, 'sh')}\n\n{footer}"
    return footer


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
        "state": review.state,
        "has_changes": review.has_changes,
        "parts": list(review_parts(review)),
    }
    return json_document(document)
