"""A hostile service: ids that are paths, pages that are addresses, redirects, floods and active text."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from reconciler.domain.errors import MalformedError, ProviderError, ReconcilerError
from reconciler.domain.observed import FileId, JobId, ModelId
from reconciler.domain.ports import Message
from reconciler.providers.http import segment
from reconciler.render import Sink, clean
from tests.providers.fake_service import FakeService
from tests.providers.test_provider import opened
from tests.render.test_sanitize import is_harmless
from tests.security.corpus_reader import cases

HOME = "api.openai.com"

IDS = {
    "a path up": "../../organization/admin_api_keys",
    "a path up, quoted": "..%2f..%2fadmin",
    "dots": "..",
    "a slash": "a/b",
    "a backslash": "a\\..\\b",
    "a query": "a?after=b&limit=1",
    "a fragment": "a#b",
    "an address": "https://evil.example.test/v1/x",
    "an address without a scheme": "//evil.example.test/x",
    "a user": "@evil.example.test/x",
    "line breaks": "a\r\nX-Evil: 1\r\n\r\nGET /x",
    "a null": "a\0b",
    "a space": "a b",
    "a matrix": "a;b=c",
}


@pytest.mark.parametrize("name", IDS)
def test_an_id_is_one_part_of_a_path_or_is_refused(name: str) -> None:
    """The id may come from a list of the service, a lock file, or the command line."""
    service = FakeService()
    provider = opened(service)
    for ask in (
        lambda: provider.job(JobId(IDS[name])),
        lambda: provider.job(JobId(IDS[name])),
        lambda: provider.file(FileId(IDS[name])),
        lambda: provider.model(ModelId(IDS[name])),
        lambda: list(provider.content(FileId(IDS[name]))),
        lambda: provider.cancel(JobId(IDS[name])),
        lambda: provider.delete(FileId(IDS[name]), is_model=False),
        lambda: provider.delete(ModelId(IDS[name]), is_model=True),
    ):
        assert is_harmless(clean(refusal_of(ask)))
    for request in service.requests:
        assert request.url.host == HOME
        assert request.url.query in {b"", b"limit=100"} or b"evil" not in request.url.query
        assert not any("evil" in header.lower() for header in request.headers)
        *kind, item = request.url.raw_path.decode().removeprefix("/v1/").partition("?")[0].split("/")
        assert ".." not in (*kind, item)
        assert set(kind) <= {"files", "models", "fine_tuning", "jobs", *(quoted(IDS[name]),)}


def refusal_of(ask: Callable[[], object]) -> str:
    """Return our message of a refusal; an empty text without one."""
    try:
        ask()
    except ReconcilerError as error:
        return str(error)
    return ""


def quoted(item: str) -> str:
    try:
        return segment(item)
    except MalformedError:
        return ""


def test_an_encoded_part_of_a_path_is_decoded_unchanged() -> None:
    for item in IDS.values():
        if item.strip("."):
            assert unquote(segment(item)) == item
            assert not set("/?#\\@ \r\n\0;") & set(segment(item))


REDIRECTS = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize(
    "to", ["https://evil.example.test/v1/files", "/v1/elsewhere", "//evil.example.test", "file:///etc"]
)
def test_no_redirect_is_followed(status: int, to: str) -> None:
    asked: list[httpx.Request] = []

    def pointing(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, headers={"location": to})

    with pytest.raises(ProviderError, match="redirect"):
        opened(httpx.MockTransport(pointing)).observe()
    assert {request.url.host for request in asked} == {HOME}
    assert all("elsewhere" not in request.url.path for request in asked)


def a_page(**more: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, json={"object": "list", "data": [], "has_more": False, **more})


@cache
def bomb() -> bytes:
    """Seventy megabytes in seventy kilobytes."""
    return gzip.compress(b" " * (66 << 20), compresslevel=1)


class Pieces(httpx.SyncByteStream):
    """A body in pieces, as from a network."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield from (self._content[at : at + 4096] for at in range(0, len(self._content), 4096))


