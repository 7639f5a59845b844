"""One comment for each review: created once, updated in place, unchanged without changes, older ones folded."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.review import Review, empty_plan, review_json, review_parts
from tests.ci.conftest import MARKER, Script, script_of
from tests.ci.events import BASE, STRANGER, issue_comment, pull_request, workflow_run
from tests.ci.fake_github import BOT, FakeHub
from tests.render.reviews import REVIEWS

pytestmark = pytest.mark.loopback

SHA = "a" * 40
PERSON = {"login": "tess", "type": "User"}


def post(script: Script, *paths: str, event: object = None, name: str = "pull_request") -> tuple[int, str]:
    return script.run("comment", *paths, event=event or pull_request(SHA), GITHUB_EVENT_NAME=name)


def bodies(hub: FakeHub) -> list[str]:
    return [each["body"] for each in hub.comments]


def test_a_comment_is_created_once_and_updated_in_place_only_after_a_change(script: Script, hub: FakeHub) -> None:
    assert post(script, script.review("One plan. 2026-01-02 03:04 UTC"))[0] == 0
    assert post(script, script.review("One plan. 2026-01-02 03:05 UTC"))[0] == 0
    assert hub.calls == [("POST", "/repos/acme/models/issues/7/comments")]

    assert post(script, script.review("Another plan."))[0] == 0

    assert hub.calls[1:] == [("PATCH", "/repos/acme/models/issues/comments/100")]
    assert bodies(hub) == [f"{MARKER}\nAnother plan.\n"]


def test_a_marker_in_the_comment_of_another_user_is_ignored(script: Script, hub: FakeHub) -> None:
    hub.comment(f"{MARKER}\nmine, says a person", PERSON)
    hub.comment(f"words first\n{MARKER}")
    hub.comment("<!-- reconciler env=prod root=specs/quickstart -->\nof another environment")

    post(script, script.review())

    assert len(hub.comments) == 4
    assert [method for method, _ in hub.calls] == ["POST"]


def test_older_comments_are_folded_and_not_updated_again(script: Script, hub: FakeHub) -> None:
    for text in ("oldest", "older", "newest"):
        hub.comment(f"{MARKER}\n{text}")

    post(script, script.review("now"))
    post(script, script.review("now"))

    assert hub.minimized == ["IC_100", "IC_101"]
    assert bodies(hub) == [
        "<!-- reconciler outdated -->\noldest",
        "<!-- reconciler outdated -->\nolder",
        f"{MARKER}\nnow\n",
    ]


def test_a_review_in_several_parts_grows_and_shrinks(script: Script, hub: FakeHub) -> None:
    post(script, script.review("one", "two", "three"))
    assert bodies(hub) == [f"{MARKER}\n{text}\n" for text in ("one", "two", "three")]

    post(script, script.review("all"))

    assert hub.minimized == ["IC_100", "IC_101"]
    assert [text for text in bodies(hub) if text.startswith(MARKER)] == [f"{MARKER}\nall\n"]


def test_a_part_that_begins_with_the_marker_holds_it_once(script: Script, hub: FakeHub) -> None:
    post(script, script.review(f"{MARKER}\ntext"))

    assert bodies(hub) == [f"{MARKER}\ntext\n"]


def test_our_comment_is_found_after_a_hundred_others(script: Script, hub: FakeHub) -> None:
    for number in range(130):
        hub.comment(f"talk {number}", PERSON)
    hub.comment(f"{MARKER}\nold")

    post(script, script.review("new"))

    assert len(hub.comments) == 131
    assert bodies(hub)[-1] == f"{MARKER}\nnew\n"


def test_every_review_of_a_directory_is_posted(script: Script, hub: FakeHub, tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        script.review(name, name=f"reviews/{name}/review.json", root=f"specs/{name}")

    post(script, str(folder))

    assert len(hub.comments) == 2


def test_a_review_that_cannot_be_read_is_named_by_its_directory_and_keeps_no_other_back(
    script: Script, hub: FakeHub, tmp_path: Path
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / "reviews" / name).mkdir(parents=True)
        script.review(name, name=f"reviews/{name}/review.json", root=f"specs/{name}")
    (tmp_path / "reviews" / "two" / "review.json").write_text("{", encoding="utf-8")

    code, output = post(script, str(tmp_path / "reviews"))

    assert (code, len(hub.comments)) == (1, 2)
    assert "::error title=reconciler::two/review.json: this cannot be read as JSON" in output


def test_of_too_many_reviews_as_many_as_may_be_are_posted_and_the_others_are_named(
    script: Script, hub: FakeHub, tmp_path: Path
) -> None:
    for number in range(10, 32):
        (tmp_path / "reviews" / f"review-{number}").mkdir(parents=True)
        script.review("A plan.", name=f"reviews/review-{number}/review.json", root=f"specs/{number}")

    code, output = post(script, str(tmp_path / "reviews"))

    assert (code, len(hub.comments)) == (1, 20)
    assert "22 reviews, and at most 20 are posted at once; left out: review-30/review.json, review-31/" in output


def test_a_review_too_many_does_not_leave_the_comment_of_an_earlier_commit(
    script: Script, hub: FakeHub, tmp_path: Path
) -> None:
    assert post(script, script.review("300 models trained", root="specs/31"))[0] == 0
    for number in range(10, 32):
        (tmp_path / "reviews" / f"review-{number}").mkdir(parents=True)
        script.review("A plan.", name=f"reviews/review-{number}/review.json", root=f"specs/{number}")

    code, _ = post(script, str(tmp_path / "reviews"))

    assert (code, len(hub.comments)) == (1, 21)
    assert "300 models trained" not in bodies(hub)[0]
    assert "at most 20 are posted at once" in bodies(hub)[0]


def test_a_refused_review_does_not_replace_one_that_is_posted(script: Script, hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "reviews").mkdir()
    script.review("2 models trained", name="reviews/a.json")
    script.review("@a" * 29_000, name="reviews/b.json")
    for _ in range(2):
        assert post(script, str(tmp_path / "reviews"))[0] == 1
        assert ["2 models trained" in body for body in bodies(hub)] == [True]


def test_without_a_review_nothing_is_posted(script: Script, hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "reviews").mkdir()

    code, output = post(script, str(tmp_path / "reviews"))

    assert (code, hub.calls) == (0, [])
    assert "no review" in output


def test_a_run_that_follows_a_plan_finds_the_pull_request_by_branch_and_commit(script: Script, hub: FakeHub) -> None:
    hub.pull("stranger", "topic", "b" * 40, number=6)
    hub.pull("stranger", "topic", SHA, number=8)
    hub.pull("other", "topic", SHA, number=9)
    hub.roots.append("specs/quickstart")

    assert post(script, script.review(), event=workflow_run(SHA, STRANGER), name="workflow_run")[0] == 0

    assert [each["on"] for each in hub.comments] == [8]
    assert "comes from a fork" in hub.comments[0]["body"]


@pytest.mark.parametrize(("planned", "on"), [("c" * 40, [6]), ("d" * 40, [])])
def test_of_two_pull_requests_of_one_head_the_one_whose_merge_was_planned_gets_the_comment(
    script: Script, hub: FakeHub, planned: str, on: list[int]
) -> None:
    hub.pull("acme", "topic", SHA, number=5, merge="b" * 40)
    hub.pull("acme", "topic", SHA, number=6, merge="c" * 40)

    code, output = post(script, script.review(commit=planned), event=workflow_run(SHA), name="workflow_run")

    assert (code, [each["on"] for each in hub.comments]) == (0, on)
    assert ("#5, #6 have this head" in output) == (not on)


def test_a_plan_for_an_outdated_commit_is_not_posted(script: Script, hub: FakeHub) -> None:
    hub.pull("acme", "topic", "b" * 40)

    code, output = post(script, script.review(), event=workflow_run(SHA), name="workflow_run")

    assert (code, hub.comments) == (0, [])
    assert "no open pull request" in output


def test_a_branch_of_this_repository_gets_no_warning_about_forks(script: Script, hub: FakeHub) -> None:
    hub.pull("acme", "topic", SHA)

    post(script, script.review(), event=workflow_run(SHA), name="workflow_run")

    assert bodies(hub) == [f"{MARKER}\nA plan.\n"]


@pytest.mark.parametrize("source", [{"full_name": STRANGER}, None])
def test_a_forks_own_run_does_not_try_to_comment(script: Script, hub: FakeHub, source: object) -> None:
    """Its token has no permission, and the review is in the summary."""
    event = {**BASE, "pull_request": {"number": 7, "head": {"sha": SHA, "repo": source}}}

    code, output = post(script, script.review(), event=event)

    assert (code, hub.calls) == (0, [])
    assert "summary" in output


def test_a_token_without_write_permission_is_an_error_that_names_the_permission(script: Script, hub: FakeHub) -> None:
    hub.read_only = True

    code, output = post(script, script.review())

    assert code == 1
    assert "::error title=reconciler::" in output
    assert "permission" in output


@pytest.mark.parametrize("name", ["push", "merge_group", "workflow_dispatch", "schedule", "repository_dispatch"])
def test_a_run_without_a_pull_request_posts_nothing_and_says_so(script: Script, hub: FakeHub, name: str) -> None:
    """It ends well: the review is in the summary, and what a merge queue waits for is not red."""
    code, output = post(script, script.review(), event=BASE, name=name)

    assert (code, hub.calls) == (0, [])
    assert "has no pull request" in output


def test_a_plan_of_an_older_commit_does_not_replace_the_comment_of_a_newer_one(script: Script, hub: FakeHub) -> None:
    hub.pull("acme", "topic", "b" * 40)

    code, output = post(script, script.review(), event=pull_request(SHA))

    assert (code, hub.comments) == (0, [])
    assert "no open pull request" in output


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_REPOSITORY"])
def test_a_missing_variable_of_the_runner_is_named(script: Script, missing: str) -> None:
    code, output = script.run(
        "comment", script.review(), event=pull_request(SHA), GITHUB_EVENT_NAME="pull_request", unset=missing
    )

    assert code == 1
    assert missing in output


INVISIBLE = "\u00ad\u061c\u115f\u200b\u200e\u200f\u2028\u2029\u2060\u2800\u3164\ufe00\ufeff\uffa0\U000e0061\U000e0101"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"version": 3}, "version"),
        ({"version": 1}, "keys"),
        ({"state": "well"}, "state"),
        ({"state": "settled"}, "state"),
        ({"state": "changes", "has_changes": False}, "state"),
        ({"marker": "<!-- reconciler env=prod root=specs/quickstart -->"}, "marker"),
        ({"version": True}, "version"),
        ({"extra": 1}, "keys"),
        ({"marker": "<!-- other -->"}, "marker"),
        ({"marker": f"{MARKER}\n# Approved"}, "marker"),
        ({"marker": "<!-- reconciler env= root=a --> @all <!-- -->"}, "marker"),
        ({"has_changes": "yes"}, "has_changes"),
        ({"verdict": "two\nlines"}, "verdict"),
        ({"verdict": "x" * 1_001}, "verdict"),
        ({"commit": 7}, "commit"),
        ({"parts": []}, "parts"),
        ({"parts": ["x"] * 5}, "parts"),
        ({"parts": [1]}, "parts"),
        ({"parts": ["x" * 60_001]}, "characters"),
        ({"parts": ["a\x1b[2Jb"]}, "control"),
        ({"parts": ["a\u202eb"]}, "direction"),
        ({"parts": ["a\ud800b"]}, "control"),
        *(({"parts": [f"a{char}b"]}, "invisible") for char in INVISIBLE),
        ({"verdict": "a\u3164b"}, "verdict"),
        ({"parts": [f"text\n{MARKER}"]}, "second marker"),
    ],
)
def test_an_invalid_review_is_refused_completely(
    script: Script, hub: FakeHub, changed: dict[str, Any], what: str
) -> None:
    code, output = post(script, script.review(**changed))

    assert (code, hub.calls) == (1, [])
    assert what in output


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'"' + b"x" * 3_000_000 + b'"'])
def test_a_review_that_is_too_long_or_not_json_is_refused(script: Script, hub: FakeHub, content: bytes) -> None:
    path = script.folder / "review.json"
    path.write_bytes(content)

    code, output = post(script, str(path))

    assert (code, hub.calls) == (1, [])
    assert "review.json" in output


def test_a_link_is_not_read_as_a_review(script: Script, hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(script.review())

    assert post(script, str(tmp_path / "link.json"))[0] == 1
    assert hub.calls == []


ACTIVE = [
    *("@acme/owners look", "`@tess", "_@tess_", "&#64;tess", "&#x40;tess", "&commat;tess", "tess@example.com"),
    *("Fixes #1", "acme/models#2", "GH-3", "gh-3", "\\#1", "&#35;1", "&num;1"),
    *("https://example.com", "http&#58;//example.com", "http&colon;//x.y", "ftp://example.com", "www.example.com"),
    *("[here](https://example.com)", "[here](//example.com)", "[here](../../wiki)", "![](x.png)", "[here][there]"),
    *("[there]: /x", "<https://example.com>", "<tess@example.com>", "mailto:tess", "xmpp:tess"),
    *('<a href="/x">here</a>', "<img src=x>", "<details open>", "<!-- x -->", "<?x?>", "<h1>", "<br/>", "<span id=x>"),
    *("a5c3785ed8d6a35868bc169f07e40e889087fd2e", "see a5c3785e", "o/r/commit/a5c3785", "GHSA-xxxx", "cve-2021-44228"),
    *("$$x$$", "$`x`$", "`x`$", "\\huge"),
    *("```mermaid", "``` mermaid", "````geojson", "~~~stl"),
]


@pytest.mark.parametrize("text", ACTIVE)
def test_a_comment_mentions_links_and_refers_to_nothing(script: Script, hub: FakeHub, text: str) -> None:
    post(script, script.review(f"A plan.\n{text}\nand more"))

    assert text not in hub.comments[0]["body"]
    assert ACTIVATES.search(hub.comments[0]["body"].removeprefix(MARKER)) is None
    assert BOT["login"] not in hub.comments[0]["body"]


ACTIVATES = re.compile(
    r"@\w|(?<!&)#\w|(?i:\bgh-\d|\bwww\.)|://|(?i:mailto|xmpp):|\][(:\[]|<[a-z/!?](?!etails>|ummary>|ub>|ode>|pan>|r>)"
    r"|(?<![A-Za-z0-9])[0-9a-f]{7,40}(?![A-Za-z0-9])|(?i:\bghsa-|\bcve-)|\$[$`]|`\$|\\[A-Za-z]"
    r"|&(?:#0*(?:35|58|64)|#x|num|colon|commat)|[`~]{3} ?(?!diff$|sh$)\w",
    re.MULTILINE,
)


@given(st.text("@#:/[]()<>!&;`~$\\wacdegh-0123456789 \n", max_size=60))
def test_no_text_is_active_after_it_was_read(text: str) -> None:
    assert ACTIVATES.search(script_of("review")._disarmed(text)) is None


COMMANDS = "reconciler apply roots/20261130 --env cafebabe --target @acme --out 'a#1'"


def test_commands_to_copy_are_left_as_they_are(script: Script, hub: FakeHub) -> None:
    post(script, script.review(f"A plan.\n\n```sh\n{COMMANDS}\n```\n\n@tess"))

    assert f"\n\n```sh\n{COMMANDS}\n```\n\n@\u200btess" in hub.comments[0]["body"]


@pytest.mark.parametrize(
    "text",
    [
        f"```sh\n{COMMANDS}\n```",  # after a line that may be of a block of HTML
        f"\n\n ```sh\n{COMMANDS}\n```",
        f"\n\n~~~\n\n```sh\n~~~\n{COMMANDS}\n```",
        f"\n\n```sh\n- ~~~\n{COMMANDS}\n```",
        f"\n\n```sh\n{COMMANDS}\n ```",
        f"\n\n```sh\n{COMMANDS}\n\n{COMMANDS}\n```",
        f"\n\n```sh\n{COMMANDS}",
        f"\n\n```sh x\n{COMMANDS}\n```",
    ],
)
def test_what_only_looks_like_a_block_of_commands_is_disarmed(text: str) -> None:
    assert COMMANDS not in script_of("review")._disarmed(f"<details>{text}")


def test_joiners_stay_where_a_reader_needs_them_and_hide_no_message() -> None:
    disarmed = script_of("review")._disarmed
    assert disarmed("👩\u200d👩 ❤\ufe0f\u200d🔥 می\u200cخواهم") == "👩\u200d👩 ❤\ufe0f\u200d🔥 می\u200cخواهم"
    assert disarmed("a" + "\ufe0e\ufe0f\u200d" * 40 + "b") == "a\ufe0e\ufe0fb"


@pytest.mark.parametrize("name", REVIEWS)
def test_a_review_of_our_own_reads_the_same_and_has_the_marker_of_its_place(name: str, tmp_path: Path) -> None:
    """What a space of no width adds is not seen: markup, tables, code and commands stay as they were."""
    review = REVIEWS[name]
    (tmp_path / "review.json").write_text(review_json(review), encoding="utf-8")
    read = script_of("review").read_review(tmp_path / "review.json")
    assert read.marker == review.marker
    assert [part.replace("\u200b", "") for part in read.parts] == list(review_parts(review))
    for command in re.findall(r"^reconciler .*$", "".join(review_parts(review)), re.MULTILINE):
        assert command in "".join(read.parts)


@given(st.text(max_size=300), st.text(max_size=300))
def test_the_marker_is_the_one_that_reconciler_writes(environment: str, root: str) -> None:
    own = Review(plan=empty_plan("1"), environment=environment, root=root).marker
    assert script_of("review").write_marker(environment, root) == own


def test_a_review_of_an_older_program_is_posted_and_settles_nothing(script: Script, hub: FakeHub) -> None:
    path = Path(script.review("An older plan.", has_changes=False))
    older = {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key != "state"}
    path.write_text(json.dumps({**older, "version": 1}), encoding="utf-8")

    assert post(script, str(path))[0] == 0
    assert bodies(hub) == [f"{MARKER}\nAn older plan.\n"]
    assert script_of("review").read_review(path).state == "unknown"


@pytest.fixture
def fork(hub: FakeHub) -> object:
    """A plan of a fork's pull request has ended."""
    hub.pull("stranger", "topic", SHA, number=8)
    hub.roots += ["specs/quickstart", *(f"specs/{number}" for number in range(20))]
    return workflow_run(SHA, STRANGER)


