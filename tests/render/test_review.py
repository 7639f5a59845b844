"""The review shows what a reader needs, fits everywhere it is posted, and contains only text."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from reconciler.domain.plan import Change, KeepReason
from reconciler.domain.row_diff import RowDiff
from reconciler.render.review import Review, drop_samples, review_json, review_markdown, review_parts, verdict_text
from reconciler.render.review.parts import (
    MOST_PARTS,
    PART_SIZE,
    WHOLE_SIZE,
    Block,
    size_of,
    split_into_parts,
    text_block,
)
from tests.factories import a_dataset, a_model
from tests.render.examples import a_plan, keep, retrain, upload
from tests.render.golden import check_golden
from tests.render.reviews import HOSTILE, REVIEWS, ROWS, a_review, a_sample, hostile

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/review.schema.json").read_text(encoding="utf-8"))
FENCE = re.compile(r"^(`{3,})(\w+)\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)")
OURS = re.compile(r"</?(?:details|summary|br|sub|span|code)>")
QUIET = re.compile(r"\\[\\`*_\[\]~|!#^{}]|&(?:#32|#124|amp|lt|gt);|<span>\$</span>")


def a_large_review(datasets: int = 100, samples: int = 40, text: str = "a row that came and is rather long ") -> Review:
    """Everything changed, everywhere, and each model for a reason of its own."""
    rows = replace(
        ROWS, added=40_000 // datasets, samples=tuple(a_sample(number, text * 20) for number in range(samples))
    )
    steps = [
        step
        for number in range(datasets)
        for step in (
            replace(upload(a_dataset(f"rows-{number}", f"rows {number}")), rows=rows),
            retrain(a_model(f"model-{number}"), Change(field="seed", before=str(number), after=f"{number}{text}")),
        )
    ]
    kept = tuple(
        keep(f"kept-{number}", why, detail=text)
        for number in range(500)
        for why in (KeepReason.FAILED, KeepReason.ORPHAN)
    )
    return a_review(a_plan(*steps, kept=kept, warnings=tuple(f"{text}{number}" for number in range(500))))


@pytest.mark.parametrize("name", REVIEWS)
def test_a_review_for_people(name: str) -> None:
    check_golden(f"{name}.md", review_markdown(REVIEWS[name]), "review")


@pytest.mark.parametrize("name", REVIEWS)
def test_a_review_for_a_poster_has_the_shape_of_the_schema(name: str) -> None:
    review = REVIEWS[name]
    document = json.loads(review_json(review))

    Draft202012Validator(SCHEMA).validate(document)
    assert "".join(document["parts"]) + "\n" == review_markdown(review)
    assert document["has_changes"] == (document["state"] not in {"settled", "unchanged"})
    assert not Draft202012Validator(SCHEMA).is_valid({**document, "surprise": 1})


STATES = {
    "no-changes": "settled",
    "offline": "changes",
    "waiting": "waiting",
    "refused": "refused",
    "invalid": "invalid",
    "first-apply": "changes",
}


@pytest.mark.parametrize("name", STATES)
def test_a_review_says_in_one_word_what_was_found(name: str) -> None:
    assert REVIEWS[name].state == STATES[name]


NOTHING_TO_DO = REVIEWS["no-changes"]


@pytest.mark.parametrize(
    ("review", "state"),
    [
        (replace(NOTHING_TO_DO, plan=replace(NOTHING_TO_DO.plan, against="offline against git")), "unchanged"),
        (replace(NOTHING_TO_DO, is_partial=True), "unchanged"),
        (replace(NOTHING_TO_DO, failure="The service failed: no answer"), "failed"),
        (replace(NOTHING_TO_DO, plan=a_plan(kept=(keep("a", KeepReason.TRAINING),))), "waiting"),
        (replace(NOTHING_TO_DO, plan=a_plan(kept=(keep("a", KeepReason.BUSY),))), "waiting"),
        (replace(NOTHING_TO_DO, plan=a_plan(kept=(keep("a", KeepReason.SUSPENDED),))), "settled"),
        (replace(NOTHING_TO_DO, plan=a_plan(kept=(keep("a", KeepReason.ORPHAN),))), "settled"),
    ],
    ids=["offline", "one target", "failed", "training", "busy", "suspended", "orphan"],
)
def test_only_a_service_that_was_asked_about_everything_and_lacks_nothing_is_settled(
    review: Review, state: str
) -> None:
    assert review.state == state
    assert review.has_changes == (state not in {"settled", "unchanged"})
    assert ("No changes" in verdict_text(review)) == (state in {"settled", "unchanged"})


def test_the_verdict_is_one_line_of_what_matters() -> None:
    verdicts = {name: verdict_text(review) for name, review in REVIEWS.items()}

    assert verdicts["rows-changed"] == "1 model retrained, 1 file uploaded, 1 model kept; +3 ~1 ↕5 rows; 4.80 USD"
    assert verdicts["no-changes"] == "No changes: 2 models kept"
    assert verdicts["refused"].startswith("Refused by max_new_jobs, bulk-change: 2 models trained")
    assert verdicts["rows-unknown"].endswith("rows of 1 dataset not compared; 4.80 USD")
    assert verdicts["invalid"] == "Invalid: 10 errors in specs and data; nothing was planned"


def test_without_samples_counts_stay_and_rows_go() -> None:
    shown = replace(REVIEWS["rows-changed"], samples=False)

    for text in (review_markdown(shown), review_markdown(replace(shown, plan=drop_samples(shown.plan)))):
        assert "+3 -0" in text
        assert "9 changed rows not shown" in text
        assert "question" not in text
        assert "thank" not in text
    assert all(not step.rows.samples for step in drop_samples(shown.plan).steps if isinstance(step.rows, RowDiff))


def test_things_that_are_alike_are_one_line() -> None:
    text = review_markdown(REVIEWS["many-alike"])

    assert "`model/tagger-02` and 37 more | retrain × 40" in text
    assert "(12 times)" in review_markdown(REVIEWS["rows-changed"])


def test_a_plan_that_cannot_be_applied_names_no_command() -> None:
    assert "To apply exactly this" in review_markdown(REVIEWS["first-apply"])
    for name in ("refused", "no-changes", "offline", "invalid"):
        assert "To apply exactly this" not in review_markdown(REVIEWS[name])
    assert "To apply exactly this" not in review_markdown(replace(REVIEWS["first-apply"], apply="x" * 5000))


def test_a_large_review_stays_within_the_limits_and_says_what_is_left_out() -> None:
    """40,000 rows are shown as far as they fit; the footer is always there."""
    review = a_large_review()
    parts, whole = review_parts(review), review_markdown(review)

    assert "+40,000 ~100 ↕500 rows" in verdict_text(review)
    assert len(parts) == MOST_PARTS
    assert max(map(size_of, parts)) <= PART_SIZE
    assert len(whole) <= WHOLE_SIZE + 1
    assert len(whole.encode()) <= 1024 * 1024
    for at, part in enumerate(parts):
        assert part.startswith("_Continued._") == (at > 0)
        assert part.endswith("_Continued in the next comment._") == (at < MOST_PARTS - 1)
        assert part.count("<details>") == part.count("</details>")
        assert not re.search(r"^`{3}", FENCE.sub("", part), re.MULTILINE)
    assert re.search(r"_Too long for comments: [\d,]+ ", parts[-1])
    assert "To apply exactly this" in parts[-1]


def test_wide_characters_count_as_the_web_counts_them() -> None:
    parts = review_parts(a_large_review(20, text="\U0001f600\ufe0f漢字 "))

    assert max(map(size_of, parts)) <= PART_SIZE
    assert size_of("\U0001f600") == 2


@given(
    st.lists(st.lists(st.text(alphabet="ab`\U0001f600", max_size=80), max_size=30), max_size=8),
    st.integers(1, 4),
    st.integers(900, 2000),
)
def test_parts_never_exceed_and_lose_nothing_uncounted(lines: list[list[str]], most: int, size: int) -> None:
    marked = [[f"<{at}.{number}>{line}" for number, line in enumerate(each)] for at, each in enumerate(lines)]
    blocks = [Block(lines=tuple(each), around=lambda shown: "\n".join(["[", *shown, "]"])) for each in marked]

    parts = split_into_parts(blocks, "the end", part_size=size, most_parts=most)

    assert 1 <= len(parts) <= most
    assert max(map(size_of, parts)) <= size
    assert parts[-1].endswith("the end")
    shown = [line for part in parts for line in part.splitlines() if line.startswith("<")]
    every = [line for each in marked for line in each]
    assert shown == every[: len(shown)]
    left = re.search(r"comments: ([\d,]+) lines", parts[-1])
    assert len(shown) + (int(left[1].replace(",", "")) if left else 0) == len(every)


def test_a_line_that_fits_nowhere_is_replaced() -> None:
    (part,) = split_into_parts([text_block("x" * 2000), text_block("after")], "the end", part_size=1000, most_parts=1)

    assert "too long to be shown" in part
    assert "after" in part


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_more_than_text(text: str) -> None:
    """Outside of code there is no tag, link, mention or reference but ours; inside of it nothing ends the code."""
    review = hostile(text)
    whole = review_markdown(review)
    document = json.loads(review_json(review))

    Draft202012Validator(SCHEMA).validate(document)
    plain = [document[key] or "" for key in ("environment", "root", "commit", "basis", "verdict")]
    assert all(line.isprintable() and len(line) <= 1000 for line in plain)
    assert "<!--" not in whole
    assert not re.search(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\x1b\u00ad]", whole)
    assert not re.search(r"^\s*::|##\[", whole, re.MULTILINE)
    prose = QUIET.sub("", SPAN.sub("", FENCE.sub("", whole))).replace("&#8203;", "\u200b")
    assert "<" not in OURS.sub("", prose)
    assert not re.search(r"@\w|#\d|[\[\]*~`$^]|\b:\w+:|https?://|www\.", prose.replace("**", "").replace("_", ""))
    assert prose.count("<details>") == prose.count("</details>") > 0


def test_the_marker_is_one_word_each_that_cannot_be_ended() -> None:
    markers = {hostile(text).marker for text in HOSTILE}

    assert len(markers) == len(HOSTILE)
    for marker in markers:
        assert re.fullmatch(r"<!-- reconciler env=[^\s<>]{0,200} root=[^\s<>]{0,500} -->", marker)
        assert "--" not in marker[4:-3]
    plain = a_review(a_plan(), environment="prod-eu", root="specs/support")
    assert plain.marker == "<!-- reconciler env=prod-eu root=specs/support -->"
