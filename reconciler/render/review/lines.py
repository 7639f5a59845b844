"""The first and the last line of `apply --json`: the plan, and how the apply ended. Between them is a line an event."""

from reconciler.render.json_output import Fields, json_text, plan_fields, problem_fields
from reconciler.render.plan_words import count_plan
from reconciler.render.review.model import Review, verdict_text
from reconciler.render.sanitize import clean


def plan_line(review: Review) -> str:
    """Return the plan that an apply will carry out, as one JSON object on one line."""
    return json_text({"type": "plan", "plan": plan_fields(review.plan, review.problems)}) + "\n"


def result_line(review: Review, unwritten: str = "") -> str:
    """Return how an apply ended, as one JSON object on one line.

    Shape:  `remaining` counts what is left to do, and is null where no plan was made; `unwritten` names the files of
            `--format` that could not be written, and why
    """
    counts = count_plan(review.plan)
    problems = review.problems if review.is_invalid else ()
    document: Fields = {
        "type": "result",
        "exit_code": review.exit_code,
        "state": review.state,
        "verdict": verdict_text(review),
        "models": {address.name: model for address, model in sorted(review.previous.items())},
        "blocked": {keep.address.name: str(keep.why) for keep in review.plan.blocked},
        "remaining": (
            {
                "upload": counts.upload,
                "train": counts.train,
                "promote": counts.promote,
                "cancel": counts.cancel,
                "delete": counts.delete,
                "refuse": counts.refuse,
            }
            if review.is_planned
            else None
        ),
        "error": clean(review.failure) or None,
        "problems": list(map(problem_fields, problems)),
        "unshown": review.unshown,
        **({"unwritten": clean(unwritten)} if unwritten else {}),
    }
    return json_text(document) + "\n"
