"""Anthropic's Messages form: content as text or blocks, the system text beside the messages, tools with input schemas.

Source: Anthropic's Messages API reference
"""

from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import CallIds, ConversionError
from reconciler.dataset.steps.convert.chat import read_role


def anthropic_to_chat(row: Object) -> Object:
    """Write blocks as parts, calls and answers; what a block holds that chat has no place for is refused."""
    calls, turns = CallIds(), list[Object]()
    for at, message in enumerate(builders.read_objects(row.get("messages"), "messages")):
        path = f"messages[{at}]"
        role, said = read_role(message, path), message.get("content")
        turns += (
            _anthropic_turns(role, said, calls, path) if isinstance(said, list) else [{"role": role, "content": said}]
        )
    return builders.build_row(_join_text_blocks(row.get("system"), "system"), turns, _anthropic_tools(row.get("tools")))


def _anthropic_turns(role: str, said: object, calls: CallIds, path: str) -> list[Object]:
    answers, parts, made = list[Object](), list[Object](), list[Object]()
    for at, block in enumerate(builders.read_objects(said, f"{path}.content")):
        place = f"{path}.content[{at}]"
        match block.get("type"):
            case "text":
                parts.append({"type": "text", "text": builders.read_text(block.get("text"), f"{place}.text")})
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
        return builders.read_text(said, path)
    blocks = builders.read_objects(said, path)
    if any(block.get("type") != "text" for block in blocks):
        raise ConversionError(path, "holds more than text", "take the rest out, or drop the row")
    return "\n".join(builders.read_text(block.get("text"), path) for block in blocks)


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
    found = builders.read_objects(offered, "tools") if offered else []
    return builders.build_tools([{names[key]: tool[key] for key in names if key in tool} for tool in found], "tools")
