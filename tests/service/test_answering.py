"""Answers of models: chat and completions, complete and streamed, and requests that no model here supports."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.service_fixtures import Json, Service, dismiss, error_of, open_local

ASK = [{"role": "user", "content": "question 1"}]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service with one model, which knows that the answer to "question 1" is "answer 1"."""
    root: Path = tmp_path_factory.mktemp("answering") / "store"
    service = open_local(root)
    yield service, service.done(service.train())["fine_tuned_model"]
    dismiss(root)


def chunks(service: Service, path: str, body: Json) -> list[Json]:
    """Return the chunks of a streamed answer, after checking the form of the stream."""
    response = service.client.post(path, json={**body, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, last, rest = response.text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_a_chat_answer_has_the_form_of_the_api(trained: tuple[Service, str]) -> None:
    service, model = trained

    answer = service.post("/chat/completions", {"model": model, "messages": ASK})

    assert answer == {
        "id": answer["id"],
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "answer 1", "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4},
    }
    assert answer["id"].startswith("chatcmpl-")


def test_a_completion_has_the_form_of_the_api(trained: tuple[Service, str]) -> None:
    service, model = trained

    answer = service.post("/completions", {"model": model, "prompt": "question 1"})

    assert answer == {
        "id": answer["id"],
        "object": "text_completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "text": "answer 1", "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4},
    }


def test_fields_that_are_null_are_unset(trained: tuple[Service, str]) -> None:
    """Old clients send every field that they know."""
    service, model = trained
    nothing: Json = dict.fromkeys(
        ("n", "temperature", "top_p", "max_tokens", "stop", "stream", "logprobs", "echo", "best_of", "suffix", "tools")
    )

    assert service.post("/completions", {**nothing, "model": model, "prompt": "question 1"})["choices"]
    assert service.post("/chat/completions", {**nothing, "model": model, "messages": ASK})["choices"]


def test_sampling_parameters_change_nothing(trained: tuple[Service, str]) -> None:
    service, model = trained
    usual: Json = {
        "temperature": 2,
        "top_p": 0.1,
        "seed": 4,
        "presence_penalty": 0,
        "frequency_penalty": 1.5,
        "max_completion_tokens": 16,
        "user": "somebody",
        "response_format": {"type": "text"},
        "n": 2,
    }

    answer = service.post("/chat/completions", {**usual, "model": model, "messages": ASK})

    assert [choice["message"]["content"] for choice in answer["choices"]] == ["answer 1", "answer 1"]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["usage"]["completion_tokens"] == 4


def test_a_chat_is_streamed(trained: tuple[Service, str]) -> None:
    service, model = trained
    body: Json = {"model": model, "messages": ASK, "stream_options": {"include_usage": True}, "n": 2}

    read = chunks(service, "/chat/completions", body)

    assert {chunk["object"] for chunk in read} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in read}) == 1
    pieces = [(choice["index"], choice["delta"].get("content", "")) for chunk in read for choice in chunk["choices"]]
    assert ["".join(text for index, text in pieces if index == number) for number in (0, 1)] == ["answer 1"] * 2
    assert read[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in read[:-1]] == [None, None, "stop"] * 2
    assert [chunk["usage"] for chunk in read[:-1]] == [None] * 6
    assert read[-1]["choices"] == []
    assert read[-1]["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}


def test_a_completion_is_streamed(trained: tuple[Service, str]) -> None:
    service, model = trained

    read = chunks(service, "/completions", {"model": model, "prompt": "question 1"})

    assert [chunk["choices"][0]["text"] for chunk in read] == ["answer 1", ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in read] == [None, "stop"]
    assert all("usage" not in chunk for chunk in read)


def test_several_prompts_get_their_answers_in_order(trained: tuple[Service, str]) -> None:
    service, model = trained

    answer = service.post("/completions", {"model": model, "prompt": ["question 1", "question 2"], "n": 2})

    texts = [(choice["index"], choice["text"]) for choice in answer["choices"]]
    assert texts == [(0, "answer 1"), (1, "answer 1"), (2, "answer 2"), (3, "answer 2")]
    assert answer["usage"]["prompt_tokens"] == 4


@pytest.mark.parametrize(
    ("asked", "text", "reason"),
    [
        ({"stop": "er"}, "answ", "stop"),
        ({"stop": ["nothing", " 1", "wer 1"]}, "ans", "stop"),
        ({"stop": ""}, "answer 1", "stop"),
        ({"echo": True}, "question 1answer 1", "stop"),
        ({"max_tokens": 0}, "", "length"),
        ({"max_tokens": 0, "echo": True}, "question 1", "length"),
    ],
)
def test_a_completion_is_limited_and_echoed_as_requested(
    trained: tuple[Service, str], asked: Json, text: str, reason: str
) -> None:
    service, model = trained

    (choice,) = service.post("/completions", {"model": model, "prompt": "question 1", **asked})["choices"]

    assert (choice["text"], choice["finish_reason"]) == (text, reason)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_chat_answer_is_limited_as_requested(trained: tuple[Service, str], name: str) -> None:
    service, model = trained

    answer = service.post("/chat/completions", {"model": model, "messages": ASK, name: 1})

    choice = answer["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("answer", "length")


def test_probabilities_are_returned_on_request(trained: tuple[Service, str]) -> None:
    service, model = trained
    chat = {"model": model, "messages": ASK, "logprobs": True, "top_logprobs": 1}

    tokens = service.post("/chat/completions", chat)["choices"][0]["logprobs"]["content"]
    plain = service.post("/completions", {"model": model, "prompt": "question 1", "logprobs": 2})["choices"][0]

    assert [(token["token"], token["logprob"]) for token in tokens] == [("answer", -0.5), (" 1", -0.5)]
    assert tokens[0]["bytes"] == list(b"answer")
    assert [alternative["token"] for alternative in tokens[0]["top_logprobs"]] == ["answer"]
    assert plain["logprobs"]["tokens"] == ["answer", " 1"]
    assert plain["logprobs"]["token_logprobs"] == [-0.5, -0.5]
    assert plain["logprobs"]["top_logprobs"][0] == {"answer": -0.5, "else": -1.5}


def test_text_in_parts_is_accepted(trained: tuple[Service, str]) -> None:
    service, model = trained
    parts = [{"type": "text", "text": "question"}, {"type": "text", "text": " 1"}]

    answer = service.post("/chat/completions", {"model": model, "messages": [{"role": "user", "content": parts}]})

    assert answer["choices"][0]["message"]["content"] == "answer 1"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hello"]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "", "tool_calls": [{}]}]}, "messages"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": 1}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"model": None}, "model"),
        ({"surprise": 1}, "surprise"),
        ({"prompt": "x"}, "prompt"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"messages": [*ASK, {"role": "tool", "content": "42", "tool_call_id": "call_1"}]}, "messages[1].role"),
        ({"messages": [{"role": "tool", "content": "42"}]}, "messages[0].role"),
        ({"messages": [{"role": "function", "name": "f", "content": "42"}]}, "messages[0].role"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"function_call": "auto"}, "function_call"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"web_search_options": {"search_context_size": "low"}}, "web_search_options"),
        ({"service_tier": "first"}, "service_tier"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"store": "yes"}, "store"),
        ({"seed": "x"}, "seed"),
        ({"user": 1}, "user"),
        ({"stream": True, "stream_options": {"surprise": True}}, "stream_options.surprise"),
    ],
)
def test_a_chat_that_cannot_be_answered_is_refused(trained: tuple[Service, str], asked: Json, param: str) -> None:
    service, model = trained

    status, error = error_of(service.client.post("/chat/completions", json={"model": model, "messages": ASK, **asked}))

    assert (status, error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1], [2]]}, "prompt"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"suffix": "the end"}, "suffix"),
        ({"n": 2, "best_of": 1}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"surprise": 1}, "surprise"),
        ({"messages": ASK}, "messages"),
        ({"max_completion_tokens": 5}, "max_completion_tokens"),
        ({"best_of": 2, "stream": True}, "best_of"),
    ],
)
def test_a_completion_that_cannot_be_given_is_refused(trained: tuple[Service, str], asked: Json, param: str) -> None:
    service, model = trained

    status, error = error_of(service.client.post("/completions", json={"model": model, "prompt": "x", **asked}))

    assert (status, error["param"]) == (400, param)


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("gpt-4o-mini", 404, "model_not_found"),
        ("ft:test-echo:local::none", 404, "model_not_found"),
        ("test-echo", 400, "model_not_trained"),
    ],
)
@pytest.mark.parametrize(
    ("path", "body"), [("/completions", {"prompt": "x"}), ("/chat/completions", {"messages": ASK})]
)
def test_only_trained_models_answer(
    trained: tuple[Service, str], path: str, body: dict[str, Any], model: str, status: int, code: str
) -> None:
    found, error = error_of(trained[0].client.post(path, json={"model": model, **body}))

    assert (found, error["code"]) == (status, code)


def test_a_model_whose_engine_is_not_offered_is_refused_with_a_reason(trained: tuple[Service, str]) -> None:
    service, model = trained
    other = open_local(service.root, engines=())

    status, error = error_of(other.client.post("/completions", json={"model": model, "prompt": "x"}))

    assert (status, error["code"]) == (400, "model_not_available")
