"""Asking a model, and an answer that comes in pieces."""

import json
from typing import Any

import httpx
import pytest

from reconciler.domain.errors import DeniedError, MalformedError, NotFoundError, ProviderError, TemporaryError
from reconciler.domain.observed import ModelId
from reconciler.domain.ports import Message
from reconciler.providers import HttpProvider, open_provider
from tests.providers.fake_service import refusal
from tests.providers.fakes import Bottom, Clock, Parts

MODEL = ModelId("ft:base:acme:triage:1")
HELLO = (Message(role="user", content="hello"),)


def opened(*replies: Any) -> tuple[HttpProvider, Bottom, Clock]:
    bottom, clock = Bottom(*replies), Clock()
    environ = {"OPENAI_API_KEY": "key-for-asking"}
    provider = open_provider(
        "openai", project="acme", environ=environ, transport=bottom, clock=clock, sleep=clock.sleep
    )
    return provider, bottom, clock


def stream_pieces(*lines: str | Exception) -> httpx.Response:
    parts = [line if isinstance(line, Exception) else f"data: {line}\n\n".encode() for line in lines]
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Parts(*parts))


def piece(text: str | None, finish: str | None = None) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})


def test_pieces_come_as_they_are_sent() -> None:
    provider, bottom, _ = opened(stream_pieces(piece(""), piece("card "), piece("lost"), piece(None, "stop"), "[DONE]"))
    assert list(provider.answer(MODEL, HELLO)) == ["card ", "lost"]
    assert json.loads(bottom.asked[0].read()) == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
    }


def test_nothing_is_sent_before_the_answer_is_read() -> None:
    provider, bottom, _ = opened(stream_pieces("[DONE]"))
    answer = provider.answer(MODEL, HELLO)
    assert bottom.asked == []
    assert list(answer) == []


def test_usage_and_refusals() -> None:
    refused = json.dumps({"choices": [{"delta": {"refusal": "I will not"}, "finish_reason": None}]})
    provider, _, _ = opened(stream_pieces(refused, '{"choices": [], "usage": {}}', '{"choices": null}', "[DONE]"))
    assert list(provider.answer(MODEL, HELLO)) == ["I will not"]


def test_completions_ask_for_more_than_sixteen_tokens() -> None:
    provider, bottom, _ = opened(stream_pieces('{"choices": [{"text": "lost"}]}', "[DONE]"))
    assert list(provider.complete(MODEL, "my card")) == ["lost"]
    assert json.loads(bottom.asked[0].read())["max_tokens"] > 16


def test_a_service_without_streaming_sends_a_complete_answer() -> None:
    provider, _, _ = opened(httpx.Response(200, json={"choices": [{"message": {"content": "card lost"}}]}))
    assert list(provider.answer(MODEL, HELLO)) == ["card lost"]


def test_a_missing_end_marker_is_accepted_when_the_model_had_finished() -> None:
    provider, _, _ = opened(stream_pieces(piece("lost"), piece(None, "stop")))
    assert list(provider.answer(MODEL, HELLO)) == ["lost"]


def gather_pieces(provider: HttpProvider) -> tuple[list[str], type[BaseException] | None]:
    found: list[str] = []
    try:
        for each in provider.answer(MODEL, HELLO):
            found.append(each)  # noqa: PERF402 (what came before the error is kept)
    except ProviderError as error:
        return found, type(error)
    return found, None


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (stream_pieces(piece("card ")), TemporaryError),
        (stream_pieces(piece("card "), httpx.ReadError("reset")), TemporaryError),
        (stream_pieces(piece("card "), '{"error": {"message": "overloaded", "code": "server_error"}}'), TemporaryError),
        (stream_pieces(piece("card "), "<html>"), MalformedError),
        (stream_pieces(piece("card "), '{"choices": 7}'), MalformedError),
    ],
)
def test_an_answer_that_breaks_off_is_an_error(response: httpx.Response, kind: type[ProviderError]) -> None:
    provider, _, _ = opened(response)
    assert gather_pieces(provider) == (["card "], kind)
    assert response.stream.is_closed if isinstance(response.stream, Parts) else False


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (b'event: error\ndata: {"message": "overloaded"}\n\n', "overloaded"),
        (b'event: error\ndata: {"error": {"message": "overloaded"}}\n\n', "overloaded"),
        (b"event: error\ndata: overloaded\n\n", "overloaded"),
        (b'data: {"object": "error", "message": "overloaded"}\n\n', "overloaded"),
        (b'data: {"type": "error", "message": "overloaded"}\n\n', "overloaded"),
        (b"event: error\ndata: {}\n\n", "no reason that could be read"),
    ],
)
def test_a_failure_inside_an_answer_is_an_error_in_every_form(failure: bytes, reason: str) -> None:
    start = f"data: {piece('card ', 'stop')}\n\n".encode()
    stream = Parts(start, failure, b"data: [DONE]\n\n")
    provider, _, _ = opened(httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream))
    with pytest.raises(TemporaryError, match=f"broke off its answer: {reason}"):
        list(provider.answer(MODEL, HELLO))


