"""Where a service is and who asks. Secrets live here, and in no repr, error or request that others can see."""

import ipaddress
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec

from reconciler.domain.errors import DeniedError, UsageError
from reconciler.providers.http.transport import WrappingTransport, copy_request
from reconciler.providers.http.workload_identity import PRINTABLE, TokenExchange, read_identity, read_word
from reconciler.providers.profile import Profile

_HIDDEN = b"[hidden]"

_EXAMPLE = "https://llm.example.com/v1"

_SHORTEST_HIDDEN = 6
"""A shorter key would be hidden inside ordinary words, and is no secret to speak of."""


class Credentials:
    """A key or an exchange that gives tokens, and the organisation and project it speaks for."""

    __slots__ = ("_exchange", "_header", "_key", "_organization", "_project")

    def __init__(
        self,
        key: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        exchange: TokenExchange | None = None,
        header: str = "",
    ) -> None:
        self._header = header.lower()
        self._key = key
        self._organization = organization
        self._project = project
        self._exchange = exchange

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def account(self) -> str | None:
        """The service account that a token speaks for; None where a key signs, or nothing does."""
        return self._exchange.identity.account_id if self._exchange else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that sign a request.

        Raises: UnsignedError when no token could be had
        """
        key = self._exchange.token() if self._exchange else self._key
        signed = {
            self._header or "authorization": key if self._header else f"Bearer {key}" if key else None,
            "openai-organization": self._organization,
            "openai-project": self._project,
        }
        return {name: value for name, value in signed.items() if value}

    def hide(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Pass bytes on without a key or token in them, however they are cut.

        Cost:   what may be the beginning of one is held back until the next part has come
        """
        secrets = self._exchange.secrets if self._exchange else (self._key,)
        for secret in secrets:
            if secret is not None and len(secret) >= _SHORTEST_HIDDEN:
                parts = _hidden(secret.encode(), parts)
        yield from parts


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An address, what each request to it has behind its `?`, and the credentials that belong to it."""

    url: httpx.URL
    credentials: Credentials
    query: tuple[tuple[str, str], ...] = ()

    @property
    def host(self) -> str:
        """Host, and port where it is not the scheme's own."""
        return self.url.netloc.decode("ascii")


class SignedTransport(WrappingTransport):
    """Signs what goes to one endpoint, last of all, and lets nothing go anywhere else."""

    def __init__(self, inner: httpx.BaseTransport, endpoint: Endpoint) -> None:
        super().__init__(inner)
        self._endpoint = endpoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        home, there = self._endpoint.url, request.url
        if (there.scheme, there.host, there.port) != (home.scheme, home.host, home.port):
            raise httpx.UnsupportedProtocol(f"a request for {there.host} was not sent: the key belongs to {home.host}")
        signed = copy_request(request, headers=self._endpoint.credentials.headers)
        if self._endpoint.query:
            signed.url = there.copy_merge_params(dict(self._endpoint.query))
        return self._inner.handle_request(signed)


