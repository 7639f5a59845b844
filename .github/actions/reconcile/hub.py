"""Speaks to GitHub's API: one host, one token, no redirects, bounded answers. Knows nothing of reviews.

Only the standard library, so that the job that may write holds no code but GitHub's, Python's and this folder's.
"""

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_PAGES = 50
PER_PAGE = 100


class HubError(Exception):
    """GitHub refused, is away, or said what cannot be read; `status` is that of its answer, 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


class Hub:
    """GitHub's API for one repository."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take host, token and repository from the runner's environment.

        Raises: HubError when one of them is missing
        """
        try:
            self.repository = environ["GITHUB_REPOSITORY"]
            self._token = environ["GITHUB_TOKEN"]
            self._api = environ["GITHUB_API_URL"].rstrip("/")
            self._graphql = environ["GITHUB_GRAPHQL_URL"]
        except KeyError as error:
            raise HubError(f"{error.args[0]} is not set; run this in a GitHub workflow") from error
        owner, _, name = self.repository.partition("/")
        self.owner = owner
        self._base = f"{self._api}/repos/{quote(owner, safe='')}/{quote(name, safe='')}"

    def get(self, path: str, **query: str | int) -> Any:
        """Return what lies at a path of the repository."""
        return self._send("GET", f"{self._base}{path}?{urlencode(query)}" if query else f"{self._base}{path}")

    def every(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page: by number, never by an address that an answer names.

        Raises: HubError when it does not end within `MAX_PAGES`: what lies beyond must not be taken for absent
        """
        for page in range(1, MAX_PAGES + 1):
            items = self.get(path, **query, per_page=PER_PAGE, page=page)
            if not isinstance(items, list):
                raise HubError(f"GET {path}: a list was expected")
            yield from items
            if len(items) < PER_PAGE:
                return
        raise HubError(f"GET {path}: there are more than {MAX_PAGES * PER_PAGE} items; close or delete some")

    def post(self, path: str, body: object) -> Any:
        """Create something and return it."""
        return self._send("POST", f"{self._base}{path}", body)

    def patch(self, path: str, body: object) -> Any:
        """Change something; return it."""
        return self._send("PATCH", f"{self._base}{path}", body)

    def minimize(self, node: str) -> None:
        """Fold a comment as outdated."""
        query = (
            "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
            " { minimizedComment { isMinimized } } }"
        )
        answer = self._send("POST", self._graphql, {"query": query, "variables": {"id": node}})
        if not isinstance(answer, dict) or answer.get("errors"):
            raise HubError(f"minimizeComment was refused: {shown(answer)}")

    def _send(self, method: str, url: str, body: object = None) -> Any:
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise HubError(f"{shown(url)} is no address of an API")
        opened = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = opened(parts.hostname, parts.port, timeout=30)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "reconciler-action",
            "Content-Type": "application/json",
        }
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target, None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise HubError(f"{method} {parts.path}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        return _read(f"{method} {parts.path}", answer.status, content)


def _read(what: str, status: int, content: bytes) -> Any:
    if len(content) > MAX_ANSWER_BYTES:
        raise HubError(f"{what}: the answer has more than {MAX_ANSWER_BYTES} bytes")
    try:
        value = json.loads(content) if content else None
    except (ValueError, RecursionError) as error:
        raise HubError(f"{what}: status {status}, and an answer that is no JSON") from error
    if not 200 <= status < 300:
        said = value.get("message") if isinstance(value, dict) else value
        raise HubError(f"{what}: status {status}: {shown(said)}{HINTS.get(status, '')}", status)
    return value


HINTS = {
    401: "; GITHUB_TOKEN is not valid here",
    403: "; does the job have the permission that docs/ci.md names?",
    404: "; does the job have the permission that docs/ci.md names?",
}


def shown(value: object) -> str:
    """Return foreign text as one quoted line of ASCII, so that no line of a log can be forged with it."""
    return json.dumps(value, default=str)[:300]
