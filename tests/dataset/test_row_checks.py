"""The requirements of the API for a row, rule by rule."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings

from reconciler.dataset.row_checks import MINIMUM_EXAMPLES, RowFinding, check_row
from reconciler.dataset.row_checks.finding import find_unknown_keys
from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format

from .factories import a_chat
from .test_canonical import OBJECTS, VALUES

USER = {"role": "user", "content": "How warm is it in Paris?"}
ANSWER = {"role": "assistant", "content": "21 degrees"}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "21"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.test/cat.png", "detail": "low"}}

GOOD = [
    {"messages": [USER, ANSWER]},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            USER,
            {**ANSWER, "weight": 0},
            USER,
            {**ANSWER, "weight": 1},
        ]
    },
    {"messages": [{"role": "developer", "content": "Be brief."}, {**USER, "name": "ann"}, ANSWER]},
    {"messages": [USER, CALLING], "tools": [TOOL], "parallel_tool_calls": False},
    {"messages": [USER, CALLING, RESULT, ANSWER], "tools": [TOOL]},
    {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL]},
    {"messages": [USER, ANSWER], "tools": [{"type": "function", "function": {"name": "ping"}}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}, ANSWER]},
    {"messages": [USER, {"role": "assistant", "content": None, "refusal": "I cannot say."}]},
    {
        "messages": [
            USER,
            {"role": "assistant", "content": None, "function_call": {"name": "ping", "arguments": "{}"}},
            {"role": "function", "name": "ping", "content": "pong"},
            ANSWER,
        ],
        "functions": [{"name": "ping"}],
    },
]


@pytest.mark.parametrize("row", GOOD)
def test_good_chats_have_no_findings(row: object) -> None:
    assert list(check_row(row, Format.CHAT)) == []


def with_turn(**change: Any) -> dict[str, Any]:
    """Return a valid row with a changed first message; `...` removes a key."""
    turn = {key: value for key, value in {**USER, **change}.items() if value is not ...}
    return {"messages": [turn, ANSWER]}


def with_answer(**change: Any) -> dict[str, Any]:
    return {"messages": [USER, {key: value for key, value in {**ANSWER, **change}.items() if value is not ...}]}


def with_tool(**change: Any) -> dict[str, Any]:
    function = {"name": "weather", "parameters": {"type": "object"}, **change}
    kept = {key: value for key, value in function.items() if value is not ...}
    return {"messages": [USER, ANSWER], "tools": [{"type": "function", "function": kept}]}


def with_call(**change: Any) -> dict[str, Any]:
    call = copy.deepcopy(CALL)
    call["function"].update(change)  # type: ignore[attr-defined]
    return {"messages": [USER, {"role": "assistant", "tool_calls": [call]}], "tools": [TOOL]}


def with_images(count: int) -> dict[str, Any]:
    return with_turn(content=[IMAGE] * count)


BAD = [
    ([], "chat.row", "", ""),
    ("text", "chat.row", "", ""),
    ({}, "chat.messages", "messages", ""),
    ({"messages": []}, "chat.messages", "messages", ""),
    ({"messages": "hello"}, "chat.messages", "messages", ""),
    ({"messages": [USER, "hello", ANSWER]}, "chat.message", "messages[1]", ""),
    ({"messages": [USER, ANSWER], "system": "Be brief."}, "chat.unknown-key", "system", "convert: {from: chat}"),
    ({"messages": [USER, ANSWER], "tool": [TOOL]}, "chat.unknown-key", "tool", "did you mean `tools`?"),
    ({"messages": [USER, ANSWER], "images": ["a.png"]}, "chat.unknown-key", "images", "for each image"),
    (with_turn(context="x"), "chat.unknown-key", "messages[0].context", "into the texts"),
    (with_turn(nmae="x"), "chat.unknown-key", "messages[0].nmae", "did you mean `name`?"),
    (with_turn(role="human"), "chat.role", "messages[0].role", "did you mean `user`?"),
    (with_turn(role="User"), "chat.role", "messages[0].role", "did you mean `user`?"),
    (with_turn(role="sytem"), "chat.role", "messages[0].role", "did you mean `system`?"),
    (with_turn(role=["user"]), "chat.role", "messages[0].role", "one of"),
    (with_turn(role=...), "chat.role", "messages[0].role", "one of"),
    (with_turn(content=...), "chat.content", "messages[0].content", ""),
    (with_turn(content=None), "chat.content", "messages[0].content", ""),
    (with_turn(content=""), "chat.content", "messages[0].content", ""),
    (with_turn(content=5), "chat.content", "messages[0].content", ""),
    (with_turn(content=[]), "chat.content", "messages[0].content", ""),
    (with_turn(content=["x"]), "chat.content", "messages[0].content[0]", ""),
    (with_turn(content=[{"type": "video"}]), "chat.content", "messages[0].content[0].type", "`image_url`"),
    (
        with_turn(content=[{"type": "text", "text": ""}]),
        "chat.content",
        "messages[0].content",
        "`drop_empty: [messages]`",
    ),
    (
        with_turn(content=[{"type": "image_url", "image_url": "u"}]),
        "chat.images",
        "messages[0].content[0].image_url",
        "",
    ),
    (
        with_turn(content=[{"type": "image_url", "image_url": {"url": "cat.png"}}]),
        "chat.images",
        "messages[0].content[0].image_url.url",
        "https://",
    ),
    (with_images(11), "chat.images", "messages", "split"),
    (with_answer(content=[IMAGE]), "chat.images", "messages[1].content[0]", "user"),
    (with_answer(content=""), "chat.content", "messages[1].content", ""),
    (with_answer(weight=2), "chat.weight", "messages[1].weight", "0 leaves"),
    (with_answer(weight=0.5), "chat.weight", "messages[1].weight", "0 leaves"),
    (with_answer(weight=True), "chat.weight", "messages[1].weight", "0 leaves"),
    (with_answer(weight="1"), "chat.weight", "messages[1].weight", "0 leaves"),
    (with_answer(weight=0), "chat.weight", "messages", "drop the row"),
    (with_turn(weight=1), "chat.weight", "messages[0].weight", "leave it out"),
    (with_turn(name=7), "chat.name", "messages[0].name", ""),
    ({"messages": [USER]}, "chat.no-assistant", "messages", "add the answer"),
    ({"messages": [USER, ANSWER, USER]}, "chat.last-turn", "messages", "add the answer"),
    ({"messages": [USER, ANSWER], "tools": []}, "chat.tools", "tools", "leave it out"),
    ({"messages": [USER, ANSWER], "tools": "[]"}, "chat.tools", "tools", "not text in quotes"),
    ({"messages": [USER, ANSWER], "tools": [{"name": "f"}]}, "chat.tools", "tools[0]", '"type": "function"'),
    ({"messages": [USER, ANSWER], "tools": [TOOL, TOOL]}, "chat.tools", "tools[1].function.name", "once"),
    ({"messages": [USER, ANSWER], "functions": [7]}, "chat.tools", "functions[0]", ""),
    ({"messages": [USER, ANSWER], "parallel_tool_calls": "no"}, "chat.tools", "parallel_tool_calls", ""),
    (with_tool(name="get weather"), "chat.tools", "tools[0].function.name", "64"),
    (with_tool(parameters="{}"), "chat.tools", "tools[0].function.parameters", "JSON Schema"),
    (with_tool(parameters={"type": "array"}), "chat.tools", "tools[0].function.parameters.type", "JSON Schema"),
    (
        with_tool(parameters={"type": "object", "properties": {"a": {"type": "int"}}}),
        "chat.tools",
        "tools[0].function.parameters.properties.a.type",
        "did you mean `integer`?",
    ),
    (
        with_tool(parameters={"type": "object", "required": "a"}),
        "chat.tools",
        "tools[0].function.parameters.required",
        "",
    ),
    (with_tool(parameters=..., paramters={}), "chat.unknown-key", "tools[0].function.paramters", "did you mean"),
    (
        with_call(arguments={"city": "Paris"}),
        "chat.tools",
        "messages[1].tool_calls[0].function.arguments",
        "as a JSON text",
    ),
    (with_call(arguments="Paris"), "chat.tools", "messages[1].tool_calls[0].function.arguments", "as a JSON text"),
    (with_call(arguments="[" * 9999), "chat.tools", "messages[1].tool_calls[0].function.arguments", "as a JSON text"),
    (with_call(name="wether"), "chat.tools", "messages[1].tool_calls[0].function.name", "did you mean `weather`?"),
    ({"messages": [USER, CALLING]}, "chat.tools", "messages[1].tool_calls[0].function.name", "add it to `tools`"),
    ({"messages": [USER, {**ANSWER, "tool_calls": []}]}, "chat.tools", "messages[1].tool_calls", "leave it out"),
    (
        {"messages": [{**USER, "tool_calls": [CALL]}, ANSWER], "tools": [TOOL]},
        "chat.tools",
        "messages[0].tool_calls",
        "",
    ),
    ({"messages": [USER, RESULT, ANSWER]}, "chat.tools", "messages[1].tool_call_id", ""),
    (
        {"messages": [USER, CALLING, {**RESULT, "tool_call_id": "call_l"}, ANSWER], "tools": [TOOL]},
        "chat.tools",
        "messages[2].tool_call_id",
        "did you mean `call_1`?",
    ),
]


@pytest.mark.parametrize(("row", "rule", "path", "hint"), BAD)
def test_each_mistake_of_a_chat_is_found_once_with_its_place(row: object, rule: str, path: str, hint: str) -> None:
    errors = [finding for finding in check_row(row, Format.CHAT) if finding.severity is Severity.ERROR]
    assert [(finding.rule, finding.path) for finding in errors] == [(rule, path)]
    assert hint in errors[0].hint
    assert errors[0].what


def test_all_mistakes_of_a_row_are_found_at_once() -> None:
    row = {"messages": [{"role": "gpt", "content": ""}, {"role": "user", "content": "x", "weight": 1}], "tools": 5}
    assert {(finding.rule, finding.path) for finding in check_row(row, Format.CHAT)} == {
        ("chat.tools", "tools"),
        ("chat.role", "messages[0].role"),
        ("chat.content", "messages[0].content"),
        ("chat.weight", "messages[1].weight"),
        ("chat.no-assistant", "messages"),
    }


def test_a_chat_without_a_first_user_message_is_only_a_warning() -> None:
    (finding,) = check_row({"messages": [{"role": "system", "content": "Sing."}, ANSWER]}, Format.CHAT)
    assert (finding.rule, finding.severity) == ("chat.no-user", Severity.WARNING)


@pytest.mark.parametrize("row", [{"prompt": "a", "completion": "b"}, {"prompt": "", "completion": " b"}])
def test_good_completions_have_no_findings(row: object) -> None:
    assert list(check_row(row, Format.COMPLETION)) == []


@pytest.mark.parametrize(
    ("row", "rule", "path"),
    [
        (None, "completion.row", ""),
        ({"prompt": "a"}, "completion.completion", "completion"),
        ({"completion": "a"}, "completion.prompt", "prompt"),
        ({"prompt": "a", "completion": ""}, "completion.completion", "completion"),
        ({"prompt": None, "completion": "a"}, "completion.prompt", "prompt"),
        ({"prompt": "a", "completion": 5}, "completion.completion", "completion"),
        ({"prompt": "a", "completion": "b", "label": 1}, "completion.unknown-key", "label"),
    ],
)
def test_each_mistake_of_a_completion_is_found(row: object, rule: str, path: str) -> None:
    assert [(finding.rule, finding.path) for finding in check_row(row, Format.COMPLETION)] == [(rule, path)]


@given(OBJECTS | VALUES)
@settings(max_examples=200)
def test_any_row_can_be_checked(row: object) -> None:
    for where in (row, {"messages": row}, {"messages": [row]}, {**a_chat(), "tools": [row]}):
        for format in Format:  # noqa: A001 (the word of the field)
            assert all(isinstance(finding, RowFinding) for finding in check_row(where, format))


def test_the_minimum_number_of_training_rows_is_ten() -> None:
    assert MINIMUM_EXAMPLES == 10


def test_keys_without_end_are_one_finding_and_the_first_hundred() -> None:
    keys = dict.fromkeys(f"k{at:05}" for at in range(10_000))
    findings = list(find_unknown_keys({"messages": [], **keys}, ("messages",), "chat.unknown-key", ""))
    assert len(findings) == 101
    assert findings[0].what == "10,000 unknown keys, of which the first 100 are looked at"
    assert findings[-1].path == "k00099"
