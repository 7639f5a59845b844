"""Keeps one issue open for as long as a service differs from its specs: opens it, updates it, closes it.

    python3 issue.py FILE-OR-DIRECTORY...

An issue is ours when the bot opened it and it begins with the review's own marker. It is closed by a look that asked
the service about every model and found nothing to do and nothing missing, and by nothing else: a look that failed, or
whose plan was refused, is written into the issue.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from comment import BOT, is_of_a_fork, read_event, say
from hub import Hub, HubError
from review import Review, ReviewError, read_reviews, same_but_for_time


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Make the issues say what the reviews say; return the exit code."""
    try:
        reviews, faults = read_reviews(arguments)
        for fault in faults:
            say("error", fault)
        if not reviews and not faults:
            say("warning", "the look left no review, so no issue was touched; its own job says why")
            return 0
        if is_of_a_fork(read_event(environ)):
            say("warning", "a plan of a fork says nothing about the service, so no issue was touched")
            return 0
        hub = Hub(environ)
        for review in reviews:
            done = settle(hub, review, _run_address(environ), environ.get("COMMENT_AUTHOR", BOT))
            sys.stdout.write(f"{review.marker}: {', '.join(done) or 'nothing to do'}\n")
    except (HubError, ReviewError) as error:
        say("error", str(error))
        return 1
    return 1 if faults else 0


WORDS = {
    "changes": "The service no longer matches the specs.",
    "waiting": "A model that the specs want does not answer yet: its job still runs, or it waits for a decision.",
    "refused": "The look made a plan that is refused.",
    "invalid": "The look failed: specs or data are invalid, so it is not known whether the service matches them.",
    "failed": "The look failed, so it is not known whether the service matches the specs.",
}
"""What the issue says by the state of the review. A review of any other state says nothing about the service."""


def settle(hub: Hub, review: Review, run: str, author: str = BOT) -> list[str]:
    """Make the issue of a review say what it says; return what was done.

    Only a review that found everything as it should be closes the issue. Of several open ones the oldest is kept,
    because that is where people have answered.
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
    if review.state == "settled":
        return [_close(hub, each, f"Settled: {review.verdict}") for each in ours]
    if review.state not in WORDS:
        say("warning", f"{review.root}: this look did not ask the service about every model, so no issue was touched")
        return []
    done = [_close(hub, each, f"Continued in #{ours[0]['number']}.") for each in ours[1:]]
    more = "" if len(review.parts) == 1 else f"\n\nThis goes on in the summary of {run or 'the run'}."
    body = f"{marker}\n{WORDS[review.state]}\n\n{review.parts[0]}{more}\n"
    if not ours:
        where = f" ({review.environment})" if review.environment else ""
        made = hub.post("/issues", {"title": f"Drift: {review.root}{where}", "body": body})
        return [*done, f"opened issue {made['number']}"]
    if same_but_for_time(str(ours[0]["body"]), body):
        return [*done, "unchanged"]
    hub.patch(f"/issues/{int(ours[0]['number'])}", {"body": body})
    return [*done, f"updated issue {ours[0]['number']}"]


def _close(hub: Hub, issue: Mapping[str, Any], words: str) -> str:
    number = int(issue["number"])
    hub.post(f"/issues/{number}/comments", {"body": words})
    hub.patch(f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
    return f"closed issue {number}"


def _run_address(environ: Mapping[str, str]) -> str:
    server, repository, run = (environ.get(f"GITHUB_{each}", "") for each in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
