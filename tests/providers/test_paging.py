"""Reading a list to its end, and the signs that it may be incomplete."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from reconciler.providers.http import ListWarnings, paging
from reconciler.providers.http.paging import walk

LIMIT = 3


def page(*ids: str, more: bool | None, made: tuple[int | None, ...] = (), nameless: int = 0) -> paging.Page:
    items = tuple((each, msgspec.Raw(b"{}")) for each in ids)
    return paging.Page(items=items, has_more=more, made=made, nameless=nameless)


def walk_list(fetch: Callable[[str | None], paging.Page]) -> tuple[list[str], list[str]]:
    doubts = ListWarnings()
    return [item_id for item_id, _ in walk("jobs", LIMIT, fetch, doubts)], doubts.words


def play_script(*pages: paging.Page) -> tuple[Callable[[str | None], paging.Page], list[str | None]]:
    asked: list[str | None] = []

    def fetch(after: str | None) -> paging.Page:
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
        # and it was not the end, although the page stated so
        ([page("a", "b", "c", more=False), page("d", more=False)], "abcd", 2),
        # no member about the end: until a page is empty
        ([page("a", "b", more=None), page("c", more=None), page(more=None)], "abc", 3),
        # a list without pages, asked for a second one, gives the first again
        ([page("a", "b", more=None)], "ab", 2),
        # something new pushed the list down between two pages
        ([page("a", "b", more=True), page("b", "c", more=False)], "abc", 2),
        # several of them
        ([page("a", "b", "c", more=True), page("b", "c", "d", more=True), page("d", "e", more=False)], "abcde", 3),
    ],
)
def test_whole_lists(pages: Sequence[paging.Page], found: str, asked: int) -> None:
    fetch, questions = play_script(*pages)
    assert walk_list(fetch) == (list(found), [])
    assert len(questions) == asked


@pytest.mark.parametrize(
    "pages",
    [
        # the cursor is ignored: the same page for ever
        [page("a", "b", more=True)],
        [page("a", "b", "c", more=False)],
        [page("a", "b", "c", more=None)],
        # a cycle of cursors
        [page("a", "b", more=True), page("c", "d", more=True), page("a", "b", more=True)],
        # new items under an earlier cursor
        [page("a", "b", more=True), page("c", "b", more=True)],
        # there is more, and then there is not
        [page("a", "b", more=True), page(more=True)],
        [page(more=True)],
        # one entry twice: on one page, or on the next without having been pushed there
        [page("a", "a", more=False)],
        [page("a", "b", more=True), page("c", "a", "d", more=False)],
        [page("a", "b", "c", more=True), page("a", "d", more=False)],
        # backwards: the second page ends before the first
        [page("a", "b", more=True), page("c", "a", more=True)],
        # an entry without an id, first, last, or alone
        [page("a", more=False, nameless=1)],
        [page("a", "b", more=True), page("c", more=False, nameless=1)],
        [page(more=False, nameless=2)],
        [page("a", "b", more=False, nameless=1), page(more=False)],
        # alternating newer and older over several pages
        [page("a", "b", more=True, made=(900, 500)), page("c", more=False, made=(700,))],
        [page("a", "b", more=True, made=(100, 500)), page("c", more=False, made=(300,))],
    ],
)
def test_lists_that_may_be_incomplete(pages: Sequence[paging.Page]) -> None:
    fetch, asked = play_script(*pages)
    _, doubts = walk_list(fetch)
    assert len(doubts) == 1
    assert "jobs" in doubts[0]
    assert len(asked) <= len(pages) + 1


def test_the_cursor_is_the_last_id() -> None:
    fetch, asked = play_script(page("a", "b", more=True), page("c", "d", more=True), page(more=False))
    walk_list(fetch)
    assert asked == [None, "b", "d"]


def test_pages_are_fetched_as_they_are_needed() -> None:
    fetch, asked = play_script(page("a", "b", more=True), page("c", more=False))
    next(walk("jobs", LIMIT, fetch, ListWarnings()))
    assert asked == [None]


@pytest.mark.parametrize(
    "pages",
    [
        # from new to old, and from old to new, with some on the same second
        [page("a", "b", more=True, made=(900, 900)), page("c", more=False, made=(100,))],
        [page("a", "b", more=True, made=(100, 900)), page("c", more=False, made=(900,))],
        # servers that do not agree on the second
        [page("a", "b", more=True, made=(900, 903)), page("c", more=False, made=(100,))],
        # one page needs no cursor
        [page("a", "b", more=False, made=(100, 900))],
        [page("a", "b", "c", more=False, made=(100, 900, 500)), page(more=False)],
        # an entry without a time is not compared
        [page("a", "b", more=True, made=(900, None)), page("c", more=False, made=(None,))],
    ],
)
def test_correct_orders(pages: Sequence[paging.Page]) -> None:
    fetch, _ = play_script(*pages)
    assert walk_list(fetch)[1] == []


def test_an_endless_list_is_read_up_to_a_limit() -> None:
    asked: list[str | None] = []

    def fetch(after: str | None) -> paging.Page:
        asked.append(after)
        return page(f"item-{len(asked)}", more=True)

    doubts = ListWarnings()
    found = list(walk("jobs", LIMIT, fetch, doubts, most_pages=5))
    assert (len(found), len(asked)) == (5, 5)
    assert doubts.words == ["the list of jobs does not end after 5 entries"]


def test_the_readable_entries_of_a_doubtful_list_are_returned() -> None:
    fetch, _ = play_script(page("a", "b", more=True), page("a", "c", more=True), page("d", more=False))
    found, doubts = walk_list(fetch)
    assert found == ["a", "b", "c", "d"]
    assert doubts == ["the list of jobs names a twice"]


@pytest.mark.parametrize("cap", [10, 16, 20, 25, 50, 99])
def test_a_list_that_is_capped_below_its_limit_and_says_that_it_ends_is_asked_once_more(cap: int) -> None:
    """The server says has_more false with every page, and shows the rest only to one who asks."""
    ids = [f"ftjob-{number}" for number in range(2 * cap + 3)]

    def fetch(after: str | None) -> paging.Page:
        start = ids.index(after) + 1 if after else 0
        return paging.Page(items=tuple((each, msgspec.Raw(b"{}")) for each in ids[start : start + cap]), has_more=False)

    warnings = ListWarnings()
    assert [item_id for item_id, _ in walk("jobs", 100, fetch, warnings)] == ids
    assert warnings.words == []


def test_a_list_without_pages_that_says_that_it_ends_is_believed_when_it_repeats_itself() -> None:
    items = tuple((f"ftjob-{number}", msgspec.Raw(b"{}")) for number in range(12))
    asked: list[str | None] = []

    def fetch(after: str | None) -> paging.Page:
        asked.append(after)
        return paging.Page(items=items, has_more=False)

    warnings = ListWarnings()
    assert len(list(walk("jobs", 100, fetch, warnings))) == 12
    assert (warnings.words, len(asked)) == ([], 2)
