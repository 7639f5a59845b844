"""Anthropic's Messages form: content as text or blocks, the system text beside the messages, tools with input schemas.

Source: Anthropic's Messages API reference
"""

from collections.abc import Iterator

from reconciler.dataset.canonical import canonical_text
from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.conversion import (
    CallIds,
    ConversionError,
    build_row,
    build_tools,
    read_objects,
    read_text,
)
from reconciler.dataset.steps.text_forms import read_role


def anthropic_to_chat(row: Object) -> Object:
    """Write blocks as parts, calls and answers; what a block holds that chat has no place for is refused."""
    calls, turns = CallIds(), list[Object]()
    for at, message in enumerate(read_objects(row.get("messages"), "messages")):
        path = f"messages[{at}]"
        role, said = read_role(message, path), message.get("content")
        turns += (
            _anthropic_turns(role, said, calls, path) if isinstance(said, list) else [{"role": role, "content": said}]
        )
    return build_row(_join_text_blocks(row.get("system"), "system"), turns, _anthropic_tools(row.get("tools")))


def _anthropic_turns(role: str, said: object, calls: CallIds, path: str) -> list[Object]:
    answers, parts, made = list[Object](), list[Object](), list[Object]()
    for at, block in enumerate(read_objects(said, f"{path}.content")):
        place = f"{path}.content[{at}]"
        match block.get("type"):
            case "text":
                parts.append({"type": "text", "text": read_text(block.get("text"), f"{place}.text")})
            case "image":
                parts.append(_anthropic_image(block.get("source"), f"{place}.source"))
            case "tool_use":
                made.append(calls.make_call(block.get("name"), block.get("input"), place, block.get("id")))
            case "tool_result":
                told = _join_text_blocks(block.get("content"), f"{place}.content")
                answers.append({"role": "tool", "content": told, "tool_call_id": block.get("tool_use_id")})
            case other:
                hint = "take it out, or drop the row"
                raise ConversionError(
                    place, f"a block of the type `{str(other)[:100]}` has no place in a chat row", hint
                )
    if not parts and not made:
        return answers
    only_text = all(part["type"] == "text" for part in parts)
    content: object = "".join(str(part["text"]) for part in parts) if only_text else parts
    return [*answers, {"role": role, "content": content or None, **({"tool_calls": made} if made else {})}]


def _join_text_blocks(said: object, path: str) -> str:
    if not isinstance(said, list):
        return read_text(said, path)
    blocks = read_objects(said, path)
    if any(block.get("type") != "text" for block in blocks):
        raise ConversionError(path, "holds more than text", "take the rest out, or drop the row")
    return "\n".join(read_text(block.get("text"), path) for block in blocks)


def _anthropic_image(source: object, path: str) -> Object:
    found = source if isinstance(source, dict) else {}
    url = found.get("url")
    if found.get("type") == "base64":
        url = f"data:{found.get('media_type')};base64,{found.get('data')}"
    if not isinstance(url, str):
        raise ConversionError(path, "is no image by its address or its data", "take it out, or drop the row")
    return {"type": "image_url", "image_url": {"url": url}}


def _anthropic_tools(offered: object) -> Object:
    names = {"name": "name", "description": "description", "input_schema": "parameters"}
    found = read_objects(offered, "tools") if offered else []
    return build_tools([{names[key]: tool[key] for key in names if key in tool} for tool in found], "tools")


def vertex_to_chat(row: Object) -> Object:
    """Write parts as text, images, calls and answers; calls get ids by their order in the row."""
    calls, turns = CallIds(), list[Object]()
    for at, content in enumerate(read_objects(row.get("contents"), "contents")):
        path = f"contents[{at}]"
        turns += _vertex_turns(content, calls, path)
    system = row.get("systemInstruction", row.get("system_instruction"))
    return build_row(_vertex_system(system), turns, build_tools(list(_vertex_functions(row.get("tools"))), "tools"))


def _vertex_turns(content: Object, calls: CallIds, path: str) -> list[Object]:
    answers, parts, made = list[Object](), list[Object](), list[Object]()
    for at, part in enumerate(read_objects(content.get("parts"), f"{path}.parts")):
        place = f"{path}.parts[{at}]"
        if "text" in part:
            parts.append({"type": "text", "text": read_text(part["text"], f"{place}.text")})
        elif call := _part_named(part, "functionCall", "function_call"):
            made.append(calls.make_call(call.get("name"), call.get("args"), place))
        elif response := _part_named(part, "functionResponse", "function_response"):
            name = read_text(response.get("name"), place)
            told = canonical_text(response.get("response", {}))
            answers.append({"role": "tool", "content": told, "tool_call_id": calls.match_answer(place, name)})
        elif data := _part_named(part, "inlineData", "inline_data"):
            url = f"data:{data.get('mimeType', data.get('mime_type'))};base64,{data.get('data')}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        else:
            raise ConversionError(place, "this part has no place in a chat row", "take it out, or drop the row")
    if not parts and not made:
        return answers
    only_text = all(part["type"] == "text" for part in parts)
    said: object = "".join(str(part["text"]) for part in parts) if only_text else parts
    role = read_role(content, path) if "role" in content else "user"
    return [*answers, {"role": role, "content": said or None, **({"tool_calls": made} if made else {})}]


def _vertex_system(found: object) -> str:
    if not isinstance(found, dict):
        return read_text(found, "systemInstruction")
    path = "systemInstruction.parts"
    return "\n".join(read_text(part.get("text"), path) for part in read_objects(found.get("parts"), path))


def _vertex_functions(offered: object) -> Iterator[Object]:
    for tool in read_objects(offered, "tools") if offered else []:
        declared = tool.get("functionDeclarations", tool.get("function_declarations"))
        for function in read_objects(declared, "tools.functionDeclarations"):
            yield {
                key: _plain_schema(function[key]) for key in ("name", "description", "parameters") if key in function
            }


def _plain_schema(value: object) -> object:
    # Their types are JSON Schema's in capital letters.
    if isinstance(value, dict):
        return {
            key: inner.lower() if key == "type" and isinstance(inner, str) else _plain_schema(inner)
            for key, inner in value.items()
        }
    return [_plain_schema(item) for item in value] if isinstance(value, list) else value


def _part_named(part: Object, *names: str) -> Object | None:
    found = next((part[name] for name in names if name in part), None)
    return found if isinstance(found, dict) else None
