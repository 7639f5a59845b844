"""Keeps one comment a review on a pull request: creates it, updates it in place, folds older ones.

    python3 comment.py FILE-OR-DIRECTORY...

A comment is ours when the bot wrote it and it begins with the review's own marker. The pull request is found through
GitHub's own event, never through what the review says.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub import Hub, HubError, shown
from review import Review, ReviewError, find_reviews, read_review, same_but_for_time

BOT = "github-actions[bot]"
RETIRED = "<!-- reconciler outdated -->"
FROM_A_FORK = (
    "> [!CAUTION]\n> This pull request comes from a fork. The plan below was made offline, by the code of the fork"
    " itself: read it as the author's word, and plan again before you apply.\n\n"
)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Post every review that is named; return the exit code."""
    try:
        return _post_all(arguments, environ)
    except (HubError, ReviewError) as error:
        say("error", str(error))
        return 1


def _post_all(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    reviews = [read_review(path) for path in find_reviews(list(arguments))]
    if not reviews:
        say("notice", "there is no review to post")
        return 0
    event, name = read_event(environ), environ.get("GITHUB_EVENT_NAME", "")
    if name == "pull_request" and _of_a_fork(event["pull_request"]["head"], event):
        say("notice", "a fork's token may not comment; the review is in the summary of this run")
        return 0
    hub = Hub(environ)
    pull = pull_of(name, event, hub)
    if pull is None:
        say("notice", "no open pull request is at this commit; nothing was posted")
        return 0
    fork = name == "workflow_run" and _of_a_fork(event["workflow_run"], event)
    for review in reviews:
        done = post(hub, pull, review, FROM_A_FORK if fork else "", environ.get("COMMENT_AUTHOR", BOT))
        sys.stdout.write(f"{review.marker}: {', '.join(done)}\n")
    return 0


def post(hub: Hub, pull: int, review: Review, preface: str, author: str = BOT) -> list[str]:
    """Make the comments of a pull request say what the review says; return what was done.

    The newest comments of this review are kept, one a part; what is older is marked and folded, so that it is never
    taken for the current one again.
    """
    ours = sorted(
        (each for each in hub.every(f"/issues/{pull}/comments") if _is_ours(each, review.marker, author)),
        key=lambda each: int(each["id"]),
    )
    surplus = max(0, len(ours) - len(review.parts))
    done = []
    for old in ours[:surplus]:
        hub.minimize(str(old["node_id"]))
        hub.patch(f"/issues/comments/{int(old['id'])}", {"body": RETIRED + str(old["body"])[len(review.marker) :]})
        done.append("folded an older comment")
    kept = ours[surplus:]
    for number, part in enumerate(review.parts):
        body = f"{review.marker}\n{preface if number == 0 else ''}{part}\n"
        if number >= len(kept):
            hub.post(f"/issues/{pull}/comments", {"body": body})
            done.append("created a comment")
        elif same_but_for_time(str(kept[number]["body"]), body):
            done.append("unchanged")
        else:
            hub.patch(f"/issues/comments/{int(kept[number]['id'])}", {"body": body})
            done.append("updated the comment")
    return done


def pull_of(name: str, event: Mapping[str, Any], hub: Hub) -> int | None:
    """Find the pull request that an event is about; none when it was closed or has moved on.

    A run that follows another one gets no number for forks. So the number is looked up by the branch, and taken
    only where the head is still the commit that was planned.
    """
    if name == "pull_request":
        return int(event["pull_request"]["number"])
    if name != "workflow_run":
        raise HubError(f"a comment belongs to a pull request, and this run was started by {shown(name)}")
    run = event["workflow_run"]
    if run["event"] != "pull_request" or not run.get("head_repository"):
        return None
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    for each in hub.every("/pulls", state="open", head=head):
        if each["head"]["sha"] == run["head_sha"]:
            return int(each["number"])
    return None


def read_event(environ: Mapping[str, str]) -> Any:
    """Return the event that started this run.

    Raises: HubError when there is none
    """
    try:
        return json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError) as error:
        raise HubError("GITHUB_EVENT_PATH names no event; run this in a GitHub workflow") from error


def say(level: str, text: str) -> None:
    """Write an annotation."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    sys.stdout.write(f"::{level} title=reconciler::{escaped}\n")


def _is_ours(comment: Mapping[str, Any], marker: str, author: str) -> bool:
    user = comment.get("user") or {}
    return user.get("login") == author and str(comment.get("body", "")).startswith(marker)


def _of_a_fork(head: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether the head of a pull request or of a run lies in another repository, or in one that is gone."""
    source = head.get("repo") or head.get("head_repository") or {}
    return bool(source.get("full_name") != event["repository"]["full_name"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
