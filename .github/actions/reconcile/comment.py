"""Keeps one comment a review on a pull request: creates it, updates it in place, folds older ones.

    python3 comment.py FILE-OR-DIRECTORY...

A comment is ours when the bot wrote it and it begins with the review's own marker. The pull request is found through
GitHub's own event, never through what the review says; a run without one posts nothing. A fork gets a warning on every
comment, few comments, and only those of roots that the default branch has.
"""

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub import Hub, HubError, shown
from review import Review, ReviewError, read_reviews, same_but_for_time

BOT = "github-actions[bot]"
RETIRED = "<!-- reconciler outdated -->"
FROM_A_FORK = (
    "> [!CAUTION]\n> This pull request comes from a fork. The plan below was made offline, by the code of the fork"
    " itself: read it as the author's word, and plan again before you apply.\n\n"
)
MOST_OF_A_FORK = 5
"""Comments that one run of a fork may write."""

MOST_ON_A_PULL = 10
"""Comments of ours on the pull request of a fork, over all its runs."""

_OURS = "<!-- reconciler "


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Post every review that is named; return the exit code."""
    try:
        return _post_all(arguments, environ)
    except (HubError, ReviewError) as error:
        say("error", str(error))
        return 1


def _post_all(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    notices: list[Review] = []
    reviews, faults = read_reviews(arguments, notices)
    for fault in faults:
        say("error", fault)
    code = 1 if faults else 0
    if not reviews and not notices:
        say("notice", "there is no review to post")
        return code
    event, name = read_event(environ), environ.get("GITHUB_EVENT_NAME", "")
    fork = is_of_a_fork(event)
    if name == "pull_request" and fork:
        say("notice", "a fork's token may not comment; the review is in the summary of this run")
        return code
    if not _may_have_a_pull(event):
        say("notice", f"a run that was started by {shown(name)} has no pull request; the review is in its summary")
        return code
    hub = Hub(environ)
    pull = find_pull(event, hub, {each.commit for each in (*reviews, *notices)})
    if pull is None:
        return code
    author = environ.get("COMMENT_AUTHOR", BOT)
    reviews = [each for each in reviews if _is_of_the_pull(each, name, event, environ)]
    if fork:
        reviews = _limit(hub, pull, reviews, event, author)
    for review in reviews:
        done = post(hub, pull, review, FROM_A_FORK if fork else "", author)
        sys.stdout.write(f"{review.marker}: {', '.join(done)}\n")
    posted = {review.marker for review in reviews}
    notices = [each for each in notices if each.marker not in posted and _is_of_the_pull(each, name, event, environ)]
    present = list(hub.every(f"/issues/{pull}/comments")) if notices else []
    for notice in notices:
        # A comment about an earlier commit would be taken for one about this commit.
        if any(_is_ours(each, notice.marker, author) for each in present):
            done = post(hub, pull, notice, FROM_A_FORK if fork else "", author)
            sys.stdout.write(f"{notice.marker}: {', '.join(done)}\n")
    return code


def _is_of_the_pull(review: Review, name: str, event: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether a review is of the head of the pull request, or of its merge: `pull_request_target` has its base.

    A review without a commit, and one that another run made, are not judged.
    """
    pull = event.get("pull_request")
    if not pull or not review.commit:
        return True
    known = {pull["head"]["sha"], pull.get("merge_commit_sha")}
    if name != "pull_request_target":
        known.add(environ.get("GITHUB_SHA"))
    if review.commit not in known:
        say("warning", f"the plan is of commit {shown(review.commit)}, and not of the pull request; it is not posted")
    return review.commit in known