def test_every_part_of_a_forks_review_has_the_warning(script: Script, hub: FakeHub, fork: object) -> None:
    post(script, script.review("one", "two", "three"), event=fork, name="workflow_run")

    assert [("comes from a fork" in body, body.startswith(MARKER)) for body in bodies(hub)] == [(True, True)] * 3


def test_a_fork_writes_a_handful_of_comments_in_all(script: Script, hub: FakeHub, fork: object, tmp_path: Path) -> None:
    def post_twenty(environment: str) -> str:
        folder = tmp_path / environment
        folder.mkdir()
        for number in range(20):
            name = f"{environment}/{number:02}.json"
            script.review("text", name=name, root=f"specs/{number}", environment=environment)
        return post(script, str(folder), event=fork, name="workflow_run")[1]

    assert "a fork gets few comments" in post_twenty("a")
    assert len(hub.comments) == 5
    for environment in ("b", "c", "d"):
        post_twenty(environment)
    assert len(hub.comments) == 10


@pytest.mark.parametrize("root", ["specs/unknown", "../specs/quickstart", "/specs", "specs/%2e%2e"])
def test_a_fork_cannot_write_under_a_root_that_the_default_branch_lacks(
    script: Script, hub: FakeHub, fork: object, root: str
) -> None:
    code, output = post(script, script.review(root=root), event=fork, name="workflow_run")

    assert (code, hub.comments) == (0, [])
    assert "the default branch has no" in output


