"""Walking a list to its end, and knowing when it may not be the end."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from reconciler.provider.openai import wire
from reconciler.provider.openai.paging import Doubts, walk

LIMIT = 3


def page(*ids: str, more: bool | None) -> wire.Page:
    return wire.Page(items=tuple((each, msgspec.Raw(b"{}")) for each in ids), has_more=more)


def walked(fetch: Callable[[str | None], wire.Page]) -> tuple[list[str], list[str]]:
    doubts = Doubts()
    return [item_id for item_id, _ in walk("jobs", LIMIT, fetch, doubts)], doubts.words


def scripted(*pages: wire.Page) -> tuple[Callable[[str | None], wire.Page], list[str | None]]:
    asked: list[str | None] = []

    def fetch(after: str | None) -> wire.Page:
        asked.append(after)
        return pages[min(len(asked), len(pages)) - 1]

    return fetch, asked


@pytest.mark.parametrize(
    ("pages", "found", "asked"),
    [
        ([page(more=False)], "", 1),
        ([page("a", "b", more=False)], "ab", 1),
        ([page("a", "b", more=True), page("c", more=False)], "abc", 2),
        # exactly full: asked once more, to be sure
        ([page("a", "b", "c", more=False), page(more=False)], "abc", 2),
        # and it was not the end, whatever was said
        ([page("a", "b", "c", more=False), page("d", more=False)], "abcd", 2),
        # nothing said about an end: until a page is empty
        ([page("a", "b", more=None), page("c", more=None), page(more=None)], "abc", 3),
        # a list without pages, asked for a second one, gives the first again
        ([page("a", "b", more=None)], "ab", 2),
        # something new pushed the list down between two pages
        ([page("a", "b", more=True), page("b", "c", more=False)], "abc", 2),
        ([page("a", "a", more=False)], "a", 1),
    ],
)
def test_whole_lists(pages: Sequence[wire.Page], found: str, asked: int) -> None:
    fetch, questions = scripted(*pages)
    assert walked(fetch) == (list(found), [])
    assert len(questions) == asked


@pytest.mark.parametrize(
    "pages",
    [
        # the cursor is ignored: the same page for ever
        [page("a", "b", more=True)],
        [page("a", "b", "c", more=False)],
        [page("a", "b", "c", more=None)],
        # round in circles
        [page("a", "b", more=True), page("c", "d", more=True), page("a", "b", more=True)],
        # new items under a cursor that has been
        [page("a", "b", more=True), page("c", "b", more=True)],
        # there is more, and then there is not
        [page("a", "b", more=True), page(more=True)],
    ],
)
def test_lists_that_may_be_cut(pages: Sequence[wire.Page]) -> None:
    fetch, asked = scripted(*pages)
    _, doubts = walked(fetch)
    assert len(doubts) == 1
    assert "jobs" in doubts[0]
    assert len(asked) <= len(pages) + 1


def test_the_cursor_is_the_last_id() -> None:
    fetch, asked = scripted(page("a", "b", more=True), page("c", "d", more=True), page(more=False))
    walked(fetch)
    assert asked == [None, "b", "d"]


def test_pages_are_fetched_as_they_are_needed() -> None:
    fetch, asked = scripted(page("a", "b", more=True), page("c", more=False))
    next(walk("jobs", LIMIT, fetch, Doubts()))
    assert asked == [None]
