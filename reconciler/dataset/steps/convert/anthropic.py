"""Anthropic's Messages form: content as text or blocks, the system text beside the messages, tools with input schemas.

Source: Anthropic's Messages API reference
"""

from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import Calls, ConversionError
from reconciler.dataset.steps.convert.chat import role_of


def to_chat(row: Object) -> Object:
    """Write blocks as parts, calls and answers; what a block holds that chat has no place for is refused."""
    calls, turns = Calls(), list[Object]()
    for at, message in enumerate(builders.objects(row.get("messages"), "messages")):
        path = f"messages[{at}]"
        role, said = role_of(message, path), message.get("content")
        turns += _turns(role, said, calls, path) if isinstance(said, list) else [{"role": role, "content": said}]
    return builders.row(_text_of(row.get("system"), "system"), turns, _tools(row.get("tools")))


def _turns(role: str, said: object, calls: Calls, path: str) -> list[Object]:
    answers, parts, made = list[Object](), list[Object](), list[Object]()
    for at, block in enumerate(builders.objects(said, f"{path}.content")):
        place = f"{path}.content[{at}]"
        match block.get("type"):
            case "text":
                parts.append({"type": "text", "text": builders.text(block.get("text"), f"{place}.text")})
            case "image":
                parts.append(_image(block.get("source"), f"{place}.source"))
            case "tool_use":
                made.append(calls.make(block.get("name"), block.get("input"), place, block.get("id")))
            case "tool_result":
                told = _text_of(block.get("content"), f"{place}.content")
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


def _text_of(said: object, path: str) -> str:
    if not isinstance(said, list):
        return builders.text(said, path)
    blocks = builders.objects(said, path)
    if any(block.get("type") != "text" for block in blocks):
        raise ConversionError(path, "holds more than text", "take the rest out, or drop the row")
    return "\n".join(builders.text(block.get("text"), path) for block in blocks)


def _image(source: object, path: str) -> Object:
    found = source if isinstance(source, dict) else {}
    url = found.get("url")
    if found.get("type") == "base64":
        url = f"data:{found.get('media_type')};base64,{found.get('data')}"
    if not isinstance(url, str):
        raise ConversionError(path, "is no image by its address or its data", "take it out, or drop the row")
    return {"type": "image_url", "image_url": {"url": url}}


def _tools(offered: object) -> Object:
    names = {"name": "name", "description": "description", "input_schema": "parameters"}
    found = builders.objects(offered, "tools") if offered else []
    return builders.tools([{names[key]: tool[key] for key in names if key in tool} for tool in found], "tools")
