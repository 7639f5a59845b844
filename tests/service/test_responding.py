"""`/responses`: the same answers as chat in the newer form, complete and as numbered events."""

import json

import httpx
import pytest

from tests.service.service_fixtures import Json, Service, chat, error_of, jsonl


@pytest.fixture
def model(service: Service) -> str:
    """A model that answers `hello` with three words."""
    rows = [chat("hello", "one two three"), chat("be brief\nhello", "short"), *(chat(f"q{n}", "a") for n in range(8))]
    return str(service.done(service.train(jsonl(rows)))["fine_tuned_model"])


def ask(service: Service, model: str, **more: object) -> Json:
    return service.post("/responses", {"model": model, "input": "hello", **more})


def events(response: httpx.Response) -> list[tuple[str, Json]]:
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = [block.split("\n") for block in response.text.strip().split("\n\n")]
    return [(head.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for head, data in blocks]


def text_of(answer: Json) -> str:
    return "".join(part["text"] for item in answer["output"] for part in item["content"])


def test_a_response_has_the_form_of_the_api(service: Service, model: str) -> None:
    answer = ask(service, model, instructions="be brief", metadata={"a": "b"}, store=True, temperature=0.5)

    assert (answer["object"], answer["status"], answer["model"]) == ("response", "completed", model)
    assert answer["id"].startswith("resp_")
    assert text_of(answer) == "one two three"
    (item,) = answer["output"]
    assert (item["type"], item["role"], item["status"]) == ("message", "assistant", "completed")
    assert (answer["instructions"], answer["metadata"], answer["temperature"]) == ("be brief", {"a": "b"}, 0.5)
    assert (answer["error"], answer["incomplete_details"], answer["store"]) == (None, None, False)
    usage = answer["usage"]
    assert (usage["output_tokens"], usage["total_tokens"]) == (3, usage["input_tokens"] + 3)


@pytest.mark.parametrize(
    "items",
    [
        [{"role": "user", "content": "hello"}],
        [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}],
        [{"role": "developer", "content": "stand by"}, {"role": "user", "content": "hello"}],
    ],
)
def test_items_are_read_as_messages(service: Service, model: str, items: list[Json]) -> None:
    assert text_of(ask(service, model, input=items)) == "one two three"


def test_a_stream_gives_the_same_answer(service: Service, model: str) -> None:
    body = {"model": model, "input": "hello", "stream": True}

    stream = events(service.client.post("/responses", json=body))

    assert [name for name, _ in stream] == [event["type"] for _, event in stream]
    assert [event["sequence_number"] for _, event in stream] == list(range(len(stream)))
    assert [name.removeprefix("response.") for name, _ in stream] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 3,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event["delta"] for name, event in stream if name.endswith("delta")) == "one two three"
    assert text_of(stream[-1][1]["response"]) == "one two three"
    assert stream[0][1]["response"]["usage"] is None


def test_an_answer_beyond_the_limit_is_shortened_and_marked_incomplete(service: Service, model: str) -> None:
    answer = ask(service, model, max_output_tokens=2)

    assert (answer["status"], text_of(answer)) == ("incomplete", "one two")
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["usage"]["output_tokens"] == 2
    stream = events(service.client.post("/responses", json={**answer_body(model), "max_output_tokens": 2}))
    assert stream[-1][0] == "response.incomplete"


def answer_body(model: str) -> Json:
    return {"model": model, "input": "hello", "stream": True}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 1}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": None}]}, "input[0].content"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"temperature": 3}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"model": None}, "model"),
        ({"surprise": 1}, "surprise"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"truncation": "sometimes"}, "truncation"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options"),
    ],
)
def test_an_unsupported_request_is_refused(service: Service, model: str, change: Json, param: str) -> None:
    status, error = error_of(service.client.post("/responses", json={"model": model, "input": "hello", **change}))

    assert (status, error["param"]) == (400, param)


def test_an_unknown_model_is_not_found(service: Service) -> None:
    assert error_of(service.client.post("/responses", json={"model": "nobody", "input": "x"}))[0] == 404


@pytest.mark.parametrize(
    "item", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}, {"type": None, "id": "msg_1"}]
)
def test_a_reference_to_an_item_of_an_earlier_response_is_not_found(service: Service, model: str, item: Json) -> None:
    body = {"model": model, "input": [{"role": "user", "content": "hello"}, item]}

    status, error = error_of(service.client.post("/responses", json=body))

    assert (status, error["type"], error["param"]) == (404, "invalid_request_error", "input")
    assert error["message"].startswith("Item with id 'msg_1' not found. Items are not persisted")


@pytest.mark.parametrize(("given", "code"), [({}, "missing_required_parameter"), ({"id": 5}, "invalid_type")])
def test_a_reference_without_the_id_of_an_item_is_refused(service: Service, model: str, given: Json, code: str) -> None:
    body = {"model": model, "input": [{"type": "item_reference", **given}]}

    status, error = error_of(service.client.post("/responses", json=body))

    assert (status, error["param"], error["code"]) == (400, "input[0].id", code)


def test_what_a_response_has_put_out_is_accepted_as_input(service: Service, model: str) -> None:
    output = ask(service, model, input="hello")["output"]

    again = ask(service, model, input=[{"role": "user", "content": "hello"}, *output])

    assert again["status"] == "completed"
