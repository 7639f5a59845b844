"""The page of a review stands alone, untrusted text has no effect in it, and its size is bounded."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.dataset.stats import compute_spread
from reconciler.domain.cost import Cost
from reconciler.domain.errors import Place, Problem
from reconciler.domain.plan import Plan, Refusal
from reconciler.domain.row_diff import RowChange, RowDiff, RowSample, RowsUnknown
from reconciler.domain.spec import Format
from reconciler.domain.stats import Label, Labels, Stats
from reconciler.render.html import MOST_ROWS, DatasetFigures, plan_html
from reconciler.render.review import Review
from tests.render import examples
from tests.render.test_rows import DIFF

EMPTY = {"meta", "rect"}
HOSTILE = '</style><script>alert(1)</script><img src=x onerror=alert(1)>" autofocus onfocus=alert(1) \x1b[2J\u202e'


class Page(HTMLParser):
    """What a page holds: its elements in order, what is wrong with their nesting, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.style = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.texts.append(data)

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def stats(*lengths: int, like: Stats | None = None, labels: Labels | None = None) -> Stats:
    """Figures of rows that have so many tokens each."""
    tokens = compute_spread(Counter(lengths), like.tokens if like else None)
    characters = compute_spread(Counter(4 * each for each in lengths), like.characters if like else None)
    return Stats(
        name="support-tickets",
        format=Format.CHAT,
        rows=len(lengths),
        validation_rows=0,
        unread_rows=0,
        partial_rows=0,
        size_bytes=sum(lengths),
        vocabulary=None,
        training_tokens=sum(lengths),
        least_tokens=0,
        most_tokens=None,
        tokens=tokens,
        characters=characters,
        turns=None,
        roles=(),
        labels=labels,
        system=None,
    )


def with_rows(rows: RowDiff | RowsUnknown) -> Plan:
    return examples.a_plan(replace(examples.upload(examples.NEW), rows=rows))


def page(plan: Plan, figures: dict[str, DatasetFigures] | None = None, **more: object) -> Page:
    return Page(plan_html(Review(plan=plan, **more), figures))  # type: ignore[arg-type]  # any field of a review


@pytest.mark.parametrize("name", examples.PLANS)
def test_every_plan_makes_a_whole_page_that_fetches_and_runs_nothing(name: str) -> None:
    found = page(examples.PLANS[name], previous=examples.ANSWERS_NOW, problems=examples.PROBLEMS)

    assert not found.open
    assert {tag for tag, _ in found.elements}.isdisjoint({"script", "link", "img", "iframe", "form", "object", "base"})
    attributes = [(name, value or "") for _, each in found.elements for name, value in each.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"src", "style", "action"}]
    assert all(value.startswith("#") for name, value in attributes if name == "href")


def test_the_policy_comes_first_and_allows_this_style_alone() -> None:
    text = plan_html(Review(plan=examples.PLANS["first-apply"]))
    found = Page(text)
    policy = next(each["content"] or "" for each in found.of("meta") if each.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(found.style.encode()).digest()).decode()

    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert text.index("Content-Security-Policy") < text.index("<style") < text.index("<body")


def test_every_part_is_reached_by_keyboard_and_by_its_name() -> None:
    found = page(examples.PLANS["several-models"], problems=examples.PROBLEMS, commit="abc123", time="now")
    anchors = {each["href"] for each in found.of("a")}
    ids = [each["id"] for _, each in found.elements if "id" in each]

    assert anchors == {f"#{each}" for each in ids}
    assert len(ids) == len(set(ids))
    assert next(found.of("a"))["href"] == "#review"
    wide = [each for each in found.of("div") if each.get("class") == "wide"]
    assert wide
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in wide)


def test_the_page_says_what_changes_and_what_it_rests_on() -> None:
    found = page(
        examples.PLANS["dataset-changed"],
        commit="abc123",
        basis="v1:00ff",
        environment="prod",
        root="specs/prod",
        apply="reconciler apply specs/prod --expect-basis v1:00ff",
    ).text

    for words in ("will be retrained", "environment prod", "specs/prod", "abc123", "v1:00ff", "--expect-basis"):
        assert words in found


def test_rows_are_shown_with_their_places_and_the_rest_is_counted() -> None:
    found = page(with_rows(DIFF)).text

    assert "1 edited, 3 added, 5 moved ; -12 tokens." in found
    assert "100,000 → 100,003 rows, compared with tickets-0123456789ab.jsonl." in found
    assert "row 7 → 8 a.csv:9" in found
    assert "and thank you many thanks" in found
    assert "… and 2 more" in found
    assert "… and 5 more" in found


