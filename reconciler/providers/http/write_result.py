"""How a write ended: the one table from answers and failures to done, refused and unknown.

what came back                                            ended
───────────────────────────────────────────────────────   ─────────────────────────────────────────────
2xx that can be read                                      done
2xx cut short, not JSON, or of another shape              unknown: it was probably done
3xx                                                       refused: nobody follows
303                                                       unknown: it may say "done, look over there"
400 – 499, but for the next row                           refused: it says so
408, 409, 425, 499                                        unknown: something of it may have begun
429                                                       refused: it was turned away at the door
5xx and anything else                                     unknown: it may have been done before that
no connection, no name, no time to connect                refused: nothing was sent
anything after that                                       unknown: it may have arrived
"""

from collections.abc import Callable
from typing import TypeVar

import httpx

from reconciler.domain.errors import MalformedError, ProviderError
from reconciler.domain.ports import Done, Refused, Unknown, Write
from reconciler.providers.http.transport import RedirectError

T = TypeVar("T")

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_UNCLEAR_STATUSES = frozenset({408, 409, 425, 499})
_SEE_OTHER = 303


def classify_write(
    send: Callable[[], httpx.Response],
    read: Callable[[bytes], T],
    explain: Callable[[httpx.Response], ProviderError],
    explain_road: Callable[[httpx.RequestError], ProviderError],
) -> Write[T]:
    """Send once, and tell how it ended.

    Raises: only what the body's own iterator raises; `read` says with MalformedError that an answer is not one
    """
    try:
        response = send()
    except httpx.RequestError as error:
        return Refused(explain_road(error)) if _proves_no_effect(error) else Unknown(_why(explain_road(error)))
    if 200 <= response.status_code < 300:
        return _done(response, read)
    said = explain(response)
    return Refused(said) if _is_refusal(response.status_code) else Unknown(_why(said))


def _done(response: httpx.Response, read: Callable[[bytes], T]) -> Write[T]:
    try:
        return Done(read(response.content))
    except MalformedError as error:
        return Unknown(_why(error))


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500 and status not in _UNCLEAR_STATUSES


def _proves_no_effect(error: httpx.RequestError) -> bool:
    if isinstance(error, RedirectError):
        return error.status != _SEE_OTHER
    return isinstance(error, _NOT_SENT)


def _why(error: ProviderError) -> str:
    return f"{error} (request {error.request_id})" if error.request_id else str(error)
