"""Walks a list page by page, by cursor only, and warns when it may not have seen the whole.

A list is whole when every page begins behind the one before it and the last one says that it is the last. What follows
casts doubt on that, and nothing else does:

    an entry without an id, or one that comes twice     something else may stand in its place, or be left out
    a page that ends on an entry seen before            the cursor is ignored, repeated, or leads backwards
    more is promised, and then a page is empty          the rest is missing
    newer and older by turns over several pages         the cursor does not say where the walk has got to
    no end in sight                                     the list is made up as it is read
    a status of success that is not 200                 206 and its neighbours may stand for a part (see `client`)

A page that begins with the end of the one before is no reason: something new has pushed the list along meanwhile. A
last page that is exactly full may have been cut there, and one more question settles it. So may one of ten entries or
more that says that it is the last: servers cap a page below what was asked, and some say then that nothing follows.
Such questions have an end too: after a thousand pages that were each the last, and were not, nothing is believed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from reconciler.domain.errors import MalformedError
from reconciler.providers.http.wire import decode, to_int

_MOST_ENTRIES = 1_000_000
MOST_PAGES = 10_000
"""More than any account has: a list that goes on is made up as it is read."""

SMALLEST_CAP = 10
"""No server is known whose pages are smaller. A shorter last page is taken at its word, and costs no more question."""

MOST_LAST_PAGES = 1_000
"""Pages that say that they are the last, and are not. A list of ten thousand entries has no more of them."""

_JITTER_SECONDS = 5
"""Servers of one service may not agree on the second."""


class _HeadObject(msgspec.Struct):
    id: str
    created_at: Any = None


class _PageObject(msgspec.Struct):
    data: list[msgspec.Raw] | None
    has_more: bool | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list: items with their ids, not yet read.

    Shape:  `has_more` is None when the service does not say; `made` says when each item was made, where it says so;
            `nameless` counts the entries that have no id, which cannot be read
    """

    items: tuple[tuple[str, msgspec.Raw], ...]
    has_more: bool | None = None
    made: tuple[int | None, ...] = ()
    nameless: int = 0


def read_page(body: bytes) -> Page:
    """Read a list's envelope and the ids of its items."""
    page = decode(body, _PageObject)
    entries = page.data or ()
    named = tuple((head, item) for item in entries if (head := _head(item)))
    return Page(
        items=tuple((head.id, item) for head, item in named),
        has_more=page.has_more,
        made=tuple(to_int(head.created_at) for head, _ in named),
        nameless=len(entries) - len(named),
    )


def _head(item: msgspec.Raw) -> _HeadObject | None:
    try:
        head = decode(item, _HeadObject)
    except MalformedError:
        return None
    return head if head.id else None


@dataclass(slots=True)
class ListWarnings:
    """Why a list may not be whole, collected while it is walked."""

    words: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        if what not in self.words[-1:]:
            self.words.append(what)


@dataclass(slots=True)
class _Order:
    """Whether a list runs from new to old, or from old to new, but not both."""

    last: int | None = None
    rises: bool = False
    falls: bool = False

    def add(self, made: int | None) -> None:
        if made is None:
            return
        if self.last is not None:
            self.rises = self.rises or made - self.last > _JITTER_SECONDS
            self.falls = self.falls or self.last - made > _JITTER_SECONDS
        self.last = made

    @property
    def is_mixed(self) -> bool:
        return self.rises and self.falls


@dataclass(slots=True)
class _Walk:
    """What a walk has seen so far, and whether it has warned; one warning is enough."""

    what: str
    warnings: ListWarnings
    seen: set[str] = field(default_factory=set)
    tail: Sequence[str] = ()
    order: _Order = field(default_factory=_Order)
    has_warned: bool = False

    def warn(self, why: str) -> None:
        if not self.has_warned:
            self.has_warned = True
            self.warnings.add(f"the list of {self.what} {why}")

    def take(self, page: Page) -> Iterator[tuple[str, msgspec.Raw]]:
        """Yield what is new on a page."""
        if page.nameless:
            self.warn("holds an entry without an id")
        ids = [item_id for item_id, _ in page.items]
        pushed = _overlap(self.tail, ids)
        for place, (item_id, item) in enumerate(page.items):
            if item_id not in self.seen:
                self.seen.add(item_id)
                self.order.add(page.made[place] if page.made else None)
                yield item_id, item
            elif place >= pushed:
                self.warn(f"names {item_id} twice")
        if self.tail and ids and self.order.is_mixed:
            self.warn("is in no order")
        self.tail = ids


def walk(
    what: str, limit: int, fetch: Callable[[str | None], Page], warnings: ListWarnings, most_pages: int = MOST_PAGES
) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield every item once, with its id, in the service's order.

    Shape:  `what` names the list in a warning; `fetch` takes the id after which a page begins; `limit` is what it asks
    Cost:   the ids seen are kept, the items are not
    """
    walk_state = _Walk(what, warnings)
    after: str | None = None
    last_pages = 0
    for _ in range(most_pages):
        page = fetch(after)
        known = len(walk_state.seen)
        last = page.items[-1][0] if page.items else None
        goes_back = last in walk_state.seen
        yield from walk_state.take(page)
        if last is None:
            if page.has_more:
                walk_state.warn("said that there is more, and then gave an empty page")
            return
        if goes_back:
            # A list that knows no pages gives the first again when asked for a second, and says nothing of more.
            is_repeated = len(walk_state.seen) == known and page.has_more is not True
            if not is_repeated or len(page.items) >= limit:
                walk_state.warn(f"goes round in circles after {len(walk_state.seen)} entries; it may be cut")
            return
        count = len(page.items) + page.nameless
        if page.has_more is False and count < limit and count < SMALLEST_CAP:
            return
        last_pages += page.has_more is False
        if len(walk_state.seen) > _MOST_ENTRIES or last_pages >= MOST_LAST_PAGES:
            break
        after = last
    walk_state.warn(f"does not end after {len(walk_state.seen)} entries")


def _overlap(before: Sequence[str], ids: Sequence[str]) -> int:
    """Count how many entries at the beginning of a page are the end of the page before it."""
    if not ids or ids[0] not in before:
        return 0
    shared = before[before.index(ids[0]) :]
    return len(shared) if list(shared) == list(ids[: len(shared)]) else 0
