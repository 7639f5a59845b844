"""What a failed call means, as an error that says what, where, and the next step; and how a write ended.

Only a service's own words prove that a write had no effect. A gateway may answer a request that the service behind it
has carried out: with a page of its own, a redirect, or an error in an envelope like the service's. So each dialect
lists the words with which its service refuses, in a table of `Proof`s. What is not in the table proves nothing: the run
looks again before it judges.
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import httpx
import msgspec

from reconciler.domain.errors import (
    STORE_UNUSABLE,
    DeniedError,
    MalformedError,
    NotFoundError,
    ProviderError,
    RejectedError,
    TemporaryError,
)
from reconciler.domain.ports import Done, Refused, Unknown, Write
from reconciler.providers.http.answer_headers import requested_wait
from reconciler.providers.http.transport import RedirectError, TooLargeError
from reconciler.providers.http.workload_identity import UnsignedError

_MONEY = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    }
)
_NEXT_DAY = "daily_rate_limit_exceeded"
_LONGEST_MESSAGE = 2000

_DENIED = frozenset({401, 402, 403, 407})
_MISSING = frozenset({404, 410})
_PASSING = frozenset({408, 409, 425, 429})


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What the body of a refusal says, as far as it can be read."""

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None


def read_complaint(body: bytes) -> Complaint:
    """Read the API's error envelope, or the shapes that servers and gateways put in its place."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return Complaint()
    inside = found.get("error", found) if isinstance(found, dict) else None
    if isinstance(inside, str):
        return Complaint(message=inside[:_LONGEST_MESSAGE])
    if not isinstance(inside, dict):
        return Complaint()
    message = _text(inside.get("message")) or _text(inside.get("detail")) or ""
    return Complaint(
        message=message[:_LONGEST_MESSAGE],
        type=_text(inside.get("type")),
        code=_text(inside.get("code")),
        param=_text(inside.get("param")),
    )


def is_final(response: httpx.Response) -> bool:
    """Return whether an answer of status 429 is about money or the day, so that waiting does not help."""
    complaint = read_complaint(response.content)
    return complaint.code == _NEXT_DAY or bool(_MONEY & {complaint.code, complaint.type})


def error_of(response: httpx.Response, key_variable: str, *, is_upload: bool = False) -> ProviderError:
    """Return the error that an answer of status 400 or more stands for. The answer must have been read."""
    complaint = read_complaint(response.content)
    reason = complaint.message or "the service, or a gateway before it, gave no reason that could be read"
    words = ", ".join(word for word in (f"HTTP {response.status_code}", complaint.code) if word)
    kind = _kind(response.status_code, complaint)
    return kind(
        f"{reason} ({words})",
        status=response.status_code,
        code=complaint.code,
        param=complaint.param,
        request_id=response.headers.get("x-request-id"),
        hint=_TOO_LARGE if is_upload and response.status_code == 413 else _hint(response, complaint, key_variable),
    )


def network_error(error: httpx.RequestError, host: str) -> ProviderError:
    """Return the error that a failure on the way stands for."""
    if isinstance(error, RedirectError):
        return RejectedError(str(error), status=error.status, hint="set the base URL to where the service really is")
    if isinstance(error, TooLargeError | httpx.DecodingError):
        return MalformedError(f"{host}: {error}; nothing was concluded from it")
    if isinstance(error, UnsignedError):
        what = f"no token for {host} could be had: {error}"
        return DeniedError(what, hint="see docs/keyless.md for what both sides need, or set the key and no identity")
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return RejectedError(f"{host}: the request could not be sent: {error}")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        what = f"{host} could not be reached: {str(error) or 'no connection'}"
        return TemporaryError(what, hint="check the network and the base URL, then run again")
    what = f"{host} did not answer to the end: {str(error) or type(error).__name__}"
    return TemporaryError(what, hint="run again; what is there already is found again")


_TOO_LARGE = "the file is larger than the service, or a gateway before it, takes in one upload: split the dataset"


def _kind(status: int, complaint: Complaint) -> type[ProviderError]:
    if status == 429 and _MONEY & {complaint.code, complaint.type}:
        return DeniedError
    if status in _DENIED:
        return DeniedError
    if status in _MISSING:
        # A page without words that can be read is as often one of a gateway as one of the service.
        return NotFoundError if complaint.message else TemporaryError
    return TemporaryError if status in _PASSING or status >= 500 else RejectedError


def _hint(response: httpx.Response, complaint: Complaint, key_variable: str) -> str:
    status = response.status_code
    for applies, hint in _HINTS:
        if applies(status, complaint):
            return hint.format(key=key_variable)
    wait = requested_wait(response.headers)
    if wait is not None and status in {429, 503}:
        return f"the service asks to wait {wait:.0f} seconds; then run again"
    if status == 429:
        return "too many requests for now: wait a minute, then run again"
    return "run again in a while" if status in _PASSING or status >= 500 else ""


_HINTS: tuple[tuple[Callable[[int, Complaint], bool], str], ...] = (
    (
        lambda status, complaint: complaint.code == STORE_UNUSABLE,
        "mend that on the machine where the service runs, then run again; what was done already is found again",
    ),
    (
        lambda status, complaint: status == 507,
        "the service has no space left: free some, or ask who runs it, then run again",
    ),
    (
        lambda status, complaint: complaint.code == "training_not_available",
        "this organisation may not create fine-tuning jobs on this service, and repeating will not help; uploaded "
        "files are kept and will be found again. Use another organisation or another provider",
    ),
    (
        lambda status, complaint: status == 401,
        "check {key}: it must be a key of this service that has not been revoked",
    ),
    (
        lambda status, complaint: status == 403,
        "the key in {key} is known but lacks the right for this; ask an owner of the organisation",
    ),
    (
        lambda status, complaint: (
            complaint.code == "model_not_available"
            or (status == 400 and "not available for fine-tuning" in complaint.message)
        ),
        "choose a base that this organisation can train; the list of models is not a list of trainable bases",
    ),
    (
        lambda status, complaint: status == 429 and complaint.code == _NEXT_DAY,
        "the day's number of jobs for this model is used up: run again tomorrow",
    ),
    (
        lambda status, complaint: status == 429 and bool(_MONEY & {complaint.code, complaint.type}),
        "the account's money or budget is used up: add credit or raise the limit; waiting will not help",
    ),
)


def _text(value: Any) -> str | None:
    # Gateways send numbers as codes.
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


T = TypeVar("T")

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_UNCLEAR_STATUSES = frozenset({408, 409, 425, 499})
_SEE_OTHER = 303


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a dialect's table: an answer with these words proves that a write had no effect.

    Shape:  `types` and `codes` are members of the service's error envelope; a code None is a null; without `types`,
            the envelope holds a code and a message and neither a type nor a parameter
    """

    status: int
    types: frozenset[str] = frozenset()
    codes: frozenset[str | None]