def test_no_sample_is_shown_where_samples_are_off() -> None:
    labels = Labels(kinds=1, most=(Label(text="private", rows=3),))
    figures = {"support-tickets": DatasetFigures(after=stats(1, 2, 3, labels=labels))}
    found = page(with_rows(DIFF), figures, samples=False).text

    assert "3 added" in found
    assert "row 7" not in found
    assert "many thanks" not in found
    assert "private" not in found
    assert "private" in page(with_rows(DIFF), figures).text


def test_rows_that_were_not_compared_have_a_reason() -> None:
    assert (
        "Rows differ from old.jsonl; it is gone."
        in page(with_rows(RowsUnknown(before="old.jsonl", why="it is gone"))).text
    )


def test_forty_thousand_rows_make_a_page_of_a_bounded_size() -> None:
    """Rows of every kind with the maximum length, and a very large number of findings."""
    sample = RowSample(change=RowChange.ADDED, row_after=1, text="<&'" * 133)
    diff = replace(DIFF, added=40_000, samples=(sample,) * 40_000)
    problem = Problem(where=Place(file="data.csv", line=1), what="&" * 2000)
    text = plan_html(Review(plan=with_rows(diff), problems=(problem,) * 5000, unshown=7))

    assert len(text) < 12_000_000
    assert text.count('class="row"') <= MOST_ROWS
    assert "… and 4007 more findings" in text
    shown = text.count('class="row"')
    assert f"… and {40_000 - shown:,} more" in text


def test_shapes_of_two_versions_share_their_bins() -> None:
    """A dataset that doubled and kept its shape has bars of the same length before and now."""
    after = stats(*range(1, 101), *range(1, 101))
    before = stats(*range(1, 101), like=after)
    found = page(examples.PLANS["dataset-changed"], {"support-tickets": DatasetFigures(after=after, before=before)})
    then = [each["width"] for each in found.of("rect") if each["class"] == "then"]
    now = [each["width"] for each in found.of("rect") if each["class"] == "now"]

    assert then == now
    assert len(then) == len(after.tokens.bins) + len(after.characters.bins)
    assert "rows 100 200 +100" in found.text
    assert "0–10 10 → 20" in found.text


def test_longer_rows_than_before_have_a_bin_of_their_own() -> None:
    after = stats(*([10] * 99), 5000)
    before = stats(*([10] * 9), like=after)
    found = page(
        examples.PLANS["dataset-changed"], {"support-tickets": DatasetFigures(after=after, before=before)}
    ).text

    assert "over 10 0 → 1" in found


def test_an_unknown_cost_is_not_zero() -> None:
    unknown = examples.costing(examples.first_train(examples.TRIAGE), Cost(low=Decimal(4), unknown="no price is known"))
    found = page(examples.a_plan(unknown)).text

    assert "4.00 unknown unknown" in found
    assert "no price is known" in found


def test_foreign_text_is_shown_unchanged_and_is_inert() -> None:
    sample = RowSample(change=RowChange.ADDED, row_after=1, id=HOSTILE, text=HOSTILE, place=Place(file=HOSTILE))
    plan = replace(
        with_rows(replace(DIFF, samples=(sample,), before=HOSTILE)),
        project=HOSTILE,
        provider=HOSTILE,
        warnings=(HOSTILE,),
        refused=(Refusal(policy=HOSTILE, what=HOSTILE, hint=HOSTILE, guard=HOSTILE),),
    )
    problem = Problem(where=Place(file=HOSTILE), what=HOSTILE, path=HOSTILE, hint=HOSTILE, rule=HOSTILE)
    labels = Labels(kinds=1, most=(Label(text=HOSTILE, rows=3),))
    found = page(
        plan,
        {HOSTILE: DatasetFigures(after=stats(1, labels=labels))},
        problems=(problem,),
        environment=HOSTILE,
        root=HOSTILE,
        commit=HOSTILE,
        basis=HOSTILE,
        time=HOSTILE,
        apply=HOSTILE,
        notes=(HOSTILE,),
    )

    assert not found.open
    assert {tag for tag, _ in found.elements}.isdisjoint({"script", "img"})
    assert not [name for _, each in found.elements for name in each if name.startswith("on") or name == "autofocus"]
    assert "<script>alert(1)</script>" in found.text
    assert not re.search(r"[\x00-\x08\x1b\u202e]", found.text)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_no_text_ends_the_element_that_it_is_in(text: str) -> None:
    sample = RowSample(change=RowChange.ADDED, row_after=1, text=text or "x")
    plain = page(with_rows(replace(DIFF, samples=(replace(sample, text="x"),))))
    found = page(with_rows(replace(DIFF, samples=(sample,))), environment="")

    assert found.elements == plain.elements