def test_a_part_that_would_be_too_long_for_a_comment_is_refused(script: Script, hub: FakeHub) -> None:
    code, output = post(script, script.review("@a" * 29_000))

    assert (code, hub.calls) == (1, [])
    assert "too many mentions" in output


@pytest.mark.parametrize(
    ("parts", "why"),
    [(("@a" * 29_000,), "too many mentions"), (("a\u202eb",), "direction"), (("x",) * 5, "parts are 1 to 4")],
    ids=["mentions", "direction", "parts"],
)
def test_where_a_review_is_refused_the_comment_of_an_earlier_commit_says_so(
    script: Script, hub: FakeHub, parts: tuple[str, ...], why: str
) -> None:
    """The earlier comment would be taken for the plan of the new commit, which may be refused or cost much more."""
    assert post(script, script.review("300 models trained"))[0] == 0
    other = script.review("of staging", name="other.json", environment="staging")
    assert post(script, other)[0] == 0

    code, output = post(script, script.review(*parts))

    assert (code, why in output, len(hub.comments)) == (1, True, 2)
    body, beside = bodies(hub)
    assert (body.startswith(MARKER), "300 models trained" in body, why in body) == (True, False, True)
    assert "cannot be shown" in body
    assert "of staging" in beside
    assert post(script, script.review("2 models trained"))[0] == 0
    assert "2 models trained" in bodies(hub)[0]


