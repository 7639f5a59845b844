"""A job's own identity instead of a key: GitHub vouches for the job, OpenAI gives it a token that soon expires.

    GitHub     GET  $ACTIONS_ID_TOKEN_REQUEST_URL&audience=…   → a signed statement of which job this is
    OpenAI     POST https://auth.openai.com/oauth/token        → an access token of a service account

Both requests go to exact hosts, follow no redirect and are made again before the token expires. Neither the statement
nor the token is written anywhere. (Source: OpenAI's guide to workload identity federation for GitHub Actions, its
reference of the token exchange, and GitHub's reference of OpenID Connect.)
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeGuard
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from reconciler.domain.errors import DeniedError, UsageError
from reconciler.providers.http.transport import BufferedResponse, Deadline, NoRedirects, SingleEncoding

PROVIDER_VARIABLE = "OPENAI_IDENTITY_PROVIDER_ID"
ACCOUNT_VARIABLE = "OPENAI_SERVICE_ACCOUNT_ID"
AUDIENCE_VARIABLE = "OPENAI_IDENTITY_AUDIENCE"
REQUEST_URL_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_URL"
REQUEST_TOKEN_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 (a variable's name)

EXCHANGE_URL = "https://auth.openai.com/oauth/token"
DEFAULT_AUDIENCE = "https://api.openai.com/v1"
GITHUB_HOSTS = ".actions.githubusercontent.com"

_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_LONGEST_SECONDS = 86_400.0
"""How long a token is used at most, whatever the service says of it."""

_EARLY_SECONDS = 300.0
"""How long before its end a token is replaced: a request that begins with it may take some time."""

_CODE = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,4}")
_ANSWER_BYTES = 64 * 1024
_CONNECT_SECONDS, _READ_SECONDS, _TOTAL_SECONDS = 5.0, 10.0, 20.0


class UnsignedError(httpx.UnsupportedProtocol):
    """There is no token to sign a request with, so the request was not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom this job is, and which account it wants to be."""

    provider_id: str
    account_id: str
    audience: str
    request_url: str = field(repr=False)
    request_token: str = field(repr=False)


def read_identity(environ: Mapping[str, str], *, has_key: bool) -> Identity | None:
    """Read from the environment which identity to use; None when none is asked for, or a key has to do.

    Raises: UsageError for variables that cannot be used, DeniedError where GitHub vouches for no job and no key is set
    """
    provider, account = read_word(PROVIDER_VARIABLE, environ), read_word(ACCOUNT_VARIABLE, environ)
    if provider is None and account is None:
        return None
    if provider is None or account is None:
        there, missing = PROVIDER_VARIABLE, ACCOUNT_VARIABLE
        there, missing = (there, missing) if provider else (missing, there)
        raise UsageError(f"{there} is set and {missing} is not; workload identity needs both")
    url, token = environ.get(REQUEST_URL_VARIABLE, "").strip(), environ.get(REQUEST_TOKEN_VARIABLE, "").strip()
    if not url or not token:
        if has_key:
            return None
        raise DeniedError(
            "workload identity is asked for, and GitHub vouches for no job here",
            hint="give the job `permissions: id-token: write`; outside of GitHub Actions set OPENAI_API_KEY",
        )
    return Identity(
        provider_id=provider,
        account_id=account,
        audience=read_word(AUDIENCE_VARIABLE, environ) or DEFAULT_AUDIENCE,
        request_url=_check_url(url),
        request_token=token if PRINTABLE.fullmatch(token) else _refuse(REQUEST_TOKEN_VARIABLE),
    )


class TokenExchange:
    """Holds the token that is valid now, and fetches another before it expires. Safe to use from several threads.

    Shape:  `make` makes the transport for one exchange, closed with it
    """

    def __init__(
        self,
        identity: Identity,
        make: Callable[[], httpx.BaseTransport] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self._make = make or httpx.HTTPTransport
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._known: tuple[str, ...] = (identity.request_token,)
        self._refresh_at = self._ends_at = -1.0

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen: every token of this run."""
        return self._known

    def token(self) -> str:
        """Return a token that is good for a while.

        Raises: UnsignedError when there is none; nothing was sent to the service then
        Cost:   two requests, when the last token is about to expire
        """
        with self._lock:
            if self._token and self._clock() < self._refresh_at:
                return self._token
            asked_at = self._clock()
            try:
                token, lasts_seconds = self._exchange()
            except UnsignedError:
                if self._token and self._clock() < self._ends_at:
                    return self._token
                raise
            self._token, self._known = token, (*self._known, token)
            self._ends_at = asked_at + lasts_seconds
            self._refresh_at = self._ends_at - min(_EARLY_SECONDS, lasts_seconds / 2)
            return token

    def _exchange(self) -> tuple[str, float]:
        identity = self.identity
        separator = "&" if "?" in identity.request_url else "?"
        statement = self._ask(
            "GitHub",
            httpx.Request(
                "GET",
                f"{identity.request_url}{separator}audience={quote(identity.audience, safe='')}",
                headers={"authorization": f"Bearer {identity.request_token}", "accept": "application/json"},
            ),
        ).get("value")
        if not _is_token(statement):
            raise UnsignedError("GitHub's answer holds no statement of identity")
        self._known = (*self._known, statement)
        body = {
            "grant_type": _GRANT,
            "subject_token_type": _JWT,
            "subject_token": statement,
            "identity_provider_id": identity.provider_id,
            "service_account_id": identity.account_id,
        }
        headers = {"content-type": "application/json", "accept": "application/json"}
        answer = self._ask(
            "OpenAI's token exchange",
            httpx.Request("POST", EXCHANGE_URL, headers=headers, content=msgspec.json.encode(body)),
        )
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not _is_token(token) or isinstance(lasts, bool) or not isinstance(lasts, int | float) or not lasts > 0:
            raise UnsignedError("OpenAI's token exchange answered without a token that can be used")
        return token, float(min(lasts, _LONGEST_SECONDS))

    def _ask(self, who: str, request: httpx.Request) -> dict[str, object]:
        """Ask once. Of a refusal no more than its code is repeated: the rest may hold a token, or its beginning."""
        try:
            status, content = self._send(request)
            found = msgspec.json.decode(content)
            if 200 <= status < 300 and isinstance(found, dict):
                return found
            problem = f"{who} answered with status {status}{_code(found)}"
        except httpx.RequestError as error:
            problem = f"{who} could not be asked ({type(error).__name__})"
        except (msgspec.MsgspecError, RecursionError, ValueError):
            problem = f"{who} answered with something that is no JSON"
        # Raised here and not above, or the request, token and all, would hang on it as its context.
        raise UnsignedError(problem)

    def _send(self, request: httpx.Request) -> tuple[int, bytes]:
        bottom = self._make()
        transport = NoRedirects(BufferedResponse(_bound_time(bottom, self._clock), _ANSWER_BYTES))
        try:
            response = transport.handle_request(request)
            return response.status_code, response.content
        finally:
            bottom.close()


