"""Conversions of published forms to the API's form; failures are reported with their place in the row."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.dataset.row_checks import check_row
from reconciler.domain.errors import Severity
from reconciler.domain.prepare import Convert, Form, Target
from reconciler.domain.spec import Format

from .factories import find_problems, run_steps

USER, ANSWER = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
SYSTEM = {"role": "system", "content": "Be kind."}
WEATHER = {"name": "weather", "description": "Looks.", "parameters": {"type": "object", "properties": {}}}
OFFER = [{"type": "function", "function": WEATHER}]


def call(name: str, arguments: str, call_id: str = "call_1") -> dict[str, object]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


ROWS: list[tuple[Form, dict[str, Any], dict[str, Any]]] = [
    (Form.PROMPT_COMPLETION, {"prompt": "Hi", "completion": "Hello", "id": 3}, {"messages": [USER, ANSWER]}),
    (
        Form.PROMPT_COMPLETION,
        {"prompt": "Hi", "completion": "Hello", "system": "Be kind."},
        {"messages": [SYSTEM, USER, ANSWER]},
    ),
    (Form.ALPACA, {"instruction": "Hi", "input": "", "output": "Hello"}, {"messages": [USER, ANSWER]}),
    (
        Form.ALPACA,
        {"instruction": "Sum", "input": "1 2", "output": "3", "history": [["Hi", "Hello"]], "system": "Be kind."},
        {
            "messages": [
                SYSTEM,
                USER,
                ANSWER,
                {"role": "user", "content": "Sum\n\n1 2"},
                {"role": "assistant", "content": "3"},
            ]
        },
    ),
    (
        Form.SHAREGPT,
        {
            "id": "x",
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello", "weight": 1}],
        },
        {"messages": [USER, {**ANSWER, "weight": 1}]},
    ),
    (
        Form.SHAREGPT,
        {
            "system": "Be kind.",
            "conversations": [
                {"from": "human", "value": "Hi"},
                {
                    "from": "function_call",
                    "value": '[{"name": "weather", "arguments": {"b": 1.0, "a": "é"}}, {"name": "weather"}]',
                },
                {"from": "observation", "value": "sun"},
                {"from": "observation", "value": "rain"},
                {"from": "gpt", "value": "Hello"},
            ],
            "tools": json.dumps([WEATHER]),
        },
        {
            "messages": [
                SYSTEM,
                USER,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [call("weather", '{"a":"é","b":1}'), call("weather", "{}", "call_2")],
                },
                {"role": "tool", "content": "sun", "tool_call_id": "call_1"},
                {"role": "tool", "content": "rain", "tool_call_id": "call_2"},
                ANSWER,
            ],
            "tools": OFFER,
        },
    ),
    (
        Form.CHAT,
        {
            "system": "Be kind.",
            "messages": [{"from": "Human", "text": "Hi"}, {"role": "model", "value": "Hello"}],
            "parallel_tool_calls": False,
            "source": "x",
        },
        {"messages": [SYSTEM, USER, ANSWER], "parallel_tool_calls": False},
    ),
    (
        Form.ANTHROPIC,
        {
            "system": [{"type": "text", "text": "Be kind."}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"b": 1, "a": 2}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "sun"}]},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                        },
                    ],
                },
                {"role": "assistant", "content": "Hello"},
            ],
            "tools": [{"name": "weather", "description": "Looks.", "input_schema": WEATHER["parameters"]}],
        },
        {
            "messages": [
                SYSTEM,
                USER,
                {"role": "assistant", "content": "I look.", "tool_calls": [call("weather", '{"a":2,"b":1}', "t1")]},
                {"role": "tool", "content": "sun", "tool_call_id": "t1"},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}],
                },
                ANSWER,
            ],
            "tools": OFFER,
        },
    ),
    (
        Form.VERTEX,
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "Be kind."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "H"}, {"text": "i"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"a": 1}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"sky": "sun"}}}]},
                {"role": "model", "parts": [{"text": "Hello"}]},
            ],
            "tools": [
                {"functionDeclarations": [{**WEATHER, "parameters": {"type": "OBJECT", "properties": {}}}]},
            ],
        },
        {
            "messages": [
                SYSTEM,
                USER,
                {"role": "assistant", "content": None, "tool_calls": [call("weather", '{"a":1}')]},
                {"role": "tool", "content": '{"sky":"sun"}', "tool_call_id": "call_1"},
                ANSWER,
            ],
            "tools": OFFER,
        },
    ),
]


@pytest.mark.parametrize(("form", "row", "expected"), ROWS)
def test_a_form_becomes_chat_that_the_checks_accept(form: Form, row: object, expected: dict[str, object]) -> None:
    assert run_steps([row], Convert(source=form)) == [expected]
    assert [each for each in check_row(expected, Format.CHAT) if each.severity is Severity.ERROR] == []


@pytest.mark.parametrize(("form", "row"), [(form, row) for form, row, _ in ROWS])
def test_a_converted_chat_converts_to_itself(form: Form, row: object) -> None:
    once = run_steps([row], Convert(source=form))
    assert run_steps(once, Convert(source=Form.CHAT)) == once


@pytest.mark.parametrize(
    ("form", "row", "path", "words"),
    [
        (Form.PROMPT_COMPLETION, {"prompt": "x"}, "completion", "there is no `completion`"),
        (Form.PROMPT_COMPLETION, {"prompt": 5, "completion": ""}, "prompt", "is 5, not text"),
        (Form.ALPACA, {"instruction": "x"}, "output", "there is no `output`"),
        (
            Form.ALPACA,
            {"instruction": "x", "output": "", "history": ["x"]},
            "history[0]",
            "must be a list of a question and an answer",
        ),
        (Form.SHAREGPT, {"messages": []}, "conversations", "is missing, and must be a list"),
        (Form.SHAREGPT, {"conversations": {}}, "conversations", "is an object, not a list"),
        (Form.SHAREGPT, {"conversations": ["x"]}, "conversations[0]", "is text, not an object"),
        (Form.SHAREGPT, {"conversations": [{"value": "x"}]}, "conversations[0].role", "is null, not text"),
        (
            Form.SHAREGPT,
            {"conversations": [{"from": "narrator"}]},
            "conversations[0].role",
            "`narrator` is an unknown role",
        ),
        (
            Form.SHAREGPT,
            {"conversations": [{"from": "observation"}]},
            "conversations[0]",
            "no call comes before this result",
        ),
        (
            Form.SHAREGPT,
            {"conversations": [{"from": "function_call", "value": "{'name'"}]},
            "conversations[0].value",
            "is not JSON",
        ),
        (
            Form.SHAREGPT,
            {"conversations": [{"from": "function_call", "value": "[1]"}]},
            "conversations[0].value",
            "the call is 1, not an object",
        ),
        (
            Form.SHAREGPT,
            {"conversations": [{"from": "function_call", "value": "{}"}]},
            "conversations[0].value",
            "the call has no function name",
        ),
        (Form.SHAREGPT, {"conversations": [], "tools": "{"}, "tools", "is not JSON"),
        (Form.CHAT, {"messages": [], "system": 1}, "system", "is 1, not text"),
        (
            Form.ANTHROPIC,
            {"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]},
            "messages[0].content[0]",
            "a chat row cannot hold a block of type `thinking`",
        ),
        (Form.ANTHROPIC, {"messages": [], "system": [{"type": "image"}]}, "system", "must hold text only"),
        (
            Form.ANTHROPIC,
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]},
            "messages[0].content[0].source",
            "must be an image",
        ),
        (
            Form.VERTEX,
            {"contents": [{"parts": [{"fileData": {}}]}]},
            "contents[0].parts[0]",
            "a chat row cannot hold this part",
        ),
        (
            Form.VERTEX,
            {"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "weather"}}]}]},
            "contents[0].parts[0]",
            "no call of `weather` comes before this",
        ),
    ],
)
def test_a_row_that_cannot_be_converted_is_reported_with_its_place(
    form: Form, row: object, path: str, words: str
) -> None:
    (problem,) = find_problems([row], Convert(source=form))
    assert (problem.rule, problem.path, str(problem.where)) == ("prepare.convert", path, "rows.jsonl:1")
    assert words in problem.what


def test_keys_of_rows_that_cannot_be_converted_are_not_counted_as_left_out() -> None:
    other = {"messages": [{"role": "user", "content": "q"}], "images": ["https://example.test/a.png"]}
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    broken = {"note": "n", "images": "i", "conversations": [{**turns[0], "from": "stranger"}]}
    (found,) = find_problems([other, {"conversations": turns, "id": ""}], Convert(source=Form.SHAREGPT))
    assert (found.rule, found.where.line) == ("prepare.convert", 1)
    found, note = find_problems([{"conversations": turns, "note": "n"}, broken], Convert(source=Form.SHAREGPT))
    assert (found.rule, note.what) == ("prepare.convert", "`note` left out, in up to 1 of 1 rows")


def test_one_exchange_becomes_a_pair_and_a_longer_one_does_not() -> None:
    to_pair = Convert(source=Form.CHAT, target=Target.COMPLETION)
    assert run_steps([{"messages": [SYSTEM, USER, ANSWER]}], to_pair) == [
        {"prompt": "Be kind.\n\nHi", "completion": "Hello"}
    ]
    alpaca = Convert(source=Form.ALPACA, target=Target.COMPLETION)
    assert run_steps([{"instruction": "a", "input": "b", "output": "c"}], alpaca) == [
        {"prompt": "a\n\nb", "completion": "c"}
    ]
    refused: list[dict[str, object]] = [
        {"messages": [USER, ANSWER, USER, ANSWER]},
        {"messages": [USER]},
        {"messages": []},
        {"messages": [USER, ANSWER], "tools": OFFER},
        {"messages": [USER, {**ANSWER, "weight": 1}]},
    ]
    for row in refused:
        (problem,) = find_problems([row], to_pair)
        assert (problem.rule, problem.path) == ("prepare.convert", "messages")


def test_a_pair_converted_to_chat_and_back_is_the_same() -> None:
    rows: list[object] = [{"prompt": "Hi", "completion": "Hello"}, {"prompt": "", "completion": " x\n"}]
    there = run_steps(rows, Convert(source=Form.PROMPT_COMPLETION))
    assert run_steps(there, Convert(source=Form.CHAT, target=Target.COMPLETION)) == rows


def test_conversations_with_calls_from_a_published_file_pass_the_checks() -> None:
    rows = json.loads((Path(__file__).parents[2] / "data/corpus/glaive-tools-sharegpt.json").read_text("utf-8"))
    found = run_steps(rows, Convert(source=Form.SHAREGPT))
    assert len(found) == len(rows)
    wrong = [each for row in found for each in check_row(row, Format.CHAT) if each.severity is Severity.ERROR]
    assert wrong == []
    calls = sum("tool_calls" in turn for row in found if isinstance(row, dict) for turn in row["messages"])
    assert calls == sum(turn["from"] == "function_call" for row in rows for turn in row["conversations"])
    assert calls > 0


@pytest.mark.parametrize(
    ("turns", "text"), [("messages", "prompt"), ("conversations", "question"), ("prompt", "question")]
)
def test_a_question_that_is_there_twice_is_read_once_and_the_other_is_named(turns: str, text: str) -> None:
    row = {turns: [USER], text: "Another", "chosen": "Hello", "rejected": "Go"}
    found = find_problems([row], Convert(source=Form.PREFERENCE))
    assert [(each.severity, each.what) for each in found] == [
        (Severity.INFO, f"`{text}` left out, in up to 1 of 1 rows")
    ]


COHERE = {"chat_history": [{"role": "USER", "message": "a"}, {"role": "CHATBOT", "message": "b"}], "message": "Hi"}


def test_the_chat_history_of_cohere_becomes_turns_before_the_question() -> None:
    before = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    for key in ("response", "answer", "text"):
        row = {**COHERE, "preamble": "Be kind.", key: "Hello"}
        assert run_steps([row], Convert(source=Form.COHERE)) == [{"messages": [SYSTEM, *before, USER, ANSWER]}]


def test_a_message_of_cohere_without_an_answer_and_documents_beside_it_stop_the_run() -> None:
    found = find_problems([COHERE], Convert(source=Form.COHERE))
    assert [(each.severity, each.what) for each in found] == [(Severity.ERROR, "there is no answer to `message`")]
    found = find_problems([{**COHERE, "response": "Hello", "documents": ["d"]}], Convert(source=Form.COHERE))
    assert [(each.rule, each.severity) for each in found] == [("prepare.lost-key", Severity.ERROR)]