class _OwnError(msgspec.Struct):
    """The error of a service of this family: all four members, or a code and a message alone. Gateways mix them."""

    message: str
    code: str | None
    type: str | msgspec.UnsetType = msgspec.UNSET
    param: str | msgspec.UnsetType | None = msgspec.UNSET


class _OwnEnvelope(msgspec.Struct):
    error: _OwnError


def proves_refusal(response: httpx.Response, proofs: Collection[Proof]) -> bool:
    """Return whether an answer is a refusal in the service's own words."""
    try:
        error = msgspec.json.decode(response.content, type=_OwnEnvelope).error
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return False
    return any(_is_in_words_of(error, proof) for proof in proofs if proof.status == response.status_code)


def _is_in_words_of(error: _OwnError, proof: Proof) -> bool:
    is_plain = error.type is msgspec.UNSET and error.param is msgspec.UNSET
    is_whole = error.type is not msgspec.UNSET and error.param is not msgspec.UNSET
    of_kind = is_whole and error.type in proof.types if proof.types else is_plain
    return of_kind and error.code in proof.codes


def classify_write(
    send: Callable[[], httpx.Response],
    read: Callable[[bytes], T],
    explain: Callable[[httpx.Response], ProviderError],
    explain_network: Callable[[httpx.RequestError], ProviderError],
    proofs: Collection[Proof] | None,
) -> Write[T]:
    """Send once, and return how it ended: the one table from answers and failures to done, refused and unknown.

    what came back                                            ended
    ───────────────────────────────────────────────────────   ─────────────────────────────────────────────
    2xx that can be read                                      done
    2xx cut short, not JSON, or of another shape              unknown: it was probably done
    an error that is in the dialect's table                   refused: the service says so in its own words
    any other status, with or without a body                  unknown: a gateway may have answered
    no connection, no name, no time to connect                refused: nothing was sent
    anything after that                                       unknown: it may have arrived

    Without a table (`proofs` is None) a repeat costs nothing, as for an upload, which is found again by its name. Then
    these count as refused too, so that they are reported at once: 3xx but 303, and 4xx but 408, 409, 425 and 499.

    Raises: only what the body's own iterator raises; `read` says with MalformedError that an answer is not one
    """
    try:
        response = send()
    except httpx.RequestError as error:
        is_refused = _was_not_sent(error) or (proofs is None and _is_plain_redirect(error))
        return Refused(explain_network(error)) if is_refused else Unknown(_why(explain_network(error)))
    if 200 <= response.status_code < 300:
        return _done(response, read)
    refusal = explain(response)
    if proofs is None:
        return Refused(refusal) if _is_plain_refusal(response.status_code) else Unknown(_why(refusal))
    if proves_refusal(response, proofs):
        return Refused(refusal)
    return Unknown(f"{_why(refusal)}; this answer does not prove that nothing was done")


def _done(response: httpx.Response, read: Callable[[bytes], T]) -> Write[T]:
    try:
        return Done(read(response.content))
    except MalformedError as error:
        return Unknown(_why(error))


def _was_not_sent(error: httpx.RequestError) -> bool:
    return isinstance(error, _NOT_SENT)


def _is_plain_redirect(error: httpx.RequestError) -> bool:
    return isinstance(error, RedirectError) and error.status != _SEE_OTHER


def _is_plain_refusal(status: int) -> bool:
    return 400 <= status < 500 and status not in _UNCLEAR_STATUSES


def _why(error: ProviderError) -> str:
    return f"{error} (request {error.request_id})" if error.request_id else str(error)