def _limit(hub: Hub, pull: int, reviews: Sequence[Review], event: Mapping[str, Any], author: str) -> list[Review]:
    """Return the reviews of a fork that are posted: of known roots, and few."""
    ours = [str(each["body"]) for each in hub.every(f"/issues/{pull}/comments") if _is_ours(each, _OURS, author)]
    kept, written, total = list[Review](), 0, len(ours)
    for review in reviews:
        present = sum(body.startswith(review.marker) for body in ours)
        more = max(len(review.parts) - present, 0)
        if not _has_root(hub, review.root, event):
            say("warning", f"the default branch has no {shown(review.root)}; its review is not posted")
        elif written + len(review.parts) > MOST_OF_A_FORK or total + more > MOST_ON_A_PULL:
            say("warning", f"a fork gets few comments; the review of {shown(review.root)} is not posted")
        else:
            kept.append(review)
            written, total = written + len(review.parts), total + more
    return kept


def _has_root(hub: Hub, root: str, event: Mapping[str, Any]) -> bool:
    branch = str(event["repository"].get("default_branch") or "main")
    if root in {"", "."}:
        return True
    if root.startswith("/") or ".." in root.split("/"):
        return False
    try:
        return isinstance(hub.get(f"/contents/{quote(root)}", ref=branch), list)
    except HubError as error:
        if error.status == 404:
            return False
        raise


def post(hub: Hub, pull: int, review: Review, preface: str, author: str = BOT) -> list[str]:
    """Make the comments of a pull request say what the review says; return what was done.

    The newest comments of this review are kept, one a part; what is older is marked and folded, so that it is never
    taken for the current one again. The preface stands on every part.
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
        body = f"{review.marker}\n{preface}{part}\n"
        if number >= len(kept):
            hub.post(f"/issues/{pull}/comments", {"body": body})
            done.append("created a comment")
        elif same_but_for_time(str(kept[number]["body"]), body):
            done.append("unchanged")
        else:
            hub.patch(f"/issues/comments/{int(kept[number]['id'])}", {"body": body})
            done.append("updated the comment")
    return done


def find_pull(event: Mapping[str, Any], hub: Hub, commits: Collection[str]) -> int | None:
    """Find the pull request that an event is about; none, and a line in the log, when it was closed or has moved on.

    A run that follows another one gets no number for forks. So the number is looked up by the branch, and taken only
    where the head is still the commit that was planned. Of several pull requests of one head, with other bases, it is
    the one whose merge was planned.

    Shape:  `commits` are those that the reviews name
    """
    found = _pulls_of(event, hub)
    if len(found) > 1:
        merges = [pull for pull in found if hub.get(f"/pulls/{pull}").get("merge_commit_sha") in commits]
        if len(merges) != 1:
            numbers = ", ".join(f"#{pull}" for pull in found)
            say("warning", f"pull requests {numbers} have this head, and the plan may be of any; nothing was posted")
            return None
        found = merges
    if not found:
        say("notice", "no open pull request is at this commit; nothing was posted")
    return found[0] if found else None


def _pulls_of(event: Mapping[str, Any], hub: Hub) -> list[int]:
    """Return the numbers of the open pull requests whose head is the commit of an event."""
    pull, run = (event.get(key) or {} for key in ("pull_request", "workflow_run"))
    if pull:
        current = hub.get(f"/pulls/{int(pull['number'])}")
        same = current["state"] == "open" and current["head"]["sha"] == pull["head"]["sha"]
        return [int(pull["number"])] if same else []
    if not run.get("head_repository"):
        return []
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    open_ones = hub.every("/pulls", state="open", head=head)
    return [int(each["number"]) for each in open_ones if each["head"]["sha"] == run["head_sha"]]


def _may_have_a_pull(event: Mapping[str, Any]) -> bool:
    run = event.get("workflow_run") or {}
    is_planned = str(run.get("event", "")).startswith("pull_request")
    return bool(event.get("pull_request")) or is_planned


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


def _heads(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    pull = event.get("pull_request") or {}
    return [each for each in (pull.get("head"), event.get("workflow_run")) if each]


def is_of_a_fork(event: Mapping[str, Any]) -> bool:
    """Whether an event is about a commit of another repository."""
    return any(_of_a_fork(head, event) for head in _heads(event))


def _of_a_fork(head: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether the head of a pull request or of a run lies in another repository, or in one that is gone."""
    source = head.get("repo") or head.get("head_repository") or {}
    return bool(source.get("full_name") != event["repository"]["full_name"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