def read_endpoint(
    profile: Profile,
    environ: Mapping[str, str],
    *,
    make: Callable[[], httpx.BaseTransport] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Endpoint:
    """Read where a profile's service is, and what signs requests to it, from the environment.

    Shape:  `make` makes the transport to the token exchange, where it is not the network
    Raises: DeniedError when the key is missing, UsageError when a variable cannot be used; neither shows a value
    """
    name, stated = _stated_url(profile, environ)
    if profile.in_process and not stated:
        return Endpoint(url=httpx.URL(profile.base_url), credentials=Credentials())
    # An operator may have written the address of the profile.
    url = _checked_url(
        profile, name if stated else f"the url of the profile {profile.name}", stated or profile.base_url
    )
    exchange = _exchange(profile, url, environ, make, clock)
    return Endpoint(
        url=url,
        query=profile.query,
        credentials=Credentials(
            None if exchange else _key(profile, environ),
            read_word(profile.organization_variable, environ)
            or read_word(profile.other_organization_variable, environ),
            read_word(profile.project_variable, environ),
            exchange,
            profile.key_header,
        ),
    )


def describe_signing(profile: Profile, environ: Mapping[str, str]) -> str:
    """Return in a few words what signs requests to a profile's service; nothing is sent.

    Raises: as `read_endpoint`
    """
    endpoint = read_endpoint(profile, environ)
    if endpoint.credentials.account:
        return f"workload identity, as service account {endpoint.credentials.account}"
    return f"the key in {profile.key_variable}" if endpoint.credentials.headers else "none needed"


def _exchange(
    profile: Profile,
    url: httpx.URL,
    environ: Mapping[str, str],
    make: Callable[[], httpx.BaseTransport] | None,
    clock: Callable[[], float],
) -> TokenExchange | None:
    # A token of the service is good for its own host; another one, a gateway say, must never see it.
    if not profile.has_identities or url.netloc != httpx.URL(profile.base_url).netloc:
        return None
    identity = read_identity(environ, has_key=bool(environ.get(profile.key_variable, "").strip()))
    return None if identity is None else TokenExchange(identity, make, clock)


def _hidden(secret: bytes, parts: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for part in parts:
        clean = (held + part).replace(secret, _HIDDEN)
        sure = len(clean) - _begun(secret, clean)
        if sure:
            yield clean[:sure]
        held = clean[sure:]
    if held:
        yield held


def _begun(key: bytes, text: bytes) -> int:
    """Count the bytes at the end of a text that the key begins with."""
    return next((size for size in range(len(key) - 1, 0, -1) if text.endswith(key[:size])), 0)


def _stated_url(profile: Profile, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the variable that says where the service is, and its value; two that disagree are a mistake."""
    names = [name for name in (profile.url_variable, profile.other_url_variable) if name]
    stated_urls = {name: value for name in names if (value := environ.get(name, "").strip())}
    if len({value.rstrip("/") for value in stated_urls.values()}) > 1:
        raise UsageError(
            f"{' and '.join(stated_urls)} name different servers, and the key is for one of them; unset one"
        )
    if not stated_urls and not profile.has_home:
        raise UsageError(
            f"{' or '.join(names)} must say where the server of the profile {profile.name} is, such as"
            f" {profile.base_url}; the profile has no address of its own"
        )
    return next(iter(stated_urls.items()), (profile.url_variable, ""))


def _checked_url(profile: Profile, name: str, text: str) -> httpx.URL:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(f"{name} is not a URL; write it like {_example(profile, text)}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{name} carries a name or password; put the key into {profile.key_variable} instead")
    if parts.query or parts.fragment or not parts.hostname or not PRINTABLE.fullmatch(text) or port == 0:
        raise UsageError(f"{name} is not a plain base URL; write it like {_example(profile, text)}")
    if not _may_carry_a_key(parts, profile):
        allowed = "http on this machine (localhost, 127.0.0.1 or [::1])"
        allowed = allowed if profile.in_process else f"https, or {allowed}"
        raise UsageError(f"{name} must be {allowed}; {parts.scheme or 'no scheme'}://{parts.hostname} is not")
    # People copy the address of `serve`, or of a resource, with or without the path of the API.
    path = parts.path.rstrip("/") or profile.path
    return httpx.URL(parts._replace(path=path).geturl())


def _example(profile: Profile, wrong: str) -> str:
    return _EXAMPLE if profile.base_url == wrong else profile.base_url


def _may_carry_a_key(parts: SplitResult, profile: Profile) -> bool:
    return (parts.scheme == "https" and not profile.in_process) or (
        parts.scheme == "http" and _is_loopback(parts.hostname or "")
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(profile: Profile, environ: Mapping[str, str]) -> str:
    key = environ.get(profile.key_variable, "").strip()
    if not key:
        raise DeniedError(
            f"{profile.key_variable} is not set, and the profile {profile.name} needs a key",
            hint=f"set {profile.key_variable} in the environment, or use --provider local, which needs no key",
        )
    if not PRINTABLE.fullmatch(key):
        raise DeniedError(
            f"{profile.key_variable} holds characters that no key has (spaces, line breaks or others)",
            hint="copy the key again, without quotes or line breaks",
        )
    return key