def test_a_page_in_the_place_of_an_answer_is_named_as_one() -> None:
    page = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>\n\nSign in</html>\n")
    provider, _, _ = opened(page)
    with pytest.raises(MalformedError, match="answered with text/html, and not with events"):
        list(provider.answer(MODEL, HELLO))


def test_an_answer_without_end_is_an_error() -> None:
    part = f"data: {piece('x' * 500_000)}\n\n".encode()
    provider, _, _ = opened(
        httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Parts(*[part] * 200))
    )
    with pytest.raises(MalformedError, match="does not end after 64 MiB"):
        list(provider.answer(MODEL, HELLO))


def test_a_reader_that_stops_closes_the_connection() -> None:
    response = stream_pieces(piece("a"), piece("b"))
    provider, _, _ = opened(response)
    pieces = provider.answer(MODEL, HELLO)
    assert next(pieces) == "a"
    pieces.close()  # type: ignore[attr-defined]  # the port promises an iterator; this one is a generator
    assert isinstance(response.stream, Parts)
    assert response.stream.is_closed


def test_a_model_that_was_just_made_is_waited_for() -> None:
    provider, bottom, clock = opened(
        lambda _: refusal(404, "no such model", code="model_not_found"),
        lambda _: refusal(429, "the model is still being loaded"),
        lambda _: refusal(503, "overloaded", code="server_is_overloaded"),
        stream_pieces(piece("lost"), "[DONE]"),
    )
    assert list(provider.answer(MODEL, HELLO)) == ["lost"]
    assert len(bottom.asked) == 4
    assert [wait for wait in clock.slept if wait >= 1] == [1, 2, 4]


def test_waiting_for_a_new_model_ends_at_its_limit() -> None:
    provider, bottom, clock = opened(lambda _: refusal(404, "no such model", code="model_not_found"))
    with pytest.raises(NotFoundError):
        list(provider.answer(MODEL, HELLO))
    assert 100 < sum(clock.slept) < 250
    assert len(bottom.asked) < 30


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(404, "no such path"), NotFoundError),
        (refusal(401, "bad key"), DeniedError),
        (refusal(429, "no money", code="insufficient_quota"), DeniedError),
    ],
)
def test_a_final_refusal_is_not_waited_for(reply: httpx.Response, kind: type[ProviderError]) -> None:
    provider, bottom, _ = opened(reply)
    with pytest.raises(kind):
        list(provider.answer(MODEL, HELLO))
    assert len(bottom.asked) == 1


@pytest.mark.parametrize("done", [("[DONE]",), ()])
def test_the_reason_for_the_end_is_passed_on_after_the_last_piece(done: tuple[str, ...]) -> None:
    provider, _, _ = opened(stream_pieces(piece("lost"), piece(None, "length"), '{"choices": []}', *done))
    seen: list[str] = []
    for each in provider.answer(MODEL, HELLO, seen.append):
        assert seen == []
        assert each == "lost"
    assert seen == ["length"]


def test_an_answer_in_one_piece_and_a_completion_have_a_reason_too() -> None:
    whole = httpx.Response(200, json={"choices": [{"text": "lost", "finish_reason": "content_filter"}]})
    provider, _, _ = opened(whole)
    seen: list[str] = []
    assert list(provider.complete(MODEL, "my card", seen.append)) == ["lost"]
    assert seen == ["content_filter"]


def test_an_answer_that_breaks_off_has_no_reason() -> None:
    provider, _, _ = opened(stream_pieces(piece("lost")))
    seen: list[str] = []
    with pytest.raises(TemporaryError):
        list(provider.answer(MODEL, HELLO, seen.append))
    assert seen == []
