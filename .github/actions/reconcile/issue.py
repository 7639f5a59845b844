"""Keeps one issue open for as long as a service differs from its specs: opens it, updates it, closes it.

    python3 issue.py FILE-OR-DIRECTORY...

An issue is ours when the bot opened it and it begins with the review's own marker. Nothing is closed without a review
that says that there is nothing to do.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from comment import BOT, say
from hub import Hub, HubError
from review import Review, ReviewError, find_reviews, read_review, same_but_for_time


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Make the issues say what the reviews say; return the exit code."""
    try:
        reviews = [read_review(path) for path in find_reviews(list(arguments))]
        if not reviews:
            say("notice", "there is no review, so no issue was touched")
            return 0
        hub = Hub(environ)
        for review in reviews:
            done = settle(hub, review, _run_address(environ), environ.get("COMMENT_AUTHOR", BOT))
            sys.stdout.write(f"{review.marker}: {', '.join(done) or 'nothing to do'}\n")
    except (HubError, ReviewError) as error:
        say("error", str(error))
        return 1
    return 0


def settle(hub: Hub, review: Review, run: str, author: str = BOT) -> list[str]:
    """Make the issue of a review say what it says; return what was done.

    Of several open ones the oldest is kept, because that is where people have answered.
    """
    marker = review.marker.replace("<!-- reconciler ", "<!-- reconciler drift ", 1)
    ours = sorted(
        (
            each
            for each in hub.every("/issues", state="open")
            if "pull_request" not in each
            and (each.get("user") or {}).get("login") == author
            and str(each.get("body") or "").startswith(marker)
        ),
        key=lambda each: int(each["number"]),
    )
    done = []
    for closing in ours[1:] if review.has_changes else ours:
        number = int(closing["number"])
        words = f"Continued in #{ours[0]['number']}." if review.has_changes else f"Settled: {review.verdict}"
        hub.post(f"/issues/{number}/comments", {"body": words})
        hub.patch(f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
        done.append(f"closed issue {number}")
    if not review.has_changes:
        return done
    more = "" if len(review.parts) == 1 else f"\n\nThis goes on in the summary of {run or 'the run'}."
    body = f"{marker}\nThe service no longer matches the specs.\n\n{review.parts[0]}{more}\n"
    if not ours:
        where = f" ({review.environment})" if review.environment else ""
        made = hub.post("/issues", {"title": f"Drift: {review.root}{where}", "body": body})
        return [*done, f"opened issue {made['number']}"]
    if same_but_for_time(str(ours[0]["body"]), body):
        return [*done, "unchanged"]
    hub.patch(f"/issues/{int(ours[0]['number'])}", {"body": body})
    return [*done, f"updated issue {ours[0]['number']}"]


def _run_address(environ: Mapping[str, str]) -> str:
    server, repository, run = (environ.get(f"GITHUB_{each}", "") for each in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