PAGES: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "a next page that is an address": a_page(next="https://evil.example.test/v1/files?after=x", has_more=True),
    "a cursor that is an address": a_page(
        data=[{"id": "https://evil.example.test/?x=", "object": "file"}],
        last_id="https://evil.example.test",
        has_more=True,
    ),
    "a cursor with line breaks": a_page(data=[{"id": "a\r\nX-Evil: 1", "object": "file"}], has_more=True),
    "a link header": lambda request: httpx.Response(
        200, headers={"link": '<https://evil.example.test>; rel="next"'}, json={"data": [], "has_more": True}
    ),
    "pages without an end": lambda request: httpx.Response(
        200, json={"data": [{"id": f"x{len(request.url.query)}"}], "has_more": True}
    ),
    "no list at all": lambda request: httpx.Response(200, json={"data": {"a": 1}}),
    "a list of anything": lambda request: httpx.Response(200, json={"data": [1, None, [], {"id": 5}, {"id": ""}]}),
    "very deep": lambda request: httpx.Response(200, content=b'{"data": ' + b"[" * 100_000),
    "numbers beyond reason": lambda request: httpx.Response(
        200, content=b'{"data": [{"id": "ftjob-1", "created_at": 1e400, "status": "running"}], "has_more": false}'
    ),
    "a lone surrogate": lambda request: httpx.Response(200, content=b'{"data": [{"id": "\\ud800"}]}'),
    "bytes that are no text": lambda request: httpx.Response(200, content=b"\xff\xfe\x00"),
    "an answer that says it is shorter": lambda request: httpx.Response(
        200, headers={"content-length": "5"}, stream=httpx.ByteStream(b'{"data": []}')
    ),
    "a page of HTML": lambda request: httpx.Response(200, html="<script>alert(1)</script>"),
    "compressed without end": lambda request: httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=Pieces(bomb())
    ),
    "compressed twice": lambda request: httpx.Response(
        200, headers={"content-encoding": "gzip, gzip"}, stream=Pieces(gzip.compress(bomb()))
    ),
    "compressed twice, in two headers": lambda request: httpx.Response(
        200,
        headers=[("content-encoding", "gzip"), ("content-encoding", "deflate")],
        stream=Pieces(gzip.compress(bomb())),
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_list_gives_no_jobs(name: str) -> None:
    asked: list[httpx.Request] = []

    def lying(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return PAGES[name](request)

    jobs: list[object] = []
    assert is_harmless(clean(refusal_of(lambda: jobs.extend(opened(httpx.MockTransport(lying)).observe().jobs))))
    assert jobs == []
    assert {request.url.host for request in asked} == {HOME}
    assert not any("evil" in name.lower() for request in asked for name in request.headers)
    assert len(asked) < 5_000


TEXTS = {name: case["text"] for name, case in cases("texts").items()}


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_of_a_refusal_can_be_shown_safely(name: str) -> None:
    """The text may be in any field of the service's error."""
    words = TEXTS[name]
    body = json.dumps({"error": {"message": words, "type": words, "code": words, "param": words}}).encode()
    service = httpx.MockTransport(lambda request: httpx.Response(400, content=body))
    with pytest.raises(ProviderError) as caught:
        opened(service).observe()
    for text in (str(caught.value), caught.value.hint, caught.value.code, caught.value.param):
        assert is_harmless(clean(str(text)))


def test_an_answer_to_a_prompt_is_passed_on_and_made_safe_by_the_sink() -> None:
    """A model may write anything; its text is passed on unchanged, and the sink makes it harmless."""
    service = FakeService()
    model = ModelId("ft:any")
    service.models[model] = {"id": model, "object": "model"}
    stream = io.StringIO()
    sink = Sink(stream)
    for words in TEXTS.values():
        for piece in opened(service).answer(model, (Message(role="user", content=words),)):
            sink.write_untrusted(piece)
    sink.end_untrusted()
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in stream.getvalue().split("\n"))
    assert "\x1b" not in stream.getvalue()