def _bound_time(bottom: httpx.BaseTransport, clock: Callable[[], float]) -> httpx.BaseTransport:
    return Deadline(
        SingleEncoding(bottom), connect=_CONNECT_SECONDS, read=_READ_SECONDS, total=_TOTAL_SECONDS, clock=clock
    )


def _code(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return f", {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and PRINTABLE.fullmatch(value) is not None


def _check_url(url: str) -> str:
    """Return the address at which GitHub vouches for the job, when it is GitHub's."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        _refuse(REQUEST_URL_VARIABLE)
    host = parts.hostname or ""
    is_plain = parts.username is None and parts.password is None and not parts.fragment and port in {None, 443}
    if parts.scheme != "https" or not host.endswith(GITHUB_HOSTS) or not is_plain or not PRINTABLE.fullmatch(url):
        _refuse(REQUEST_URL_VARIABLE)
    return url


def _refuse(variable: str) -> NoReturn:
    raise UsageError(
        f"{variable} is not what GitHub sets, which leads to https://*{GITHUB_HOSTS}; no token was asked for"
    )


PRINTABLE = re.compile(r"[\x21-\x7e]+")


def read_word(variable: str, environ: Mapping[str, str]) -> str | None:
    """Read a variable that holds an id; None where it is empty, not set, or has no name.

    Raises: UsageError for spaces and characters that no id has
    """
    value = environ.get(variable, "").strip() if variable else ""
    if value and not PRINTABLE.fullmatch(value):
        raise UsageError(f"{variable} holds spaces or characters that no id has; copy it again")
    return value or None
