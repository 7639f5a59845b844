"""Walks a list page by page, by cursor only, and says what makes it doubt that it saw the whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from reconciler.provider.openai.wire import Page

_MOST = 1_000_000
"""More entries than any account has: a list that goes on is made up as it is read."""


@dataclass(slots=True)
class Doubts:
    """Why a list may not be whole, collected while it is walked."""

    words: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        self.words.append(what)


def walk(
    what: str, limit: int, fetch: Callable[[str | None], Page], doubts: Doubts
) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield every item once, with its id, in the service's order.

    Shape:  `what` names the list in a doubt; `fetch` takes the id after which a page begins; `limit` is what it asks
    Cost:   the ids seen are kept, the items are not
    """
    seen: set[str] = set()
    cursors: set[str] = set()
    after: str | None = None
    while True:
        page = fetch(after)
        new = [(item_id, item) for item_id, item in page.items if item_id not in seen]
        for item_id, item in new:
            if item_id not in seen:
                seen.add(item_id)
                yield item_id, item
        if not page.items:
            if page.has_more:
                doubts.add(f"the list of {what} said that there is more, and then gave an empty page")
            return
        last = page.items[-1][0]
        if (after is not None and not new) or last in cursors or len(seen) > _MOST:
            if page.has_more is not None or len(page.items) >= limit:
                doubts.add(f"the list of {what} goes round in circles after {len(seen)} entries; it may be cut")
            return
        # A last page that is exactly full may have been cut there: one more question settles it.
        if page.has_more is False and len(page.items) < limit:
            return
        cursors.add(last)
        after = last
