"""A fake of GitHub's API: comments, issues and pull requests of one repository, and a record of every call."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "acme/models"
TOKEN = "a-token-of-the-tests"
BOT = {"login": "github-actions[bot]", "type": "Bot"}


@dataclass
class FakeHub:
    """The content of the repository, and the calls that changed it.

    Shape:  `calls` are (method, path) in order, without reads; `read_only` refuses every one of them
    """

    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    minimized: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    head: str = "a" * 40
    roots: list[str] = field(default_factory=list)
    read_only: bool = False
    address: str = ""

    def comment(self, body: str, user: dict[str, str] | None = None, pull: int = 7) -> dict[str, Any]:
        """Add a comment."""
        number = 100 + len(self.comments)
        made = {"id": number, "node_id": f"IC_{number}", "body": body, "user": user or BOT, "on": pull}
        self.comments.append(made)
        return made

    def issue(self, title: str, body: str, user: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """Open an issue."""
        made = {"number": 1 + len(self.issues), "title": title, "body": body, "user": user or BOT, "state": "open"}
        self.issues.append({**made, **more})
        return self.issues[-1]

    def pull(self, head: str, branch: str, sha: str, number: int = 7, merge: str | None = None) -> None:
        """Open a pull request: `head` is the owner of the branch."""
        self.pulls.append({"number": number, "label": f"{head}:{branch}", "head": {"sha": sha}, "state": "open"})
        self.pulls[-1]["merge_commit_sha"] = merge

    def environ(self) -> dict[str, str]:
        """Return the environment that connects a runner with this fake."""
        return {
            "GITHUB_API_URL": self.address,
            "GITHUB_GRAPHQL_URL": f"{self.address}/graphql",
            "GITHUB_SERVER_URL": self.address,
            "GITHUB_REPOSITORY": REPOSITORY,
        }

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Answer one call."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if method != "GET":
            self.calls.append((method, parts.path))
            if self.read_only:
                return 403, {"message": "Resource not accessible by integration"}
        if parts.path == "/graphql":
            self.minimized.append(body["variables"]["id"])
            assert "OUTDATED" in body["query"]
            return 200, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}
        path = parts.path.removeprefix(f"/repos/{REPOSITORY}").strip("/").split("/")
        return self._of_repository(method, path, query, body)

    def _of_repository(self, method: str, path: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        match method, path:
            case "GET", ["issues", number, "comments"]:
                return 200, _page([each for each in self.comments if each["on"] == int(number)], query)
            case "POST", ["issues", number, "comments"]:
                return 201, self.comment(body["body"], pull=int(number))
            case "PATCH", ["issues", "comments", number]:
                return 200, _changed(next(each for each in self.comments if each["id"] == int(number)), body)
            case "GET", ["issues"]:
                return 200, _page([each for each in self.issues if each["state"] == query["state"]], query)
            case "POST", ["issues"]:
                return 201, self.issue(**body)
            case "PATCH", ["issues", number]:
                return 200, _changed(self.issues[int(number) - 1], body)
            case "GET", ["contents", *root]:
                return (200, []) if "/".join(root) in self.roots else (404, {"message": "Not Found"})
            case "GET", ["pulls", number]:
                return self._pull(int(number))
            case "GET", ["pulls"]:
                return 200, _page([each for each in self.pulls if each["label"] == query["head"]], query)
            case "POST", ["pulls"]:
                made = {"number": 50 + len(self.pulls), "label": f"acme:{body['head']}", "state": "open", **body}
                self.pulls.append(made)
                return 201, made
        return 404, {"message": "Not Found"}

    def _pull(self, number: int) -> tuple[int, Any]:
        """Return a pull request; one that no test has opened is at the commit that the tests plan."""
        found = next((each for each in self.pulls if each["number"] == number), None)
        return 200, found or {"number": number, "state": "open", "head": {"sha": self.head}}


@contextmanager
def open_hub() -> Iterator[FakeHub]:
    """Serve a fake GitHub on loopback."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, value = 401, {"message": "Bad credentials"}
            else:
                status, value = hub.answer(self.command, self.path, json.loads(content) if content else None)
            answer = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 -- names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _page(items: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = int(query["per_page"]), int(query["page"])
    return items[(page - 1) * size : page * size]


def _changed(item: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    item.update(body)
    return item
