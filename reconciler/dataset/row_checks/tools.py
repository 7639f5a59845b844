"""Checks of tools: those that a row defines, and calls that match them.

Source: OpenAI function calling guide, OpenAI supervised fine-tuning guide ("tools" and "functions" beside messages)
"""

import re
from collections.abc import Iterator
from functools import partial

from reconciler.dataset.row_checks.finding import JsonObject, RowFinding, describe_value, find_unknown_keys
from reconciler.dataset.strict_json import LineError, decode_json
from reconciler.domain.errors import Severity
from reconciler.foundation.text import did_you_mean, list_words

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FUNCTION_KEYS = ("name", "description", "parameters", "strict")
_SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})

_wrong_tools = partial(RowFinding, "chat.tools")


def check_definitions(row: JsonObject) -> Iterator[RowFinding]:
    """Yield everything that is wrong with the tools that a row defines."""
    if row.get("tools") is not None:
        yield from _check_list(row["tools"], "tools", wrapped=True)
    if row.get("functions") is not None:
        yield from _check_list(row["functions"], "functions", wrapped=False)
    parallel = row.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield _wrong_tools("parallel_tool_calls", f"is {describe_value(parallel)}, not true or false")
    elif parallel is not None and row.get("tools") is None:
        what, hint = "is set, but the row has no `tools`", "remove it, or add `tools` to the row"
        yield _wrong_tools("parallel_tool_calls", what, hint, Severity.WARNING)


def check_calls(row: JsonObject, messages: list[object]) -> Iterator[RowFinding]:
    """Yield everything that is wrong with the calls of a row, and with their results."""
    tools, functions = _names(row.get("tools"), wrapped=True), _names(row.get("functions"), wrapped=False)
    made: set[str] = set()
    conversation = _Calls()
    for at, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        path = f"messages[{at}]"
        yield from conversation.follow(message, path)
        for key in ("tool_calls", "function_call"):
            if key in message and message[key] is not None and message.get("role") != "assistant":
                yield _wrong_tools(f"{path}.{key}", "only the assistant's turns call tools", "leave it out")
        if message.get("tool_calls") is not None:
            yield from _check_tool_calls(message["tool_calls"], f"{path}.tool_calls", tools, made)
        if message.get("function_call") is not None:
            yield from _check_call(message["function_call"], f"{path}.function_call", functions, "functions")
        if message.get("role") == "tool":
            yield from _check_answer(message, f"{path}.tool_call_id", made)
        elif message.get("tool_call_id") is not None:
            yield _wrong_tools(f"{path}.tool_call_id", "only turns with the role `tool` have it", "leave it out")


def _check_list(offered: object, path: str, wrapped: bool) -> Iterator[RowFinding]:
    if not isinstance(offered, list) or not offered:
        hint = (
            "leave it out where there are none: `mend_calls: true`"
            if offered == []
            else "write a list, not text in quotes"
        )
        yield _wrong_tools(path, f"is {describe_value(offered)}, not a list of tools", hint)
        return
    names: set[str] = set()
    for at, tool in enumerate(offered):
        place = f"{path}[{at}]"
        function = tool
        if wrapped:
            if not isinstance(tool, dict) or tool.get("type") != "function":
                hint = 'write it as {"type": "function", "function": {"name": …, "parameters": …}}'
                yield _wrong_tools(place, "is not a tool of type `function`", hint)
                continue
            yield from find_unknown_keys(tool, ("type", "function"), "chat.unknown-key", place)
            function, place = tool.get("function"), f"{place}.function"
        yield from _check_function(function, place, names)


