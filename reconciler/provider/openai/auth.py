"""Where a service is and who asks. Secrets live here, and in no repr, error or request that others can see."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx

from reconciler.domain.errors import DeniedError, UsageError
from reconciler.provider.profiles import Profile
from reconciler.provider.wrapper import Wrapper, altered

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_HIDDEN = b"[hidden]"

_SHORTEST_HIDDEN = 6
"""A shorter key would be hidden inside ordinary words, and is no secret to speak of."""


class Credentials:
    """A key, and the organisation and project it speaks for."""

    __slots__ = ("_key", "_organization", "_project")

    def __init__(self, key: str | None = None, organization: str | None = None, project: str | None = None) -> None:
        self._key = key
        self._organization = organization
        self._project = project

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that sign a request."""
        signed = {
            "authorization": f"Bearer {self._key}" if self._key else None,
            "openai-organization": self._organization,
            "openai-project": self._project,
        }
        return {name: value for name, value in signed.items() if value}

    def hide(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Pass bytes on without the key in them, however they are cut.

        Cost:   what may be the beginning of the key is held back until the next part has come
        """
        if self._key is None or len(self._key) < _SHORTEST_HIDDEN:
            yield from parts
            return
        key, held = self._key.encode(), b""
        for part in parts:
            clean = (held + part).replace(key, _HIDDEN)
            sure = len(clean) - _begun(key, clean)
            if sure:
                yield clean[:sure]
            held = clean[sure:]
        if held:
            yield held


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address and the credentials that belong to it."""

    url: httpx.URL
    credentials: Credentials

    @property
    def host(self) -> str:
        """Host, and port where it is not the scheme's own."""
        return self.url.netloc.decode("ascii")


class Signed(Wrapper):
    """Signs what goes to one endpoint, last of all, and lets nothing go anywhere else."""

    def __init__(self, inner: httpx.BaseTransport, endpoint: Endpoint) -> None:
        super().__init__(inner)
        self._endpoint = endpoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        home, there = self._endpoint.url, request.url
        if (there.scheme, there.host, there.port) != (home.scheme, home.host, home.port):
            raise httpx.UnsupportedProtocol(f"a request for {there.host} was not sent: the key belongs to {home.host}")
        return self._inner.handle_request(altered(request, headers=self._endpoint.credentials.headers))


def read_endpoint(profile: Profile, environ: Mapping[str, str]) -> Endpoint:
    """Read where a profile's service is, and the key for it, from the environment.

    Raises: DeniedError when the key is missing, UsageError when a variable cannot be used; neither shows a value
    """
    name, stated = _told_url(profile, environ)
    url = _checked_url(profile, name, stated) if stated else httpx.URL(profile.base_url)
    if profile.in_process and not stated:
        return Endpoint(url=url, credentials=Credentials())
    return Endpoint(
        url=url,
        credentials=Credentials(
            _key(profile, environ),
            _word(profile.organization_variable, environ) or _word(profile.other_organization_variable, environ),
            _word(profile.project_variable, environ),
        ),
    )


def _begun(key: bytes, text: bytes) -> int:
    """Count the bytes at the end of a text that the key begins with."""
    return next((size for size in range(len(key) - 1, 0, -1) if text.endswith(key[:size])), 0)


def _told_url(profile: Profile, environ: Mapping[str, str]) -> tuple[str, str]:
    """Give the variable that says where the service is, and what it says; two that disagree are a mistake."""
    names = [name for name in (profile.url_variable, profile.other_url_variable) if name]
    told = {name: value for name in names if (value := environ.get(name, "").strip())}
    if len({value.rstrip("/") for value in told.values()}) > 1:
        raise UsageError(f"{' and '.join(told)} name different servers, and the key is for one of them; unset one")
    if not told and not profile.has_home:
        raise UsageError(
            f"{' or '.join(names)} must say where the server of the profile {profile.name} is, such as"
            f" {profile.base_url}; no public service answers its API any more"
        )
    return next(iter(told.items()), (profile.url_variable, ""))


def _checked_url(profile: Profile, name: str, text: str) -> httpx.URL:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(f"{name} is not a URL; write it like {profile.base_url}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{name} carries a name or password; put the key into {profile.key_variable} instead")
    if parts.query or parts.fragment or not parts.hostname or not _PRINTABLE.fullmatch(text) or port == 0:
        raise UsageError(f"{name} is not a plain base URL; write it like {profile.base_url}")
    if not _may_carry_a_key(parts, profile):
        allowed = "http on this machine (127.0.0.1, ::1 or localhost)"
        allowed = allowed if profile.in_process else f"https, or {allowed}"
        raise UsageError(f"{name} must be {allowed}; {parts.scheme or 'no scheme'}://{parts.hostname} is not")
    path = parts.path.rstrip("/")
    if profile.in_process and not path:
        path = "/v1"  # as `serve` prints it, with or without the path
    return httpx.URL(parts._replace(path=path).geturl())


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
    if not _PRINTABLE.fullmatch(key):
        raise DeniedError(
            f"{profile.key_variable} holds characters that no key has (spaces, line breaks or others)",
            hint="copy the key again, without quotes or line breaks",
        )
    return key


def _word(variable: str, environ: Mapping[str, str]) -> str | None:
    value = environ.get(variable, "").strip() if variable else ""
    if value and not _PRINTABLE.fullmatch(value):
        raise UsageError(f"{variable} holds spaces or characters that no id has; copy it again")
    return value or None
