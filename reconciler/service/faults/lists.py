"""What wrong lists and slow files look like. Pure, but for the asking after a further page."""

from collections.abc import Awaitable, Callable
from typing import Any

from reconciler.service.faults.rewriting import Body

Further = Callable[[str], Awaitable[Body]]


async def without_young(page: Body, now: float, seconds: float, further: Further) -> Body:
    """Return a page of a list without what is too young to be in it.

    A page on which all is too young is passed over, because an empty page tells clients that the list has ended.
    """
    while True:
        items = _items(page)
        old = [item for item in items if _created(item) + seconds <= now]
        if old or not items or not page.get("has_more"):
            return _holding(page, old)
        page = await further(str(items[-1].get("id", "")))


def truncated(page: Body, most: int) -> Body:
    """Return the first items of a page as if they were all there are."""
    cut = _holding(page, _items(page)[:most])
    return {**cut, "has_more": False} if "has_more" in page else cut


def endless(page: Body) -> Body:
    """Return a page that says more follows, if it is a page and holds anything."""
    return {**page, "has_more": True} if "has_more" in page and _items(page) else page


def unprocessed(value: Any, now: float, seconds: float) -> Any:
    """Return an answer in which files that are too young, wherever in it, have only been uploaded."""
    if isinstance(value, list):
        return [unprocessed(item, now, seconds) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") == "file" and value.get("status") == "processed" and _created(value) + seconds > now:
        return {**value, "status": "uploaded"}
    return {key: unprocessed(item, now, seconds) for key, item in value.items()}


def _items(page: Body) -> list[Body]:
    data = page.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _created(item: Body) -> float:
    # Models say `created`, all else says `created_at`; what says neither has been there for ever.
    found = item.get("created_at", item.get("created"))
    return found if isinstance(found, int | float) else 0.0


def _holding(page: Body, items: list[Body]) -> Body:
    ends = {"first_id": items[0].get("id") if items else None, "last_id": items[-1].get("id") if items else None}
    return {**page, "data": items, **{name: value for name, value in ends.items() if name in page}}
