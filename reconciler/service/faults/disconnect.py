"""Closes a connection without an answer, where the server that holds it lets an application do so."""

from collections.abc import Callable

from starlette.types import Receive, Scope

EXTENSION = "reconciler.hang_up"


class HungUpError(Exception):
    """The answer was withheld on purpose; within one process this stands for the closed connection."""


def offer(scope: Scope, close: Callable[[], None]) -> Scope:
    """Return a request's scope with the way to close its connection."""
    return {**scope, "extensions": {**scope.get("extensions", {}), EXTENSION: close}}


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection of a request, and return once it is closed.

    Raises: HungUpError when there is no connection to close, as within one process
    """
    close = scope.get("extensions", {}).get(EXTENSION)
    if close is None:
        raise HungUpError("the answer was withheld on purpose")
    close()
    while (await receive())["type"] != "http.disconnect":
        pass
