"""Forms whose turns are lists of blocks or parts: Anthropic's Messages, Bedrock's, and Google's `contents`.

Source: Anthropic's Messages API reference; Amazon Bedrock's Converse API and its format of training data; Vertex AI's
        guide to supervised tuning data, and its Content type
"""

from collections.abc import Iterator

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.row_checks import JsonObject
from reconciler.dataset.steps.cells import is_empty
from reconciler.dataset.steps.conversion import (
    CallIds,
    ConversionError,
    NoteUnread,
    build_row,
    build_tools,
    build_turn,
    read_objects,
    read_role,
    read_text,
)
from reconciler.foundation.text import list_words

_DROP_BLOCK = "remove it, or drop the row"
_THOUGHTS = ("thinking", "redacted_thinking")
_DROP_THOUGHTS = "remove it, or write the thoughts into the text before the answer, where the model should learn them"


def anthropic_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from messages of text or blocks, with the system text beside them.

    Raises: ConversionError, for a block that a chat row cannot hold
    """
    note(row, ("messages", "system", "tools"), "")
    calls, turns = CallIds(), list[JsonObject]()
    for at, message in enumerate(read_objects(row.get("messages"), "messages")):
        path = f"messages[{at}]"
        note(message, ("role", "content"), "messages[]")
        role, content = read_role(message, path), message.get("content")
        if isinstance(content, list):
            turns += _anthropic_turns(role, content, calls, path, note)
        else:
            turns.append({"role": role, "content": content})
    return build_row(_join_text_blocks(row.get("system"), "system"), turns, _anthropic_tools(row.get("tools"), note))


_BLOCK_KEYS = {
    "text": ("text",),
    "image": ("source",),
    "image_url": ("image_url",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id", "content"),
}


def _anthropic_turns(role: str, blocks: object, calls: CallIds, path: str, note: NoteUnread) -> list[JsonObject]:
    results, parts, made = list[JsonObject](), list[JsonObject](), list[JsonObject]()
    for at, block in enumerate(read_objects(blocks, f"{path}.content")):
        place = f"{path}.content[{at}]"
        note(block, ("type", *_BLOCK_KEYS.get(str(block.get("type")), ())), "messages[].content[]")
        match block.get("type"):
            case "text":
                parts.append({"type": "text", "text": read_text(block.get("text"), f"{place}.text")})
            case "image":
                parts.append(_anthropic_image(block.get("source"), f"{place}.source"))
            case "image_url":
                # The API's part, as the step `place_images` makes it.
                parts.append({"type": "image_url", "image_url": block.get("image_url")})
            case "tool_use":
                made.append(calls.make_call(block.get("name"), block.get("input"), place, block.get("id")))
            case "tool_result":
                text = _join_text_blocks(block.get("content"), f"{place}.content")
                results.append({"role": "tool", "content": text, "tool_call_id": block.get("tool_use_id")})
            case other:
                what = f"a chat row cannot hold a block of type `{str(other)[:100]}`"
                raise ConversionError(place, what, _DROP_THOUGHTS if other in _THOUGHTS else _DROP_BLOCK)
    return results + build_turn(role, parts, made)


def _join_text_blocks(content: object, path: str) -> str:
    if not isinstance(content, list):
        return read_text(content, path)
    blocks = read_objects(content, path)
    if any(block.get("type") != "text" for block in blocks):
        raise ConversionError(path, "must hold text only", "remove the other blocks, or drop the row")
    return "\n".join(read_text(block.get("text"), path) for block in blocks)


def _anthropic_image(source: object, path: str) -> JsonObject:
    fields = source if isinstance(source, dict) else {}
    url = fields.get("url")
    if fields.get("type") == "base64":
        url = f"data:{fields.get('media_type')};base64,{fields.get('data')}"
    if not isinstance(url, str):
        raise ConversionError(path, "must be an image by its URL or its base64 data", _DROP_BLOCK)
    return {"type": "image_url", "image_url": {"url": url}}


def _anthropic_tools(offered: object, note: NoteUnread) -> JsonObject:
    names = {"name": "name", "description": "description", "input_schema": "parameters"}
    tools = [] if is_empty(offered) else read_objects(offered, "tools")
    for tool in tools:
        note(tool, names, "tools[]")
    return build_tools([{names[key]: tool[key] for key in names if key in tool} for tool in tools], "tools")


def bedrock_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from the messages of Bedrock's conversations, whose blocks are named by their only key."""
    note(row, ("schemaVersion", "messages", "system"), "")
    turns = list[JsonObject]()
    for at, message in enumerate(read_objects(row.get("messages"), "messages")):
        path = f"messages[{at}]"
        note(message, ("role", "content"), "messages[]")
        parts = list(_bedrock_parts(message.get("content"), f"{path}.content", note))
        turns += build_turn(read_role(message, path), parts, []) or [{"role": read_role(message, path), "content": ""}]
    system = row.get("system")
    blocks = read_objects(system, "system") if isinstance(system, list) else [{"text": system}]
    return build_row("\n".join(read_text(block.get("text"), "system") for block in blocks), turns, {})