def _check_function(function: object, path: str, names: set[str]) -> Iterator[RowFinding]:
    if not isinstance(function, dict):
        yield _wrong_tools(
            path,
            f"is {describe_value(function)}, not an object",
            "write it as {name, description, parameters}",
        )
        return
    yield from find_unknown_keys(function, _FUNCTION_KEYS, "chat.unknown-key", path)
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        hint = "up to 64 letters, digits, underscores and dashes"
        yield _wrong_tools(f"{path}.name", "is not a valid function name", hint)
    elif name in names:
        yield _wrong_tools(f"{path}.name", f"`{name}` is defined twice", "define each function once")
    else:
        names.add(name)
    if "description" in function and not isinstance(function["description"], str):
        yield _wrong_tools(f"{path}.description", f"is {describe_value(function['description'])}, not text", "")
    if not isinstance(function.get("strict"), bool | None):
        yield _wrong_tools(f"{path}.strict", f"is {describe_value(function['strict'])}, not true or false", "")
    if "parameters" in function:
        yield from _check_parameters(function["parameters"], f"{path}.parameters")


def _check_parameters(schema: object, path: str) -> Iterator[RowFinding]:
    hint = 'a JSON Schema: {"type": "object", "properties": {…}}'
    if not isinstance(schema, dict):
        yield _wrong_tools(path, f"is {describe_value(schema)}, not an object", hint)
        return
    if schema and schema.get("type", "object") != "object":
        yield _wrong_tools(f"{path}.type", "parameters are always an object", hint)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        yield _wrong_tools(f"{path}.properties", f"is {describe_value(properties)}, not an object", hint)
        return
    for name, inner in properties.items():
        sort = inner.get("type") if isinstance(inner, dict) else None
        if not isinstance(inner, dict | bool):
            yield _wrong_tools(f"{path}.properties.{name[:100]}", f"is {describe_value(inner)}, not a schema", hint)
        elif isinstance(sort, str) and sort not in _SCHEMA_TYPES:
            known = did_you_mean(sort, _SCHEMA_TYPES) or f"one of {list_words(sorted(_SCHEMA_TYPES))}"
            yield _wrong_tools(
                f"{path}.properties.{name[:100]}.type",
                f"`{sort[:100]}` is not a type of JSON Schema",
                known,
            )
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(each, str) for each in required):
        yield _wrong_tools(f"{path}.required", "is not a list of names", hint)


def _check_tool_calls(calls: object, path: str, offered: frozenset[str], made: set[str]) -> Iterator[RowFinding]:
    if not isinstance(calls, list) or not calls:
        hint = "leave it out where there are none"
        yield _wrong_tools(path, f"is {describe_value(calls)}, not a list of calls", hint)
        return
    for at, call in enumerate(calls):
        place = f"{path}[{at}]"
        if not isinstance(call, dict):
            yield _wrong_tools(place, f"is {describe_value(call)}, not an object", "write it as {id, type, function}")
            continue
        yield from find_unknown_keys(call, ("id", "type", "function"), "chat.unknown-key", place)
        if call.get("type") != "function":
            yield _wrong_tools(f"{place}.type", f"is {describe_value(call.get('type'))}, not `function`", "")
        name = call.get("id")
        if not isinstance(name, str) or not name:
            yield _wrong_tools(f"{place}.id", "there is no id", "give each call an id, which its result names")
        else:
            made.add(name)
        yield from _check_call(call.get("function"), f"{place}.function", offered, "tools")


def _check_call(call: object, path: str, offered: frozenset[str], key: str) -> Iterator[RowFinding]:
    if not isinstance(call, dict):
        yield _wrong_tools(path, f"is {describe_value(call)}, not an object", "write it as {name, arguments}")
        return
    yield from find_unknown_keys(call, ("name", "arguments"), "chat.unknown-key", path)
    name = call.get("name")
    if not isinstance(name, str):
        yield _wrong_tools(f"{path}.name", f"is {describe_value(name)}, not text")
    elif name not in offered:
        hint = did_you_mean(name, offered) or f"add it to `{key}` of the row"
        yield _wrong_tools(f"{path}.name", f"`{name[:100]}` is not among the `{key}` of the row", hint)
    yield from _check_arguments(call.get("arguments"), f"{path}.arguments")