@pytest.mark.parametrize(
    "more",
    [
        {"commit": "of nobody"},
        {"commit": "a" * 41},
        {"commit": None},
        {"marker": "<!-- reconciler env= root=other -->"},
        {"environment": "a\nb"},
    ],
    ids=["words", "long", "none", "marker", "lines"],
)
def test_a_refused_review_that_does_not_say_plainly_whose_it_is_changes_no_comment(
    script: Script, hub: FakeHub, more: dict[str, Any]
) -> None:
    assert post(script, script.review("300 models trained"))[0] == 0
    code, _ = post(script, script.review("@a" * 29_000, **more))
    assert (code, "300 models trained" in bodies(hub)[0]) == (1, True)


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target", "pull_request_review"])
def test_a_plan_of_the_base_is_not_posted_as_that_of_the_pull_request(script: Script, hub: FakeHub, name: str) -> None:
    """What `pull_request_target` checks out by itself is the base: its plan says nothing about the change."""
    base = script.review("No changes.", commit="b" * 40)
    code, output = script.run("comment", base, event=pull_request(SHA), GITHUB_EVENT_NAME=name, GITHUB_SHA="c" * 40)

    assert (code, hub.calls) == (0, [])
    assert "not of the pull request" in output


def test_a_plan_of_the_merge_is_posted(script: Script, hub: FakeHub) -> None:
    merge = script.review("A plan.", commit="c" * 40)
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": "c" * 40}

    assert script.run("comment", merge, event=pull_request(SHA), **environ)[0] == 0
    assert len(hub.comments) == 1


def test_a_comment_on_a_pull_request_is_no_plan_of_it(script: Script, hub: FakeHub) -> None:
    code, output = post(script, script.review(), event=issue_comment(), name="issue_comment")

    assert (code, hub.calls) == (0, [])
    assert "has no pull request" in output