def _bedrock_parts(blocks: object, path: str, note: NoteUnread) -> Iterator[JsonObject]:
    for at, block in enumerate(read_objects(blocks, path)):
        place = f"{path}[{at}]"
        image = _object_named(block, "image")
        source = _object_named(image, "source") if image else None
        if "text" in block:
            note(block, ("text",), "messages[].content[]")
            yield {"type": "text", "text": read_text(block["text"], f"{place}.text")}
        elif image and source and isinstance(source.get("bytes"), str):
            url = f"data:image/{image.get('format')};base64,{source['bytes']}"
            yield {"type": "image_url", "image_url": {"url": url}}
        else:
            raise ConversionError(place, f"a chat row cannot hold a block of {list_words(tuple(block))}", _DROP_BLOCK)


def vertex_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from `contents` of parts, a system instruction and function declarations.

    Shape:  calls get ids by their order in the row
    """
    note(row, ("contents", "systemInstruction", "system_instruction", "tools"), "")
    calls, turns = CallIds(), list[JsonObject]()
    for at, content in enumerate(read_objects(row.get("contents"), "contents")):
        note(content, ("role", "parts"), "contents[]")
        turns += _vertex_turns(content, calls, f"contents[{at}]", note)
    system = row.get("systemInstruction", row.get("system_instruction"))
    functions = list(_vertex_functions(row.get("tools"), note))
    return build_row(_vertex_system(system), turns, build_tools(functions, "tools"))


_PART_KEYS = {
    *("text", "functionCall", "function_call", "functionResponse", "function_response", "inlineData", "inline_data"),
}


def _vertex_turns(content: JsonObject, calls: CallIds, path: str, note: NoteUnread) -> list[JsonObject]:
    results, parts, made = list[JsonObject](), list[JsonObject](), list[JsonObject]()
    for at, part in enumerate(read_objects(content.get("parts"), f"{path}.parts")):
        place = f"{path}.parts[{at}]"
        note(part, _PART_KEYS, "contents[].parts[]")
        if "text" in part:
            parts.append({"type": "text", "text": read_text(part["text"], f"{place}.text")})
        elif call := _object_named(part, "functionCall", "function_call"):
            made.append(calls.make_call(call.get("name"), call.get("args"), place))
        elif response := _object_named(part, "functionResponse", "function_response"):
            name = read_text(response.get("name"), place)
            text = write_canonical_text(response.get("response", {}))
            results.append({"role": "tool", "content": text, "tool_call_id": calls.match_result(place, name)})
        elif data := _object_named(part, "inlineData", "inline_data"):
            url = f"data:{data.get('mimeType', data.get('mime_type'))};base64,{data.get('data')}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        else:
            raise ConversionError(place, "a chat row cannot hold this part", _DROP_BLOCK)
    if not parts and not made:
        return results
    return results + build_turn(read_role(content, path) if "role" in content else "user", parts, made)


def _vertex_system(instruction: object) -> str:
    if not isinstance(instruction, dict):
        return read_text(instruction, "systemInstruction")
    path = "systemInstruction.parts"
    return "\n".join(read_text(part.get("text"), path) for part in read_objects(instruction.get("parts"), path))


def _vertex_functions(offered: object, note: NoteUnread) -> Iterator[JsonObject]:
    for tool in [] if is_empty(offered) else read_objects(offered, "tools"):
        note(tool, ("functionDeclarations", "function_declarations"), "tools[]")
        declared = tool.get("functionDeclarations", tool.get("function_declarations"))
        for function in read_objects(declared, "tools.functionDeclarations"):
            note(function, ("name", "description", "parameters"), "tools[].functionDeclarations[]")
            yield {
                key: _plain_schema(function[key]) for key in ("name", "description", "parameters") if key in function
            }


def _plain_schema(value: object) -> object:
    # The types are JSON Schema's in capital letters.
    if isinstance(value, dict):
        return {
            key: inner.lower() if key == "type" and isinstance(inner, str) else _plain_schema(inner)
            for key, inner in value.items()
        }
    return [_plain_schema(item) for item in value] if isinstance(value, list) else value


def _object_named(part: JsonObject, *names: str) -> JsonObject | None:
    value = next((part[name] for name in names if name in part), None)
    return value if isinstance(value, dict) else None