def _check_arguments(arguments: object, path: str) -> Iterator[RowFinding]:
    if isinstance(arguments, str) and _is_json_object(arguments):
        return
    mend = "`mend_calls: true`"
    if arguments == "":
        what, hint = "is empty; no arguments are written {}", f"write them as an object: {mend}"
        yield RowFinding("chat.arguments", path, what, hint, Severity.WARNING)
    elif isinstance(arguments, str) and _is_text_of_object(arguments):
        what, hint = "is the text of a text of an object", f"unpack it once: {mend}"
        yield RowFinding("chat.arguments", path, what, hint, Severity.WARNING)
    else:
        example = 'a JSON text: "{\\"city\\": \\"Paris\\"}"'
        can_mend = arguments is None or isinstance(arguments, dict)
        hint = f"write them as {example}, as the step {mend} does" if can_mend else f"write an object as {example}"
        yield _wrong_tools(path, "is not a JSON object written as text", hint)


def _check_answer(message: JsonObject, path: str, made: set[str]) -> Iterator[RowFinding]:
    name = message.get("tool_call_id")
    if not isinstance(name, str) or not name:
        yield _wrong_tools(path, "there is no `tool_call_id`", "name the call that this result belongs to")
    elif name not in made:
        yield _wrong_tools(path, f"`{name[:100]}` is not the id of an earlier call", did_you_mean(name, made))


class _Calls:
    """The calls of the last turn that made some, and which of them wait for a result."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._waiting: dict[str, str] = {}
        self._answered: set[str] = set()

    def follow(self, message: JsonObject, path: str) -> Iterator[RowFinding]:
        """Yield what is wrong with the order of calls and results, with the next turn."""
        if message.get("role") == "tool":
            yield from self._follow_result(message.get("tool_call_id"), f"{path}.tool_call_id")
            return
        for waiting, place in self._waiting.items():
            what = f"the call `{waiting[:100]}` has no result before the next turn"
            yield _wrong_tools(place, what, "add a turn with the role `tool` after it, or drop the row")
        self._waiting = {}
        calls = message.get("tool_calls") if message.get("role") == "assistant" else None
        for at, call in enumerate(calls if isinstance(calls, list) else ()):
            call_id = call.get("id") if isinstance(call, dict) else None
            if not isinstance(call_id, str) or not call_id:
                continue
            place = f"{path}.tool_calls[{at}].id"
            if call_id in self._ids:
                yield _wrong_tools(
                    place, f"`{call_id[:100]}` is the id of an earlier call", "give each call its own id"
                )
            self._ids.add(call_id)
            self._waiting[call_id] = place

    def _follow_result(self, call_id: object, path: str) -> Iterator[RowFinding]:
        if not isinstance(call_id, str) or call_id not in self._ids:
            # The id is reported; that the call has no result is the same mistake.
            self._waiting.clear()
            return
        if self._waiting.pop(call_id, None) is None:
            late = call_id not in self._answered
            what = f"the result of `{call_id[:100]}` comes {'too late' if late else 'a second time'}"
            hint = "results follow the turn that makes the call: move it there" if late else "keep one result"
            yield _wrong_tools(path, what, hint)
        self._answered.add(call_id)


def _names(offered: object, wrapped: bool) -> frozenset[str]:
    tools = offered if isinstance(offered, list) else []
    functions = [tool.get("function") if wrapped else tool for tool in tools if isinstance(tool, dict)]
    names = [function.get("name") for function in functions if isinstance(function, dict)]
    return frozenset(name for name in names if isinstance(name, str))


def _is_json_object(text: str) -> bool:
    return isinstance(_decode(text), dict)


def _is_text_of_object(text: str) -> bool:
    inner = _decode(text)
    return isinstance(inner, str) and (inner == "" or _is_json_object(inner) or _is_text_of_object(inner))


def _decode(text: str) -> object:
    try:
        return decode_json(text.encode())
    except (LineError, UnicodeEncodeError):
        return None
